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

from suite._configured import Configured
from suite.layers import _window as window


@keras.saving.register_keras_serializable(package="dl_basics")
class MaxPooling2D(Configured, keras.layers.Layer):
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
        super().__init__(name=name, **kwargs)
        self.pool_size = window.pair("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else window.pair("strides", strides)
        self.padding = window.padding(padding)
        self.data_format = window.data_format(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self._windows = window.windows("pool_size", self.pool_size, self.strides, self.padding)

    def call(self, x):
        height, width = self._windows
        x = window.to_channels_last(x, self.data_format)
        dtype = keras.backend.standardize_dtype(x.dtype)
        lowest = np.iinfo(dtype).min if "int" in dtype else -float("inf")
        x = reduce(ops.maximum, width.slices(x, window.WIDTH, fill=lowest))
        x = reduce(ops.maximum, height.slices(x, window.HEIGHT, fill=lowest))
        return window.from_channels_last(x, self.data_format)

    def compute_output_shape(self, input_shape):
        return window.output_shape(input_shape, *self._windows, self.data_format)
