"""The gradient of an embedding on TensorFlow: rows and indices, where an index may repeat."""

import keras
import numpy as np
import pytest
from backends import BACKEND

from suite.optimizers import SGD, Adam, AMSGrad, Momentum, RMSprop

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow has IndexedSlices")

ROWS = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]], "float32")
OPTIMIZERS = {
    "plain": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9}),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True}),
    "averaged": (Momentum, {}),
    "rmsprop": (RMSprop, {}),
    "rmsprop momentum": (RMSprop, {"momentum": 0.5}),
    "rmsprop centered": (RMSprop, {"centered": True, "epsilon": 0.1}),
    "adam": (Adam, {}),
    "amsgrad": (AMSGrad, {}),
}
SHARED = [
    {},
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.5},
    {"clipvalue": 0.5},
    {"use_ema": True, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    {"loss_scale_factor": 8.0},
]


def sparse(indices):
    import tensorflow as tf

    return tf.IndexedSlices(tf.constant(ROWS), tf.constant(indices), tf.constant([5, 2]))


def run(optimizer, gradient):
    w = keras.Variable(np.linspace(1, 2, 10).reshape(5, 2), dtype="float32")
    for _ in range(4):
        optimizer.apply([gradient], [w])
    return w.numpy()


@pytest.mark.parametrize("shared", SHARED, ids=lambda shared: next(iter(shared), "alone"))
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_the_dense_gradient(name, shared):
    """Row 2 appears twice: its rows must be added before they are squared or clipped."""
    cls, own = OPTIMIZERS[name]
    dense = np.zeros((5, 2), "float32")
    np.add.at(dense, [2, 0, 2], ROWS)
    found = run(cls(0.1, **own, **shared), sparse([2, 0, 2]))
    expected = run(cls(0.1, **own, **shared), keras.ops.convert_to_tensor(dense))
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # float32


def test_repeated_rows_are_added_before_they_are_squared():
    import tensorflow as tf

    w = keras.Variable([[0.0], [0.0], [0.0]])
    gradient = tf.IndexedSlices(
        tf.constant([[3.0], [1.0]]), tf.constant([1, 1]), tf.constant([3, 1])
    )
    optimizer = RMSprop(1.0, rho=0.75, epsilon=1e-12)
    optimizer.apply([gradient], [w])
    # 4 / sqrt(0.25 * 4^2); the mutant squares one by one, 4 / sqrt(0.25 * (3^2 + 1^2)) = 2.53.
    np.testing.assert_allclose(w.numpy()[:, 0], [0.0, -2.0, 0.0], rtol=1e-6)


@pytest.mark.parametrize("shared", SHARED[:-1], ids=lambda shared: next(iter(shared), "alone"))
@pytest.mark.parametrize(
    "name", [name for name in OPTIMIZERS if name not in ("averaged", "amsgrad")]
)
def test_equals_keras_where_no_row_repeats(name, shared):
    """Keras squares repeated rows one by one, and cannot divide sparse ones by a loss scale."""
    cls, own = OPTIMIZERS[name]
    theirs = getattr(keras.optimizers, cls.__name__)
    found = run(cls(0.1, **own, **shared), sparse([2, 0, 3]))
    expected = run(theirs(0.1, **own, **shared), sparse([2, 0, 3]))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)  # float32, weights up to 2


def test_plain_sgd_touches_only_the_rows_it_is_given():
    import tensorflow as tf

    steps = []

    class Watched(SGD):
        def assign_sub(self, variable, value):
            steps.append(value)
            super().assign_sub(variable, value)

    run(Watched(0.1, weight_decay=0.1), sparse([2, 0, 2]))
    assert len(steps) == 4
    assert all(isinstance(step, tf.IndexedSlices) for step in steps)


@pytest.mark.parametrize("name", ["plain", "adam"])
def test_under_a_dynamic_loss_scale(name):
    cls, own = OPTIMIZERS[name]
    wrapped = keras.optimizers.LossScaleOptimizer(cls(0.1, **own), initial_scale=4.0)
    found = run(wrapped, keras.ops.multiply(sparse([2, 0, 2]), 4.0))
    np.testing.assert_allclose(found, run(cls(0.1, **own), sparse([2, 0, 2])), rtol=1e-6)
