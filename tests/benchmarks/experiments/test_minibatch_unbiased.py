"""C31: batches counted by hand, all tuples as oracle, the verdicts and the mutants."""

import itertools

import numpy as np
import pytest

from benchmarks.experiments.stochastic_gradients import minibatch_unbiased as c31
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c31.EXPERIMENT.cells():
        found = c31.measure(cell, SEEDS)
        found.check(c31.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_batches_of_three():
    chosen, weights = c31.batches(3, c31.DISTINCT)
    assert chosen.shape == (56, 3)  # 8 choose 3
    assert set(weights) == {1 / 56}
    chosen, weights = c31.batches(3, c31.REPLACED)
    assert chosen.shape == (120, 3)  # 10 choose 3 multisets stand for 8^3 tuples
    assert weights.sum() == pytest.approx(1)


def test_multisets_against_all_512_tuples():
    g = np.random.default_rng(0).normal(2.0, 1.0, (8, 3))
    tuples = np.array([g[list(t)].sum(axis=0) for t in itertools.product(range(8), repeat=3)])
    chosen, weights = c31.batches(3, c31.REPLACED)
    sums = g[chosen].sum(axis=1)
    np.testing.assert_allclose(weights @ sums, tuples.mean(axis=0))
    np.testing.assert_allclose(weights @ sums**2, (tuples**2).mean(axis=0))


def test_longest_sums():
    assert max(len(c31.batches(m, c31.REPLACED)[0]) for m in range(1, 9)) == c31.BATCHES == 6435
    assert len(c31.orders()) == c31.ORDERS == 40320


def test_epoch_with_a_short_last_batch():
    """Batches of 3, 3 and 2: with 8/3 for each, the average is 8/9 of the gradient."""
    g = np.random.default_rng(1).normal(2.0, 1.0, (8, 3))
    own, fixed = c31.epoch_means(g, 3)
    np.testing.assert_allclose(own, g.sum(axis=0))
    np.testing.assert_allclose(fixed, 8 / 9 * g.sum(axis=0))


@pytest.mark.parametrize("data", [c31.SYNTHETIC, c31.REAL])
def test_gradients_against_finite_differences(data):
    w, x, y = c31.problem_of(data, 5)
    assert x.shape == (8, 3)
    g = c31.sample_gradients(w, x, y)
    for i, shift in enumerate(1e-6 * np.eye(c31.FEATURES)):

        def loss(w):
            return np.log1p(np.exp(x @ w)) - y * (x @ w)

        np.testing.assert_allclose(g[:, i], (loss(w + shift) - loss(w - shift)) / 2e-6, atol=1e-8)


def test_variance_by_hand(results):
    """M = 3 of N = 8: 1/3 with replacement, 1/3 x 5/7 without."""
    for sampling, expected in ((c31.REPLACED, 1 / 3), (c31.DISTINCT, 5 / 21)):
        cell = results.select({"sampling": sampling, "batch_size": 3})
        np.testing.assert_allclose(cell.values("noise"), expected)


def test_without_the_factor_the_mean_is_three_eighths(results):
    share = results.select({"batch_size": 3}).values("share_without_factor")
    np.testing.assert_allclose(share, 0.375)


def test_all_hold_and_all_mutants_are_refuted(results):
    for hypothesis in c31.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert [m[1] for m in verdict.mutants] == [REFUTED]


def test_the_picture_shows_every_batch_around_the_gradient():
    cell = next(
        c
        for c in c31.EXPERIMENT.cells()
        if (c.data, c.sampling, c.batch_size) == (c31.REAL, c31.DISTINCT, 4)
    )
    arrays = c31.measure(cell, SEEDS).arrays
    assert arrays["estimates"].shape == (70, 2)  # 8 choose 4
    center = np.nanmean(arrays["full gradient"], axis=0)
    np.testing.assert_allclose(arrays["estimates"].mean(axis=0), center)
