"""What the optimizers share: checked arguments, and one meaning of a sparse gradient."""

import keras
from keras import ops

from suite import _arguments as check
from suite._configured import arguments

CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


class Optimizer(keras.optimizers.Optimizer):
    """Keras's optimizer, whose constructor arguments are checked and read back by `get_config`.

    On TensorFlow the gradient of an embedding is sparse: rows and their indices, where an index
    may repeat. It stands for the dense gradient with zeros in all other rows and repeated rows
    added up, and every optimizer moves as if it were given that one; so do Keras's own on other
    backends. On TensorFlow, Keras's RMSprop and Adam square each of the repeated rows instead of
    their sum, and `loss_scale_factor` fails.
    """

    def __init__(self, learning_rate, **kwargs):
        for name in ("weight_decay", *CLIPPING):
            if kwargs.get(name) is not None:
                check.not_negative(name, kwargs[name])
        if kwargs.get("loss_scale_factor") is not None:
            check.positive("loss_scale_factor", kwargs["loss_scale_factor"])
        super().__init__(check.learning_rate(learning_rate), **kwargs)

    def _needs_every_row(self):
        """Whether rows without a gradient matter too, as they do in a moving average."""
        return True

    def apply(self, grads, trainable_variables=None):
        if self._needs_every_row():
            grads = [ops.add(g, 0) if hasattr(g, "dense_shape") else g for g in grads]
        super().apply(grads, trainable_variables)

    def get_config(self):
        own = [name for name in arguments(type(self)) if name != "learning_rate"]
        return super().get_config() | {name: getattr(self, name) for name in own}
