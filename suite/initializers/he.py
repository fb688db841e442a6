"""He (Kaiming) initialization: the variance that survives a ReLU.

Lecture section "Exploding and vanishing gradients", claim C42. A ReLU keeps half
of the second moment of a symmetric signal, so the weights need twice the variance.
"""

import keras

from suite import _arguments as check
from suite.initializers.variance_scaling import VarianceScaling


@keras.saving.register_keras_serializable(package="dl_basics")
class HeNormal(VarianceScaling):
    """Weights of variance 2 / fan_in, normal.

        w ~ normal cut at two of its deviations,   var(w) = 2 / ((1 + a^2) fan_in)

    `a` is the slope of the activation for negative input: 0 is ReLU, 0.2 Keras's `leaky_relu`, 1
    a linear layer, for which the formula becomes LeCun's.

    Args:
        seed: an integer, a `keras.random.SeedGenerator`, or `None`; see `VarianceScaling`.
        input_axes: axes of the shape that count as inputs; see `VarianceScaling`.
        output_axes: axes of the shape that count as outputs; see `VarianceScaling`.
        negative_slope: `a` above.

    Raises:
        ValueError: `negative_slope` is not a finite number; `seed` or the axes are none of the
            above.

    Example:
        >>> weights = keras.ops.convert_to_numpy(HeNormal(seed=1)((600, 400)))
        >>> bool(abs(weights.var() / (2 / 600) - 1) < 0.01)
        True

    Reference:
        He et al. 2015, arXiv:1502.01852, equations 10 and 15.
    """

    def __init__(self, seed=None, input_axes=None, output_axes=None, negative_slope=0.0):
        self.negative_slope = check.finite("negative_slope", negative_slope)
        scale = 2 / (1 + self.negative_slope**2)
        super().__init__(scale, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    def get_config(self):
        return self._seed_config() | self._axes_config() | {"negative_slope": self.negative_slope}


@keras.saving.register_keras_serializable(package="dl_basics")
class HeUniform(VarianceScaling):
    """Weights of variance 2 / fan_in, uniform.

        w ~ uniform on [-limit, limit],   limit = sqrt(6 / ((1 + a^2) fan_in))

    `a` is the slope of the activation for negative input: 0 is ReLU, 0.2 Keras's `leaky_relu`, 1
    a linear layer, for which the formula becomes LeCun's.

    Args:
        seed: an integer, a `keras.random.SeedGenerator`, or `None`; see `VarianceScaling`.
        input_axes: axes of the shape that count as inputs; see `VarianceScaling`.
        output_axes: axes of the shape that count as outputs; see `VarianceScaling`.
        negative_slope: `a` above.

    Raises:
        ValueError: `negative_slope` is not a finite number; `seed` or the axes are none of the
            above.

    Example:
        >>> weights = keras.ops.convert_to_numpy(HeUniform(seed=1)((600, 400)))
        >>> bool(abs(weights).max() <= (6 / 600) ** 0.5)
        True

    Reference:
        He et al. 2015, arXiv:1502.01852, equations 10 and 15.
    """

    def __init__(self, seed=None, input_axes=None, output_axes=None, negative_slope=0.0):
        self.negative_slope = check.finite("negative_slope", negative_slope)
        scale = 2 / (1 + self.negative_slope**2)
        super().__init__(scale, "fan_in", "uniform", seed, input_axes, output_axes)

    def get_config(self):
        return self._seed_config() | self._axes_config() | {"negative_slope": self.negative_slope}
