"""The fully connected layer: an affine map, then a nonlinearity.

Lecture section "Deep networks", claim C20. Every output sees every input; stacked, with a
nonlinearity between them, such layers make the multilayer perceptron.
"""

import keras
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite._configured import Configured


@keras.saving.register_keras_serializable(package="dl_basics")
class Dense(Configured, keras.layers.Layer):
    """Affine map of the last axis.

        y = activation(x @ kernel + bias)

    Vectors are rows, so `kernel` is the transpose of the `W` in the lecture's `W x + b`.

    Args:
        units: size of the output.
        activation: a function, its name, or `None` for the identity.
        use_bias: whether there is a `bias`. In front of a batch normalization it is redundant.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer: penalties on the weights, added to the loss.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint: projections after each step of an optimizer.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output `(batch, ..., units)`; `kernel` is
        `(features, units)`, `bias` is `(units,)`.

    Raises:
        ValueError: `units` is not a positive integer, `use_bias` not a bool, a name is unknown;
            or, when built, the last axis has no fixed size.

    Example:
        >>> import numpy as np
        >>> layer = Dense(2, activation="relu", kernel_initializer="ones")
        >>> layer(np.array([[1.0, 2.0, -4.0], [1.0, 2.0, 4.0]], "float32")).numpy().tolist()
        [[0.0, 0.0], [7.0, 7.0]]

    Reference:
        Rosenblatt 1958, "The perceptron"; arguments and weight order as in `keras.layers.Dense`.
    """

    def __init__(
        self,
        units,
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
        self.units = check.positive_integer("units", units)
        self.activation = activation_names.get(activation)
        self.use_bias = check.flag("use_bias", use_bias)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._weight_arguments("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.bias = None
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        features = check.positive_integer("the last axis of the input", input_shape[-1])
        self.kernel = self._weight("kernel", (features, self.units))
        if self.use_bias:
            self.bias = self._weight("bias", (self.units,))
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def call(self, x):
        z = ops.matmul(x, self.kernel)  # not `@`: a sparse `x` has no such operator
        if self.use_bias:
            z = z + self.bias
        return z if self.activation is None else self.activation(z)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)
