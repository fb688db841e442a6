"""Layers of the lecture, with Keras's names and arguments."""

from suite.layers.batch_normalization import BatchNormalization
from suite.layers.dense import Dense

__all__ = ["BatchNormalization", "Dense"]
