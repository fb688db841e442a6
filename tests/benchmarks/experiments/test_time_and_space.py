"""C30: bytes and operations by hand, the oracle against differences, the verdicts."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import time_and_space as c30
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def measured():
    return [(cell, c30.measure(cell, SEEDS)) for cell in c30.EXPERIMENT.cells()]


def test_every_cell_returns_what_it_declares(measured):
    for _, measurements in measured:
        measurements.check(c30.EXPERIMENT, len(SEEDS))


def loss_of(x, target, kernels, biases):
    """The summed cross-entropy, from probabilities."""
    h = x
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        h = np.tanh(h @ kernel + bias)
    scores = np.exp(h @ kernels[-1] + biases[-1])
    return -np.log((target * scores).sum(axis=1) / scores.sum(axis=1)).sum()


@pytest.mark.parametrize("made", [lambda: c30.problem(5, 3, 1), lambda: c30.images(4, 2)])
def test_oracle_against_differences(made):
    data = x, target, kernels, biases = made()
    weights, h = [*kernels, *biases], 6e-6
    for i, gradient in enumerate(c30.gradient_by_hand(*data)):
        direction = np.random.default_rng(i).normal(size=gradient.shape)
        ends = []
        for step in (h, -h):
            moved = [w + step * direction if j == i else w for j, w in enumerate(weights)]
            ends.append(loss_of(x, target, moved[: c30.DEPTH], moved[c30.DEPTH :]))
        expected = (gradient * direction).sum()
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("strategy", c30.STRATEGIES)
def test_all_ways_give_one_sum(strategy):
    data = c30.problem(7, 5, 3)
    found, _ = c30.summed_gradient(strategy, *data)
    for a, b in zip(found, c30.gradient_by_hand(*data), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


def test_bytes_by_hand():
    """Four layers of 5 units: 30 weights and biases and 5 activations a layer, 8 bytes each."""
    gradient, activations = 4 * 30 * 8, 4 * 5 * 8
    expected = {
        c30.LOOP: gradient + activations,
        c30.BATCH: gradient + 3 * activations,
        c30.STACKED: 3 * gradient + activations,
    }
    for strategy, number in expected.items():
        assert c30.summed_gradient(strategy, *c30.problem(5, 3, 0))[1] == number
        cell = Cell({"strategy": strategy, "samples": 3, "width": 5}, {})
        assert c30.bytes_in_theory(cell) == number


def test_counts_and_bytes_are_those_of_theory(measured):
    for _, measurements in measured:
        found = measurements.metrics
        np.testing.assert_array_equal(found["flops"], found["flops_theory"])
        np.testing.assert_array_equal(found["bytes"], found["bytes_theory"])


def test_the_allocator_sees_what_is_held():
    """From 10 examples to 18: 8 further gradients, or none."""
    data, fewer = c30.problem(64, 18, 0), c30.problem(64, 10, 0)
    gradient = 8 * c30.DEPTH * (64**2 + 64)
    for strategy, further in ((c30.LOOP, 0), (c30.STACKED, 8)):
        c30.summed_gradient(strategy, *fewer)  # what is loaded at first use is not counted
        found = c30.allocated(strategy, data) - c30.allocated(strategy, fewer)
        # Arrays of the last few steps may be gradients that are about to be freed.
        assert found / gradient == pytest.approx(further, abs=3)
    assert c30.allocated(c30.LOOP, data) >= gradient


def test_jacobians_by_hand():
    assert c30.cubic_flops(6) == 3 * 2 * 6**3  # three products of the four Jacobians


def test_verdicts(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )
    for hypothesis in c30.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        wrong = hypothesis.id in ("C30.time_as_stated", "C30.space_as_stated")
        assert verdict.outcome == (REFUTED if wrong else SUPPORTED), verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}
