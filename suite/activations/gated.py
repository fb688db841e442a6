"""Gated activations: the input times a soft decision, made from the input, whether to keep it.

Lecture section "Deep networks", claim C25. With a hard step in place of the gate they would be
ReLU. The price of the soft gate is that they are not monotone: both dip below zero, and left of
the dip their slope is negative.
"""

import math

import keras
from keras import ops

from suite import _arguments as check


@keras.saving.register_keras_serializable(package="dl_basics")
def silu(x):
    """The sigmoid linear unit, also called swish.

        silu(x) = x sigmoid(x)        slope: s + x s (1 - s)  with s = sigmoid(x)

    Args:
        x: tensor, or what converts to one.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `x` cannot be converted to a tensor.

    Example:
        >>> round(float(silu(-1.2785)), 4)  # the lowest value
        -0.2785

    Reference:
        Elfwing, Uchibe & Doya 2018, "Sigmoid-weighted linear units for neural network function
        approximation in reinforcement learning".
    """
    return ops.silu(ops.convert_to_tensor(x))


@keras.saving.register_keras_serializable(package="dl_basics")
def gelu(x, approximate=False):
    """The Gaussian error linear unit: the gate is the probability that a unit normal is below x.

        gelu(x) = x cdf(x)        slope: cdf(x) + x pdf(x)        cdf, pdf: of the unit normal

    The approximation replaces `cdf(x)` by `(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`.

    Args:
        x: tensor, or what converts to one.
        approximate: whether to use the approximation.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `approximate` is not a bool; `x` cannot be converted to a tensor.

    Example:
        >>> round(float(gelu(1.0)), 4)  # cdf(1)
        0.8413

    Reference:
        Hendrycks & Gimpel 2016, "Gaussian error linear units (GELUs)", arXiv:1606.08415.
    """
    approximate = check.flag("approximate", approximate)
    x = ops.convert_to_tensor(x)
    if not approximate:
        return x * (1 + ops.erf(x / math.sqrt(2))) / 2
    # At 10 the gate is 0 or 1 in every dtype; in float16 the cube of 41 already overflows.
    z = ops.clip(x, -10, 10)
    return x * (1 + ops.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2
