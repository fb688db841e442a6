import numpy as np
import pytest

from suite.datasets import cubic, cubic_truth
from suite.theory import (
    exact_bias_variance,
    legendre_basis,
    map_weights,
    monte_carlo_bias_variance,
)

SAMPLES, POINTS, DEGREE, NOISE_SD = 15, 101, 4, 0.3  # C57
WIDTHS = np.geomspace(1e-3, 1e3, 25)


@pytest.fixture
def design():
    x = np.sort(np.random.default_rng(0).uniform(-1, 1, SAMPLES))
    test = np.linspace(-1, 1, POINTS)
    return (
        legendre_basis(x, DEGREE),
        cubic_truth(x),
        legendre_basis(test, DEGREE),
        cubic_truth(test),
    )


def test_a_mean_by_hand():
    """Two samples, a constant feature: the fit is (y1 + y2) / (2 + noise^2 / prior^2)."""
    ones, truth = np.ones((2, 1)), np.array([3.0, 3.0])
    result = exact_bias_variance(ones, truth, ones[:1], truth[:1], noise_sd=1.0, prior_sd=0.5)
    assert result.bias_squared == pytest.approx((3 - 6 / 6) ** 2, rel=1e-14)
    assert result.variance == pytest.approx(2 / 36, rel=1e-14)


@pytest.mark.parametrize("prior_sd", [0.1, 1.0, 10.0])
def test_exact_and_monte_carlo_agree(design, prior_sd):
    train, f_train, test, f_test = design
    repetitions = 4000
    noise = np.random.default_rng(1).normal(0, NOISE_SD, (repetitions, SAMPLES))
    predictions = map_weights(train, f_train + noise, NOISE_SD, prior_sd) @ test.T
    exact = exact_bias_variance(*design, NOISE_SD, prior_sd)
    estimate = monte_carlo_bias_variance(predictions, f_test)
    spread = ((predictions - predictions.mean(0)) ** 2).mean(1)
    se = spread.std() / np.sqrt(repetitions)
    assert abs(estimate.variance - exact.variance) < 4 * se
    # d(bias^2) = 2 bias d(mean), averaged over the points
    influence = 2 * ((predictions - predictions.mean(0)) * (f_test - predictions.mean(0))).mean(1)
    se = influence.std() / np.sqrt(repetitions) + 4 * exact.variance / repetitions
    assert abs(estimate.bias_squared - exact.bias_squared) < 4 * se


def test_the_correction_for_few_repetitions():
    """C57: without it, squared bias is too large by variance / R."""
    rng, r, n = np.random.default_rng(2), 5, 40_000
    predictions = rng.normal(0.0, 1.0, (r, n))  # the truth is 0: no bias at all
    estimate = monte_carlo_bias_variance(predictions, np.zeros(n))
    se = np.sqrt(2) / r / np.sqrt(n)  # of a mean of n squares of N(0, 1 / r), which dominates
    assert abs(estimate.bias_squared) < 4 * 1.5 * se
    mutant = (predictions.mean(0) ** 2).mean()
    assert mutant > 1 / r - 4 * se > 10 * 4 * se
    assert estimate.total == pytest.approx((predictions**2).mean(), rel=1e-12)


def test_a_looser_prior_raises_variance_and_lowers_bias_in_sample(design):
    train, f_train, _, _ = design
    curve = [exact_bias_variance(train, f_train, train, f_train, NOISE_SD, s) for s in WIDTHS]
    bias, variance = np.array(curve).T
    assert (np.diff(variance) > 0).all()
    assert (np.diff(bias) < 1e-15).all()  # rounding: it ends near zero, since the truth is cubic


def test_the_best_width_minimizes_neither_term(design):
    bias, variance = np.array([exact_bias_variance(*design, NOISE_SD, s) for s in WIDTHS]).T
    best = (bias + variance).argmin()
    assert variance.argmin() == 0 < best < len(WIDTHS) - 1
    assert bias.argmin() > best


def test_test_error_is_bias_plus_variance_plus_noise():
    """With random designs too, where no closed form is at hand."""
    repetitions = 3000
    draws = [cubic(SAMPLES, seed=s, sigma=NOISE_SD) for s in range(repetitions)]
    x, y = (np.stack(part) for part in zip(*draws, strict=True))
    test, y_test = cubic(POINTS, seed=repetitions, sigma=0.0)
    predictions = (
        map_weights(legendre_basis(x, DEGREE), y, NOISE_SD, 1.0) @ legendre_basis(test, DEGREE).T
    )
    total = monte_carlo_bias_variance(predictions, y_test).total
    noise = np.random.default_rng(9).normal(0, NOISE_SD, predictions.shape)
    errors = ((y_test + noise - predictions) ** 2).mean(1)
    se = errors.std() / np.sqrt(repetitions)
    assert abs(errors.mean() - total - NOISE_SD**2) < 4 * se


def test_bad_arguments(design):
    train, f_train, test, f_test = design
    with pytest.raises(ValueError, match=r"f_test must have shape \(101,\).*received \(100,\)"):
        exact_bias_variance(train, f_train, test, f_test[1:], NOISE_SD, 1.0)
    with pytest.raises(ValueError, match=r"at least 2 repetitions, received \(1, 101\)"):
        monte_carlo_bias_variance(f_test[None], f_test)
    with pytest.raises(ValueError, match=r"f_test must have shape \(101,\), received \(3,\)"):
        monte_carlo_bias_variance(np.ones((2, POINTS)), np.ones(3))
