"""C62: counts by hand, SciPy and Keras as oracles, the verdicts and the mutants."""

import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

from benchmarks.experiment import Cell
from benchmarks.experiments.architectures import _planes
from benchmarks.experiments.architectures import channels_and_weights as c62
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)
IMAGES = 50  # enough for a step
HALF = 2.0**-10  # pictures are stored in half precision


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c62.EXPERIMENT.cells():
        found.append((cell, c62.measure(Cell(cell.factors, {"images": IMAGES}), SEEDS)))
        found[-1][1].check(c62.EXPERIMENT, len(SEEDS))
    return found


@pytest.mark.parametrize(
    ("name", "side", "filters", "weights", "biases"),
    [
        (c62.CONVOLUTION, 8, 4, 108, 4),  # 3 channels, 3 x 3
        (c62.CONVOLUTION, 8, 16, 432, 16),
        (c62.WHOLE, 8, 16, 3072, 16),
        (c62.DENSE, 8, 16, 196_608, 1024),
        (c62.CONVOLUTION, 32, 16, 432, 16),
        (c62.WHOLE, 32, 16, 49_152, 16),
    ],
)
def test_counts_by_hand_and_keras(name, side, filters, weights, biases):
    ours = c62.built(name, side, 3, filters, 3)
    assert c62.counted(ours) == (weights, biases)
    if name == c62.DENSE:
        theirs, shape = keras.layers.Dense(filters * side**2), (None, 3 * side**2)
    else:
        theirs = keras.layers.Conv2D(filters, 3 if name == c62.CONVOLUTION else side)
        shape = (None, side, side, 3)
    theirs.build(shape)
    assert theirs.count_params() == weights + biases


@pytest.mark.parametrize("data", _planes.DATA)
def test_formula_against_scipy(data):
    rng = np.random.default_rng(0)
    images = np.stack([_planes.image(data, (6, 7), rng) for _ in range(3)])
    weights, bias = _planes.kernel(rng, 2, 3, 3, 4), _planes.kernel(rng, 4)
    expected = [
        b + sum(correlate2d(images[c], weights[..., c, k], "valid") for c in range(3))
        for k, b in enumerate(bias)
    ]
    found = c62.by_formula(images, weights, bias)
    np.testing.assert_allclose(found, np.moveaxis(expected, 0, -1), rtol=0, atol=1e-13)


def test_two_channels_by_hand():
    """1 under a weight of 10 and 2 under 100, plus 0.5: 210.5; without index 110.5."""
    images, weights = np.array([1.0, 2.0])[:, None, None], np.array([10.0, 100.0])
    found = c62.by_formula(images, weights[None, None, :, None], np.array([0.5]))
    assert found.tolist() == [[[210.5]]]
    first = np.stack([images[0]] * 2)
    assert c62.by_formula(first, weights[None, None, :, None], np.array([0.5])) == 110.5


def test_maps_are_those_of_the_network(measured):
    arrays = next(m.arrays for c, m in measured if m.arrays)
    model, digit = c62.network(IMAGES)
    assert digit.shape == (14, 14, 1)
    np.testing.assert_allclose(arrays["image"][::2, ::2], digit[::-1, :, 0], rtol=0, atol=HALF)
    first = np.asarray(keras.ops.relu(model.blocks[0](digit[None])))[0]
    top = arrays["layer_1"][::-1]
    np.testing.assert_allclose(top[:28:2, :28:2], first[..., 0] / first.max(), rtol=0, atol=HALF)
    np.testing.assert_allclose(top[:28:2, 29::2], first[..., 1] / first.max(), rtol=0, atol=HALF)
    np.testing.assert_allclose(top[29::2, :28:2], first[..., 2] / first.max(), rtol=0, atol=HALF)
    assert [arrays[f"layer_{n}"].shape for n in (1, 2, 3)] == [(57, 57), (57, 57), (55, 55)]
    assert sum(values.nbytes for values in arrays.values()) < 50_000


def test_slide_is_refuted_the_rest_holds_and_every_mutant_falls(measured):
    none = np.zeros(len(SEEDS), bool)
    results = Results(tuple(CellResult(c.factors, SEEDS, m.metrics, none) for c, m in measured))
    verdicts = {h.id: judge(h, results) for h in c62.EXPERIMENT.hypotheses}
    for stated in ("C62.stated", "C62.dense_stated"):
        assert verdicts.pop(stated).outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants
