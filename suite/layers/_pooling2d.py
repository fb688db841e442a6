"""What pools share: the arguments, the shapes, and one axis after the other."""

import keras

from suite._configured import Configured
from suite.layers import _window as window


class Pooling2D(Configured, keras.layers.Layer):
    """Windows along the width, then along the height; `_pool` reduces those of one axis."""

    def __init__(
        self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs
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
        x = self._pool(self._pool(x, width, window.WIDTH), height, window.HEIGHT)
        return window.from_channels_last(x, self.data_format)

    def compute_output_shape(self, input_shape):
        return window.output_shape(input_shape, *self._windows, self.data_format)
