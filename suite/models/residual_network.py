"""The residual network: hundreds of layers, each of which only adds something.

Lecture section "Skip connections", claim C49. The layers read the state, and what they compute is
added to it; the gradient reaches the first of them past all others.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import BatchNormalization, Dense, Residual
from suite.models._stack import Stack


@keras.saving.register_keras_serializable(package="dl_basics")
class ResidualNetwork(Stack):
    """Fully connected network whose hidden layers are residual.

        x_0 = x @ kernel_0 + bias_0
        x_l = x_{l-1} + scale * (activation(norm(x_{l-1})) @ kernel_l + bias_l)     l = 1 .. depth
        z   = activation(norm(x_depth)) @ kernel + bias

    `norm` is batch normalization if asked for, else nothing; it stands before the activation and
    the weights, so that the way along the `x_l` is free. `scale` is `1 / sqrt(depth)` if
    `scaled`, which keeps the variance below e times that of `x_0`; without it the variance grows
    exponentially with the depth. The output is `z`, the logits.

    Args:
        units: width of the state.
        depth: number of residual layers.
        outputs: size of the output.
        activation: of each residual layer and of the last layer.
        scaled: whether each branch is scaled by `1 / sqrt(depth)`.
        batch_normalization: whether the state is normalized before each activation.
        output_activation: of the output layer; `None` leaves logits.
        kernel_initializer: how the weights start. The default suits ReLU.
        bias_initializer: how the biases start.
        kernel_regularizer: penalty on every kernel.
        seed: of the initial weights; each layer gets a seed of its own derived from it.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        input `(batch, ..., features)`, output `(batch, ..., outputs)`.

    Raises:
        ValueError: `units`, `depth` or `outputs` is not a positive integer, `scaled` or
            `batch_normalization` not a bool, `seed` not an integer, a name is unknown.

    Example:
        >>> import numpy as np
        >>> model = ResidualNetwork(units=5, depth=2, outputs=3, seed=1)
        >>> tuple(model(np.ones((2, 7), "float32")).shape)
        (2, 3)
        >>> model.count_params()  # (7 + 1) * 5 + 2 * (5 + 1) * 5 + (5 + 1) * 3
        118

    Reference:
        He et al. 2016, "Identity mappings in deep residual networks", arXiv:1603.05027 (the order
        of normalization, activation and weights).
    """

    def __init__(
        self,
        units=64,
        depth=8,
        outputs=10,
        activation="relu",
        scaled=True,
        batch_normalization=False,
        output_activation=None,
        kernel_initializer="he_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check.positive_integer("units", units)
        self.depth = check.positive_integer("depth", depth)
        self.outputs = check.positive_integer("outputs", outputs)
        self.activation = activation_names.get(activation)
        self.scaled = check.flag("scaled", scaled)
        self.batch_normalization = check.flag("batch_normalization", batch_normalization)
        self.output_activation = activation_names.get(output_activation)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer)
        self._weight_arguments("bias", bias_initializer)
        self.seed = check.optional_integer("seed", seed)

        first, *hidden, last = self._seeded("kernel", kernel_initializer, self.depth + 2)
        biases = iter(self._seeded("bias", bias_initializer, self.depth + 2))
        self.blocks = [self._dense(self.units, first, next(biases), "first")]
        for number, initializer in enumerate(hidden, 1):
            layers = [*self._before(), self._dense(self.units, initializer, next(biases), "dense")]
            branch = keras.Sequential(layers, name=f"branch_{number}")
            depth = self.depth if self.scaled else None
            self.blocks.append(
                Residual(branch, depth, dtype=self.dtype_policy, name=f"residual_{number}")
            )
        output = self._dense(self.outputs, last, next(biases), "output", self.output_activation)
        self.blocks += [*self._before(), output]

    def _before(self):
        """What stands before the weights."""
        policy = self.dtype_policy
        normalization = [BatchNormalization(dtype=policy)] if self.batch_normalization else []
        return [*normalization, keras.layers.Activation(self.activation, dtype=policy)]

    def _dense(self, size, initializer, bias, name, activation=None):
        return Dense(
            size,
            activation,
            kernel_initializer=initializer,
            bias_initializer=bias,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=name,
        )
