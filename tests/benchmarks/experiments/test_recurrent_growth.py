"""C66: products by hand, exact laws as oracles, the layer and the clipping, verdicts, mutants."""

import math

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks.experiments.architectures import _matrix_growth as growth
from benchmarks.experiments.architectures import _recurrent_gradients as layer
from benchmarks.experiments.architectures import recurrent_growth as c66
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

# As many as the experiment has: fewer would not tell the average growth from the typical one.
SEEDS = np.arange(30)
KEY = tuple(range(30))


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c66.EXPERIMENT.cells():
        found.append((cell, c66.measure(cell, SEEDS)))
        found[-1][1].check(c66.EXPERIMENT, len(SEEDS))
    return found


def test_growth_of_a_jordan_block_by_hand():
    """(1/2 1; 0 1/2)^t (0, 1) = (t 2^(1-t), 2^-t): it grows first, and vanishes later."""
    block, v = np.array([[[0.5, 1.0], [0.0, 0.5]]]), np.array([[0.0, 1.0]])
    logs = growth.log_norms([block] * 4, v)
    expected = [math.log(math.hypot(t * 2.0 ** (1 - t), 2.0**-t)) for t in range(5)]
    np.testing.assert_allclose(logs[0], expected, atol=1e-15)


@pytest.mark.parametrize("matrix", growth.MATRICES)
def test_matrices_are_what_they_are_called(matrix):
    w = growth.draw(matrix, np.random.default_rng(0), 400)
    if matrix == growth.SYMMETRIC:
        np.testing.assert_array_equal(w, w.transpose(0, 2, 1))
    if matrix == growth.ORTHOGONAL:
        np.testing.assert_allclose(w @ w.transpose(0, 2, 1), [np.eye(16)] * 400, atol=1e-14)
    if matrix == growth.NON_NORMAL:
        np.testing.assert_allclose(growth.spectral_radius(w), 1, rtol=1e-12)
    else:  # the mean square of 400 * 16 squared entries a column is known to 1 %
        expected = growth.expected_size(matrix, KEY)[0] if matrix != growth.ORTHOGONAL else 1.0
        assert np.mean(growth.size(w) ** 2) == pytest.approx(expected**2, rel=0.05)


def test_scales_give_the_radius_they_name():
    for matrix in growth.MATRICES:
        w = growth.drawn(matrix, KEY)[0]
        for scale, rho in growth.RADII.items():
            scaled = w * growth.factors_of(matrix, scale, KEY)[:, None, None]
            np.testing.assert_allclose(np.abs(np.linalg.eigvals(scaled)).max(axis=1), rho)


def test_law_of_fresh_matrices():
    """Of chi-squares by integrating the density; of symmetric matrices against one more draw."""
    n = growth.UNITS
    density = stats.chi2(n).pdf
    mean = integrate.quad(lambda x: math.log(x) * density(x), 0, 200)[0]
    assert growth.typical_log(growth.GAUSSIAN) == pytest.approx(
        0.5 * (mean - math.log(n)), abs=1e-7
    )
    rng = np.random.default_rng(1)
    drawn = 2 * rng.chisquare(1, 10**5) + rng.chisquare(n - 1, 10**5)
    logs = 0.5 * np.log(drawn / n)
    error = 4 * logs.std() / math.sqrt(len(logs))
    assert growth.typical_log(growth.SYMMETRIC) == pytest.approx(logs.mean(), abs=error)
    assert growth.typical_log(growth.NON_NORMAL) is None


def test_states_and_gradients_against_keras():
    rng = np.random.default_rng(2)
    n, time = growth.UNITS, layer.LAGS
    kernel, x, v = rng.normal(0, 0.25, (n, n)), rng.normal(size=(time, n)), rng.normal(size=n)
    states, by_input, *_ = layer.compiled("tanh")(kernel[None], x[None], v[None])
    theirs = keras.layers.SimpleRNN(n, return_sequences=True, dtype="float64")
    theirs.build((None, time, n))
    theirs.set_weights([np.eye(n), kernel, np.zeros(n)])
    np.testing.assert_allclose(states[0], theirs(x[None])[0], atol=1e-13)
    place, h = (time - 3, 5), 6e-6  # the cube root of epsilon
    moved = np.repeat(x[None], 2, axis=0)
    moved[0][place] += h
    moved[1][place] -= h
    ahead, back = np.asarray(theirs(moved))[:, -1] @ v
    assert np.asarray(by_input)[0][place] == pytest.approx((ahead - back) / (2 * h), rel=1e-6)


def test_clipping_by_hand():
    """All in one entry of each weight: (6, 8, 0) has norm 10; twice that is cut to half."""
    gradients = [np.zeros((2, *shape)) for shape in ((16, 16), (16, 16), (16,))]
    gradients[0][:, 0, 1], gradients[1][:, 2, 3] = (3, 12), (4, 16)
    steps = layer.clipping()(*gradients)
    short, cut = -layer.flat(steps["together"])
    assert np.sort(short)[-2:].tolist() == [3, 4]
    np.testing.assert_allclose(np.sort(cut)[-2:], [6, 8], rtol=1e-14)
    np.testing.assert_allclose(np.sort(-layer.flat(steps["each_weight"])[1])[-2:], [10, 10])
    np.testing.assert_allclose(np.sort(-layer.flat(steps["each_entry"])[1])[-2:], [10, 10])


def test_slope_of_a_bounded_function_is_bounded():
    """The constant 1.5: the worst function on an interval jumps in the middle."""
    steps = np.arange(401)
    worst = np.where(steps < 200.5, 0.0, 1.0)
    assert 0.99 * 1.5 / 400 < np.polyfit(steps, worst, 1)[0] <= 1.5 / 400


def test_slide_holds_and_every_mutant_falls(measured):
    none = np.zeros(len(SEEDS), bool)
    results = Results(tuple(CellResult(c.factors, SEEDS, m.metrics, none) for c, m in measured))
    for hypothesis in c66.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, (hypothesis.id, verdict.sentence)
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants
