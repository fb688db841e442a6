"""C56: the exact curves against simulation, the order of the minima, verdicts and mutants."""

import numpy as np
import pytest

from benchmarks.experiments.learning_theory import best_model as c56
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(20)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c56.EXPERIMENT.cells():
        found = c56.measure(cell, SEEDS)
        found.check(c56.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_curves_are_those_of_simulated_ridge():
    """scikit-learn's ridge on 4000 noisy copies of the targets."""
    from sklearn.linear_model import Ridge

    x = np.random.default_rng(3).uniform(-1, 1, c56.SAMPLES)
    f, phi = 1.5 * x**3 - x, np.vander(x, c56.DEGREE + 1, increasing=True)
    noisy = f[:, None] + c56.SIGMA * np.random.default_rng(0).normal(size=(len(x), 4000))
    bias, variance = c56.curves(c56.TRAINING, 3)
    for i in (20, 30, 40):
        model = Ridge(alpha=(c56.SIGMA / c56.PRIOR_SDS[i]) ** 2, fit_intercept=False)
        fits = model.fit(phi, noisy).predict(phi)
        spread = fits.var(axis=1, ddof=1).mean()
        assert variance[i] == pytest.approx(spread, rel=0.1)
        off = ((fits.mean(axis=1) - f) ** 2).mean() - spread / 4000
        assert bias[i] == pytest.approx(off, rel=0.1, abs=2e-5)


@pytest.mark.parametrize("place", c56.PLACES)
def test_expected_error_is_that_of_simulated_ridge(place):
    """Against noisy targets drawn anew, within four standard errors."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(1)
    x = np.random.default_rng(3).uniform(-1, 1, c56.SAMPLES)
    at = x if place == c56.TRAINING else c56.TEST_INPUTS
    noisy, new = (
        (1.5 * v**3 - v)[:, None] + c56.SIGMA * rng.normal(size=(len(v), 4000)) for v in (x, at)
    )
    phi, phi_at = (np.vander(v, c56.DEGREE + 1, increasing=True) for v in (x, at))
    for i in (10, 30, 50):
        model = Ridge(alpha=(c56.SIGMA / c56.PRIOR_SDS[i]) ** 2, fit_intercept=False)
        errors = ((model.fit(phi, noisy).predict(phi_at) - new) ** 2).mean(axis=0)
        off = errors.mean() - c56.expected_error(place, 3)[i]
        assert abs(off) < 4 * errors.std() / np.sqrt(errors.size)


def test_the_best_model_is_found_without_the_sum(monkeypatch):
    """A best model that is not where the sum is smallest is told."""
    rule = next(h.rule for h in c56.EXPERIMENT.hypotheses if h.id == "C56.sum")
    monkeypatch.setattr(c56, "expected_error", lambda place, seed: c56.curves(place, seed)[0])
    cell = c56.EXPERIMENT.cells()[0]
    found = c56.measure(cell, SEEDS[:3])
    result = CellResult(cell.factors, SEEDS[:3], found.metrics, np.zeros(3, bool))
    assert rule.decide(Results((result,))).outcome == REFUTED


def test_limits_of_the_prior():
    """No prior width: no variance. All of it: least squares, sigma^2 p / N at its inputs."""
    x = np.random.default_rng(7).uniform(-1, 1, c56.SAMPLES)
    bias, variance = c56.curves(c56.TRAINING, 7)
    assert variance[0] < 1e-5 and bias[0] == pytest.approx(np.mean((1.5 * x**3 - x) ** 2), rel=1e-3)
    assert variance[-1] == pytest.approx(c56.SIGMA**2 * (c56.DEGREE + 1) / c56.SAMPLES, rel=1e-3)


def test_some_penalty_beats_least_squares_and_none():
    """Hoerl & Kennard 1970: the sum falls from both ends of the path."""
    for seed in SEEDS:
        total = c56.curves(c56.TRAINING, int(seed)).sum(axis=0)
        assert 0 < total.argmin() < len(total) - 1


def test_verdicts(results):
    expected = {"both": REFUTED, "sum": SUPPORTED, "three_places": SUPPORTED, "price": SUPPORTED}
    for hypothesis in c56.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == expected[hypothesis.id.split(".")[1]], hypothesis.id
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)
