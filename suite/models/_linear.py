"""What logistic and softmax regression share: one affine layer, built at once."""

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import Dense
from suite.models._stack import Stack


class LinearClassifier(Stack):
    """A model of one `Dense` layer, `linear`, whose input size is known beforehand."""

    def _linear(self, features, units, output_activation, kernel_initializer, seed):
        self.features = check.positive_integer("features", features)
        self.output_activation = activation_names.get(output_activation)
        self._weight_arguments("kernel", kernel_initializer)
        self.seed = check.optional_integer("seed", seed)
        (initializer,) = self._seeded("kernel", kernel_initializer, 1)
        self.linear = Dense(
            units,
            self.output_activation,
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="linear",
        )
        self.blocks = [self.linear]
        self.build((None, self.features))
