import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import Ridge

from suite.theory import legendre_basis, map_weights, ridge

SAMPLES, FEATURES = 7, 4
NOISE_SD, PRIOR_SD = 0.3, 2.0


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(0.5, 1, (SAMPLES, FEATURES)), rng.normal(1.0, 1, SAMPLES)


@pytest.mark.parametrize("strength", [1e-6, 0.045, 30.0])
def test_matches_scikit_learn(data, strength):
    features, y = data
    sklearn = Ridge(alpha=strength, fit_intercept=False, solver="cholesky").fit(features, y)
    np.testing.assert_allclose(ridge(features, y, strength), sklearn.coef_, rtol=1e-10)


def test_map_maximizes_the_log_posterior(data):
    features, y = data

    def negative_log_posterior(w):
        fit = ((y - features @ w) ** 2).sum() / (2 * NOISE_SD**2)
        return fit + (w**2).sum() / (2 * PRIOR_SD**2)

    numeric = minimize(negative_log_posterior, np.ones(FEATURES), tol=1e-10, method="Nelder-Mead")
    ours = map_weights(features, y, NOISE_SD, PRIOR_SD)
    np.testing.assert_allclose(ours, numeric.x, atol=1e-6)


def test_the_mean_loss_needs_one_over_n(data):
    """C53: minus the log prior is added to N times the mean loss, not to the mean."""
    features, y = data
    ours = map_weights(features, y, NOISE_SD, PRIOR_SD)
    scale = np.sqrt(1 / SAMPLES)  # the mean of squares is the sum of squares of scaled rows
    strength = (NOISE_SD / PRIOR_SD) ** 2
    right = ridge(scale * features, scale * y, strength / SAMPLES)
    mutant = ridge(scale * features, scale * y, strength)
    np.testing.assert_allclose(right, ours, rtol=1e-12)
    assert np.abs(mutant - ours).max() > 1e-3


def test_an_infinitely_wide_prior_is_maximum_likelihood(data):
    features, y = data
    least_squares = np.linalg.lstsq(features, y)[0]
    np.testing.assert_allclose(
        map_weights(features, y, NOISE_SD, np.inf), least_squares, rtol=1e-11
    )


def test_many_strengths_at_once(data):
    features, y = data
    strengths = np.array([0.0, 0.3, 7.0])
    found = ridge(np.stack([features, 2 * features])[:, None], y, strengths)
    for row, scale in zip(found, (1, 2), strict=True):
        for w, strength in zip(row, strengths, strict=True):
            np.testing.assert_allclose(w, ridge(scale * features, y, strength), rtol=1e-12)
    with pytest.raises(ValueError, match="strength must be finite and not negative"):
        ridge(features, y, [0.1, -0.1])


@pytest.mark.parametrize("shape", [(3, 8), (8, 3)])
def test_without_strength_the_solution_of_minimum_norm(shape):
    rng = np.random.default_rng(1)
    features = np.hstack([rng.normal(0.5, 1, shape), np.ones((shape[0], 2))])  # rank-deficient
    y = rng.normal(size=shape[0])
    np.testing.assert_allclose(ridge(features, y, 0), np.linalg.pinv(features) @ y, atol=1e-12)


def test_degree_nine_interpolates_ten_points():
    x = np.linspace(-0.9, 1.0, 10)
    y = np.random.default_rng(2).normal(size=10)
    features = legendre_basis(x, 9)
    np.testing.assert_allclose(features @ ridge(features, y, 0), y, atol=1e-10)


def test_many_data_sets_at_once(data):
    rng = np.random.default_rng(3)
    features, y = rng.normal(size=(5, SAMPLES, FEATURES)), rng.normal(size=(5, SAMPLES))
    together = ridge(features, y, 0.2)
    assert together.shape == (5, FEATURES)
    for r in range(5):
        np.testing.assert_allclose(together[r], ridge(features[r], y[r], 0.2), rtol=1e-12)
    same_design = ridge(features[0], y, 0.2)
    np.testing.assert_allclose(same_design[4], ridge(features[0], y[4], 0.2), rtol=1e-12)


def test_all_zero_features_give_zero_weights():
    np.testing.assert_array_equal(ridge(np.zeros((3, 2)), np.ones(3), 0), [0, 0])


def test_bad_arguments(data):
    features, y = data
    with pytest.raises(ValueError, match="strength must be finite and not negative, received -1"):
        ridge(features, y, -1)
    with pytest.raises(ValueError, match=r"y must have 7 targets.*received shape \(6,\)"):
        ridge(features, y[1:], 1)
    with pytest.raises(ValueError, match=r"features must be a matrix, received shape \(7,\)"):
        ridge(y, y, 1)
    with pytest.raises(ValueError, match="noise_sd must be finite and positive, received 0"):
        map_weights(features, y, 0, 1)
    with pytest.raises(ValueError, match="prior_sd must be positive, received -1"):
        map_weights(features, y, 1, -1)
