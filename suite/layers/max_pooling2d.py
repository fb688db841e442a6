"""Max pooling: the largest value of each window, channel by channel.

Lecture section "Convolutional networks", claim C64. It shrinks the maps and keeps the strongest
response, wherever in the window it was. That is invariant to a small shift only in part: a single
bright pixel stays in its window of width `p` with probability `(p - 1) / p` under a shift by one,
and the maps commute exactly with shifts by multiples of the stride alone.
"""

from functools import reduce

import keras
import numpy as np
from keras import ops

from suite.layers._pooling2d import Pooling2D


@keras.saving.register_keras_serializable(package="dl_basics")
class MaxPooling2D(Pooling2D):
    """Maximum over windows.

        y[i, j, c] = max_{a, b} x[i + a, j + b, c]

    with the position `(i, j)` times the stride. The gradient goes to the cell that holds the
    maximum. Where several do, any split among them is a subgradient: TensorFlow's `maximum` gives
    all to the first in reading order, as Keras's layer does; JAX's and torch's halve it at each
    comparison. Padding never wins, not even over negative values.

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
        >>> MaxPooling2D()(image)[0, :, :, 0].numpy().tolist()
        [[5.0, 7.0]]

    Reference:
        Zhou and Chellappa 1988, "Computation of optical flow using a neural network"; arguments
        as in `keras.layers.MaxPooling2D`.
    """

    def __init__(
        self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def _pool(self, x, along, axis):
        """Maxima of the windows along one axis."""
        dtype = keras.backend.standardize_dtype(x.dtype)
        lowest = np.iinfo(dtype).min if "int" in dtype else -float("inf")
        return reduce(ops.maximum, along.slices(x, axis, fill=lowest))
