"""AMSGrad: Adam that never forgets a large gradient.

Lecture section "Stochastic gradient descent", claim C36. Adam's average of squares forgets a rare
large gradient before the small ones in between are paid for; where those point the wrong way, Adam
walks away from the optimum. A maximum does not forget.
"""

import keras

from suite.optimizers.adam import Adam


@keras.saving.register_keras_serializable(package="dl_basics")
class AMSGrad(Adam):
    """Adam, divided by the largest average of squares so far.

        mu <- beta_1 * mu + (1 - beta_1) * g
        nu <- beta_2 * nu + (1 - beta_2) * g^2
        nu_hat <- max(nu_hat, nu)
        w <- w - rate * mu / (sqrt(nu_hat) + epsilon)

    with the `rate` of `Adam`; this is its `amsgrad=True` under a name of its own. By default both
    averages are debiased as in Keras; the paper's form is `debias=False`. The share of the learning
    rate that a coordinate gets can only fall.

    Args:
        learning_rate: a number, a schedule, or a callable without arguments.
        beta_1: weight of the past in the average of gradients, in [0, 1).
        beta_2: weight of the past in the average of squares, in [0, 1).
        epsilon: keeps the division finite; zero or positive, in units of `g` outside the root and
            of `g^2` inside.
        debias: whether to correct for the averages' start at zero.
        epsilon_inside: whether `epsilon` is added inside the root.
        **kwargs: what all Keras optimizers share: `weight_decay`, `clipnorm`, `clipvalue`,
            `global_clipnorm`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
            `loss_scale_factor`, `gradient_accumulation_steps`, `name`.

    Raises:
        ValueError: `learning_rate` or `epsilon` negative, `beta_1` or `beta_2` outside [0, 1), a
            flag is not a bool, an unknown argument.

    Example:
        >>> w, optimizer = keras.Variable([0.0]), AMSGrad(1.0, beta_1=0.0, debias=False)
        >>> for gradient in (100.0, 1.0):  # Adam would move by about 1 again
        ...     before = keras.ops.convert_to_numpy(w)[0]
        ...     optimizer.apply([keras.ops.array([gradient])], [w])
        >>> round(float(before - keras.ops.convert_to_numpy(w)[0]), 3)  # 1 / sqrt(0.001 * 100^2)
        0.316

    Reference:
        Reddi, Kale & Kumar 2018, "On the convergence of Adam and beyond", arXiv:1904.09237,
        Algorithm 2.
    """

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        *,
        debias=True,
        epsilon_inside=False,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad=True,
            debias=debias,
            epsilon_inside=epsilon_inside,
            **kwargs,
        )
