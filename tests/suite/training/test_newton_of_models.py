"""`newton(..., model=...)` beside the closed form, SciPy, and every outcome."""

import keras
import numpy as np
import pytest
from backends import WIDEST
from scipy.optimize import minimize

from suite.optimizers.newton import SOLVERS
from suite.training import newton

ROUNDING = {"float64": 1e-9, "float32": 1e-3}[WIDEST]
RNG = np.random.default_rng(5)
SAMPLES, FEATURES = 50, 3
X = RNG.normal(0.3, 1.0, (SAMPLES, FEATURES)).astype(WIDEST)
Y = (X @ [1.0, -1.5, 0.5] + RNG.logistic(0.2, 1.0, SAMPLES) > 0).astype(WIDEST)


def logistic_regression(start=0.0):
    dense = keras.layers.Dense(
        1, use_bias=False, kernel_initializer=keras.initializers.Constant(start), dtype=WIDEST
    )
    return keras.Sequential([keras.Input((FEATURES,), dtype=WIDEST), dense])


def summed_crossentropy():
    return keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum", dtype=WIDEST)


@pytest.mark.parametrize("solver", SOLVERS)
def test_logistic_regression_in_closed_form_and_as_a_model(solver):
    model = logistic_regression()
    ours = newton(X, Y[:, None], model=model, loss=summed_crossentropy(), solver=solver)
    closed = newton(X, Y)
    assert closed.converged and ours.converged
    np.testing.assert_allclose(ours.weights[-1], closed.weights[-1], rtol=ROUNDING)
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], ours.weights[-1])
    np.testing.assert_allclose(ours.losses[0], SAMPLES * np.log(2), rtol=1e-6)
    assert len(ours.losses) == len(ours.gradient_norms) == len(ours.weights) == ours.steps + 1
    if solver == "cholesky":  # the same steps, not just the same end
        np.testing.assert_allclose(ours.weights[1:4], closed.weights[1:4], rtol=ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_conjugate_gradients_solve_the_closed_form_too(seed):
    x = np.random.default_rng(seed).normal(0.3, 1.0, (SAMPLES, 7))
    y = (x.sum(1) + np.random.default_rng(seed).logistic(size=SAMPLES) > 0).astype(float)
    one, other = newton(x, y), newton(x, y, solver="conjugate_gradient")
    assert other.converged and one.steps == other.steps
    np.testing.assert_allclose(other.weights, one.weights, rtol=1e-8, atol=1e-10)


def test_conjugate_gradients_share_a_repeated_feature():
    # Its Hessian is singular; the shortest of all solutions halves the weight of the twins.
    x = np.random.default_rng(3).normal(0.7, 1.0, (SAMPLES, 4))
    y = (x.sum(1) - 3 + np.random.default_rng(3).logistic(size=SAMPLES) > 0).astype(float)
    once, twice = newton(x, y), newton(np.c_[x, x[:, :1]], y, solver="conjugate_gradient")
    assert once.converged and twice.converged and once.steps == twice.steps
    shared = np.r_[once.weights[-1], once.weights[-1][:1]] * [0.5, 1, 1, 1, 0.5]
    np.testing.assert_allclose(twice.weights[-1], shared, rtol=1e-8)
    assert newton(np.c_[x, x[:, :1]], y).outcome == "Hessian not positive definite"


def test_conjugate_gradients_see_that_separable_classes_have_no_minimum():
    x = np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 1.0], [1.0, 3.0]])
    for solver in SOLVERS:
        found = newton(x, np.array([0, 0, 1, 1]), solver=solver)
        assert found.outcome == "no finite minimum"


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_perceptron_ends_where_scipy_finds_a_minimum(solver):
    keras.utils.set_random_seed(2)
    l2 = {"kernel_regularizer": keras.regularizers.L2(0.01), "dtype": WIDEST}
    model = keras.Sequential(
        [
            keras.Input((FEATURES,), dtype=WIDEST),
            keras.layers.Dense(2, "tanh", use_bias=False, **l2),
            keras.layers.Dense(1, use_bias=False, **l2),
        ]
    )
    loss = keras.losses.MeanSquaredError(dtype=WIDEST)
    ours = newton(X, Y[:, None], model=model, loss=loss, solver=solver, max_steps=200)
    assert (np.diff(ours.losses) <= 1e-6).all()

    def value(w):
        a, b = w[:6].reshape(FEATURES, 2), w[6:]
        return np.mean((np.tanh(X @ a) @ b - Y) ** 2) + 0.01 * w @ w

    np.testing.assert_allclose(ours.losses[-1], value(ours.weights[-1]), rtol=1e-5)
    theirs = minimize(value, ours.weights[-1].astype(float), method="BFGS", tol=1e-7)
    np.testing.assert_allclose(ours.losses[-1], theirs.fun, rtol=1e-5)
    if WIDEST == "float64":
        assert ours.converged


