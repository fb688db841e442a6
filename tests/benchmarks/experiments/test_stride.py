"""C63: rows by hand, SciPy and Keras as oracles, the verdicts and the mutants."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

from benchmarks.experiments.architectures import _planes
from benchmarks.experiments.architectures import stride as c63
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(4)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c63.EXPERIMENT.cells():
        found.append((cell, c63.measure(cell, SEEDS)))
        found[-1][1].check(c63.EXPERIMENT, len(SEEDS))
    return found


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(0.7, 1, (8, 9)), rng.normal(0.2, 0.5, (3, 2))


def test_one_row_by_hand():
    """1 2 3 4 5 under (1, 10): 21 32 43 54; of these every second, 21 and 43."""
    f, w = np.arange(1.0, 6)[None], np.array([[1.0, 10.0]])
    assert _planes.correlate(f, w, strides=(1, 2)).tolist() == [[21, 43]]
    assert c63.by_formula(f, w, (1, 2)).tolist() == [[21, 43]]


@pytest.mark.parametrize(
    ("side", "window", "stride", "valid", "same", "shift"),
    [
        (8, 3, 1, 6, 8, 0),
        (8, 3, 2, 3, 4, 1),  # one zero is missing: none in front instead of one
        (8, 3, 3, 2, 3, 1),
        (9, 3, 2, 4, 5, 0),
        (9, 2, 4, 2, 3, 0),
        (10, 4, 4, 2, 3, 0),
        (8, 4, 4, 2, 2, 1),
        (7, 1, 3, 3, 3, 0),
    ],
)
def test_sizes_and_shifts_by_hand(side, window, stride, valid, same, shift):
    assert c63.outputs(side, window, stride, c63.VALID) == valid
    assert c63.outputs(side, window, stride, c63.SAME) == same
    assert c63.shift(side, window, stride, c63.SAME) == shift
    assert c63.shift(side, window, stride, c63.VALID) == 0


@pytest.mark.parametrize("stride", [(1, 1), (2, 3), (3, 2)])
def test_strides_against_scipy(pair, stride):
    every = correlate2d(*pair, "valid")
    expected = every[:: stride[0], :: stride[1]]
    for found in (_planes.correlate(*pair, strides=stride), c63.by_formula(*pair, stride)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_padding_of_keras_starts_where_the_formula_says(pair):
    f, w = pair
    # As for stride 1: a window of 3 misses one zero on each side, one of 2 misses one after.
    padded = np.pad(f, ((1, 1), (0, 1)))
    every = correlate2d(padded, w, "valid")
    for stride in ((2, 2), (3, 2), (2, 4)):
        layer = keras.layers.Conv2D(
            1, w.shape, stride, padding="same", use_bias=False, dtype="float64"
        )
        layer.build((None, *f.shape, 1))
        layer.set_weights([w[..., None, None]])
        found = np.asarray(layer(f[None, ..., None]))[0, ..., 0]
        axes = zip(f.shape, w.shape, stride, strict=True)
        start = tuple(c63.shift(*axis, c63.SAME) for axis in axes)
        expected = c63.kept(every, start, stride, found.shape)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_shifts_seen_are_those_of_theory(measured):
    for cell, found in measured:
        for seen in found.curves["shift"]:
            np.testing.assert_array_equal(seen, found.theory["shift"])
        assert found.theory["shift"].max() == (1 if cell.padding == c63.SAME else 0)


def test_slide_holds_and_every_mutant_falls(measured):
    none = np.zeros(len(SEEDS), bool)
    results = Results(tuple(CellResult(c.factors, SEEDS, m.metrics, none) for c, m in measured))
    for hypothesis in c63.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants
