"""The convolutional layer: a linear layer whose weights are local and shared.

Lecture section "Convolutional networks", claims C60 to C63. A dense layer on an image has a weight
for each pair of an input cell and an output cell. Here each output sees a small window only, and
all windows share their weights, so the matrix has a few distinct numbers and is mostly zero.
"""

import keras
import numpy as np
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite._configured import Configured
from suite.layers import _window as window


@keras.saving.register_keras_serializable(package="dl_basics")
class Conv2D(Configured, keras.layers.Layer):
    """Cross-correlation of images with a kernel, plus a bias.

        y[i, j, f] = activation(bias[f] + sum_{a, b, c} x[i + a, j + b, c] kernel[a, b, c, f])

    with the position `(i, j)` times the stride, and `(a, b)` times the dilation. A convolution in
    the mathematical sense has `x[i - a, j - b]`, which is the same with the kernel turned by 180
    degrees; every library of deep learning computes the form above. It is computed as one matrix
    product: all windows are the rows of a matrix, the kernel is the other.

    Padding `"valid"` has windows inside the image only. `"same"` adds zeros so that the size is
    that of the input over the stride, rounded up; as few as possible, one more after than before
    if odd, so that the windows of an even size at stride 2 start one cell later than those of an
    odd size. `"circular"` glues opposite borders together, which makes the layer commute with
    shifts exactly (by multiples of the stride, if it divides the size).

    Args:
        filters: number of kernels, the channels of the output.
        kernel_size: height and width of the window, or one number for both.
        strides: steps between windows along height and width, or one number for both.
        padding: `"valid"`, `"same"` or, which Keras does not have, `"circular"`.
        data_format: `"channels_last"` or `"channels_first"`; `None` is Keras's global setting.
        dilation_rate: distance of neighboring cells in a window. Unlike Keras's layer, this one
            takes it together with strides.
        groups: number of groups of channels, each of which is seen by its own filters only.
        activation: a function, its name, or `None` for the identity.
        use_bias: whether there is a `bias`. In front of a batch normalization it is redundant.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer: penalties on the weights, added to the loss.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint: projections after each step of an optimizer.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, height, width, channels)`, output `(batch, rows, columns, filters)`; with
        `data_format="channels_first"` the last axis comes second in both. `kernel` is
        `(*kernel_size, channels / groups, filters)`, `bias` is `(filters,)`.

    Raises:
        ValueError: an argument is not of its kind, `groups` does not divide `filters`; or, when
            built, the channels have no fixed number or `groups` does not divide it, or the kernel
            is larger than the image.

    Example:
        >>> from keras import ops
        >>> image = ops.reshape(ops.arange(6.0), (1, 2, 3, 1))  # rows 0 1 2 and 3 4 5
        >>> layer = Conv2D(1, (1, 2), kernel_initializer="ones")
        >>> layer(image)[0, :, :, 0].numpy().tolist()
        [[1.0, 3.0], [7.0, 9.0]]
        >>> layer.as_matrix((2, 3, 1)).toarray().astype(int).tolist()
        [[1, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]]

    Reference:
        LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition";
        arguments and weight order as in `keras.layers.Conv2D`.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        groups=1,
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
        self.kernel_size = window.pair("kernel_size", kernel_size)
        self.strides = window.pair("strides", strides)
        self.padding = window.padding(padding)
        self.data_format = window.data_format(data_format)
        self.dilation_rate = window.pair("dilation_rate", dilation_rate)
        self.groups = check.positive_integer("groups", groups)
        if self.filters % self.groups:
            raise ValueError(f"groups must divide filters={filters}, received {groups}")
        self.activation = activation_names.get(activation)
        self.use_bias = check.flag("use_bias", use_bias)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._weight_arguments("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.bias = None
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self._windows = window.windows(
            "kernel_size", self.kernel_size, self.strides, self.padding, self.dilation_rate
        )

    def build(self, input_shape):
        axis = -1 if window.is_last(self.data_format) else 1
        channels = check.positive_integer("the channel axis of the input", input_shape[axis])
        if channels % self.groups:
            raise ValueError(f"groups must divide {channels} channels, received {self.groups}")
        self.compute_output_shape(input_shape)  # refuses a kernel larger than the image
        self.kernel = self._weight(
            "kernel", (*self.kernel_size, channels // self.groups, self.filters)
        )
        if self.use_bias:
            self.bias = self._weight("bias", (self.filters,))
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={axis: channels})

    def call(self, x):
        x = window.to_channels_last(x, self.data_format)
        parts = zip(
            ops.split(x, self.groups, axis=-1),
            ops.split(self.kernel, self.groups, axis=-1),
            strict=True,
        )
        z = ops.concatenate(
            [window.correlate(part, kernel, *self._windows) for part, kernel in parts], axis=-1
        )
        if self.use_bias:
            z = z + self.bias
        z = window.from_channels_last(z, self.data_format)
        return z if self.activation is None else self.activation(z)

    def compute_output_shape(self, input_shape):
        return window.output_shape(input_shape, *self._windows, self.data_format, self.filters)

    def as_matrix(self, input_shape):
        """The layer's linear part as the matrix `M` with `vec(y) = M vec(x)`.

        `vec` is `reshape(-1)` of one image: the last axis runs fastest. The bias and the
        activation come on top.

        Args:
            input_shape: shape of one image, `(height, width, channels)`.

        Returns:
            A sparse `scipy.sparse.csr_array` of `rows * columns * filters` rows and
            `height * width * channels` columns; its transpose is the transposed convolution.
        """
        import scipy.sparse

        input_shape = check.positive_integers("input_shape", input_shape)
        if len(input_shape) != 3:
            raise ValueError(f"input_shape must have three sizes, received {input_shape}")
        if not self.built:
            self.build((None, *input_shape))
        channels = input_shape[-1 if window.is_last(self.data_format) else 0]
        if channels != self.kernel.shape[2] * self.groups:
            raise ValueError(
                f"input_shape must have {self.kernel.shape[2] * self.groups} channels, "
                f"received {input_shape}"
            )
        shape = self.compute_output_shape((1, *input_shape))
        # The number of each entry in vec(y) and vec(x), seen with the channels last.
        y, x = (np.arange(np.prod(s)).reshape(s) for s in (shape[1:], tuple(input_shape)))
        if not window.is_last(self.data_format):
            y, x = np.moveaxis(y, 0, -1), np.moveaxis(x, 0, -1)
        height, width = (w.positions(n) for w, n in zip(self._windows, x.shape[:2], strict=True))
        kernel = ops.convert_to_numpy(self.kernel)
        i, a, j, b, c, f = np.indices((*height.shape, *width.shape, *kernel.shape[2:]))
        inside = (height[i, a] >= 0) & (width[j, b] >= 0)
        i, a, j, b, c, f = (index[inside] for index in (i, a, j, b, c, f))
        channel = c + kernel.shape[2] * (f // (self.filters // self.groups))
        entries = kernel[a, b, c, f], (y[i, j, f], x[height[i, a], width[j, b], channel])
        return scipy.sparse.csr_array(entries, shape=(y.size, x.size))
