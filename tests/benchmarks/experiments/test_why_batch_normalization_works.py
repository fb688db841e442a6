"""The identities against NumPy and finite differences, the count of decades, and the rules."""

import numpy as np
import pytest

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.normalization_and_skip import why_batch_normalization_works as subject

EXPERIMENT = subject.EXPERIMENT
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
BUDGET = dict(EXPERIMENT.budget) | dict(EXPERIMENT.smoke)


@pytest.fixture(scope="module")
def bench():
    bench = subject.Bench("batch")
    bench.draw(3)
    return bench


def loss_in_numpy(weights, x, y, epsilon):
    """Of the normalized network: kernel, gamma, beta a layer; then the output's kernel, bias."""
    *hidden, kernel, bias = weights
    for i in range(0, len(hidden), 3):
        z = x @ hidden[i]
        z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + epsilon)
        x = np.maximum(hidden[i + 1] * z + hidden[i + 2], 0)
    logits = x @ kernel + bias
    logits -= logits.max(axis=1, keepdims=True)
    return -np.mean(logits[np.arange(len(y)), y] - np.log(np.exp(logits).sum(axis=1)))


def test_loss_and_gradient_are_those_of_numpy(bench):
    weights = [variable.numpy() for variable in bench.variables]
    loss, _, gradients = bench.look()
    assert loss == pytest.approx(loss_in_numpy(weights, bench.x, bench.y, 0), rel=1e-12)
    # Along a random direction of every hidden kernel, by central differences.
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=w.shape) for w in bench.kernels()]
    h, values = 1e-7, []
    for side in (1, -1):
        moved = list(weights)
        for i, d in zip(bench.hidden, directions, strict=True):
            moved[i] = weights[i] + side * h * d
        values.append(loss_in_numpy(moved, bench.x, bench.y, 0))
    slope = sum(np.vdot(g, d) for g, d in zip(gradients, directions, strict=True))
    assert slope == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-4)


def test_scaling_is_undone_and_helpers_count_as_they_should(bench):
    before = bench.kernels()
    bench.scaled()
    for a, b in zip(bench.kernels(), before, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    assert subject.relative([np.array([1.0, 4.0])], [np.array([1.0, 5.0])]) == 0.2
    assert subject.cosine(np.array([[3.0, 4.0]]), np.array([[-4.0, 3.0]])) == 0
    assert subject.cosine(np.array([1.0, 0.0]), np.array([-1.0, 1.0])) == pytest.approx(0.5**0.5)


def test_usable_decades_are_counted_over_the_grid():
    sweep = object.__new__(subject.Sweep)  # without its training
    accuracy = np.full((len(subject.LEARNING_RATES), 3), 0.1)
    accuracy[2:5, 0] = 0.9  # three rates
    accuracy[1, 1] = subject.USABLE  # just one
    at = {rate: row for rate, row in zip(subject.LEARNING_RATES, accuracy, strict=True)}
    type(sweep).__call__, kept = lambda self, gain, rate: (None, at[rate]), type(sweep).__call__
    try:
        assert sweep.decades(1.0).tolist() == [1.5, 0.5, 0.0]
    finally:
        subject.Sweep.__call__ = kept
    spacing = np.diff(np.log10(subject.LEARNING_RATES))
    np.testing.assert_allclose(spacing, subject.SPACING, atol=0.03)  # 3 stands for the root of 10


def test_the_gain_multiplies_the_weights_of_every_hidden_layer():
    sweep = subject.Sweep("none", (0, 1), 1, False)
    kernels = []
    for sweep.gain in (1.0, 3.0, 1.0):
        kernels.append([v.numpy() for v in sweep.started(1).weights][::2])
    one, three, again = kernels
    assert len(one) == subject.DEPTH + 1
    np.testing.assert_array_equal(one.pop(), three.pop())  # the output's
    for at_one, at_three, once_more in zip(one, three, again, strict=False):
        np.testing.assert_array_equal(at_three, np.float32(3) * at_one)
        np.testing.assert_array_equal(at_one, once_more)
    he = np.sqrt(2 / one[0].shape[0])
    assert one[0].std() == pytest.approx(he, rel=4 / np.sqrt(2 * one[0].size))
    assert not np.allclose(one[0], sweep.started(0).weights[0])


@pytest.fixture(scope="module")
def results():
    """Both networks at the judged cell, after one step and with two seeds."""
    cells = []
    for normalization in ("none", "batch"):
        factors = {"normalization": normalization, **subject.ONE}
        found = subject.measure(Cell(factors, BUDGET), np.arange(2))
        found.check(EXPERIMENT, 2)
        cells.append(verdicts.CellResult(factors, np.arange(2), found.metrics, np.zeros(2, bool)))
    return verdicts.Results(tuple(cells))


@pytest.mark.parametrize("name", ["scale", "orthogonal", "gradient", "norm", "growth"])
def test_identities_hold_and_no_wrong_form_passes(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED
    assert {outcome for _, outcome, _ in verdict.mutants} == {verdicts.REFUTED}
    for mutant in BY_ID[name].mutants:
        wrong = BY_ID[name].rule.changed(mutant.changes).decide(results)
        assert wrong.effect > 10 * BY_ID[name].rule.bound


@pytest.mark.parametrize(
    ("batch", "none", "outcome"),
    [(3.0, 1.5, "SUPPORTED"), (1.5, 3.0, "REFUTED"), (2.0, 2.0, "UNDECIDED")],
)
def test_usable_decades_decide_at_every_gain(batch, none, outcome):
    seeds = np.arange(14)
    cells = tuple(
        verdicts.CellResult(
            {"normalization": normalization, "gain": gain, "learning_rate": 0.1},
            seeds,
            {"usable_decades": np.full(14, value)},
            np.zeros(14, bool),
        )
        for normalization, value in (("batch", batch), ("none", none))
        for gain in subject.GAINS
    )
    assert verdicts.judge(BY_ID["works"], verdicts.Results(cells)).outcome == outcome
