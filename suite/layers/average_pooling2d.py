"""Average pooling: the mean of each window, channel by channel.

Lecture section "Convolutional networks", claim C64. It is a convolution whose weights are all one
over the size of the window and are not learned: linear, unlike max pooling.
"""

import keras
from keras import ops

from suite.layers._pooling2d import Pooling2D


@keras.saving.register_keras_serializable(package="dl_basics")
class AveragePooling2D(Pooling2D):
    """Mean over windows.

        y[i, j, c] = sum_{a, b} x[i + a, j + b, c] / n[i, j]

    with the position `(i, j)` times the stride and `n` the number of cells of the window that lie
    inside the image: padding is not averaged.

    Args:
        pool_size: height and width of the window, or one number for both.
        strides: steps between windows, or one number for both; `None` for `pool_size`, which
            tiles the image.
        padding: `"valid"` (windows inside the image only), `"same"` (windows may overlap the
            border; the size is that of the input over the stride, rounded up) or, which Keras
            does not have, `"circular"` (opposite borders are glued together).
        data_format: `"channels_last"` or `"channels_first"`; `None` is Keras's global setting.
        name: name of the layer.
        **kwargs: `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, height, width, channels)`, output `(batch, rows, columns, channels)`; with
        `data_format="channels_first"` the last axis comes second in both.

    Raises:
        ValueError: an argument is not of its kind; or a window is larger than the image.

    Example:
        >>> from keras import ops
        >>> image = ops.reshape(ops.arange(8.0), (1, 2, 4, 1))  # rows 0 1 2 3 and 4 5 6 7
        >>> AveragePooling2D(2)(image)[0, :, :, 0].numpy().tolist()
        [[2.5, 4.5]]

    Reference:
        LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition";
        arguments as in `keras.layers.AveragePooling2D`.
    """

    def _pool(self, x, along, axis):
        """Means of the windows along one axis."""
        if along.padding == "valid" and along.stride == along.size:
            return ops.mean(along.tiles(x, axis), axis + 1)  # whose gradient is no sum of slices
        total = sum(along.slices(x, axis))
        if along.padding != "same":
            return total / along.size
        inside = ops.ones_like(x[:1, :, :, :1])
        return total / sum(along.slices(inside, axis))
