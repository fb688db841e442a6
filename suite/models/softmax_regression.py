"""Softmax regression: one linear score a class, turned into probabilities by the softmax.

Lecture section "Logistic regression", claim C08, for more than two classes.
"""

import keras

from suite import _arguments as check
from suite.models._linear import LinearClassifier


@keras.saving.register_keras_serializable(package="dl_basics")
class SoftmaxRegression(LinearClassifier):
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
        self.outputs = check.positive_integer("outputs", outputs)
        self._linear(features, self.outputs, output_activation, kernel_initializer, seed)
