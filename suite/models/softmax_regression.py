"""Softmax regression: one linear score a class, turned into probabilities by the softmax.

Lecture section "Logistic regression", for more than two classes.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import Dense
from suite.models._seeded import seeded


@keras.saving.register_keras_serializable(package="dl_basics")
class SoftmaxRegression(keras.Model):
    """Linear classifier over several classes.

        z = x @ kernel + bias        p(y = k | x) = softmax(z)_k

    The output is `z`, the logits: train it with
    `SparseCategoricalCrossentropy(from_logits=True)`. The loss is convex in the weights; adding
    one vector to every column of `kernel` changes no probability, so the optimum is a flat line
    unless a penalty picks a point.

    Args:
        features: size of a sample.
        outputs: number of classes.
        output_activation: `"softmax"` for probabilities, `None` for logits.
        kernel_initializer: how the weights start; zero is as good as any, the loss being convex.
        seed: of the initial weights, if they are random.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        input `(batch, features)`, output `(batch, outputs)`.

    Raises:
        ValueError: `features` or `outputs` is not a positive integer, `seed` not an integer, a
            name is unknown.

    Example:
        >>> import numpy as np
        >>> model = SoftmaxRegression(features=4, outputs=3)
        >>> model(np.ones((2, 4), "float32")).numpy().tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]

    Reference:
        Cox 1966, "Some procedures connected with the logistic qualitative response curve".
    """

    def __init__(
        self,
        features,
        outputs=10,
        output_activation=None,
        kernel_initializer="zeros",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.features = check.positive_integer("features", features)
        self.outputs = check.positive_integer("outputs", outputs)
        self.output_activation = activation_names.get(output_activation)
        self.seed = None if seed is None else check.integer("seed", seed)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        (initializer,) = seeded(kernel_initializer, self.seed, count=1)
        self.linear = Dense(
            self.outputs,
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
            "outputs": self.outputs,
            "output_activation": activation_names.serialize(self.output_activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "seed": self.seed,
        }
