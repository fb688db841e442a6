"""Runs on every backend, unlike the tests of what `train` does."""

import keras
import numpy as np
import pytest

from suite.training import train


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    with pytest.raises(RuntimeError, match="needs KERAS_BACKEND=tensorflow.*received 'jax'"):
        train(model, "sgd", "mse", np.ones((4, 3)), np.ones((4, 1)), steps=2, batch_size=2)
