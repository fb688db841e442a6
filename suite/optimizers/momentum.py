"""Momentum as the lecture writes it: step along the averaged gradient.

Lecture section "Stochastic gradient descent", claim C33. Averaging smooths the *direction*; at a
given learning rate it barely changes how far the iterate scatters around the optimum. What it
buys is acceleration on ill-conditioned problems.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.optimizers._optimizer import Optimizer


@keras.saving.register_keras_serializable(package="dl_basics")
class Momentum(Optimizer):
    """Gradient descent along an exponential average of the gradients.

        mu <- momentum * mu + (1 - momentum) * g
        w  <- w - learning_rate * mu

    The average starts at zero and is not debiased: a constant gradient reaches the share
    `1 - momentum^t` of itself after `t` steps. `SGD(learning_rate', momentum)` takes the same
    steps at `learning_rate' = (1 - momentum) * learning_rate`.

    Args:
        learning_rate: a number, a schedule, or a callable without arguments.
        momentum: weight of the past in the average (the lecture's alpha), in [0, 1).
        **kwargs: what all Keras optimizers share: `weight_decay`, `clipnorm`, `clipvalue`,
            `global_clipnorm`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
            `loss_scale_factor`, `gradient_accumulation_steps`, `name`.

    Raises:
        ValueError: `learning_rate` negative, `momentum` outside [0, 1), an unknown argument.

    Example:
        >>> w = keras.Variable([1.0])
        >>> Momentum(learning_rate=0.5, momentum=0.75).apply([keras.ops.array([8.0])], [w])
        >>> w.numpy().tolist()
        [0.0]

    Reference:
        Polyak 1964, "Some methods of speeding up the convergence of iteration methods", with the
        learning rate divided by `1 - momentum`.
    """

    def __init__(self, learning_rate=0.01, momentum=0.9, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = check.decay("momentum", momentum)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        mu = self.momentums[self._get_variable_index(variable)]
        self.assign(mu, self.momentum * mu + (1 - self.momentum) * g)
        self.assign_sub(variable, learning_rate * mu)
