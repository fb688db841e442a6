"""In order: by hand, Keras over several training steps, finite differences, edges."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import suite
from suite.layers import Dense

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.7, 2.0, (BATCH, TIME, FEATURES)).astype("float32")


def test_an_affine_map_by_hand():
    layer = Dense(2)
    layer.build((None, 3))
    layer.set_weights([np.array([[1, 2], [3, 4], [5, 6]]), np.array([10, 20])])
    np.testing.assert_array_equal(layer(np.array([[1.0, 0.0, -1.0]])), [[6.0, 16.0]])


def train(layer, x, steps=4):
    """Outputs and weights over a few steps of gradient descent, with penalties."""
    layer.build(x.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.3, 1.0, w.shape) for w in layer.get_weights()])
    target = rng.normal(size=(BATCH, TIME, UNITS))
    optimizer = keras.optimizers.SGD(0.05)
    trace = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            y = layer(x)
            loss = tf.reduce_mean((y - target) ** 2) + sum(layer.losses)
        optimizer.apply(tape.gradient(loss, layer.trainable_weights), layer.trainable_weights)
        trace += [y, loss, *layer.get_weights()]
    return trace


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"activation": "tanh", "use_bias": False},
        {"activation": suite.activations.relu, "kernel_regularizer": "l2"},
        {"bias_regularizer": "l1", "activity_regularizer": "l2", "kernel_constraint": "non_neg"},
    ],
)
def test_trains_as_keras(x, arguments):
    ours, theirs = (
        train(Dense(UNITS, **arguments), x),
        train(keras.layers.Dense(UNITS, **arguments), x),
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6)  # float32


def test_starts_as_keras():
    keras.utils.set_random_seed(3)
    ours = Dense(UNITS)
    ours.build((None, FEATURES))
    keras.utils.set_random_seed(3)
    theirs = keras.layers.Dense(UNITS)
    theirs.build((None, FEATURES))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradient_equals_finite_differences():
    layer = Dense(UNITS, activation="tanh", dtype="float64")
    layer.build((None, FEATURES))
    rng = np.random.default_rng(2)
    kernel, direction = rng.normal(size=(2, FEATURES, UNITS))
    x = rng.normal(0.5, 1.0, (BATCH, FEATURES))

    def loss(kernel):
        layer.set_weights([kernel, np.full(UNITS, 0.3)])
        return float(tf.reduce_sum(layer(x) ** 2))

    step = 1e-5  # near the cube root of float64's epsilon, where the central difference is best
    slope = (loss(kernel + step * direction) - loss(kernel - step * direction)) / (2 * step)
    layer.set_weights([kernel, np.full(UNITS, 0.3)])
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(layer(x) ** 2)
    gradient = tape.gradient(value, layer.kernel.value)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-8)


def test_a_sparse_input_gives_the_dense_result():
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]], "float32")
    layer = Dense(UNITS)
    np.testing.assert_allclose(layer(tf.sparse.from_dense(dense)), layer(dense), rtol=1e-6)


def test_names_and_shapes_of_the_weights():
    layer = Dense(UNITS)
    layer.build((None, FEATURES))
    assert [(w.name, w.shape) for w in layer.weights] == [("kernel", (3, 4)), ("bias", (4,))]


@pytest.mark.parametrize("units", [0, -3, 2.5, "64", None, True])
def test_refuses_units(units):
    with pytest.raises(ValueError, match=f"units must be a positive integer, received {units!r}"):
        Dense(units)


@pytest.mark.parametrize("argument", ["lora_rank", "quantization_config", "unit"])
def test_refuses_what_it_does_not_have(argument):
    with pytest.raises(ValueError, match=argument):
        Dense(3, **{argument: 2})


def test_refuses_an_input_of_unknown_width():
    with pytest.raises(ValueError, match="last axis of the input must be .*, received None"):
        Dense(3).build((None, None))


def test_refuses_an_input_of_another_width(x):
    layer = Dense(UNITS)
    layer(x)
    with pytest.raises(ValueError, match="incompatible"):
        layer(x[..., :2])
