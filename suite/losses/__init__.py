"""Losses of the lecture: negative log-likelihoods, one value a sample, averaged by default."""

from suite.losses.binary_crossentropy import BinaryCrossentropy
from suite.losses.categorical_crossentropy import CategoricalCrossentropy
from suite.losses.mean_squared_error import MeanSquaredError
from suite.losses.sparse_categorical_crossentropy import SparseCategoricalCrossentropy

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
]
