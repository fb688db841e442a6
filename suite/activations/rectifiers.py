"""Rectifiers: the identity for large positive input, little or nothing for negative input.

Lecture section "Deep networks", claim C25. On the positive side the slope does not vanish, however
large the input, so gradients pass through many layers; the variants differ in what they do with
negative input.
"""

import keras
from keras import ops

from suite import _arguments as check


@keras.saving.register_keras_serializable(package="dl_basics")
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """The rectified linear unit: keep what is positive.

        relu(x) = max(x, 0)        slope: 1 where x > 0, else 0 (also at 0, by convention)

    It is continuous; only its slope jumps. In general, as in Keras,

        relu(x) = min(x, max_value)  where x > threshold,  else  negative_slope (x - threshold)

    Args:
        x: tensor, or what converts to one.
        negative_slope: the slope below the threshold.
        max_value: the largest value, or `None`.
        threshold: where the line begins.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `negative_slope`, `max_value` or `threshold` is not a finite number, or
            `max_value` is negative; `x` cannot be converted to a tensor.

    Example:
        >>> [float(y) for y in relu([-2.0, 3.0])]
        [0.0, 3.0]

    Reference:
        Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """
    negative_slope = check.finite("negative_slope", negative_slope)
    threshold = check.finite("threshold", threshold)
    if max_value is not None:
        max_value = check.not_negative("max_value", max_value)
    return keras.activations.relu(x, negative_slope, max_value, threshold)


@keras.saving.register_keras_serializable(package="dl_basics")
def leaky_relu(x, negative_slope=0.2):
    """A ReLU that lets a share of the negative input through, so that no unit ever dies.

        leaky_relu(x) = x  where x > 0,  else  negative_slope x

    The slope jumps at 0 by `1 - negative_slope`. The default is that of
    `keras.activations.leaky_relu`; mind that the layer `keras.layers.LeakyReLU` has 0.3.

    Args:
        x: tensor, or what converts to one.
        negative_slope: the slope below 0; the `a` of `suite.initializers.HeNormal`.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `negative_slope` is not a finite number; `x` cannot be converted to a tensor.

    Example:
        >>> [float(y) for y in leaky_relu([-2.0, 3.0], negative_slope=0.5)]
        [-1.0, 3.0]

    Reference:
        Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".
    """
    negative_slope = check.finite("negative_slope", negative_slope)
    x = ops.convert_to_tensor(x)
    if keras.backend.standardize_dtype(x.dtype) == "float64":  # Keras's rounds the slope to float32
        return ops.where(x > 0, x, negative_slope * x)
    return ops.leaky_relu(x, negative_slope)


@keras.saving.register_keras_serializable(package="dl_basics")
def elu(x, alpha=1.0):
    """A rectifier that saturates at `-alpha`, so that its mean output lies nearer to zero.

        elu(x) = x  where x > 0,  else  alpha (exp(x) - 1)

    For `alpha = 1` the slope has no jump: it is `exp(x)` below 0, and 1 above. Otherwise it jumps
    by `1 - alpha`.

    Args:
        x: tensor, or what converts to one.
        alpha: minus the limit for large negative input.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `alpha` is not a finite number; `x` cannot be converted to a tensor.

    Example:
        >>> [float(y) for y in elu([-800.0, 3.0])]
        [-1.0, 3.0]

    Reference:
        Clevert, Unterthiner & Hochreiter 2016, "Fast and accurate deep network learning by
        exponential linear units (ELUs)".
    """
    alpha = check.finite("alpha", alpha)
    return ops.elu(ops.convert_to_tensor(x), alpha=alpha)


@keras.saving.register_keras_serializable(package="dl_basics")
def softplus(x):
    """A ReLU without the kink: smooth and positive everywhere.

        softplus(x) = log(1 + exp(x))        slope: sigmoid(x)

    Args:
        x: tensor, or what converts to one.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `x` cannot be converted to a tensor.

    Example:
        >>> round(float(softplus(0.0)), 4)  # log(2)
        0.6931

    Reference:
        Dugas et al. 2000, "Incorporating second-order functional knowledge for better option
        pricing".
    """
    return ops.softplus(ops.convert_to_tensor(x))
