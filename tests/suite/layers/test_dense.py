"""In order: by hand, Keras over several training steps, finite differences, edges."""

import keras
import numpy as np
import pytest
from backends import BACKEND, gradients
from traces import training_trace

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
    ours = training_trace(Dense(UNITS, **arguments), x)
    theirs = training_trace(keras.layers.Dense(UNITS, **arguments), x)
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


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras has no float64 on this backend")
def test_gradient_equals_finite_differences():
    layer = Dense(UNITS, activation="tanh", dtype="float64")
    layer.build((None, FEATURES))
    rng = np.random.default_rng(2)
    kernel, direction = rng.normal(size=(2, FEATURES, UNITS))
    x = rng.normal(0.5, 1.0, (BATCH, FEATURES))

    def loss(kernel):
        with keras.StatelessScope([(layer.kernel, kernel)]):
            return keras.ops.sum(layer(x) ** 2)

    step = 1e-5  # near the cube root of float64's epsilon, where the central difference is best
    ahead, behind = loss(kernel + step * direction), loss(kernel - step * direction)
    _, (gradient,) = gradients(loss, kernel)
    slope = float(ahead - behind) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-8)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a sparse tensor of TensorFlow")
def test_a_sparse_input_gives_the_dense_result():
    import tensorflow as tf

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
