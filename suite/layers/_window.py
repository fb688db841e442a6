"""Sliding windows by slices: what convolutions and pools share.

Take all first cells of the windows along an axis as one slice of the image, all second cells as
the next slice, and so on: `size` slices replace a loop over positions, and their gradients are
plain slices again. A two-dimensional window is one along the width, then one along the height.
Images here are `(batch, height, width, channels)`.
"""

from dataclasses import dataclass

import numpy as np
from keras import config, ops

from suite import _arguments as check

PADDINGS = ("valid", "same", "circular")
DATA_FORMATS = ("channels_last", "channels_first")
HEIGHT, WIDTH = 1, 2


@dataclass(frozen=True)
class Window:
    """The cells that one output sees along one axis, and how it moves.

    Output `i` sees the cells `i * stride + k * dilation - before` for `k = 0 ... size - 1`, where
    `before` is how far the padded image starts in front of the first cell. `name` is the argument
    that holds the size, for the error message.
    """

    name: str
    size: int
    stride: int
    padding: str = "valid"
    dilation: int = 1

    @property
    def reach(self):
        """Number of cells from the first that is seen to the last."""
        return (self.size - 1) * self.dilation + 1

    def outputs(self, length):
        """Number of positions on an axis of that length."""
        if length is None:
            return None
        if self.padding != "same" and self.reach > length:
            raise ValueError(
                f"{self.name} must fit into the image, received {self.size}, which reaches over "
                f"{self.reach} cells of an axis of {length}"
            )
        positions = length - self.reach + 1 if self.padding == "valid" else length
        return -(-positions // self.stride)

    def margins(self, length):
        """Cells to add before and after the image; `length` may be a tensor."""
        if self.padding == "valid":
            return 0, 0
        missing = self.reach - 1
        if self.padding == "same" and self.stride > 1:  # as few as possible, so they shift with it
            last = (-(-length // self.stride) - 1) * self.stride
            missing = last + self.reach - length
            missing = max(missing, 0) if isinstance(length, int) else ops.maximum(missing, 0)
        return missing // 2, missing - missing // 2

    def positions(self, length):
        """The cells that each output sees, `(outputs, size)`; -1 where there is only padding."""
        before, _ = self.margins(length)
        first = self.stride * np.arange(self.outputs(length))
        cells = first[:, None] + self.dilation * np.arange(self.size) - before
        if self.padding == "circular":
            return cells % length
        return np.where((cells >= 0) & (cells < length), cells, -1)

    def slices(self, x, axis, fill=0.0):
        """`size` arrays; entry `i` of the `k`-th along `axis` is what output `i` sees at `k`."""
        self.outputs(x.shape[axis])  # refuses a window larger than the image
        x = self.padded(x, axis, fill)
        keep = (slice(None),) * axis
        return [
            x[(*keep, slice(first, (first - self.reach + 1) or None, self.stride))]
            for first in range(0, self.reach, self.dilation)
        ]

    def tiles(self, x, axis):
        """Windows side by side, neither padded nor dilated: `axis` as `(outputs, size)`."""
        self.outputs(x.shape[axis])  # refuses a window larger than the image
        *before, length = ops.shape(x)[: axis + 1]
        outputs, after = length // self.size, ops.shape(x)[axis + 1 :]
        x = x[(*(slice(None),) * axis, slice(outputs * self.size))]
        return ops.reshape(x, (*before, outputs, self.size, *after))

    def padded(self, x, axis, fill=0.0):
        """The image with its margins along one axis."""
        before, after = self.margins(ops.shape(x)[axis])
        if isinstance(before, int) and before == after == 0:
            return x
        if self.padding == "circular":
            keep = (slice(None),) * axis
            start = [x[(*keep, slice(-before, None))]] if before else []
            return ops.concatenate([*start, x, x[(*keep, slice(None, after))]], axis)
        margins = [(before, after) if a == axis else (0, 0) for a in range(len(x.shape))]
        return ops.pad(x, margins, constant_values=fill)


def windows(name, size, strides, padding, dilation=(1, 1)):
    """The windows along height and width; `name` is the argument that holds their size."""
    sides = zip(size, strides, dilation, strict=True)
    return tuple(Window(name, cells, step, padding, apart) for cells, step, apart in sides)


def correlate(x, kernel, height, width):
    """Cross-correlation: every window as a row of one long matrix, times the kernel as a matrix.

    `x` is `(batch, height, width, channels)`, `kernel` `(height, width, channels, filters)`.
    """
    x = ops.concatenate(width.slices(x, WIDTH), axis=-1)
    x = ops.concatenate(height.slices(x, HEIGHT), axis=-1)
    return ops.tensordot(x, ops.reshape(kernel, (-1, kernel.shape[-1])), axes=1)


def output_shape(input_shape, height, width, data_format, channels=None):
    """Shape of what the windows leave of a batch of images; `channels` if they are others."""
    batch, *image = channels_last_shape(input_shape, data_format)
    outputs = height.outputs(image[0]), width.outputs(image[1])
    channels = image[2] if channels is None else channels
    return (batch, *outputs, channels) if is_last(data_format) else (batch, channels, *outputs)


def is_last(data_format):
    """Whether the channels are the last axis, rather than the one after the batch."""
    return data_format == "channels_last"


def channels_last_shape(shape, data_format):
    """`(batch, height, width, channels)` of a shape in either order."""
    if is_last(data_format):
        return tuple(shape)
    batch, channels, *image = shape
    return (batch, *image, channels)


def to_channels_last(x, data_format):
    """The images with their channels as the last axis."""
    return x if is_last(data_format) else ops.transpose(x, (0, 2, 3, 1))


def from_channels_last(x, data_format):
    """The inverse of `to_channels_last`."""
    return x if is_last(data_format) else ops.transpose(x, (0, 3, 1, 2))


# --- arguments -----------------------------------------------------------------------------------


def pair(name, value):
    """Two positive integers, for height and width; one stands for both."""
    values = value if isinstance(value, (list, tuple)) else (value, value)
    try:
        height, width = (check.positive_integer(name, v) for v in values)
    except ValueError:
        expected = "be a positive integer or two of them"
        raise ValueError(f"{name} must {expected}, received {value!r}") from None
    return height, width


def padding(value, allowed=PADDINGS):
    """The kind of padding, in lower case."""
    return check.choice("padding", value.lower() if isinstance(value, str) else value, allowed)


def data_format(value):
    """The order of the axes; `None` is Keras's global setting."""
    if value is None:
        return config.image_data_format()
    return check.choice("data_format", value, DATA_FORMATS)
