"""C40: the sweep against products of transposes, enumeration of all signs, verdicts, mutants."""

import itertools

import numpy as np
import pytest

from benchmarks.experiments.exploding_and_vanishing import gradient_variance as c40
from benchmarks.experiments.exploding_and_vanishing.variance_with_depth import kernels
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(60)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c40.EXPERIMENT.cells():
        found = c40.measure(cell, SEEDS)
        found.check(c40.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool)))
    return Results(tuple(cells))


def test_the_recursion_over_all_sign_matrices():
    """Two inputs, three outputs, tau = 1: the factor is three, the number of outputs."""
    delta = np.array([1.0, 2.0, -4.0])
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6))).reshape(-1, 3, 2)
    before = np.mean([np.mean((w.T @ delta) ** 2) for w in signs])
    assert before / np.mean(delta**2) == pytest.approx(3)


def test_the_sweep_against_transposes():
    widths, tau_squared, seed = (5, 3, 7), np.array([0.2, 0.5]), 6
    forward, backward = c40.mean_squares(widths, tau_squared, seed)
    from suite.training.streams import streams

    rng = np.random.default_rng(streams(seed)["data"])
    x, g = rng.normal(1.5, 0.5, 5), rng.normal(-1.0, 0.5, 7)
    first, second = (w.T for w in kernels(widths, tuple(tau_squared * widths[:-1]), seed))
    assert first.shape == (3, 5)
    np.testing.assert_allclose(
        forward, [np.mean(x**2), np.mean((first @ x) ** 2), np.mean((second @ first @ x) ** 2)]
    )
    np.testing.assert_allclose(
        backward,
        [np.mean((first.T @ second.T @ g) ** 2), np.mean((second.T @ g) ** 2), np.mean(g**2)],
    )


def test_variances_by_hand():
    widening, narrowing = (
        next(c for c in c40.EXPERIMENT.cells() if (c.widths, c.variance) == wanted)
        for wanted in (("widening", c40.FAN_IN), ("narrowing", c40.FAN_OUT))
    )
    np.testing.assert_allclose(1 / c40.variances(widening), (12, 24, 48, 96))
    np.testing.assert_allclose(1 / c40.variances(narrowing), (96, 48, 24, 12))


def test_laws_by_hand(results):
    widening = results.select({"widths": "widening", "variance": c40.FAN_IN})
    assert set(widening.values("law")) == {2.0}
    assert set(widening.values("inverse_law")) == {0.5}
    np.testing.assert_allclose(widening.values("slide_log_law"), -4 * np.log(2))


def test_the_typical_chain_against_chi_squares(results):
    """SciPy's chi-squares, as many as the inputs of each layer, in place of kernels."""
    rng = np.random.default_rng(0)
    n = 4000
    logs = sum(np.log(2 * rng.chisquare(width, n) / width) for width in (12, 24, 48, 96))
    law = results.select({"widths": "widening", "variance": c40.FAN_IN}).values("log_law")[0]
    assert logs.mean() == pytest.approx(law, abs=4 * logs.std() / np.sqrt(n))


@pytest.mark.parametrize("hypothesis", c40.EXPERIMENT.hypotheses, ids=lambda h: h.id)
def test_verdicts(results, hypothesis):
    verdict = judge(hypothesis, results)
    wanted = REFUTED if hypothesis.id == "C40.slide" else SUPPORTED
    assert verdict.outcome == wanted, verdict.sentence
    assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)
