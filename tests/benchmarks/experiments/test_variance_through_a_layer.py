"""C38: moments by hand and by enumeration of all signs, quadrature, verdicts and mutants."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks.experiments.exploding_and_vanishing import variance_through_a_layer as c38
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(40)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c38.EXPERIMENT.cells():
        found = c38.measure(cell, SEEDS)
        found.check(c38.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool)))
    return Results(tuple(cells))


def test_the_trace_formula_over_all_sign_matrices():
    """Every 2 x 3 matrix of signs, tau = 1: an expectation without sampling."""
    x = np.array([[1.0, 2.0, 4.0], [0.5, -3.0, 2.0]])
    second = x.T @ x / 2
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6))).reshape(-1, 2, 3)
    mean = np.mean([w @ second @ w.T for w in signs], axis=0)
    np.testing.assert_allclose(mean, np.trace(second) * np.eye(2), atol=1e-12)


def test_the_laws_by_hand(results):
    shifted = results.select({"input": c38.SHIFTED})
    assert set(shifted.values("law")) == {5.0}  # 1 + 2^2
    assert set(shifted.values("variance_law")) == {1.0}
    np.testing.assert_allclose(shifted.values("fan_out_law"), 5 * 10 / 24)
    np.testing.assert_allclose(shifted.values("input_covariance"), 4.0)


def test_inputs_have_the_moments_that_they_are_said_to_have():
    mean, covariance = c38.moments(c38.CORRELATED)
    x = np.concatenate([c38.inputs(c38.CORRELATED, seed) for seed in range(300)])
    error = 4 * np.sqrt(np.diag(covariance) / len(x))
    assert (np.abs(x.mean(axis=0) - mean) < error).all()
    # SE of a sample covariance of normals: sqrt((s_ii s_jj + s_ij^2) / N).
    d = np.diag(covariance)
    error = np.sqrt((np.outer(d, d) + covariance**2) / len(x))
    assert (np.abs(np.cov(x.T) - covariance) < 5 * error).all()


@pytest.mark.parametrize(("law", "kurtosis"), [("normal", 3.0), ("uniform", 1.8), ("signs", 1.0)])
def test_kernels_have_variance_one_over_fan_in(law, kurtosis):
    w = np.array([c38.kernel(law, seed) for seed in range(50)])
    assert w.shape == (50, c38.FAN_IN, c38.FAN_OUT)
    error = 4 * np.sqrt((kurtosis - 1) / w.size) + 1e-12
    assert np.mean(w**2) * c38.FAN_IN == pytest.approx(1, abs=error)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_the_wide_recursion_against_scipy(name):
    f = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: max(z, 0)}
    q = 10 ** c38.wide_squares(name)

    def integrand(u):
        return f[name](np.sqrt(q[1]) * u) ** 2 * stats.norm.pdf(u)

    expected = integrate.quad(integrand, -9, 0)[0] + integrate.quad(integrand, 0, 9)[0]
    assert q[2] == pytest.approx(expected, rel=1e-6)


def test_seeds_differ_and_repeat():
    cell = c38.EXPERIMENT.cells()[0]
    found = c38.measure(cell, np.array([3, 4, 3])).metrics["second_moment"]
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("hypothesis", c38.EXPERIMENT.hypotheses, ids=lambda h: h.id)
def test_verdicts(results, hypothesis):
    verdict = judge(hypothesis, results)
    wanted = REFUTED if hypothesis.id == "C38.near_linear" else SUPPORTED
    assert verdict.outcome == wanted, verdict.sentence
    assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)


def test_wrong_activations_miss_by_more_than_ten_times(results):
    for name in ("sigmoid", "relu"):  # the rule looks at the largest
        assert results.select({"activation": name}).values("nonlinearity").max() > 10
