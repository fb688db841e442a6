"""The fits against NumPy's least squares, the law by its trace, and the verdicts."""

import numpy as np
import pytest

from benchmarks import verdicts
from benchmarks.experiments.learning_theory import overfitting_gap as subject
from benchmarks.experiments.learning_theory.overfitting_gap import (
    EXPERIMENT,
    NOISE,
    SAMPLES,
    SIZES,
)

SEEDS = np.arange(100)
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


@pytest.mark.parametrize("design", subject.DESIGNS)
def test_designs_have_full_rank_and_rows_of_their_own(design):
    inside, outside = subject.designs(design)
    assert inside.shape == (SAMPLES, SIZES[-1])
    assert len(outside) > 5 * SAMPLES
    assert np.linalg.matrix_rank(inside) == SIZES[-1]
    assert not {tuple(row) for row in inside} & {tuple(row) for row in outside}


@pytest.mark.parametrize("design", subject.DESIGNS)
@pytest.mark.parametrize("size", [2, 10])
def test_one_fit_is_that_of_numpy(design, size):
    seed, true = 6, subject.OUTSIDE
    found = subject.risks(design, true, size, 1, (seed,))
    inside, outside = subject.designs(design)
    noise = np.random.default_rng(seed).normal(scale=np.sqrt(NOISE), size=(2, 1, SAMPLES))[:, 0]
    f, f_new = subject.truth(true, inside), subject.truth(true, outside)
    w = np.linalg.lstsq(inside[:, :size], f + noise[0], rcond=None)[0]
    wanted = {
        subject.TRAINING: np.mean((f + noise[0] - inside[:, :size] @ w) ** 2),
        subject.TEST: np.mean((f + noise[1] - inside[:, :size] @ w) ** 2),
        subject.NEW_INPUTS: np.mean((f_new - outside[:, :size] @ w) ** 2) + NOISE,
    }
    for name, value in wanted.items():
        assert found[name][0] == pytest.approx(value, rel=1e-10), name


def test_the_law_is_the_trace_of_the_hat_matrix():
    """E[gap] = 2 sum_i cov(fit_i, y_i) / N = 2 sigma^2 trace(H) / N."""
    inside, _ = subject.designs("diabetes")
    for size in SIZES:
        hat = inside[:, :size] @ np.linalg.pinv(inside[:, :size])
        assert 2 * NOISE * np.trace(hat) / SAMPLES == pytest.approx(2 * NOISE * size / SAMPLES)


def test_what_is_missed_is_nothing_where_the_model_has_the_truth():
    for design in subject.DESIGNS:
        assert subject.missed(design, subject.INSIDE, 2) < 1e-20
        assert subject.missed(design, subject.OUTSIDE, 20) > 0.01


@pytest.mark.parametrize("name", list(BY_ID))
def test_verdicts_hold_and_every_wrong_form_is_refuted(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert {outcome for _, outcome, _ in verdict.mutants} == {verdicts.REFUTED}