def product_of_two(start):
    """y = x a b: two layers of one weight, whose loss has a saddle at a = b = 0."""
    constant = keras.initializers.Constant(start)
    dense = {"use_bias": False, "kernel_initializer": constant, "dtype": WIDEST}
    layers = [keras.layers.Dense(1, **dense), keras.layers.Dense(1, **dense)]
    return keras.Sequential([keras.Input((1,), dtype=WIDEST), *layers])


def outcome(model, x, y, **arguments):
    loss = keras.losses.MeanSquaredError(dtype=WIDEST)
    return newton(np.asarray(x, WIDEST), np.asarray(y, WIDEST), model=model, loss=loss, **arguments)


def test_a_saddle_is_reported():
    history = outcome(product_of_two(0.0), [[1.0]], [[1.0]])
    assert (history.outcome, history.steps) == ("Hessian not positive definite", 0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_away_from_the_saddle_the_loss_reaches_zero(solver):
    history = outcome(product_of_two(0.1), [[1.0]], [[1.0]], solver=solver)
    assert history.losses[-1] < 1e-6
    # The minima a b = 1 form a valley, flat along it.
    assert history.outcome in ("converged", "Hessian not positive definite", "no descent")


def test_out_of_steps_and_a_looser_tolerance():
    arguments = {"model": logistic_regression(), "loss": summed_crossentropy()}
    history = newton(X, Y[:, None], **arguments, max_steps=2)
    assert (history.outcome, history.steps) == ("out of steps", 2)
    assert newton(X, Y[:, None], **arguments, tolerance=10.0).steps == 0


def test_the_plain_method_diverges_from_far_away():
    model = logistic_regression(start=4.0)
    plain = newton(X, Y[:, None], model=model, loss=summed_crossentropy(), damping=None)
    assert not plain.converged
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], plain.weights[-1])
    damped = logistic_regression(start=4.0)
    assert newton(X, Y[:, None], model=damped, loss=summed_crossentropy()).converged


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": None}, "loss must be given with a model"),
        ({"start": np.zeros(3)}, "start and hessian must not"),
        ({"hessian": np.eye}, "start and hessian must not"),
        ({"solver": "lu"}, "solver must be one of cholesky, conjugate_gradient, received 'lu'"),
        ({"model": None}, "loss must be left out without a model"),
        ({"model": None, "loss": None, "hessian": np.eye, "solver": SOLVERS[1]}, "hessian must be"),
        ({"features": np.full((SAMPLES, FEATURES), np.nan)}, "loss must be finite at the start"),
        ({"model": keras.Sequential([keras.layers.ReLU()])}, "model must have trainable weights"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"features": X, "model": logistic_regression(), "loss": summed_crossentropy()}
    labels = Y if change.get("model", 0) is None else Y[:, None]
    with pytest.raises(ValueError, match=message):
        newton(labels=labels, **arguments | change)
