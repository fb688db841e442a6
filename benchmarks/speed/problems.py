"""The two problems: one small enough that overhead decides, one smaller still."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A model, an optimizer and random data of the right shape; speed does not read the values.

    Args:
        name: shown in the table.
        features: inputs a sample.
        hidden: widths of the hidden layers, ReLU.
        classes: outputs; 1 for logistic regression.
        samples: size of the training set; decides how many steps `fit` takes an epoch.
        optimizer: "adam" or "sgd".
        batch_size: samples a step.
    """

    name: str
    features: int
    hidden: tuple[int, ...]
    classes: int
    samples: int
    optimizer: str
    batch_size: int = 64

    def data(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, features), standard normal, and class numbers (samples,)."""
        rng = np.random.default_rng(0)
        samples = samples or self.samples
        x = rng.normal(size=(samples, self.features)).astype("float32")
        return x, rng.integers(max(self.classes, 2), size=samples).astype("int32")

    def model(self):
        """A Keras model that returns logits."""
        import keras

        layers = [keras.layers.Dense(width, activation="relu") for width in self.hidden]
        return keras.Sequential(
            [keras.Input((self.features,)), *layers, keras.layers.Dense(self.classes)]
        )

    def loss(self):
        """Cross-entropy of logits."""
        import keras

        if self.classes == 1:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def new_optimizer(self):
        """A stock Keras optimizer with the default learning rate."""
        import keras

        return keras.optimizers.get(self.optimizer)


# 1856 = 29 batches of 64: an epoch as short as on scikit-learn's digits (1797 samples).
MLP = Problem("MLP 64-64-64-10, Adam", 64, (64, 64), 10, 1856, "adam")
# 30 features and 569 samples: the shape of the breast cancer data.
LOGISTIC = Problem("logistic regression, 30 features, SGD", 30, (), 1, 569, "sgd")
