"""The lifting layer of a network for the group p4: shifts and rotations by 90 degrees.

Lecture section "Equivariance", claims B4 and B6. A convolution shares its weights between
positions, so it commutes with shifts. Here they are shared between four orientations as well, so
that the layer commutes with rotations too: four times the maps from the same number of weights.
"""

import keras
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite._configured import Configured
from suite.layers import _window as window

ROTATIONS = 4  # by 0, 90, 180, 270 degrees


@keras.saving.register_keras_serializable(package="dl_basics")
class LiftingConv2D(Configured, keras.layers.Layer):
    """Cross-correlation of images with a kernel in its four orientations.

        y[..., r, f] = activation(bias[f] + (x correlated with R^r kernel[..., f]))

    for `r = 0 ... 3`, where `R` is `rot90` over (height, width): 90 degrees counterclockwise, the
    first axis pointing down. Turning the image turns each map, and passes it on to the next
    orientation:

        layer(rot90(x)) = roll(rot90(layer(x)), 1, axis=3)

    exactly, because a turned kernel on a turned image takes the same products. The one bias of
    the four orientations keeps it so, and so does an activation entry by entry. The maximum or
    mean over orientations (axis 3) makes maps that turn with the image, and a global pool after it
    numbers that do not change at all. There are no strides: they keep the equation only where
    the windows' positions are symmetric, which is where they divide the image without a rest.

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
        input `(batch, height, width, channels)`, output `(batch, rows, columns, 4, filters)`;
        `kernel` is `(kernel_size, kernel_size, channels, filters)`, `bias` is `(filters,)`.

    Raises:
        ValueError: an argument is not of its kind; `kernel_size` is even and there is padding;
            or, when built, the channels have no fixed number or the kernel is larger than the
            image.

    Example:
        >>> import numpy as np
        >>> from keras import ops
        >>> x = np.random.default_rng(0).normal(size=(1, 5, 5, 1)).astype("float32")
        >>> layer = LiftingConv2D(2, 3, padding="same")
        >>> y, of_turned = layer(x), layer(np.rot90(x, axes=(1, 2)))
        >>> tuple(y.shape)
        (1, 5, 5, 4, 2)
        >>> readout = lambda y: ops.max(ops.max(y, axis=3), axis=(1, 2))
        >>> np.allclose(readout(y), readout(of_turned), atol=1e-6)
        True

    Reference:
        Cohen and Welling 2016, "Group equivariant convolutional networks".
    """

    _orientations: tuple[int, ...] = ()  # of the input: an image has no such axis

    def __init__(
        self,
        filters,
        kernel_size,
        padding="valid",
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check.positive_integer("filters", filters)
        self.kernel_size = check.positive_integer("kernel_size", kernel_size)
        self.padding = window.padding(padding)
        if self.padding != "valid" and self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd with padding, received {kernel_size}")
        self.activation = activation_names.get(activation)
        self.use_bias = check.flag("use_bias", use_bias)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._weight_arguments("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.bias = None
        self.input_spec = self._spec({})
        self._windows = window.windows("kernel_size", (self.kernel_size,) * 2, (1, 1), self.padding)

    def build(self, input_shape):
        channels = check.positive_integer("the channel axis of the input", input_shape[-1])
        self.compute_output_shape(input_shape)  # refuses a kernel larger than the image
        window_shape = (self.kernel_size, self.kernel_size, *self._orientations)
        self.kernel = self._weight("kernel", (*window_shape, channels, self.filters))
        if self.use_bias:
            self.bias = self._weight("bias", (self.filters,))
        self.input_spec = self._spec({-1: channels})

    def _spec(self, axes):
        orientation = dict.fromkeys(range(3, 3 + len(self._orientations)), ROTATIONS)
        return keras.layers.InputSpec(ndim=4 + len(orientation), axes=orientation | axes)

    def call(self, x):
        kernel = ops.convert_to_tensor(self.kernel)
        turned = ops.stack([self._turned(kernel, r) for r in range(ROTATIONS)], axis=-2)
        bank = ops.reshape(turned, (*kernel.shape[:2], -1, ROTATIONS * self.filters))
        x = ops.reshape(x, (*ops.shape(x)[:3], bank.shape[2]))
        z = window.correlate(x, bank, *self._windows)
        z = ops.reshape(z, (*ops.shape(z)[:3], ROTATIONS, self.filters))
        if self.use_bias:
            z = z + self.bias
        return z if self.activation is None else self.activation(z)

    def _turned(self, kernel, r):
        """The kernel of the output's orientation `r`."""
        return ops.rot90(kernel, r, axes=(0, 1))

    def compute_output_shape(self, input_shape):
        image = (*input_shape[:3], input_shape[-1])
        outputs = window.output_shape(image, *self._windows, "channels_last")
        return (*outputs[:3], ROTATIONS, self.filters)
