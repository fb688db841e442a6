"""Variance scaling: the one formula behind the Glorot, He and LeCun initializers.

Lecture section "Exploding and vanishing gradients", claims C38 to C42. A linear layer multiplies
the variance of its input by `fan_in` times the variance of its weights, so the weights' variance
must shrink with the fan for the signal to keep its size through many layers.
"""

import math

import keras

from suite import _arguments as check
from suite.initializers._seeded import SeededInitializer

# The standard deviation of a unit normal cut off at two standard deviations,
# sqrt(1 - 4 pdf(2) / (2 cdf(2) - 1)): dividing by it undoes what the cut takes away.
TRUNCATED_STANDARD_DEVIATION = 0.87962566103423978

MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def fans(shape, input_axes=None, output_axes=None):
    """How many inputs feed one output of a kernel, and how many outputs one input feeds.

    A kernel is `(..., inputs, outputs)`; leading axes are the window of a convolution and count
    on both sides. `input_axes` and `output_axes`, given together, name the axes instead.
    """
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if len(shape) < 2:  # a scalar or a vector has no two sides
        return math.prod(shape), math.prod(shape)
    *window, inputs, outputs = shape
    return math.prod(window) * inputs, math.prod(window) * outputs


@keras.saving.register_keras_serializable(package="dl_basics")
class VarianceScaling(SeededInitializer):
    """Zero-mean weights of a variance set by the layer's fan.

        var(w) = scale / n        n = fan_in, fan_out or (fan_in + fan_out) / 2

    drawn from one of

        uniform on [-limit, limit],            limit = sqrt(3 scale / n)
        normal cut at two of its deviations,   stddev = sqrt(scale / n) / 0.8796
        normal,                                stddev = sqrt(scale / n)

    All three have the same variance: a uniform on [-a, a] has a^2 / 3, and 0.8796 makes up for
    the cut tails. The draws are those of `keras.initializers.VarianceScaling` for the same seed.

    Args:
        scale: the factor above; 1 keeps the variance of a linear layer, 2 that of a ReLU layer.
        mode: which fan is `n`: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (or `"normal"`, the same), `"untruncated_normal"` or
            `"uniform"`.
        seed: an integer gives the same values at every call, a `keras.random.SeedGenerator` new
            ones. `None` draws an integer seed from Python's `random`, which
            `keras.utils.set_random_seed` fixes.
        input_axes: axes of the shape that count as inputs, where the kernel is not
            `(..., inputs, outputs)`; used together with `output_axes`.
        output_axes: axes of the shape that count as outputs.

    Raises:
        ValueError: `scale` is not positive; `mode`, `distribution`, `seed` or the axes are none
            of the above.

    Example:
        >>> weights = VarianceScaling(scale=2.0, distribution="uniform", seed=1)((600, 400))
        >>> limit = (3 * 2.0 / 600) ** 0.5
        >>> bool(abs(keras.ops.convert_to_numpy(weights)).max() <= limit)
        True

    Reference:
        LeCun et al. 1998, "Efficient BackProp", section 4.6 (the argument); the common formula is
        Keras's. The scales of He and Glorot are cited in their own files.
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        # Keras's words: callers match them.
        self.scale = check.positive("Argument `scale`", scale, "be positive float")
        self.mode = check.choice("mode", mode, MODES)
        distribution = distribution.lower() if isinstance(distribution, str) else distribution
        if distribution == "normal":
            distribution = "truncated_normal"
        self.distribution = check.choice("distribution", distribution, DISTRIBUTIONS)
        self.input_axes = check.axes("input_axes", input_axes)
        self.output_axes = check.axes("output_axes", output_axes)
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)  # an empty kernel has no fan
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return keras.random.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        stddev = math.sqrt(variance) / TRUNCATED_STANDARD_DEVIATION
        return keras.random.truncated_normal(shape, 0.0, stddev, dtype, self.seed)

    def _axes_config(self):
        return {"input_axes": self.input_axes, "output_axes": self.output_axes}

    def get_config(self):
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **self._seed_config(),
            **self._axes_config(),
        }
