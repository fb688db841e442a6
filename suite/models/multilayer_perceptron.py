"""The multilayer perceptron: affine maps with a nonlinearity between them.

Lecture section "Deep networks", claims C20 to C22. With one wide hidden layer it approximates any
continuous function; with several, some functions need far fewer units.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import BatchNormalization, Dense
from suite.models._stack import Stack


@keras.saving.register_keras_serializable(package="dl_basics")
class MultilayerPerceptron(Stack):
    """Fully connected network.

        x_0 = x
        x_l = activation(norm(x_{l-1} @ kernel_l + bias_l))        l = 1 .. len(units)
        z   = x_L @ kernel + bias

    `norm` is batch normalization if asked for, else nothing. With it the hidden layers have no
    bias, which the subtracted mean would cancel. The output is `z`, the logits: use losses with
    `from_logits=True`.

    Args:
        units: sizes of the hidden layers; `()` leaves a linear model.
        outputs: size of the output.
        activation: of the hidden layers.
        batch_normalization: whether each hidden layer is normalized before its activation.
        output_activation: of the output layer; `None` leaves logits.
        kernel_initializer: how the weights start. The default suits ReLU; for tanh or sigmoid
            take `"glorot_uniform"` or `"lecun_normal"`.
        bias_initializer: how the biases start.
        kernel_regularizer: penalty on every kernel.
        seed: of the initial weights; each layer gets a seed of its own derived from it.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        input `(batch, ..., features)`, output `(batch, ..., outputs)`.

    Raises:
        ValueError: `units` is not a sequence of positive integers, `outputs` not a positive
            integer, `batch_normalization` not a bool, `seed` not an integer, a name is unknown.

    Example:
        >>> import numpy as np
        >>> model = MultilayerPerceptron(units=(5, 4), outputs=3, seed=1)
        >>> model(np.ones((2, 7), "float32")).shape
        TensorShape([2, 3])
        >>> model.count_params()  # 7 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3
        79

    Reference:
        Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
    """

    def __init__(
        self,
        units=(64, 64),
        outputs=10,
        activation="relu",
        batch_normalization=False,
        output_activation=None,
        kernel_initializer="he_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check.positive_integers("units", units)
        self.outputs = check.positive_integer("outputs", outputs)
        self.activation = activation_names.get(activation)
        self.batch_normalization = check.flag("batch_normalization", batch_normalization)
        self.output_activation = activation_names.get(output_activation)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer)
        self._weight_arguments("bias", bias_initializer)
        self.seed = check.optional_integer("seed", seed)

        *hidden, last = self._seeded("kernel", kernel_initializer, len(self.units) + 1)
        biases = iter(self._seeded("bias", bias_initializer, len(self.units) + 1))
        shared = {
            "kernel_regularizer": self.kernel_regularizer,
            "dtype": self.dtype_policy,
        }
        self.blocks = []
        for number, (size, initializer) in enumerate(zip(self.units, hidden, strict=True), 1):
            self.blocks.append(
                Dense(
                    size,
                    use_bias=not self.batch_normalization,
                    kernel_initializer=initializer,
                    bias_initializer=next(biases),
                    name=f"hidden_{number}",
                    **shared,
                )
            )
            if self.batch_normalization:
                self.blocks.append(
                    BatchNormalization(dtype=self.dtype_policy, name=f"normalization_{number}")
                )
            self.blocks.append(
                keras.layers.Activation(
                    self.activation, dtype=self.dtype_policy, name=f"activation_{number}"
                )
            )
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
