"""C61: a row by hand, SciPy and Keras as oracles, the verdicts and the mutants."""

import keras
import numpy as np
import pytest
from scipy.signal import convolve2d, correlate2d

from benchmarks.experiments.architectures import _planes
from benchmarks.experiments.architectures import correlation_or_convolution as c61
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c61.EXPERIMENT.cells():
        found = c61.measure(cell, SEEDS)
        found.check(c61.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(0.7, 1, (5, 6)), rng.normal(0.2, 0.5, (2, 3))


def test_one_row_by_hand():
    """(1, 2) under (10, 1): 1 at the shift -1, 10 + 2 at 0, 20 at 1; turned, 10, 21, 2."""
    f, w = np.array([[1.0, 2.0]]), np.array([[10.0, 1.0]])
    assert c61.full_correlation(f, w).tolist() == [[1, 12, 20]]
    assert c61.by_formula(f, w, 1).tolist() == [[1, 12, 20]]
    assert c61.full_convolution(f, w).tolist() == [[10, 21, 2]]
    assert c61.by_formula(f, w, -1).tolist() == [[10, 21, 2]]


def test_both_forms_against_scipy(pair):
    for sign, ours, scipys in (
        (1, c61.full_correlation, correlate2d),
        (-1, c61.full_convolution, convolve2d),
    ):
        np.testing.assert_allclose(ours(*pair), scipys(*pair), rtol=0, atol=1e-14)
        np.testing.assert_allclose(c61.by_formula(*pair, sign), scipys(*pair), rtol=0, atol=1e-14)


def test_torus_against_scipy(pair):
    f, w = pair
    # SciPy's entry (0, 0) of a wrapped "same" correlation sees the window's middle there.
    expected = np.roll(correlate2d(f, w, "same", "wrap"), (-0, -1), (0, 1))
    np.testing.assert_allclose(c61.on_a_torus(f, w), expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(c61.by_spectrum(f, w, True), expected, rtol=0, atol=1e-13)


def test_keras_correlates_too(pair):
    f, w = pair
    layer = keras.layers.Conv2D(1, w.shape, use_bias=False, dtype="float64")
    layer.build((None, *f.shape, 1))
    layer.set_weights([w[..., None, None]])
    found = np.asarray(layer(f[None, ..., None]))[0, ..., 0]
    np.testing.assert_allclose(found, _planes.correlate(f, w), rtol=0, atol=1e-14)


def test_symmetric_kernels_equal_their_half_turn():
    for w in c61.kernels(c61.SYMMETRIC, np.random.default_rng(1)):
        np.testing.assert_array_equal(w, w[::-1, ::-1])
        assert w.shape in (c61.FIRST, c61.SECOND)


def test_picture_shows_the_letter_turned_by_the_correlation():
    arrays = c61.picture()
    shapes = {}
    for name in ("kernel", "correlation", "convolution"):
        points = arrays["pixels"][arrays["pixels.label"] == name]
        shapes[name] = set(map(tuple, points - points.min(axis=0)))
    assert shapes["convolution"] == shapes["kernel"]
    assert shapes["correlation"] == {(3 - x, 4 - y) for x, y in shapes["kernel"]}
    assert shapes["correlation"] != shapes["kernel"]


def test_name_is_refuted_the_rest_holds_and_every_mutant_falls(results):
    verdicts = {h.id: judge(h, results) for h in c61.EXPERIMENT.hypotheses}
    assert verdicts.pop("C61.name").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants


def test_symmetric_kernels_would_let_the_name_pass(results):
    """What the experiment would conclude if its kernels were symmetric."""
    name = next(h for h in c61.EXPERIMENT.hypotheses if h.id == "C61.name")
    hidden = name.rule.changed({"where": {"kernel": c61.SYMMETRIC}})
    assert hidden.decide(results).outcome == SUPPORTED


def test_every_run_rejects_the_wrong_forms(results):
    here = results.select({"kernel": c61.ASYMMETRIC})
    wrong = (
        "wrong_formula_error", "name_error", "commutator_correlation", "associator_correlation",
        "stacked_correlation", "no_conjugate_error",
    )  # fmt: skip
    for name in wrong:
        assert here.values(name).min() > 1e-3, name
