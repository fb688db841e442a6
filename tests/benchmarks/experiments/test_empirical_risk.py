"""The closed-form risks against quadrature and large samples, and the verdicts."""

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import multivariate_normal

from benchmarks import verdicts
from benchmarks.experiments.learning_theory import empirical_risk as subject
from benchmarks.experiments.learning_theory.empirical_risk import EXPERIMENT, SIZES

SEEDS = np.arange(800)
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in EXPERIMENT.cells():
        found = subject.measure(cell, SEEDS)
        found.check(EXPERIMENT, len(SEEDS))
        cells.append(
            verdicts.CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool))
        )
    return verdicts.Results(tuple(cells))


def test_of_the_true_function_only_the_noise_is_left_by_hand():
    noise = subject.SIGMA**2
    assert subject.risk(subject.SQUARED, subject.TRUTH) == pytest.approx(noise)
    wanted = 0.5 * np.log(2 * np.pi * 0.25) + noise / (2 * 0.25)
    assert subject.risk(subject.LIKELIHOOD, subject.TRUTH) == pytest.approx(wanted)


def test_squared_error_is_that_of_gauss_hermite_quadrature():
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)  # exact to fifth powers
    grid = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), -1).reshape(-1, 3)
    mass = np.prod(np.meshgrid(weights, weights, weights, indexing="ij"), 0).ravel()
    x = subject.with_intercept(subject.MEAN + grid @ subject.MIXING.T)
    error = x @ (subject.CHOSEN - subject.TRUTH)
    wanted = subject.SIGMA**2 + mass @ error**2 / mass.sum()
    assert subject.risk(subject.SQUARED, subject.CHOSEN) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("sign", [-1, 1])
def test_error_rate_is_the_integral_of_the_score_s_density(sign):
    w = subject.CHOSEN
    mean = subject.MEAN + (subject.SHIFT if sign > 0 else 0)
    center = w[0] + w[1:] @ mean
    spread = w[1:] @ subject.MIXING @ subject.MIXING.T @ w[1:]
    density = multivariate_normal(center, spread).pdf
    ends = (-np.inf, 0) if sign > 0 else (0, np.inf)
    assert subject.label_risk(w, sign) == pytest.approx(integrate.quad(density, *ends)[0], abs=1e-8)


def test_real_risk_is_the_mean_over_the_table():
    x, y = subject.population()
    assert x.shape == (442, 4)
    np.testing.assert_allclose((x[:, 1:] ** 2).mean(axis=0), 1)
    w = np.linalg.lstsq(x, y, rcond=None)[0]
    explained = np.corrcoef(x @ w, y)[0, 1] ** 2
    assert subject.risk(subject.REAL, w) == pytest.approx(1 - explained)


def test_smaller_samples_are_parts_of_larger_ones():
    cells = {(c.law, c.risk_of, c.samples): c for c in EXPERIMENT.cells()}
    seeds = np.array([3, 8])
    found = [
        subject.measure(cells[subject.SQUARED, subject.FIXED, n], seeds).metrics["sum"]
        for n in SIZES
    ]
    assert np.all(np.diff(found, axis=0) > 0)


def test_fitted_risks_by_a_second_route():
    """E[R] of least squares is 1 + the mean of a leverage: simulated inputs, exact noise."""
    rng = np.random.default_rng(0)
    n, draws = 10, 20000
    x = subject.with_intercept(subject.MEAN + rng.normal(size=(draws, n, 3)) @ subject.MIXING.T)
    new = subject.with_intercept(subject.MEAN + rng.normal(size=(draws, 3)) @ subject.MIXING.T)
    solved = np.linalg.solve(np.swapaxes(x, 1, 2) @ x, new[:, :, None])[:, :, 0]
    leverage = (new * solved).sum(axis=1)
    wanted = subject.SIGMA**2 * (1 + leverage)
    error = abs(wanted.mean() - subject.expected(subject.SQUARED, subject.TRUE, n))
    assert error < 4 * wanted.std() / np.sqrt(draws)


@pytest.mark.parametrize("name", ["unbiased", "optimistic", "price"])
def test_what_is_true_survives_and_the_wrong_forms_do_not(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert {outcome for _, outcome, _ in verdict.mutants} == {verdicts.REFUTED}
