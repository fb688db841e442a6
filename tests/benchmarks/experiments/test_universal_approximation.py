"""C21: moduli and minimax errors by hand, NumPy's network, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.experiments.shallow_and_deep import universal_approximation as c21
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    cells = [cell for cell in c21.EXPERIMENT.cells() if cell.units in (5, 80)]
    return [(cell, c21.measure(cell, SEEDS)) for cell in cells]


def test_modulus_of_a_line_and_of_a_tent():
    x = np.linspace(0, 1, 101)
    values = np.stack([3 * x, 2 * np.abs(x - 0.5)])
    np.testing.assert_allclose(c21.modulus(values, 10), [0.3, 0.2])


def test_modulus_against_all_pairs():
    x, values = c21.targets([7])
    points = 48
    expected = max(np.abs(values[0, d:] - values[0, :-d]).max() for d in range(1, points + 1))
    assert c21.modulus(values, points)[0] == pytest.approx(expected, rel=1e-15)


def test_targets_are_continuous_and_their_own():
    _, values = c21.targets(np.arange(20))
    assert len(np.unique(values[:, 0])) == 20
    # Slopes of at most a few tens: neighbors on the grid differ by as many grid spacings.
    assert np.all(c21.modulus(values, 1) < 60 / c21.INTERVALS)


def test_knots_and_middles_are_grid_points():
    assert all(c21.INTERVALS % (2 * units) == 0 for units in c21.UNITS)
    assert c21.INTERVALS % (c21.LP_POINTS - 1) == 0


def test_two_steps_by_hand():
    """Between the steps, at 1/4 and 3/4, the network has the target's values at 0, 1/2 and 1."""
    x = np.linspace(0, 1, c21.INTERVALS + 1)
    values = np.stack([x**2, 1 - x])
    for activation in c21.STEPS_OF:
        built = c21.network(activation, 2, x, values)
        at = [0, c21.INTERVALS // 2, c21.INTERVALS]
        np.testing.assert_allclose(built[:, at], [[0, 0.25, 1], [1, 0.5, 0]], atol=1e-14)
        # At a step's middle it is halfway up.
        np.testing.assert_allclose(built[0, c21.INTERVALS // 4], 0.125, atol=1e-14)


def test_staircase_against_numpy():
    x, values = c21.targets([2])
    n, f = 10, values[0]
    at_knots = f[:: c21.INTERVALS // n]
    expected = np.full_like(x, at_knots[0])
    for j in range(n):
        step = expit(c21.STEEPNESS * n * (x - (j + 0.5) / n))
        expected += (at_knots[j + 1] - at_knots[j]) * step
    for activation in c21.STEPS_OF:
        np.testing.assert_allclose(c21.network(activation, n, x, values)[0], expected, atol=1e-12)


def test_relu_units_are_numpys_interpolation():
    x, values = c21.targets([4])
    knots = np.linspace(0, 1, 21)
    expected = np.interp(x, knots, values[0, :: c21.INTERVALS // 20])
    np.testing.assert_allclose(c21.network("relu", 20, x, values)[0], expected, atol=1e-12)


@pytest.mark.parametrize("activation", list(c21.POLYNOMIALS))
def test_polynomial_units_are_the_least_squares_polynomial(activation):
    x, values = c21.targets([4])
    some = x[:: c21.EVERY], values[0, :: c21.EVERY]
    fit = np.polynomial.Polynomial.fit(*some, c21.POLYNOMIALS[activation])
    built = c21.network(activation, 20, x, values)[0]
    np.testing.assert_allclose(built, fit(x), atol=1e-9)


def test_minimax_errors_by_chebyshev(monkeypatch):
    """On [-1, 1] the best cubic for T_4 is 0, with error 1; so is every lower degree."""
    x = np.linspace(0, 1, c21.INTERVALS + 1)
    values = np.cos(4 * np.arccos(2 * x - 1))[None]
    monkeypatch.setattr(c21, "targets", lambda seeds: (x, values))
    # Some of the five alternation points fall between the coarser points of the program.
    found = c21.smallest_errors.__wrapped__((0,))
    np.testing.assert_allclose(found[:, 0], 1, rtol=2e-3)


def test_more_degrees_never_hurt():
    found = c21.smallest_errors((0, 1, 2))
    assert np.all(np.diff(found, axis=0) <= 1e-7)
    _, values = c21.targets([0, 1, 2])
    some = values[:, :: c21.INTERVALS // (c21.LP_POINTS - 1)]
    # The best constant is the middle of the range.
    np.testing.assert_allclose(found[0], np.ptp(some, axis=1) / 2, rtol=1e-6)


def test_picture(measured):
    for cell, found in measured:
        drawn = cell.activation == "sigmoid" and cell.units in c21.SHOWN
        assert ("network" in found.curves) == drawn
        if drawn:
            assert found.curves["network"].shape == (3, 193)
            off = np.abs(found.curves["network"] - found.theory["network"]).max()
            assert 0 < off < 3 / cell.units


def test_all_hold_and_all_mutants_are_refuted(measured):
    diverged = np.zeros(len(SEEDS), bool)
    cells = []
    for cell, found in measured:
        found.check(c21.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, diverged))
    for hypothesis in c21.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, Results(tuple(cells)))
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
