"""The group convolution of a network for the group p4: shifts and rotations by 90 degrees.

Lecture section "Equivariance", claims B4 and B6. It stands on a lifting layer, or on another of its
kind: its input has the four orientations as an axis, and it looks at all of them.
"""

import keras
from keras import ops

from suite.layers.lifting_conv2d import ROTATIONS, LiftingConv2D


@keras.saving.register_keras_serializable(package="dl_basics")
class GroupConv2D(LiftingConv2D):
    """Cross-correlation of maps on p4 with a kernel on p4, in its four orientations.

        y[..., r, f] = activation(bias[f] + sum_s x[..., s] correlated with kernel_r[:, :, s, f])
        kernel_r[:, :, s] = R^r kernel[:, :, s - r mod 4]

    for `r = 0 ... 3`, where `R` is `rot90` over (height, width): 90 degrees counterclockwise, the
    first axis pointing down. A kernel turned by `r` steps looks at orientations that are `r` steps
    further, because they are relative to its own. What a rotation does to the maps, turning each
    one and passing it on to the next orientation, it does to the output as well:

        layer(turn(x)) = turn(layer(x)),  turn(x) = roll(rot90(x), 1, axis=3)

    exactly, and so it does through any number of these layers. There are no strides: they keep
    the equation only where the windows' positions are symmetric, which is where they divide the
    image without a rest.

    Args:
        filters: number of kernels; the output has four maps for each.
        kernel_size: side of the square window; odd with padding, whose margins would otherwise
            differ between opposite sides.
        padding: `"valid"`, `"same"` (zeros around the image) or `"circular"` (opposite borders
            are glued together, so that shifts are exact as well).
        activation: a function, its name, or `None` for the identity.
        use_bias: whether there is a `bias`.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer: penalties on the weights, added to the loss.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint: projections after each step of an optimizer.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, height, width, 4, channels)`, output `(batch, rows, columns, 4, filters)`;
        `kernel` is `(kernel_size, kernel_size, 4, channels, filters)`, `bias` is `(filters,)`.

    Raises:
        ValueError: an argument is not of its kind; `kernel_size` is even and there is padding;
            or, when built, the channels have no fixed number or the kernel is larger than the
            image.

    Example:
        >>> import numpy as np
        >>> from keras import ops
        >>> from suite.layers import LiftingConv2D
        >>> x = np.random.default_rng(0).normal(size=(1, 7, 7, 1)).astype("float32")
        >>> network = keras.Sequential([LiftingConv2D(2, 3, activation="relu"), GroupConv2D(3, 3)])
        >>> y, of_turned = network(x), network(np.rot90(x, axes=(1, 2)))
        >>> tuple(y.shape)
        (1, 3, 3, 4, 3)
        >>> readout = lambda y: ops.mean(ops.max(y, axis=3), axis=(1, 2))
        >>> np.allclose(readout(y), readout(of_turned), atol=1e-6)
        True

    Reference:
        Cohen and Welling 2016, "Group equivariant convolutional networks".
    """

    _orientations = (ROTATIONS,)

    def _turned(self, kernel, r):
        return ops.rot90(ops.roll(kernel, r, axis=2), r, axes=(0, 1))
