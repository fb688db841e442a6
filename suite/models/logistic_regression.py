"""Logistic regression: a linear score, read as the log-odds of the label.

Lecture section "Logistic regression". The smallest network there is, and the only one here whose
loss has a single minimum.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import Dense
from suite.models._seeded import seeded


@keras.saving.register_keras_serializable(package="dl_basics")
class LogisticRegression(keras.Model):
    """Linear classifier for two classes.

        z = x @ kernel + bias        p(y = 1 | x) = sigmoid(z)

    The output is `z`, the logit: train it with `BinaryCrossentropy(from_logits=True)`. The loss
    is convex in the weights, so they start at zero.

    Args:
        features: size of a sample.
        output_activation: `"sigmoid"` for a probability, `None` for the logit.
        kernel_initializer: how the weights start.
        seed: of the initial weights, if they are random.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        input `(batch, features)`, output `(batch, 1)`.

    Raises:
        ValueError: `features` is not a positive integer, `seed` not an integer, a name is
            unknown.

    Example:
        >>> import numpy as np
        >>> model = LogisticRegression(features=3, output_activation="sigmoid")
        >>> model(np.ones((2, 3), "float32")).numpy().tolist()
        [[0.5], [0.5]]

    Reference:
        Cox 1958, "The regression analysis of binary sequences".
    """

    def __init__(
        self, features, output_activation=None, kernel_initializer="zeros", seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.features = check.positive_integer("features", features)
        self.output_activation = activation_names.get(output_activation)
        self.seed = None if seed is None else check.integer("seed", seed)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        (initializer,) = seeded(kernel_initializer, self.seed, count=1)
        self.linear = Dense(
            1,
            self.output_activation,
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="linear",
        )
        self.build((None, self.features))

    def build(self, input_shape):
        if self.built:
            return
        self.linear.build(input_shape)
        self.built = True

    def call(self, x):
        return self.linear(x)

    def compute_output_shape(self, input_shape):
        return self.linear.compute_output_shape(input_shape)

    def get_config(self):
        return super().get_config() | {
            "features": self.features,
            "output_activation": activation_names.serialize(self.output_activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "seed": self.seed,
        }
