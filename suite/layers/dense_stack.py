"""Hundreds of dense layers in a loop: plain, residual, or residual and scaled.

Lecture section "Skip connections", claim C49. Of 300 layer objects each would be traced and
compiled by itself. Here the layers are one loop over stacked weights, whose program does not grow
with the depth.
"""

import math

import keras
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite._configured import Configured
from suite.initializers._per_layer import seeded
from suite.ode._loop import repeat


@keras.saving.register_keras_serializable(package="dl_basics")
class DenseStack(Configured, keras.layers.Layer):
    """Dense layers of one width on top of each other, with or without skip connections.

        F_l(x) = activation(x @ kernel[l] + bias[l])        l = 0 .. depth - 1
        x_{l+1} = F_l(x_l)                                  residual=False
        x_{l+1} = x_l + scale * F_l(x_l)                    residual=True

    with `scale = 1 / sqrt(depth)` if `scaled`, else 1. The same numbers as from `depth` layers
    `Dense`, or `Residual(Dense)`, one after another.

    Linear branches with weights of variance `tau^2` multiply the mean square of signal and
    gradient, on average, by `(n tau^2)^depth`, `(1 + n tau^2)^depth` and
    `(1 + n tau^2 / depth)^depth < exp(n tau^2)`.

    Args:
        depth: number of layers.
        activation: of every branch: a function, its name, or `None` for the identity.
        residual: whether each layer adds to its input.
        scaled: whether what is added is scaled by `1 / sqrt(depth)`.
        kernel_initializer, bias_initializer: how the weights of each layer start; they are drawn
            layer by layer, so fans are those of one layer.
        seed: of the initial weights; each layer gets a seed of its own derived from it.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output the same; `kernel` is `(depth, features, features)`,
        `bias` is `(depth, features)`.

    Raises:
        ValueError: `depth` is not a positive integer, `residual` or `scaled` not a bool, `seed`
            not an integer, a name is unknown; or, when built, the last axis has no fixed size.

    Example:
        >>> import numpy as np
        >>> layer = DenseStack(100, kernel_initializer="identity", scaled=True)
        >>> float(layer(np.ones((1, 2), "float32"))[0, 0]) - 1.1**100 < 0.1
        True
        >>> [tuple(w.shape) for w in layer.weights]
        [(100, 2, 2), (100, 2)]

    Reference:
        He et al. 2016, arXiv:1512.03385, equation 1. The scale is that of Hanin & Rolnick 2018,
        arXiv:1803.01719, with equal weights for all layers.
    """

    def __init__(
        self,
        depth,
        activation=None,
        residual=True,
        scaled=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.depth = check.positive_integer("depth", depth)
        self.activation = activation_names.get(activation)
        self.residual = check.flag("residual", residual)
        self.scaled = check.flag("scaled", scaled)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.seed = check.optional_integer("seed", seed)
        self.scale = 1 / math.sqrt(self.depth) if self.scaled else 1.0
        self.supports_masking = True

    def build(self, input_shape):
        features = check.positive_integer("the last axis of the input", input_shape[-1])
        for stream, (role, shape) in enumerate(
            {"kernel": (features, features), "bias": (features,)}.items()
        ):
            initializer = getattr(self, f"{role}_initializer")
            layers = seeded(initializer, self.seed, self.depth, (stream,))
            weight = self.add_weight(
                name=role,
                shape=(self.depth, *shape),
                initializer=lambda _, dtype=None, layers=layers, shape=shape: ops.stack(
                    [layer(shape, dtype=dtype) for layer in layers]
                ),
            )
            setattr(self, role, weight)

    def call(self, x):
        kernel, bias = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.bias)

        def layer(number, x):
            weights, offset = (ops.take(stacked, number, axis=0) for stacked in (kernel, bias))
            branch = self.activation(ops.matmul(x, weights) + offset)
            return number + 1, x + self.scale * branch if self.residual else branch

        return repeat(layer, (ops.convert_to_tensor(0, "int32"), x), self.depth)[1]

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
