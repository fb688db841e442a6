"""Global pooling: one number a channel, whatever the size of the image.

Lecture section "Convolutional networks", claim C64. It forgets where a feature was, so that a
network of circular convolutions with a global pool on top does not change under shifts at all.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite._configured import Configured
from suite.layers import _window as window


class _GlobalPooling2D(Configured, keras.layers.Layer):
    """What both share: the arguments and the shapes; `_pool` reduces the given axes."""

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = window.data_format(data_format)
        self.keepdims = check.flag("keepdims", keepdims)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, x):
        image = (1, 2) if window.is_last(self.data_format) else (2, 3)
        return self._pool(x, axis=image, keepdims=self.keepdims)

    def compute_output_shape(self, input_shape):
        batch, _, _, channels = window.channels_last_shape(input_shape, self.data_format)
        if not self.keepdims:
            return (batch, channels)
        last = window.is_last(self.data_format)
        return (batch, 1, 1, channels) if last else (batch, channels, 1, 1)


@keras.saving.register_keras_serializable(package="dl_basics")
class GlobalMaxPooling2D(_GlobalPooling2D):
    """Maximum over all positions.

        y[c] = max_{i, j} x[i, j, c]

    Args:
        data_format: `"channels_last"` or `"channels_first"`; `None` is Keras's global setting.
        keepdims: whether height and width stay, with length one.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, height, width, channels)`, output `(batch, channels)`, or
        `(batch, 1, 1, channels)` with `keepdims`; with `data_format="channels_first"` the
        channels come second.

    Raises:
        ValueError: an argument is not of its kind.

    Example:
        >>> import numpy as np
        >>> GlobalMaxPooling2D()(np.arange(8.0).reshape(1, 2, 2, 2)).numpy().tolist()
        [[6.0, 7.0]]

    Reference:
        Oquab et al. 2015, "Is object localization for free?"; arguments as in
        `keras.layers.GlobalMaxPooling2D`.
    """

    _pool = staticmethod(ops.max)


@keras.saving.register_keras_serializable(package="dl_basics")
class GlobalAveragePooling2D(_GlobalPooling2D):
    """Mean over all positions.

        y[c] = sum_{i, j} x[i, j, c] / (height * width)

    Args:
        data_format: `"channels_last"` or `"channels_first"`; `None` is Keras's global setting.
        keepdims: whether height and width stay, with length one.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, height, width, channels)`, output `(batch, channels)`, or
        `(batch, 1, 1, channels)` with `keepdims`; with `data_format="channels_first"` the
        channels come second.

    Raises:
        ValueError: an argument is not of its kind.

    Example:
        >>> import numpy as np
        >>> GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2)).numpy().tolist()
        [[3.0, 4.0]]

    Reference:
        Lin, Chen and Yan 2013, "Network in network"; arguments as in
        `keras.layers.GlobalAveragePooling2D`.
    """

    _pool = staticmethod(ops.mean)
