"""C03: small cases by hand, SciPy's quadrature as oracle, verdicts and mutants."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.optimize import approx_fprime, minimize
from scipy.special import log_expit

from benchmarks.experiments.logistic_regression import approximate_posterior as c03
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)  # the fewest that decide a direction


@pytest.fixture(scope="module")
def measured():
    cells = c03.EXPERIMENT.cells(profile="smoke")
    return [(cell, c03.measure(cell, SEEDS)) for cell in cells]


@pytest.fixture(scope="module")
def results(measured):
    diverged = np.zeros(len(SEEDS), bool)
    return Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )


@pytest.fixture
def small():
    """Three rows whose second weight is never seen: its posterior is the prior."""
    return np.array([[2.0, 0.0], [1.5, 0.0], [-1.0, 0.0]]), np.array([1.0, 0.0, 1.0])


def test_log_density_of_one_sample_by_hand():
    """z = log 3, label 1: log 3/4 - (log 3)^2 / 2."""
    w, x = np.array([np.log(3), 0.0]), np.array([[1.0, 5.0]])
    expected = np.log(0.75) - np.log(3) ** 2 / 2
    assert c03.log_density(w, x, np.ones(1)) == pytest.approx(expected)


def test_mode_against_scipy_and_its_equation():
    x, y = c03.problem("synthetic", 50, 3)
    mode, covariance = c03.laplace(x, y)
    found = minimize(lambda w: -c03.log_density(w, x, y), np.zeros(2), tol=1e-10)
    np.testing.assert_allclose(mode, found.x, atol=1e-5)

    def gradient(w):
        return x.T @ (1 / (1 + np.exp(-x @ w)) - y) + w

    np.testing.assert_allclose(gradient(mode), 0, atol=1e-10)
    hessian = approx_fprime(mode, gradient, 1e-7)  # forward: error about 1e-7 of 10
    np.testing.assert_allclose(covariance @ hessian, np.eye(2), atol=1e-5)


def test_grid_against_quadrature_in_one_dimension(small):
    """The posterior is a product; its first factor is integrated by SciPy."""
    x, y = small

    def factor(t):
        z = t * x[:, 0]
        return np.exp((y * log_expit(z) + (1 - y) * log_expit(-z)).sum()) * stats.norm.pdf(t)

    moments = [integrate.quad(lambda t, k=k: t**k * factor(t), -12, 12)[0] for k in range(3)]
    mean = moments[1] / moments[0]
    variance = moments[2] / moments[0] - mean**2
    mode, covariance = c03.laplace(x, y)
    grid = c03.Grid(mode, covariance, lambda w: c03.log_density(w, x, y))
    assert grid.log_evidence - np.log(2 * np.pi) == pytest.approx(np.log(moments[0]), abs=1e-8)
    ours = grid.moments()
    np.testing.assert_allclose(ours[0], [mean, 0], atol=1e-7)
    np.testing.assert_allclose(ours[1], np.diag([variance, 1]), atol=1e-7)


def test_distance_of_two_gaussians():
    """Equal covariances, means d apart: total variation 2 Phi(d / 2) - 1."""
    grid = c03.Grid(np.zeros(2), np.eye(2), lambda w: -(w**2).sum(axis=-1) / 2)
    expected = 2 * stats.norm.cdf(0.3) - 1
    # The integrand has a kink, so the rule is of second order: a third of a deviation, squared.
    assert grid.distance(np.array([0.6, 0.0]), np.eye(2)) == pytest.approx(expected, rel=0.02)
    assert grid.divergence() == pytest.approx(0, abs=1e-12)
    assert c03.error_share(grid) == 1


def test_gaussian_log_against_scipy():
    mean, covariance = np.array([0.5, -1.0]), np.array([[2.0, 0.7], [0.7, 1.0]])
    w = np.random.default_rng(0).normal(size=(4, 3, 2))
    theirs = stats.multivariate_normal(mean, covariance).logpdf(w)
    np.testing.assert_allclose(c03.gaussian_log(w, mean, covariance), theirs, rtol=1e-12)


def test_variational_evidence_is_an_integral():
    """Of prior times parabolas, by SciPy; and no other xi makes it larger."""
    x, y = c03.problem("synthetic", 5, 1)
    xi = c03.variational(x, y)

    def integrand(b, a):
        w = np.array([a, b])
        sign = 2 * y - 1  # log p(y | z) = log sigma(sign z)
        bound = c03.parabola(sign * (x @ w), xi, c03.bend(xi)).sum()
        return np.exp(bound - w @ w / 2) / (2 * np.pi)

    exact = integrate.dblquad(integrand, -7, 7, -7, 7, epsabs=1e-9)[0]
    best = c03.gaussian_under(c03.bend(xi), xi, x, y)[2]
    assert best == pytest.approx(np.log(exact), abs=1e-6)
    for factor in (0.8, 1.25):
        assert c03.gaussian_under(c03.bend(factor * xi), factor * xi, x, y)[2] < best


def test_standard_error_of_independent_draws():
    values = np.random.default_rng(1).normal(size=(c03.CHAINS, 2000, 1)) * 3
    expected = 3 / np.sqrt(c03.CHAINS * 2000)
    # 80 batch means give it to 1 / sqrt(2 x 79) = 8 %
    assert c03.standard_error(values)[0] == pytest.approx(expected, rel=0.32)


def test_conjugate_update_by_hand():
    """One sample with pseudo-label 1/2 and strength 1, label 1: strength 2, pseudo-label 3/4."""
    x, w = np.array([[1.0, 2.0]]), np.array([[0.3, -0.4]])
    prior = c03.family_energy(w, x, 1, np.array([0.5]))
    posterior = c03.family_energy(w, x, 2, np.array([0.75]))
    np.testing.assert_allclose(posterior - prior, log_expit(w @ x[0]))


def test_pictures_and_shapes(measured):
    for _, found in measured:
        found.check(c03.EXPERIMENT, len(SEEDS))
        assert found.arrays["posterior"].max() <= 1 + 1e-12
        assert sum(a.nbytes for a in found.arrays.values()) < 50_000
        assert found.arrays["Metropolis"].shape == (c03.DRAWN, 2)
        for name in ("Laplace", "variational"):
            np.testing.assert_allclose(found.arrays[name][0], found.arrays[name][-1])


def test_ellipse_is_half_the_peak():
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.7], [0.7, 1.0]])
    density = stats.multivariate_normal(mean, covariance).pdf
    np.testing.assert_allclose(density(c03.ellipse(mean, covariance)) / density(mean), 0.5)


def test_slide_is_refuted_and_the_correction_holds(results):
    verdicts = {h.id: judge(h, results) for h in c03.EXPERIMENT.hypotheses}
    assert verdicts.pop("C03.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}
