"""C35: ratios by hand, the correction against quadrature, the verdicts and the mutants."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import normalized_step as c35
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(20)


@pytest.fixture(scope="module")
def measured():
    cells = [Cell({"signal": name}, c35.EXPERIMENT.budget) for name in c35.SIGNALS]
    return {cell.signal: c35.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    steady = np.zeros(len(SEEDS), bool)
    cells = (CellResult({"signal": s}, SEEDS, m.metrics, steady) for s, m in measured.items())
    results = Results(tuple(cells))
    return {h.id: judge(h, results) for h in c35.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c35.EXPERIMENT, len(SEEDS))


def test_ratios_by_hand():
    """alpha = 3/4 and gradients 8, 0, -4: nu = 16, 12, 13."""
    found = c35.ratios(0.75, np.array([[8.0], [0.0], [-4.0]]))
    np.testing.assert_allclose(found[:, 0], [2, 0, -4 / math.sqrt(13)])


@pytest.mark.parametrize("alpha", c35.DECAYS)
def test_bound_for_each_decay(alpha):
    """After a calm past: 3.16, 10 and 31.6 learning rates."""
    found = c35.ratios(alpha, np.array([[1.0], [2.0], [1e15]]))[:, 0]
    bound = 1 / math.sqrt(1 - alpha)
    np.testing.assert_allclose(found[[0, 2]], bound, rtol=1e-12)
    assert found[1] < bound


def test_correction_vanishes_without_noise_and_with_slow_averages():
    assert c35.correction(2.0, 0.0) == 0
    assert c35.correction(0.5, 1.0, 0.9999) == pytest.approx(0, abs=1e-4)


def test_correction_against_a_long_recursion():
    """Slower averages leave the terms after the second order behind: 0.98, mean 0.5, sd 1."""
    rng = np.random.default_rng(0)
    g = rng.normal(0.5, 1.0, (3000, 2000))
    nu, total = np.full(2000, 1.25), 0.0
    for t, row in enumerate(g):
        nu = 0.98 * nu + 0.02 * row**2
        total += (row / np.sqrt(nu)).mean() * (t >= 300)
    mean = total / 2700
    expected = c35.correction(0.5, 1.0, 0.98)
    assert mean / (0.5 / math.sqrt(1.25)) - 1 == pytest.approx(expected, rel=0.25)


def test_share_above_against_normal_tails():
    for mean, sd in c35.SIGNALS.values():
        edge = math.hypot(mean, sd)
        expected = norm.sf(edge, mean, sd) + norm.cdf(-edge, mean, sd)
        assert c35.share_above(mean, sd) == pytest.approx(expected)
        assert expected > 0.3  # what the rule of C35.share relies on


def test_slide_is_refuted_and_the_rest_holds(verdicts):
    assert verdicts.pop("C35.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
