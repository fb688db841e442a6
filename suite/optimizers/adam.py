"""Adam: averaged gradient over averaged root mean square, both corrected for their start at zero.

Lecture section "Stochastic gradient descent", claim C36. The slide leaves out the correction and
puts epsilon inside the root; both forms are arguments here, so that they can be compared.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.optimizers._optimizer import Optimizer


@keras.saving.register_keras_serializable(package="dl_basics")
class Adam(Optimizer):
    """Momentum and RMSprop in one, debiased.

    At step `t = 1, 2, ...`:

        mu <- beta_1 * mu + (1 - beta_1) * g
        nu <- beta_2 * nu + (1 - beta_2) * g^2
        rate = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)      debias=True
        rate = learning_rate                                            debias=False
        w <- w - rate * mu / (sqrt(nu) + epsilon)                       epsilon_inside=False
        w <- w - rate * mu / sqrt(nu + epsilon)                         epsilon_inside=True

    The defaults are Keras's: debiased, with the paper's "epsilon hat" outside the root and added
    to the root that is not yet corrected. Algorithm 1 of the paper adds an `epsilon` to the
    corrected root; that is this class at `epsilon_hat = epsilon * sqrt(1 - beta_2^t)`. The
    slide's form is `debias=False, epsilon_inside=True` with `beta_1 = beta_2`. Without debiasing
    the first step is `(1 - beta_1) / sqrt(1 - beta_2)` learning rates long: 3.16 at the defaults.

    Args:
        learning_rate: a number, a schedule, or a callable without arguments.
        beta_1: weight of the past in the average of gradients, in [0, 1).
        beta_2: weight of the past in the average of squares, in [0, 1).
        epsilon: keeps the division finite; zero or positive, in units of `g` outside the root and
            of `g^2` inside.
        amsgrad: whether to divide by the largest `nu` so far, which repairs Adam's convergence on
            the counter-example of Reddi et al. (`AMSGrad`).
        debias: whether to correct for the averages' start at zero.
        epsilon_inside: whether `epsilon` is added inside the root.
        **kwargs: what all Keras optimizers share: `weight_decay`, `clipnorm`, `clipvalue`,
            `global_clipnorm`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
            `loss_scale_factor`, `gradient_accumulation_steps`, `name`.

    Raises:
        ValueError: `learning_rate` or `epsilon` negative, `beta_1` or `beta_2` outside [0, 1), a
            flag is not a bool, an unknown argument.

    Example:
        >>> w = keras.Variable([1.0, 1.0])  # the first step has length 0.5 at any scale of g
        >>> Adam(learning_rate=0.5).apply([keras.ops.array([1000.0, -0.1])], [w])
        >>> [round(float(v), 3) for v in w.numpy()]
        [0.5, 1.5]

    Reference:
        Kingma & Ba 2015, arXiv:1412.6980, section 2, the formula before 2.1; AMSGrad is Reddi et
        al. 2018, Algorithm 2.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        *,
        debias=True,
        epsilon_inside=False,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = check.decay("beta_1", beta_1)
        self.beta_2 = check.decay("beta_2", beta_2)
        self.epsilon = check.not_negative("epsilon", epsilon)
        self.amsgrad = check.flag("amsgrad", amsgrad)
        self.debias = check.flag("debias", debias)
        self.epsilon_inside = check.flag("epsilon_inside", epsilon_inside)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        mu, nu = self._momentums[index], self._velocities[index]
        self.assign(mu, self.beta_1 * mu + (1 - self.beta_1) * g)
        self.assign(nu, self.beta_2 * nu + (1 - self.beta_2) * ops.square(g))
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, nu))
            nu = largest
        if self.debias:
            # bfloat16 rounds 0.999 to 1, and the correction to 0: it needs float32 at least.
            wide = keras.backend.result_type(variable.dtype, "float32")
            t = ops.cast(self.iterations + 1, wide)
            debias = ops.sqrt(1 - ops.power(self.beta_2, t)) / (1 - ops.power(self.beta_1, t))
            rate = rate * ops.cast(debias, variable.dtype)
        if self.epsilon_inside:
            root = ops.sqrt(nu + self.epsilon)
        else:
            root = ops.sqrt(nu) + self.epsilon
        self.assign_sub(variable, rate * mu / root)
