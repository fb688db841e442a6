"""Learning rates that fall as a power of time: far enough to arrive, fast enough to settle.

Lecture section "Stochastic gradient descent", claim C32. The sum of the learning rates bounds how
far the iterate can go, the sum of their squares how much gradient noise stays in it.
"""

import keras
from keras import ops

from suite import _arguments as check


@keras.saving.register_keras_serializable(package="dl_basics")
class RobbinsMonro(keras.optimizers.schedules.LearningRateSchedule):
    """A learning-rate schedule, `c / t^power`.

        learning_rate_t = c / (offset + t)^power        t = 1, 2, ...

    Robbins and Monro's conditions, `sum learning_rate_t = inf` and `sum learning_rate_t^2 < inf`,
    hold for `1/2 < power <= 1`; other powers are accepted, to be compared. The conditions give
    convergence, not its speed. On a loss of curvature `mu`, the mean squared distance to the
    optimum falls as `1 / t` only for `power = 1` with `c > 1 / (2 mu)`; a smaller `c` makes it
    `t^(-2 c mu)`. With noise that is bounded, `power = 1/2` converges too, as `t^(-1/2)`: the
    conditions are sufficient, not necessary.

    Args:
        c: learning rate at `offset + t = 1`, positive.
        power: how fast it falls, zero (constant) or positive.
        offset: steps that count as done before the first, zero or positive; lowers the first rates
            and leaves the last ones as they are, for a `c` that would diverge at `t = 1`.

    Raises:
        ValueError: an argument is out of its range or no finite number.

    Example:
        >>> schedule = RobbinsMonro(c=0.5)
        >>> [float(schedule(step)) for step in (0, 1, 4)]  # Keras counts steps from 0
        [0.5, 0.25, 0.10000000149011612]
        >>> schedule.satisfies_conditions, RobbinsMonro(c=0.5, power=0.5).satisfies_conditions
        (True, False)

    Reference:
        Robbins & Monro 1951, "A stochastic approximation method".
    """

    def __init__(self, c, power=1.0, offset=0.0):
        super().__init__()
        self.c = check.positive("c", c)
        self.power = check.not_negative("power", power)
        self.offset = check.not_negative("offset", offset)

    def __call__(self, step):
        t = ops.cast(step, keras.config.floatx()) + 1
        return self.c / (self.offset + t) ** self.power

    @property
    def satisfies_conditions(self) -> bool:
        """Whether the rates sum to infinity and their squares do not."""
        return 0.5 < self.power <= 1

    def get_config(self):
        return {"c": self.c, "power": self.power, "offset": self.offset}
