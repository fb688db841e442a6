"""In order: cases by hand, closed forms, slopes and symmetry, serialization."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

import suite

X = np.linspace(-7.0, 5.0, 11).astype("float32")  # not symmetric, so that oddness is not built in

CLOSED_FORMS = {
    "sigmoid": scipy.special.expit,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "softmax": scipy.special.softmax,
}


@pytest.mark.parametrize("name", suite.activations.__all__)
def test_equals_its_closed_form(name):
    y = getattr(suite.activations, name)(X)
    np.testing.assert_allclose(y, CLOSED_FORMS[name](X.astype("float64")), rtol=3e-6, atol=1e-7)


@pytest.mark.parametrize("size", [800.0, -800.0])
@pytest.mark.parametrize("name", suite.activations.__all__)
def test_stays_finite_far_out(name, size):
    assert np.isfinite(getattr(suite.activations, name)([size, 0.5 * size])).all()


@pytest.mark.parametrize(("name", "largest"), [("sigmoid", 0.25), ("tanh", 1.0), ("relu", 1.0)])
def test_largest_slope(name, largest):
    x = tf.constant(np.linspace(-5, 5, 1001))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(suite.activations, name)(x)
    slope = tape.gradient(y, x)
    np.testing.assert_allclose(np.max(slope), largest, rtol=1e-12)  # float64


def test_softmax_does_not_change_when_a_constant_is_added():
    np.testing.assert_allclose(
        suite.activations.softmax(X), suite.activations.softmax(X + 3), rtol=1e-5
    )


def test_softmax_works_along_any_axis():
    x = np.random.default_rng(0).normal(size=(3, 5))
    np.testing.assert_allclose(
        suite.activations.softmax(x, axis=0), scipy.special.softmax(x, axis=0), rtol=1e-12
    )


@pytest.mark.parametrize("name", suite.activations.__all__)
def test_a_layer_comes_back_with_the_same_function(name):
    function = getattr(suite.activations, name)
    layer = suite.layers.Dense(3, activation=function)
    assert suite.layers.Dense.from_config(layer.get_config()).activation is function


@pytest.mark.parametrize("name", suite.activations.__all__)
def test_a_layer_of_keras_accepts_it(name):
    layer = keras.layers.Dense(3, activation=getattr(suite.activations, name))
    again = keras.layers.Dense.from_config(layer.get_config())
    np.testing.assert_allclose(again.activation(X), layer.activation(X), rtol=1e-6)
