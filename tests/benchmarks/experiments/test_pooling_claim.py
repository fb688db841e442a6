"""C64: windows by hand, Keras as oracle, the verdicts that need no training, and the mutants."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

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
    rng, cells = np.random.default_rng(0), []
    for i, cell in enumerate(c64.EXPERIMENT.cells()):
        few = cell.network == c64.GLOBAL
        more = {"flips": np.full(14, 0.05 if few else 0.5 - i / 10)}
        more |= {"accuracy": rng.normal(0.9, 0.01, 14), "accuracy_shifted": np.full(14, 0.5)}
        more |= {"one_answer": np.full(14, 0.12)}
        cells.append(CellResult(dict(cell.factors), SEEDS, found | more, np.zeros(14, bool)))
    return Results(tuple(cells))


def test_windows_by_hand():
    """Two rows by four columns: 0 to 3 over 8 to 11, and so on."""
    x = np.arange(16.0).reshape(2, 8)
    assert c64.pooled(x, "max", (2, 4)).tolist() == [[11, 15]]
    assert c64.pooled(x, "average", (2, 4)).tolist() == [[5.5, 9.5]]
    assert c64.windows(x, (2, 4)).max(axis=(2, 3)).tolist() == [[11, 15]]
    np.testing.assert_allclose(c64.averaging_convolution(x, (2, 4)), [[5.5, 9.5]])


def test_means_at_the_border_by_hand():
    """1 to 5 under windows of 4: three cells are missing, one in front and two behind."""
    there, with_zeros = c64.border_means(np.arange(1.0, 6)[None], (1, 4))
    assert there.tolist() == [[2.0, 4.5]]
    assert with_zeros.tolist() == [[1.5, 2.25]]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_is_keras(kind, padding):
    x = np.random.default_rng(0).normal(0.7, 1, (11, 14))
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind]
    keras_layer = layer((3, 4), padding=padding, dtype="float64")
    expected = np.asarray(keras_layer(x[None, ..., None]))[0, ..., 0]
    found = c64.pooled(x, kind, (3, 4), padding=padding)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    if kind == "average" and padding == "same":
        np.testing.assert_allclose(c64.border_means(x, (3, 4))[0], expected, atol=1e-14)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_pixel_leaves_its_window_at_one_place_of_it(size):
    assert c64.survival(size) == pytest.approx((size - 1) / size)


def test_global_maximum_against_scipy():
    rng = np.random.default_rng(1)
    x, weights = rng.normal(0.7, 1, (5, 7)), rng.normal(0.2, 0.5, (3, 2, 1, 1))
    for padding, boundary in (("circular", "wrap"), ("same", "fill")):
        everywhere = correlate2d(x, weights[..., 0, 0], "same", boundary)
        if boundary == "fill":  # SciPy's window of two columns begins a column further left
            everywhere = correlate2d(np.pad(x, ((1, 1), (0, 1))), weights[..., 0, 0], "valid")
        found = c64.global_maximum(x, weights, padding)
        assert found[0] == pytest.approx(everywhere.max(), rel=1e-14)


@pytest.mark.parametrize("by", [(0, 1), (2, 0), (0, -3), (-1, 2)])
def test_shifted_images_bring_nothing_in(by):
    x = np.arange(1.0, 31.0).reshape(1, 5, 6, 1)
    moved = c64.shifted(x, *by)
    for row in range(5):
        for column in range(6):
            i, j = row - by[0], column - by[1]
            inside = 0 <= i < 5 and 0 <= j < 6
            assert moved[0, row, column, 0] == (x[0, i, j, 0] if inside else 0)


def test_around_goes_four_ways():
    x = np.zeros((1, 5, 7, 1))
    x[0, 2, 3] = 1
    places = [np.argwhere(moved[0, ..., 0])[0].tolist() for moved in c64.around(x, 2)]
    assert places == [[4, 3], [2, 5], [0, 3], [2, 1]]


def test_with_room_the_global_maximum_of_an_untrained_network_does_not_change():
    """But for a digit so near the border that a window's answer to it falls off."""
    x = np.zeros((1, 14, 14, 1), "float32")
    x[0, 2:12, 2:12, 0] = np.random.default_rng(3).uniform(0.2, 1, (10, 10))
    model = c64.network(c64.GLOBAL)
    for weight in model.weights[1:4:2]:  # biases: a background that is not zero
        weight.assign(np.full(weight.shape, 0.1))
    still = np.asarray(model(x))
    for moved in c64.around(x, 1):
        np.testing.assert_allclose(model(moved), still, atol=1e-5)
    assert np.abs(np.asarray(model(c64.shifted(x, 0, 4))) - still).max() > 1e-3


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
    np.testing.assert_array_equal(found.curves["moved"][:, 0], found.metrics["accuracy"])
    np.testing.assert_array_equal(found.curves["moved"][:, 1], found.metrics["accuracy_shifted"])
