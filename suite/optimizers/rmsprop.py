"""RMSprop: divide each coordinate's gradient by its recent root mean square.

Lecture section "Stochastic gradient descent", claims C34 and C35. Where the gradient is noisy the
step becomes small; a single normalized step is bounded by `1 / sqrt(1 - rho)`, not by one.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.optimizers._optimizer import Optimizer


@keras.saving.register_keras_serializable(package="dl_basics")
class RMSprop(Optimizer):
    """Gradient descent with every coordinate normalized.

        nu <- rho * nu + (1 - rho) * g^2
        d  =  g / sqrt(nu + epsilon)             epsilon_inside=True, as in Keras
        d  =  g / (sqrt(nu) + epsilon)           epsilon_inside=False
        w  <- w - learning_rate * d

    The lecture's form is `epsilon=0`, which divides zero by zero in a coordinate whose gradient
    was never active. `nu` starts at zero and is not debiased. With `centered=True`, `nu` is
    replaced by `nu - m^2`, where `m` averages `g` as `nu` averages `g^2`: a variance. With
    `momentum > 0` the step is `b <- momentum * b + learning_rate * d`, `w <- w - b`.

    Args:
        learning_rate: a number, a schedule, or a callable without arguments.
        rho: weight of the past in the average of squares, in [0, 1).
        momentum: weight of the past step, in [0, 1).
        epsilon: keeps the division finite; zero or positive, in units of `g^2` inside the root
            and of `g` outside.
        centered: whether to divide by the standard deviation instead of the root mean square.
        epsilon_inside: whether `epsilon` is added inside the root.
        **kwargs: what all Keras optimizers share: `weight_decay`, `clipnorm`, `clipvalue`,
            `global_clipnorm`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
            `loss_scale_factor`, `gradient_accumulation_steps`, `name`.

    Raises:
        ValueError: `learning_rate` or `epsilon` negative, `rho` or `momentum` outside [0, 1), a
            flag is not a bool, an unknown argument.

    Example:
        >>> w = keras.Variable([1.0])
        >>> RMSprop(0.5, rho=0.75, epsilon=0.0).apply([keras.ops.array([8.0])], [w])
        >>> w.numpy().tolist()  # 1 - 0.5 * 8 / sqrt(0.25 * 8^2)
        [0.0]

    Reference:
        Tieleman & Hinton 2012, lecture 6.5 of "Neural networks for machine learning"; the
        centered form is Graves 2013, arXiv:1308.0850, equations 38 to 41.
    """

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        *,
        epsilon_inside=True,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho = check.decay("rho", rho)
        self.momentum = check.decay("momentum", momentum)
        self.epsilon = check.not_negative("epsilon", epsilon)
        self.centered = check.flag("centered", centered)
        self.epsilon_inside = check.flag("epsilon_inside", epsilon_inside)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = []
        if self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        self._average_gradients = []
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        nu = self._velocities[index]
        self.assign(nu, self.rho * nu + (1 - self.rho) * ops.square(g))
        square = nu
        if self.centered:
            m = self._average_gradients[index]
            self.assign(m, self.rho * m + (1 - self.rho) * g)
            # A variance, but the two roundings can leave it below zero: then the root is NaN.
            square = ops.maximum(nu - ops.square(m), 0)
        if self.epsilon_inside:
            d = g / ops.sqrt(square + self.epsilon)
        else:
            d = g / (ops.sqrt(square) + self.epsilon)
        step = learning_rate * d
        if self.momentum:
            b = self._momentums[index]
            self.assign(b, self.momentum * b + step)
            step = b
        self.assign_sub(variable, step)
