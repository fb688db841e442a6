"""In order: a case worked by hand, independent oracles, the theory, the edges."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit as sigmoid
from sklearn.linear_model import LogisticRegression

from suite.training.newton import (
    logistic_gradient,
    logistic_hessian,
    logistic_loss,
    newton,
)

SAMPLES, FEATURES = 60, 3  # C18's size


def problem(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.3, 1.0, (SAMPLES, FEATURES))
    y = (rng.random(SAMPLES) < sigmoid(x @ [1.0, -1.5, 0.5])).astype(float)
    return x, y


def hessian_of_the_slide(weights, features, labels):
    """C17's mutant: the leading minus survived, and 1 - w^T x stands inside the sigmoid."""
    return -hessian_with_the_sign_repaired(weights, features, labels)


def hessian_with_the_sign_repaired(weights, features, labels):
    """C17's silent mutant: the right optimum, but no longer Newton's rate."""
    z = features @ weights
    return features.T @ ((sigmoid(z) * sigmoid(1 - z))[:, None] * features)


def hessian_with_the_wrong_sign(weights, features, labels):
    return -logistic_hessian(weights, features, labels)


def converges_like_newton(hessian, seed=0, damping="armijo"):
    """C17's check: at most 8 steps from zero to a gradient of 1e-10."""
    history = newton(*problem(seed), hessian=hessian, damping=damping)
    return history.converged and history.steps <= 8


def test_one_step_by_hand():
    # At w = 0 each sigma is 1/2: g = 1 (1/2) + 2 (1/2) + 3 (-1/2) = 0 with y = (0, 0, 1), and for
    # y = (0, 1, 1): g = 1/2 - 1 - 3/2 = -2, H = (1 + 4 + 9) / 4 = 3.5, so the step is 2 / 3.5.
    x = np.array([[1.0], [2.0], [3.0]])
    assert logistic_gradient(np.zeros(1), x, [0, 0, 1])[0] == 0
    assert logistic_loss(np.zeros(1), x, [0, 1, 1]) == pytest.approx(3 * np.log(2), rel=1e-15)
    history = newton(x, [0, 1, 1], damping=None, max_steps=1)
    assert history.weights[1, 0] == pytest.approx(2 / 3.5, rel=1e-15)
    assert (history.steps, history.outcome) == (1, "out of steps")


@pytest.mark.parametrize("seed", range(3))
def test_derivatives_against_finite_differences(seed):
    x, y = problem(seed)
    w = np.random.default_rng(seed).normal(0.2, 1, FEATURES)
    step = np.finfo(float).eps ** (1 / 3)  # balances truncation and rounding of a central quotient

    def central(function):
        return np.stack(
            [(function(w + step * e) - function(w - step * e)) / (2 * step) for e in np.eye(3)], -1
        )

    gradient = central(lambda w: logistic_loss(w, x, y))
    np.testing.assert_allclose(logistic_gradient(w, x, y), gradient, rtol=1e-6, atol=1e-8)
    hessian = central(lambda w: logistic_gradient(w, x, y))
    np.testing.assert_allclose(logistic_hessian(w, x, y), hessian, rtol=1e-6, atol=1e-8)
    for mutant in (hessian_of_the_slide, hessian_with_the_sign_repaired):
        error = np.linalg.norm(mutant(w, x, y) - hessian) / np.linalg.norm(hessian)
        assert error > 1e-2
    assert np.linalg.eigvalsh(hessian)[0] > 0


def test_the_derivative_check_itself_against_scipy():
    x, y = problem(4)
    w = np.array([0.1, -0.2, 0.3])
    forward = approx_fprime(w, logistic_loss, 1e-7, x, y)  # error of order 1e-7 times the curvature
    np.testing.assert_allclose(logistic_gradient(w, x, y), forward, atol=1e-4)


@pytest.mark.parametrize("seed", range(14))
def test_same_minimum_as_bfgs_and_scikit_learn(seed):
    x, y = problem(seed)
    history = newton(x, y)
    assert history.converged and history.steps <= 8
    assert history.gradient_norms[-1] <= 1e-10
    bfgs = minimize(logistic_loss, np.zeros(FEATURES), (x, y), jac=logistic_gradient, tol=1e-7)
    np.testing.assert_allclose(history.weights[-1], bfgs.x, atol=1e-6)
    sklearn = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(x, y)
    # scikit-learn stops on its own criterion, a mean gradient of about 1e-10 at best
    np.testing.assert_allclose(history.weights[-1], sklearn.coef_[0], atol=1e-5)


def test_the_number_of_correct_digits_doubles():
    history = newton(*problem(0), damping=None, tolerance=1e-13)
    error = np.linalg.norm(history.weights - history.weights[-1], axis=1)
    usable = error[(error > 1e-12) & (error < 0.1)]  # asymptotic, and above the rounding
    orders = np.log(usable[1:]) / np.log(usable[:-1])
    assert len(orders) >= 1 and (orders > 1.7).all()  # e' = C e^2 tends to 2; linear to 1


