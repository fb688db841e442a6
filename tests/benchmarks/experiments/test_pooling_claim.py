"""C64: windows by hand, Keras as oracle, the verdicts that need no training, and the mutants."""

import keras
import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.architectures import pooling as c64
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)
BUDGET = dict(c64.EXPERIMENT.budget) | dict(c64.EXPERIMENT.smoke)


@pytest.fixture(scope="module")
def algebra():
    """The metrics without training, and flips as a network with a global maximum would have."""
    rows = [c64.algebra(int(seed)) for seed in SEEDS]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    cells = []
    for i, cell in enumerate(c64.EXPERIMENT.cells()):
        few = cell.network == c64.GLOBAL
        more = {"flips": np.full(14, 0.05 if few else 0.2 + i / 10)}
        more |= {"accuracy": np.full(14, 0.9), "accuracy_shifted": np.full(14, 0.5 + few / 3)}
        cells.append(CellResult(dict(cell.factors), SEEDS, found | more, np.zeros(14, bool)))
    return Results(tuple(cells))


def test_windows_by_hand():
    x = np.arange(32.0).reshape(4, 8)
    assert c64.pooled(x, "max").tolist() == [[27, 31]]
    assert c64.pooled(x, "average").tolist() == [[13.5, 17.5]]
    assert c64.windows(x).max(axis=(2, 3)).tolist() == [[27, 31]]
    np.testing.assert_allclose(c64.averaging_convolution(x), [[13.5, 17.5]])


@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_is_keras(kind):
    x = np.random.default_rng(0).normal(0.7, 1, (12, 15))
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind]
    expected = np.asarray(layer(3, dtype="float64")(x[None, ..., None]))[0, ..., 0]
    np.testing.assert_allclose(c64.pooled(x, kind, 3), expected, atol=1e-14)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_pixel_leaves_its_window_at_one_place_of_it(size):
    assert c64.survival(size) == pytest.approx((size - 1) / size)


@pytest.mark.parametrize("by", c64.SHIFTS)
def test_shifted_images_bring_nothing_in(by):
    x = np.arange(1.0, 31.0).reshape(1, 5, 6, 1)
    moved = c64.shifted(x, *by)
    for row in range(5):
        for column in range(6):
            i, j = row - by[0], column - by[1]
            inside = 0 <= i < 5 and 0 <= j < 6
            assert moved[0, row, column, 0] == (x[0, i, j, 0] if inside else 0)


def test_verdicts_without_training(algebra):
    for hypothesis in c64.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, algebra)
        expected = REFUTED if hypothesis.id == "C64.invariance" else SUPPORTED
        assert verdict.outcome == expected, (hypothesis.id, verdict.sentence)
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants), hypothesis.id


@pytest.mark.parametrize("name", [c64.POOLED, c64.GLOBAL])
def test_a_short_run_has_the_shapes(name):
    found = c64.measure(Cell({"network": name}, BUDGET), np.arange(2))
    found.check(c64.EXPERIMENT, 2)
    assert bool(found.arrays) == (name == c64.POOLED)
    assert all(0 <= value <= 1 for value in found.metrics["flips"])
