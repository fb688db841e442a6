"""C58: coins by hand, the winner's law by brute force, the verdicts and the mutants."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import PolynomialFeatures

from benchmarks.experiment import Cell
from benchmarks.experiments.learning_theory import selection_bias as c58
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(300)  # enough for the ratio: its standard error is then about a tenth


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c58.EXPERIMENT.cells():
        if cell.candidates == 1000:
            continue
        found = c58.measure(cell, SEEDS)
        found.check(c58.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    # One cell more, so that every rule finds its level without the time of a thousand candidates.
    last = Cell({"candidates": 1000, "scheme": c58.HOLD_OUT}, {})
    found = c58.measure(last, SEEDS)
    cells.append(CellResult(dict(last.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_two_coins_one_flip():
    """The better of two single flips is heads in 3 of 4 cases."""
    assert c58.best_of_coin_flips(2, samples=1) == pytest.approx(0.75)


def test_best_of_ten_against_brute_force():
    """P(max = m) summed over its values, from factorials instead of a distribution function."""
    from math import comb

    below = np.cumsum([comb(100, m) / 2**100 for m in range(101)]) ** 10
    expected = (np.arange(101) * np.diff(below, prepend=0)).sum() / 100
    assert c58.best_of_coin_flips(10) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("candidates", "expected"), [(1, 0.5), (100, 0.6248), (1000, 0.6607)])
def test_known_values(candidates, expected):
    assert c58.best_of_coin_flips(candidates) == pytest.approx(expected, abs=5e-5)


def test_five_fold_estimate_against_scikit_learn():
    from suite.datasets import cubic
    from suite.theory.resampling import k_fold_indices

    x, y = cubic(c58.POINTS, seed=7)
    powers = PolynomialFeatures(c58.DEGREE, include_bias=False).fit_transform(x[:, None])
    scores = cross_val_score(
        LinearRegression(), powers, y,
        cv=k_fold_indices(c58.POINTS, c58.FOLDS, 7), scoring="neg_mean_squared_error",
    )  # fmt: skip
    assert c58.estimate(c58.FOLDED, 7) == pytest.approx(-scores.mean(), rel=1e-9)


def test_score_of_the_slide_is_refuted_and_the_correction_holds(results):
    verdicts = {h.id: judge(h, results) for h in c58.EXPERIMENT.hypotheses}
    assert verdicts.pop("C58.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}


def test_equal_spread_is_not_taken_for_an_advantage(results):
    """Hold-out under both names: the ratio rule must not support a difference."""
    hold_out = results.select({"candidates": 1, "scheme": c58.HOLD_OUT}).cells[0]
    other = CellResult(
        {"candidates": 1, "scheme": c58.FOLDED},
        SEEDS,
        {"estimate": np.roll(hold_out.metrics["estimate"], 1)},
        hold_out.diverged,
    )
    rotation = c58.EXPERIMENT.hypotheses[-1]
    assert judge(rotation, Results((hold_out, other))).outcome != SUPPORTED
