"""Logistic regression: a linear score, read as the log-odds of the label.

Lecture section "Logistic regression", claim C01. The smallest network there is, and the only one
here whose loss has a single minimum.
"""

import keras

from suite.models._linear import LinearClassifier


@keras.saving.register_keras_serializable(package="dl_basics")
class LogisticRegression(LinearClassifier):
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
        self._linear(features, 1, output_activation, kernel_initializer, seed)
