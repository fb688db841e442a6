"""Glorot (Xavier) initialization: a compromise between the two directions.

Lecture section "Exploding and vanishing gradients", claim C41. The forward
signal keeps its variance with 1 / fan_in, the backward one with 1 / fan_out; both at once is
impossible for a kernel that is not square, so the mean of the two fans stands for them.
"""

import keras

from suite.initializers.variance_scaling import VarianceScaling


@keras.saving.register_keras_serializable(package="dl_basics")
class GlorotNormal(VarianceScaling):
    """Weights of variance 2 / (fan_in + fan_out), normal.

        w ~ normal cut at two of its deviations,   var(w) = 2 / (fan_in + fan_out)

    The draws are those of `keras.initializers.GlorotNormal` for the same seed.

    Args:
        seed: an integer, a `keras.random.SeedGenerator`, or `None`; see `VarianceScaling`.
        input_axes: axes of the shape that count as inputs; see `VarianceScaling`.
        output_axes: axes of the shape that count as outputs; see `VarianceScaling`.

    Raises:
        ValueError: `seed` or the axes are none of the above.

    Example:
        >>> weights = keras.ops.convert_to_numpy(GlorotNormal(seed=1)((600, 400)))
        >>> bool(abs(weights.var() / (2 / (600 + 400)) - 1) < 0.01)
        True

    Reference:
        Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
        networks", equation 16.
    """

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self):
        return self._seed_config() | self._axes_config()


@keras.saving.register_keras_serializable(package="dl_basics")
class GlorotUniform(VarianceScaling):
    """Weights of variance 2 / (fan_in + fan_out), uniform.

        w ~ uniform on [-limit, limit],   limit = sqrt(6 / (fan_in + fan_out))

    The same variance as the normal form, since a uniform on [-b, b] has b^2 / 3.

    Args:
        seed: an integer, a `keras.random.SeedGenerator`, or `None`; see `VarianceScaling`.
        input_axes: axes of the shape that count as inputs; see `VarianceScaling`.
        output_axes: axes of the shape that count as outputs; see `VarianceScaling`.

    Raises:
        ValueError: `seed` or the axes are none of the above.

    Example:
        >>> weights = keras.ops.convert_to_numpy(GlorotUniform(seed=1)((600, 400)))
        >>> bool(abs(weights).max() <= (6 / (600 + 400)) ** 0.5)
        True

    Reference:
        Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
        networks", equation 16.
    """

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)

    def get_config(self):
        return self._seed_config() | self._axes_config()
