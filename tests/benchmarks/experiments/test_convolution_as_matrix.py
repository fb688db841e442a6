"""C60: a matrix by hand, SciPy and Keras as oracles, the verdicts and the mutants."""

import keras
import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.signal import correlate2d

from benchmarks.experiments.architectures import _planes
from benchmarks.experiments.architectures import convolution_as_matrix as c60
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)
SHAPE, WINDOW = (5, 7), (2, 3)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c60.EXPERIMENT.cells():
        found = c60.measure(cell, SEEDS)
        found.check(c60.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_counts_by_hand():
    """4 x 5 outputs of 6 weights each; as many again that are all different; and all of 20 x 35."""
    rng = np.random.default_rng(0)
    found = {name: c60.counts(name, SHAPE, WINDOW, rng) for name in c60.LAYERS}
    assert found == {
        c60.CONVOLUTION: (700, 120, 6),
        c60.LOCAL: (700, 120, 120),
        c60.TIED: (35 * 35, 35 * 35, 35),
        c60.DENSE: (700, 700, 700),
    }


def test_one_row_of_pixels_is_a_toeplitz_matrix():
    matrix = c60.matrix_of(c60.CONVOLUTION, (1, 6), (1, 3), np.random.default_rng(1)).toarray()
    a, b, c = _planes.kernel(np.random.default_rng(1), 1, 3, 1, 1).reshape(-1)
    np.testing.assert_array_equal(matrix, toeplitz([a, 0, 0, 0], [a, b, c, 0, 0, 0]))


@pytest.mark.parametrize("data", _planes.DATA)
def test_convolution_against_scipy(data):
    rng = np.random.default_rng(2)
    x, weights = _planes.image(data, SHAPE, rng), _planes.kernel(rng, *WINDOW)
    found = _planes.correlate(x, weights)
    np.testing.assert_allclose(found, correlate2d(x, weights, "valid"), rtol=0, atol=1e-14)
    matrix = c60.matrix_of(c60.CONVOLUTION, SHAPE, WINDOW, np.random.default_rng(3))
    weights = _planes.kernel(np.random.default_rng(3), *WINDOW)
    expected = correlate2d(x, weights, "valid").reshape(-1)
    np.testing.assert_allclose(matrix @ x.reshape(-1), expected, rtol=0, atol=1e-14)


def test_transposed_matrix_against_keras():
    matrix = c60.matrix_of(c60.CONVOLUTION, SHAPE, WINDOW, np.random.default_rng(3))
    layer = keras.layers.Conv2DTranspose(1, WINDOW, use_bias=False, dtype="float64")
    y = np.random.default_rng(4).normal(0.5, 1, (1, 4, 5, 1))
    layer.build(y.shape)
    layer.set_weights([_planes.kernel(np.random.default_rng(3), *WINDOW, 1, 1)])
    expected = np.asarray(layer(y)).reshape(-1)
    np.testing.assert_allclose(matrix.T @ y.reshape(-1), expected, rtol=0, atol=1e-14)


def test_images_are_real_and_not_empty():
    digit = _planes.image(_planes.DIGITS, (5, 7), np.random.default_rng(0))
    assert digit.shape == (5, 7)
    assert 0 <= digit.min() < digit.max() <= 1


def test_picture_names_each_entry_by_its_weight():
    arrays = c60.picture(c60.CONVOLUTION)
    outputs, window = 4 * 4, 6
    assert arrays["entries"].shape == (outputs * window, 2)
    names, counts = np.unique(arrays["entries.label"], return_counts=True)
    assert names.tolist() == [f"W({a}, {b})" for a in range(2) for b in range(3)]
    assert set(counts) == {outputs}
    # The first output, on top, sees the pixels 1 to 3 and, a row of 6 further, 7 to 9.
    top = arrays["entries"][:, 1] == -1
    assert arrays["entries"][:, 1].min() == -outputs and arrays["entries"][:, 1].max() == -1
    assert arrays["entries"][top, 0].tolist() == [1, 2, 3, 7, 8, 9]
    assert arrays["entries.label"][top].tolist() == names.tolist()
    assert "entries.label" not in c60.picture(c60.LOCAL)


def test_slide_holds_and_every_mutant_falls(results):
    for hypothesis in c60.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}, verdict.mutants


def test_every_data_set_rejects_the_wrong_forms(results):
    for data in _planes.DATA:
        here = results.select({"data": data, "layer": c60.CONVOLUTION})
        for name in ("turned_error", "no_bias_error", "affine_error", "adjoint_turned"):
            assert here.values(name).min() > 1e-3, name
