"""C58: coins by hand, the winner's law by brute force, the verdicts and the mutants."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import PolynomialFeatures

from benchmarks.experiments.learning_theory import selection_bias as c58
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(1000)  # as in the lecture profile: squared errors have heavy tails


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c58.EXPERIMENT.cells():
        if cell.candidates == 1000 and cell.scheme == c58.FOLDED:
            continue  # the slowest cell; every rule finds its levels in the others
        found = c58.measure(cell, SEEDS)
        found.check(c58.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
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


def test_winner_counted_again():
    """The same bits, sample by sample, with scikit-learn's accuracy."""
    from sklearn.metrics import accuracy_score

    for position, (scheme, samples) in enumerate(((c58.HOLD_OUT, 500), (c58.FOLDED, 100))):
        rng = np.random.default_rng([3, 7, position])
        labels, guesses = c58.coins(rng, samples), c58.coins(rng, 7, samples)
        fresh = c58.coins(rng, samples)
        parts, _ = c58.held_out_parts(scheme, 3)
        scored = sorted(i for part in parts for i in part)
        assert len(set(scored)) == 100
        scores = [accuracy_score(labels[scored], g[scored]) for g in guesses]
        best = int(np.argmax(scores))
        again = accuracy_score(fresh[scored], guesses[best][scored])
        np.testing.assert_allclose(c58.winner(7, scheme, 3), (scores[best], again), rtol=1e-12)


def test_nested_folds_counted_again():
    """Fold by fold, with scikit-learn's accuracy: four folds choose, the fifth scores."""
    from sklearn.metrics import accuracy_score

    rng = np.random.default_rng([3, 7, 2])
    labels, guesses, fresh = c58.coins(rng, 100), c58.coins(rng, 7, 100), c58.coins(rng, 100)
    parts, _ = c58.held_out_parts(c58.NESTED, 3)
    scores, again = [], []
    for out in parts:
        rest = np.setdiff1d(np.arange(100), out)
        best = max(range(7), key=lambda k: accuracy_score(labels[rest], guesses[k][rest]))
        scores.append(accuracy_score(labels[out], guesses[best][out]))
        again.append(accuracy_score(fresh[out], guesses[best][out]))
    found = c58.winner(7, c58.NESTED, 3)
    np.testing.assert_allclose(found, (np.mean(scores), np.mean(again)), rtol=1e-12)


def test_nested_score_is_that_of_the_library(monkeypatch):
    """`nested_cross_validation` with candidates that fit nothing, on its own outer folds."""
    from suite.theory import nested_cross_validation

    rng = np.random.default_rng([3, 7, 2])
    labels, guesses = c58.coins(rng, 100), c58.coins(rng, 7, 100)
    scored = []

    def error(candidate, samples, y):
        scored.append(samples)
        return 1 - (guesses[candidate, samples] == y).mean()

    found = nested_cross_validation(
        lambda candidate: candidate, range(7), np.arange(100), labels,
        outer_folds=c58.FOLDS, inner_folds=4, seed=0, fit=lambda *_: None, score=error,
    )  # fmt: skip
    # Only an outer fold is scored right after all the 80 samples that are not in it.
    parts = [part for rest, part in zip(scored, scored[1:], strict=False) if len(rest) == 80]
    assert len(parts) == c58.FOLDS
    monkeypatch.setattr(c58, "held_out_parts", lambda *_: (parts, 100))
    score, _ = c58.winner(7, c58.NESTED, 3)
    assert score == pytest.approx(1 - found.outer_scores.mean())


def test_coins_are_fair_and_shaped():
    bits = c58.coins(np.random.default_rng(0), 31, 1001)
    assert bits.shape == (31, 1001)
    assert set(np.unique(bits)) == {0, 1}
    assert abs(bits.mean() - 0.5) < 4 * 0.5 / bits.size**0.5  # four standard errors


def test_a_reused_set_is_caught():
    """Third set and validation set the same: the rule of the third set refutes it."""
    rule = next(h.rule for h in c58.EXPERIMENT.hypotheses if h.id == "C58.third_set")
    score = np.array([c58.winner(10, c58.HOLD_OUT, seed)[0] for seed in range(60)])
    metrics = {"fresh_score": score, "chance": np.full(60, 0.5)}
    cell = CellResult(
        {"candidates": 10, "scheme": c58.HOLD_OUT}, np.arange(60), metrics, np.zeros(60, bool)
    )
    assert rule.decide(Results((cell,))).outcome == REFUTED


def test_five_fold_estimate_against_scikit_learn():
    from suite.datasets import cubic
    from suite.theory.resampling import k_fold_indices

    x, y = cubic(c58.POINTS, seed=7)
    powers = PolynomialFeatures(c58.DEGREE, include_bias=False).fit_transform(x[:, None])
    scores = cross_val_score(
        LinearRegression(), powers, y,
        cv=k_fold_indices(c58.POINTS, c58.FOLDS, [7, 1]), scoring="neg_mean_squared_error",
    )  # fmt: skip
    assert c58.estimate(c58.FOLDED, 7) == pytest.approx(-scores.mean(), rel=1e-9)


def test_score_of_the_slide_is_refuted_and_the_correction_holds(results):
    verdicts = {h.id: judge(h, results) for h in c58.EXPERIMENT.hypotheses}
    assert verdicts.pop("C58.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


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
