"""The convolutional network: the same few weights at every place of an image.

Lecture section "Convolutional networks", claims C60 to C64. Each stage looks for patterns in a
small window, then makes the image smaller; at the end stands a linear classifier.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from suite.models._stack import Stack

SHRINK = ("max", "average", "stride", "none")
READOUT = {
    "flatten": keras.layers.Flatten,
    "global_max": GlobalMaxPooling2D,
    "global_average": GlobalAveragePooling2D,
}


@keras.saving.register_keras_serializable(package="dl_basics")
class ConvolutionalNetwork(Stack):
    """Convolutions that halve the image again and again, and a linear classifier on top.

        x_l = shrink(activation(norm(conv(x_{l-1}, kernel_l) + bias_l)))        l = 1 .. L
        z   = readout(x_L) @ kernel + bias                                      L = len(filters)

    `shrink` is pooling over 2 x 2 windows, a stride of 2 in the convolution, or nothing. `norm` is
    batch normalization if asked for; the convolutions then have no bias. The output is `z`, the
    logits. With `readout="flatten"` the classifier knows where a pattern was; a global pooling
    forgets it, which makes the output blind to shifts (but for the stride and the border).

    Args:
        filters: number of filters of each convolution.
        outputs: size of the output.
        kernel_size: height and width of the window, an integer or two.
        activation: of the convolutions.
        padding: `"same"`, `"valid"` or `"circular"`.
        shrink: `"max"`, `"average"`, `"stride"` or `"none"`.
        readout: `"flatten"`, `"global_max"` or `"global_average"`.
        batch_normalization: whether each convolution is normalized before its activation.
        output_activation: of the output layer; `None` leaves logits.
        kernel_initializer: how the weights start. The default suits ReLU.
        bias_initializer: how the biases start.
        kernel_regularizer: penalty on every kernel.
        seed: of the initial weights; each layer gets a seed of its own derived from it.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        input `(batch, height, width, channels)`, output `(batch, outputs)`.

    Raises:
        ValueError: `filters` is not a sequence of positive integers, `outputs` not a positive
            integer, `shrink`, `readout` or `padding` unknown, `batch_normalization` not a bool,
            `seed` not an integer, a name is unknown; or, when built, the image is too small.

    Example:
        >>> import numpy as np
        >>> model = ConvolutionalNetwork(filters=(4, 6), outputs=3, seed=1)
        >>> tuple(model(np.ones((2, 8, 12, 1), "float32")).shape)
        (2, 3)
        >>> model.count_params()  # (9 * 1 + 1) * 4 + (9 * 4 + 1) * 6 + (2 * 3 * 6 + 1) * 3
        373

    Reference:
        LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".
    """

    def __init__(
        self,
        filters=(16, 32),
        outputs=10,
        kernel_size=3,
        activation="relu",
        padding="same",
        shrink="max",
        readout="flatten",
        batch_normalization=False,
        output_activation=None,
        kernel_initializer="he_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = check.positive_integers("filters", filters)
        self.outputs = check.positive_integer("outputs", outputs)
        self.kernel_size = kernel_size
        self.activation = activation_names.get(activation)
        self.padding = padding
        self.shrink = check.choice("shrink", shrink, SHRINK)
        self.readout = check.choice("readout", readout, tuple(READOUT))
        self.batch_normalization = check.flag("batch_normalization", batch_normalization)
        self.output_activation = activation_names.get(output_activation)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer)
        self._weight_arguments("bias", bias_initializer)
        self.seed = check.optional_integer("seed", seed)

        *kernels, last = self._seeded("kernel", kernel_initializer, len(self.filters) + 1)
        biases = iter(self._seeded("bias", bias_initializer, len(self.filters) + 1))
        policy = {"dtype": self.dtype_policy}
        shared = {
            "kernel_regularizer": self.kernel_regularizer,
            **policy,
        }
        self.blocks = []
        for count, initializer in zip(self.filters, kernels, strict=True):
            self.blocks.append(
                Conv2D(
                    count,
                    self.kernel_size,
                    strides=2 if self.shrink == "stride" else 1,
                    padding=self.padding,
                    use_bias=not self.batch_normalization,
                    kernel_initializer=initializer,
                    bias_initializer=next(biases),
                    **shared,
                )
            )
            if self.batch_normalization:
                self.blocks.append(BatchNormalization(**policy))
            self.blocks.append(keras.layers.Activation(self.activation, **policy))
            if self.shrink in ("max", "average"):
                pooling = MaxPooling2D if self.shrink == "max" else AveragePooling2D
                self.blocks.append(pooling(2, **policy))
        self.blocks.append(READOUT[self.readout](**policy))
        self.blocks.append(
            Dense(
                self.outputs,
                self.output_activation,
                kernel_initializer=last,
                bias_initializer=next(biases),
                name="output",
                **shared,
            )
        )
