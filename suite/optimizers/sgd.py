"""Stochastic gradient descent, plain, with heavy-ball or with Nesterov momentum.

Lecture section "Stochastic gradient descent", claims C30 to C33. Momentum replaces the condition
number by its square root in the number of steps.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.optimizers._optimizer import CLIPPING, Optimizer


@keras.saving.register_keras_serializable(package="dl_basics")
class SGD(Optimizer):
    """Gradient descent, with Keras's momentum.

        momentum = 0:    w <- w - learning_rate * g
        momentum > 0:    v <- momentum * v - learning_rate * g
                         w <- w + v
        nesterov:        w <- w + momentum * v - learning_rate * g

    `v` sums past gradients, so a constant gradient ends up moving `w` by
    `learning_rate / (1 - momentum)` a step. The lecture *averages* them instead: that is
    `Momentum`, equal to this class at `learning_rate_there = learning_rate / (1 - momentum)`.

    Args:
        learning_rate: a number, a schedule, or a callable without arguments.
        momentum: weight of the past step, in [0, 1].
        nesterov: whether to look ahead; without effect when `momentum` is 0.
        **kwargs: what all Keras optimizers share: `weight_decay`, `clipnorm`, `clipvalue`,
            `global_clipnorm`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
            `loss_scale_factor`, `gradient_accumulation_steps`, `name`.

    Raises:
        ValueError: `learning_rate` negative, `momentum` outside [0, 1], an unknown argument.

    Example:
        >>> w = keras.Variable([1.0, 2.0])
        >>> SGD(learning_rate=0.5).apply([keras.ops.array([2.0, -2.0])], [w])
        >>> w.numpy().tolist()
        [0.0, 3.0]

    Reference:
        Polyak 1964 (momentum); Nesterov 1983, in the form of Sutskever et al. 2013, equations 3
        and 4, with Keras's change of variable.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = check.share("`momentum`", momentum)
        self.nesterov = check.flag("nesterov", nesterov)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = []
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def _needs_every_row(self):
        more = ("momentum", *CLIPPING, "loss_scale_factor")
        return any(getattr(self, name) for name in more)

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        if not self.momentum:
            # ops.multiply, unlike `*`, keeps an embedding's gradient sparse: only its rows move.
            self.assign_sub(variable, ops.multiply(g, learning_rate))
            return
        v = self.momentums[self._get_variable_index(variable)]
        self.assign(v, self.momentum * v - learning_rate * g)
        if self.nesterov:
            self.assign_add(variable, self.momentum * v - learning_rate * g)
        else:
            self.assign_add(variable, v)
