"""Activations with a bounded range, for probabilities and for states that must not grow.

Lecture sections "Logistic regression" (sigmoid, softmax) and "Deep networks" (tanh; claim C25).
They saturate on both sides: far from the origin the slope vanishes, and with it the gradient.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="dl_basics")
def sigmoid(x):
    """The logistic function, the inverse of the logit: from log-odds to a probability (C02, C25).

        sigmoid(x) = 1 / (1 + exp(-x))        slope: sigmoid(x) sigmoid(-x), at most 1/4

    Args:
        x: tensor, or what converts to one.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `x` cannot be converted to a tensor.

    Example:
        >>> float(sigmoid(0.0))
        0.5

    Reference:
        Cox 1958, "The regression analysis of binary sequences".
    """
    return ops.sigmoid(ops.convert_to_tensor(x))


@keras.saving.register_keras_serializable(package="dl_basics")
def tanh(x):
    """The hyperbolic tangent: a sigmoid that is odd, with slope 1 at the origin (C25).

        tanh(x) = 2 sigmoid(2 x) - 1        slope: 1 - tanh(x)^2

    Args:
        x: tensor, or what converts to one.

    Shapes:
        any; the output has the shape of `x`.

    Raises:
        ValueError: `x` cannot be converted to a tensor.

    Example:
        >>> float(tanh(0.0))
        0.0

    Reference:
        LeCun et al. 1998, "Efficient BackProp", section 4.4.
    """
    return ops.tanh(ops.convert_to_tensor(x))


@keras.saving.register_keras_serializable(package="dl_basics")
def softmax(x, axis=-1):
    """Positive values that sum to one along an axis; the sigmoid for more than two classes (C08).

        softmax(x)_k = exp(x_k) / sum_j exp(x_j)

    Computed after subtracting the largest `x_j`, which changes nothing but keeps `exp` finite.
    It does not work on each element by itself: instead of a slope it has the Jacobian

        d softmax(x)_k / d x_j = softmax(x)_k (1[k = j] - softmax(x)_j)

    a symmetric matrix with rows of sum zero and no eigenvalue outside [0, 1/2].

    Args:
        x: tensor of logits, or what converts to one.
        axis: the axis of the classes.

    Shapes:
        any of rank one or more; the output has the shape of `x`.

    Raises:
        ValueError: `x` cannot be converted to a tensor.

    Example:
        >>> [round(float(p), 2) for p in softmax([0.0, 0.0, 800.0])]
        [0.0, 0.0, 1.0]

    Reference:
        Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".
    """
    return ops.softmax(ops.convert_to_tensor(x), axis=axis)
