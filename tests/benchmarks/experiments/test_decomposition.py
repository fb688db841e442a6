"""C55: the decomposition by hand, least squares by NumPy, verdicts and mutants."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.learning_theory import decomposition as c55
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(20)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c55.EXPERIMENT.cells():
        found = c55.measure(cell, SEEDS)
        found.check(c55.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_two_fits_to_one_target_by_hand():
    """y = 3, fits 1 and 5: (4 + 4) / 2 = (3 - 3)^2 + 4; around the first fit 4 + 8 is wrong."""
    targets, predictions = np.array([[3.0]]), np.array([[1.0], [5.0]])
    assert c55.deviation(targets, predictions, np.array([3.0])) == 0
    assert c55.deviation(targets, predictions, np.array([1.0])) == pytest.approx((12 - 4) / 4)


@pytest.mark.parametrize("reused", [False, True])
def test_fits_are_those_of_numpy(reused):
    targets, predictions, truth, center = c55.cubic_fits(5, reused)
    rng = np.random.default_rng([5, int(reused)])
    x = rng.uniform(-1, 1, c55.SAMPLES)
    y = 1.5 * x**3 - x + c55.SIGMA * rng.normal(size=(c55.SETS, c55.SAMPLES))
    at = x if reused else rng.uniform(-1, 1, 101)
    fits = [np.polyval(np.polyfit(x, row, 2), at) for row in y[:7]]
    np.testing.assert_allclose(predictions[:7], fits, atol=1e-9)
    np.testing.assert_allclose(truth, 1.5 * at**3 - at, atol=1e-12)
    np.testing.assert_allclose(center, np.polyval(np.polyfit(x, 1.5 * x**3 - x, 2), at), atol=1e-9)
    assert targets.shape == ((c55.SETS, c55.SAMPLES) if reused else (1, 101))


def test_the_cross_term_is_the_trace_of_the_hat_matrix():
    x = np.random.default_rng(0).uniform(-1, 1, c55.SAMPLES)
    hat = np.linalg.pinv(np.vander(x, c55.WEIGHTS))
    trace = np.trace(np.vander(x, c55.WEIGHTS) @ hat)
    theory = c55.repetition(c55.REUSED, 0)["cross_theory"]
    assert theory == pytest.approx(-2 * c55.SIGMA**2 * trace / c55.SAMPLES)


def test_patients_of_a_test_are_in_no_training_set():
    found = c55.repetition(c55.TABLE, 3)
    assert found["bias"] == found["bias_and_noise"] == found["label"]
    assert abs(found["cross"]) < 1e-12


def test_verdicts(results):
    expected = {"identity": SUPPORTED, "label": REFUTED, "noise": SUPPORTED}
    expected |= {"independent": SUPPORTED, "training_point": SUPPORTED}
    for hypothesis in c55.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == expected[hypothesis.id.split(".")[1]], hypothesis.id
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)


def test_the_fan_is_drawn_once():
    drawn = c55.measure(Cell({"point": c55.FRESH}, {}), SEEDS[:3])
    assert drawn.curves["fit"].shape == (3, len(c55.GRID))
    assert not c55.measure(Cell({"point": c55.REUSED}, {}), SEEDS[:3]).curves
