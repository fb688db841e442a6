"""C01: the model by hand, NumPy as oracle, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.logistic_regression import _planar
from benchmarks.experiments.logistic_regression import binary_model as c01
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    return {d: c01.measure(Cell({"data": d}, {}), SEEDS) for d in _planar.DATA}


def logistic_gradient(w, x, y):
    """Of the mean loss; the bias is the last weight."""
    inputs = np.column_stack([x, np.ones(len(x))])
    return inputs.T @ (1 / (1 + np.exp(-inputs @ w)) - y) / len(x)


def test_weights_of_two_gaussians_by_hand():
    """Means 0 and (2, 0), unit covariance, shares 1 : 3: boundary where 2 x = 2 - log 3."""
    weights = c01.linear_weights(np.array([[0, 0], [2, 0]]), np.eye(2), np.array([0.25, 0.75]))
    np.testing.assert_allclose(weights, [2, 0, -2 + np.log(3)])


def test_posterior_against_mahalanobis_distances():
    """Both densities share their constant: p = P_1 e^(-d_1 / 2) / sum_k P_k e^(-d_k / 2)."""
    for data in _planar.DATA:
        x, y = _planar.problem(data, 3)
        means, pooled, _, shares = c01.gaussians(x, y)
        off = x[:, None] - means
        weights = shares * np.exp(-np.einsum("nki,ij,nkj->nk", off, np.linalg.inv(pooled), off) / 2)
        expected = weights[:, 1] / weights.sum(axis=1)
        np.testing.assert_allclose(c01.bayes(x, means, [pooled, pooled], shares), expected)


def test_pooled_covariance_by_hand():
    """Classes at 0, 2 and at 5, 5, 11 on a line: variances 1 and 8, pooled (2 + 24) / 5."""
    x = np.array([[0, 1], [5, 1], [2, 3], [5, 0], [11, 0]], float)
    means, pooled, covariances, shares = c01.gaussians(x, np.array([0, 1, 0, 1, 1]))
    assert means[:, 0].tolist() == [1, 7]
    np.testing.assert_allclose(covariances[:, 0, 0], [1, 8])
    np.testing.assert_allclose(pooled[0, 0], 26 / 5)
    np.testing.assert_allclose(shares, [0.4, 0.6])


def test_risk_by_hand():
    """Predicting 1 and 0 where label 1 has probabilities 0.9 and 0.7: 0.1 and 0.7 wrong."""
    assert c01.risk(np.array([True, False]), np.array([0.9, 0.7])) == pytest.approx(0.4)


@pytest.mark.parametrize("form", [c01.BIAS, c01.CONSTANT])
def test_training_against_numpy(form):
    x, y = _planar.problem(_planar.SYNTHETIC, 1)
    start = w = np.array([0.5, -1.0, 2.0])
    z, gradient, trained = c01.trainer(form)(start, x, y)
    np.testing.assert_allclose(z, x @ start[:2] + 2.0)
    np.testing.assert_allclose(gradient, logistic_gradient(start, x, y))
    for _ in range(c01.STEPS):
        w = w - c01.LEARNING_RATE * logistic_gradient(w, x, y)
    np.testing.assert_allclose(trained, w, rtol=1e-10)
    assert np.abs(trained - start).max() > 0.5  # it did move


def test_penalty_counts_the_bias_only_where_it_is_a_weight():
    x, y = _planar.problem(_planar.SYNTHETIC, 1)
    w = np.array([0.5, -1.0, 2.0])
    plain = logistic_gradient(w, x, y)
    for form, penalized in ((c01.PENALIZED_BIAS, [1, 1, 0]), (c01.PENALIZED_CONSTANT, [1, 1, 1])):
        gradient = c01.trainer(form)(w, x, y)[1]
        np.testing.assert_allclose(gradient - plain, 2 * c01.PENALTY * w * penalized, atol=1e-14)


def test_learning_rate_is_below_two_over_the_smoothness():
    for data in _planar.DATA:
        for seed in range(c01.EXPERIMENT.seeds):
            x = _planar.augmented(_planar.problem(data, seed)[0])
            smoothness = np.linalg.norm(x, 2) ** 2 / 4 / len(x)
            assert c01.LEARNING_RATE < 2 / smoothness


def test_picture(measured):
    for data, found in measured.items():
        arrays = found.arrays
        assert arrays["probability"].shape == (50, 50)
        assert arrays["samples"].shape == (_planar.SAMPLES[data], 2)
        assert set(arrays["samples.label"]) == {0.0, 1.0}
        # rows are the second feature
        w = _planar.maximum_likelihood(arrays["samples"], arrays["samples.label"])
        z = w @ [arrays["probability.x"][7], arrays["probability.y"][31], 1]
        assert arrays["probability"][31, 7] == pytest.approx(1 / (1 + np.exp(-z)))


def test_all_hold_and_all_mutants_are_refuted(measured):
    diverged = np.zeros(len(SEEDS), bool)
    cells = []
    for data, found in measured.items():
        found.check(c01.EXPERIMENT, len(SEEDS))
        cells.append(CellResult({"data": data}, SEEDS, found.metrics, diverged))
    for hypothesis in c01.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, Results(tuple(cells)))
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_unknown_data_is_refused():
    with pytest.raises(ValueError, match="data must be one of .* received 'iris'"):
        _planar.problem("iris", 0)
