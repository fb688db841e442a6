"""In order: by hand, closed forms, Keras, far input, softmax, serialization, bad arguments."""

import keras
import numpy as np
import pytest
import scipy.special
from backends import compiled, gradients, numpy
from closed_forms import FUNCTIONS, SLOPES

import suite

X = np.linspace(-7.0, 5.0, 11).astype("float32")  # not symmetric, so that oddness is not built in
NAMES = [name for name in suite.activations.__all__ if callable(getattr(suite.activations, name))]
ELEMENTWISE = sorted(suite.activations.PROPERTIES)


def function(name):
    return getattr(suite.activations, name)


def slope(f, x):
    """f'(x) element by element: the gradient of the sum."""
    return gradients(lambda x: keras.ops.sum(f(x)), x)[1][0]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("sigmoid", {}, 0.0066),
        ("tanh", {}, 1.8e-4),
        ("relu", {}, 0.0),
        ("leaky_relu", {"negative_slope": 0.1}, 0.1),
        ("elu", {}, 0.0067),
        ("softplus", {}, 0.0067),
    ],
)
def test_slopes_at_minus_five(name, arguments, expected):
    found = slope(lambda x: function(name)(x, **arguments), np.float32([-5.0]))
    np.testing.assert_allclose(found, [expected], rtol=0.01)  # two digits are given


def test_softmax_by_hand():
    np.testing.assert_allclose(
        numpy(function("softmax")([0.0, np.log(3.0)])), [0.25, 0.75], rtol=1e-6
    )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_equals_its_closed_form(name):
    y = numpy(function(name)(X))
    np.testing.assert_allclose(y, FUNCTIONS[name](X.astype("float64")), rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_slope_equals_its_closed_form(name):
    x = X[X != 0]
    # float32: slopes of size one, to a few units in the last place
    np.testing.assert_allclose(
        slope(function(name), x), SLOPES[name](x.astype("float64")), rtol=3e-6, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, {}) for name in NAMES),
        ("relu", {"negative_slope": 0.1, "max_value": 3.0, "threshold": 0.5}),
        ("leaky_relu", {"negative_slope": 0.3}),
        ("elu", {"alpha": 0.5}),
        ("gelu", {"approximate": True}),
        ("softmax", {"axis": 0}),
    ],
)
def test_equals_keras_also_compiled(name, arguments):
    x = np.random.default_rng(0).normal(0.3, 2.0, (3, 5)).astype("float32")
    theirs = numpy(getattr(keras.activations, name)(x, **arguments))
    for call in (function(name), compiled(lambda x: function(name)(x, **arguments))):
        ours = numpy(call(x, **arguments) if call is function(name) else call(x))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_the_default_of_leaky_relu_is_that_of_the_function_not_of_the_layer():
    assert float(function("leaky_relu")(-1.0)) == pytest.approx(-0.2)
    assert float(keras.layers.LeakyReLU()(np.float32([-1.0]))[0]) == pytest.approx(-0.3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(
    ("name", "arguments"), [*((name, {}) for name in NAMES), ("gelu", {"approximate": True})]
)
def test_value_and_slope_stay_finite_far_out(name, arguments, dtype):
    def weighted(x):  # of a plain sum the softmax has slope zero
        y = function(name)(keras.ops.cast(x, dtype), **arguments)
        return keras.ops.sum(keras.ops.cast(y, "float32") * np.float32([1, 2, 3, 4]))

    value, (gradient,) = gradients(weighted, np.float32([-800.0, -400.0, 400.0, 800.0]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_accepts_symbolic_input():
    x = keras.Input((5,))
    for name in NAMES:
        assert function(name)(x).shape == (None, 5)


def test_softmax_does_not_change_when_a_constant_is_added():
    softmax = function("softmax")
    np.testing.assert_allclose(numpy(softmax(X)), numpy(softmax(X + 3)), rtol=1e-5)


def test_softmax_works_along_any_axis():
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    y = numpy(function("softmax")(x, axis=0))
    np.testing.assert_allclose(y, scipy.special.softmax(x.astype("float64"), axis=0), rtol=3e-6)


@pytest.mark.parametrize("z", [[0.2, -1.0, 0.7], [0.0, 0.0, -800.0]])
def test_the_jacobian_of_softmax(z):
    softmax, z = function("softmax"), np.float32(z)
    jacobian = np.array([gradients(lambda z, k=k: softmax(z)[k], z)[1][0] for k in range(3)])
    p = scipy.special.softmax(z.astype("float64"))
    np.testing.assert_allclose(jacobian, np.diag(p) - np.outer(p, p), atol=1e-6)
    np.testing.assert_allclose(jacobian.sum(axis=1), 0, atol=1e-6)
    # The bound 1/2 of the docstring is reached by two equal logits far above the others.
    largest = np.linalg.eigvalsh(jacobian.astype("float64")).max()
    assert largest <= 0.5 + 1e-6
    assert (largest == pytest.approx(0.5, rel=1e-6)) == (z[2] == -800)


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_comes_back_with_the_same_function(name):
    layer = suite.layers.Dense(3, activation=function(name))
    assert suite.layers.Dense.from_config(layer.get_config()).activation is function(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_of_keras_accepts_it(name):
    layer = keras.layers.Dense(3, activation=function(name))
    again = keras.layers.Dense.from_config(layer.get_config())
    np.testing.assert_allclose(numpy(again.activation(X)), numpy(layer.activation(X)), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("relu", {"negative_slope": None}, "negative_slope must be a finite number, received None"),
        ("relu", {"max_value": -1}, "max_value must be zero or positive, received -1"),
        ("relu", {"threshold": "0"}, "threshold must be a finite number, received '0'"),
        ("leaky_relu", {"negative_slope": "a"}, "negative_slope must be .* received 'a'"),
        ("elu", {"alpha": np.inf}, "alpha must be a finite number, received inf"),
        ("gelu", {"approximate": 1}, "approximate must be True or False, received 1"),
    ],
)
def test_refuses(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(name)(X, **arguments)