@pytest.mark.parametrize("damping", ["armijo", None])
@pytest.mark.parametrize("seed", range(5))
def test_the_check_accepts_the_hessian_and_rejects_its_mutants(seed, damping):
    assert converges_like_newton(logistic_hessian, seed, damping)
    assert not converges_like_newton(hessian_of_the_slide, seed, damping)
    assert not converges_like_newton(hessian_with_the_wrong_sign, seed, damping)
    assert not converges_like_newton(hessian_with_the_sign_repaired, seed, damping)


def test_the_silent_mutant_reaches_the_right_minimum_slowly():
    x, y = problem(0)
    mutant = newton(x, y, hessian=hessian_with_the_sign_repaired, damping=None, max_steps=200)
    assert mutant.converged and mutant.steps >= 20
    np.testing.assert_allclose(mutant.weights[-1], newton(x, y).weights[-1], atol=1e-8)


def test_the_plain_method_climbs_with_the_wrong_sign():
    mutant = newton(*problem(0), hessian=hessian_with_the_wrong_sign, damping=None)
    assert not mutant.converged
    assert mutant.losses[1] > mutant.losses[0]


def test_damped_newton_converges_from_a_hundred_random_starts():
    x, y = problem(1)
    best = newton(x, y).weights[-1]
    rng = np.random.default_rng(2)
    for _ in range(100):
        history = newton(x, y, start=rng.normal(0, 5, FEATURES))
        assert history.converged
        # a flat step is allowed only within the rounding of the sum
        assert (np.diff(history.losses) <= SAMPLES * 1e-13 * (1 + history.losses[0])).all()
        np.testing.assert_allclose(history.weights[-1], best, atol=1e-9)


@pytest.mark.parametrize("start", [7.0, -12.5, 40.0])
def test_damped_newton_returns_from_a_saturated_start(start):
    """At w = 40 the curvature is 1e-17 and the first step 1e17 long; the minimum is logit(1/10)."""
    history = newton(np.ones((20, 1)), np.repeat([1.0, 0.0], [2, 18]), start=[start], max_steps=200)
    assert history.converged
    np.testing.assert_allclose(history.weights[-1], np.log(2 / 18), atol=1e-9)


def test_the_plain_method_diverges_beyond_its_basin():
    """One feature, balanced labels: w <- w - sinh(w), whose basin ends where sinh(w) = 2 w."""
    x, y = np.ones((2, 1)), [0, 1]
    assert newton(x, y, start=[2.17], damping=None, max_steps=100).converged
    assert not newton(x, y, start=[2.18], damping=None, max_steps=100).converged
    assert newton(x, y, start=[2.18]).converged


def test_predictions_do_not_depend_on_the_coordinates():
    x, y = problem(3)
    a = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0], [0.5, 0.0, 1.0]])  # invertible, not symmetric
    ours, mapped = newton(x, y), newton(x @ a, y)
    np.testing.assert_allclose(x @ ours.weights[-1], x @ a @ mapped.weights[-1], atol=1e-9)


@pytest.mark.parametrize("tied", [False, True], ids=["separable", "quasi-separable"])
@pytest.mark.parametrize("damping", ["armijo", None])
def test_data_without_a_finite_minimum(tied, damping):
    x = np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 1.0], [1.0, 3.0]])
    y = np.array([0.0, 0.0, 1.0, 1.0])
    if tied:  # two samples at one place with different labels lie on the boundary for ever
        x, y = np.vstack([x, [[1.0, 0.0], [1.0, 0.0]]]), np.append(y, [0.0, 1.0])
    history = newton(x, y, damping=damping)
    assert not history.converged
    assert np.isfinite(history.losses).all()
    assert history.outcome in ("no finite minimum", "Hessian not positive definite")


def test_collinear_features():
    x, y = problem(0)
    history = newton(np.hstack([x, x[:, :1]]), y)
    assert isinstance(history.outcome, str)  # rounding decides which; no exception


def test_an_indefinite_hessian_stops_damped_newton_at_once():
    history = newton(*problem(0), hessian=lambda w, x, y: np.diag([1.0, -1.0, 2.0]))
    assert (history.outcome, history.steps) == ("Hessian not positive definite", 0)
    assert history.weights.shape == (1, FEATURES)


def test_starting_at_the_minimum_takes_no_step():
    x, y = problem(0)
    assert newton(x, y, start=newton(x, y).weights[-1]).steps == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"features": np.full((SAMPLES, FEATURES), np.nan)},
            "features must be finite, rec.* nan",
        ),
        ({"features": np.ones(SAMPLES)}, "features must have shape"),
        ({"labels": np.ones(7)}, r"labels must have shape \(60,\)"),
        ({"labels": np.full(SAMPLES, -1.0)}, "labels must be 0 or 1, received -1"),
        ({"start": [0.0, 1.0]}, r"start must have shape \(3,\), received \(2,\)"),
        ({"start": [0.0, 1.0, np.inf]}, "start must be finite, received inf"),
        ({"damping": "wolfe"}, "damping must be .* received 'wolfe'"),
        ({"tolerance": -1.0}, "tolerance must not be negative, received -1.0"),
        ({"max_steps": -1}, "max_steps must not be negative, received -1"),
    ],
)
def test_bad_arguments(change, message):
    x, y = problem(0)
    arguments = {"features": x, "labels": y} | change
    with pytest.raises(ValueError, match=message):
        newton(**arguments)
