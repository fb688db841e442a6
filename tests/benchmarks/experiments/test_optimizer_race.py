"""C37: steps by hand, derivatives by SciPy, matrices for the roots, verdicts and mutants."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import optimizer_race as c37
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(5)


@pytest.fixture(scope="module")
def measured():
    cells = [Cell({"optimizer": name}, c37.EXPERIMENT.budget) for name in c37.OPTIMIZERS]
    return {cell.optimizer: c37.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    steady = np.zeros(len(SEEDS), bool)
    cells = (CellResult({"optimizer": o}, SEEDS, m.metrics, steady) for o, m in measured.items())
    results = Results(tuple(cells))
    return {h.id: judge(h, results) for h in c37.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c37.EXPERIMENT, len(SEEDS))


def test_descent_from_a_hundredth():
    """ln 100 / ln 1.02 = 232.6: the 233rd step passes 1, the 232nd does not."""
    start = np.array([[0.75, 0.01]])
    path = c37.by_hand(c37.DESCENT, start, 0.01, 300, lambda w: w * [2.0, -2.0])
    assert c37.steps_to_leave(path[:, :, 1]).tolist() == [233]


def test_a_path_that_stays_is_refused():
    with pytest.raises(ValueError, match="more steps"):
        c37.steps_to_leave(np.array([[0.5], [0.9]]))


def test_gradients_against_differences():
    at = np.array([[0.7, -0.4], [1.3, 0.6], [0.2, 0.9]])
    found = c37.gradient_in_numpy(at)
    for row, name in enumerate((c37.BEALE, c37.RAVINE, c37.SADDLE)):
        expected = approx_fprime(at[row], lambda w, name=name: c37.losses(name, *w))
        np.testing.assert_allclose(found[row], expected, rtol=1e-5)


def test_minimum_of_beale():
    found = minimize(lambda w: c37.beale(*w), c37.STARTS[c37.BEALE], tol=1e-12)
    np.testing.assert_allclose(found.x, [3, 0.5], atol=1e-4)
    assert c37.beale(3, 0.5) == 0


def test_roots_against_the_one_step_matrices():
    """State (y, v) beside the ridge, s = 2 lambda."""
    s, a = 0.02, c37.ALPHA
    heavy = np.array([[1 + s, a], [s, a]])
    nesterov = np.array([[1 + s + a * s, a**2], [s, a]])
    for name, matrix in ((c37.MOMENTUM, heavy), (c37.NESTEROV, nesterov)):
        expected = np.abs(np.linalg.eigvals(matrix)).max()
        assert c37.growth(name, 0.01) == pytest.approx(expected)
    assert c37.growth(c37.DESCENT, 0.01) == pytest.approx(1.02)


def test_paths_of_the_picture(measured):
    for found in measured.values():
        for name, ((left, right), (low, high)) in c37.WINDOWS.items():
            path = found.arrays[f"{name}_path"]
            assert len(path) <= 200
            np.testing.assert_array_equal(path[0], c37.STARTS[name])
            assert ((path >= [left, low]) & (path <= [right, high])).all()
        assert sum(a.nbytes for a in found.arrays.values()) < 50_000


def test_rmsprop_moves_by_a_rate_at_least(measured):
    """The proof's step: past gradients are smaller, so the root mean square is."""
    y = c37.by_hand(c37.RMSPROP, np.array([[1e-6]]), 0.01, 60, lambda w: -2 * w)[:, 0, 0]
    assert (np.diff(y) >= 0.01).all()
    assert np.diff(y).max() <= 0.01 / math.sqrt(1 - c37.ALPHA)


def test_all_hold_and_all_mutants_are_refuted(verdicts):
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
