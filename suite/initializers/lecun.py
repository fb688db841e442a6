"""LeCun initialization: a linear layer keeps the variance of its input.

Lecture section "Exploding and vanishing gradients", claim C38. The output sums
fan_in independent terms, so each weight gets 1 / fan_in of the variance.
"""

import keras

from suite.initializers.variance_scaling import VarianceScaling


@keras.saving.register_keras_serializable(package="dl_basics")
class LecunNormal(VarianceScaling):
    """Weights of variance 1 / fan_in, normal.

        w ~ normal cut at two of its deviations,   var(w) = 1 / fan_in

    The draws are those of `keras.initializers.LecunNormal` for the same seed.

    Args:
        seed: an integer, a `keras.random.SeedGenerator`, or `None`; see `VarianceScaling`.
        input_axes: axes of the shape that count as inputs; see `VarianceScaling`.
        output_axes: axes of the shape that count as outputs; see `VarianceScaling`.

    Raises:
        ValueError: `seed` or the axes are none of the above.

    Example:
        >>> weights = keras.ops.convert_to_numpy(LecunNormal(seed=1)((600, 400)))
        >>> bool(abs(weights.var() / (1 / 600) - 1) < 0.01)
        True

    Reference:
        LeCun et al. 1998, "Efficient BackProp", equation 16.
    """

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self):
        return self._seed_config() | self._axes_config()


@keras.saving.register_keras_serializable(package="dl_basics")
class LecunUniform(VarianceScaling):
    """Weights of variance 1 / fan_in, uniform.

        w ~ uniform on [-limit, limit],   limit = sqrt(3 / fan_in)

    The same variance as the normal form, since a uniform on [-b, b] has b^2 / 3.

    Args:
        seed: an integer, a `keras.random.SeedGenerator`, or `None`; see `VarianceScaling`.
        input_axes: axes of the shape that count as inputs; see `VarianceScaling`.
        output_axes: axes of the shape that count as outputs; see `VarianceScaling`.

    Raises:
        ValueError: `seed` or the axes are none of the above.

    Example:
        >>> weights = keras.ops.convert_to_numpy(LecunUniform(seed=1)((600, 400)))
        >>> bool(abs(weights).max() <= (3 / 600) ** 0.5)
        True

    Reference:
        LeCun et al. 1998, "Efficient BackProp", equation 16.
    """

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)

    def get_config(self):
        return self._seed_config() | self._axes_config()
