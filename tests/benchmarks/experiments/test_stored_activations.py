"""C29: arrays counted by hand, the stale gradient worked out, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import stored_activations as c29
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def measured():
    return [(cell, c29.measure(cell, SEEDS)) for cell in c29.EXPERIMENT.cells()]


def test_every_cell_returns_what_it_declares(measured):
    for _, measurements in measured:
        measurements.check(c29.EXPERIMENT, len(SEEDS))


def test_bytes_by_hand():
    """Sixteen layers, three examples, six units, eight bytes; with checkpoints 3 + 4 arrays."""
    for kept, arrays in ((c29.EVERYTHING, 16), (c29.CHECKPOINTS, 7)):
        found = c29.measure(Cell({"kept": kept, "depth": 16}, {}), SEEDS).metrics
        np.testing.assert_array_equal(found["peak_arrays"], arrays)
        np.testing.assert_array_equal(found["peak_bytes"], arrays * 3 * 6 * 8)


def test_peaks_in_theory():
    assert [c29.peaks(16, k) for k in (1, 2, 4, 8, 16)] == [16, 9, 7, 9, 16]
    assert c29.peaks_measured(16) == {1: 16, 2: 9, 4: 7, 8: 9, 16: 16}


def test_with_a_checkpoint_at_every_layer_nothing_is_stale_but_the_slopes():
    """The products use the right input; the slope, at the input in place of the output, is off."""
    from suite.autodiff import gradients

    layers, x, loss, parameters = c29.network(3, 0)
    objective, outputs, _ = c29.graph_of(layers, x, loss)
    right = gradients(objective, parameters)
    stale = c29.gradients_from_checkpoints_alone(x, outputs, loss, parameters, 1)
    h2, h3 = outputs[1].value, outputs[2].value
    (delta,) = gradients(loss(h := outputs[2]), [h])
    np.testing.assert_allclose(stale[2], h2.T @ (delta * (1 - h2**2)))
    np.testing.assert_allclose(right[2], h2.T @ (delta * (1 - h3**2)))


def test_gradients_against_differences():
    """Independent of the suite's sweep: central differences of a forward pass in NumPy."""
    from suite.autodiff import constant, gradients

    layers, x, loss, parameters = c29.network(4, 1)
    objective, _, _ = c29.graph_of(layers, x, loss)
    found = gradients(objective, parameters)
    values = [node.value for node in parameters]

    def at(moved):
        h = x
        for kernel, bias in zip(moved[:4], moved[4:], strict=True):
            h = np.tanh(h @ kernel + bias)
        return float(loss(constant(h)).value)

    for i, value in enumerate(values):
        direction = np.random.default_rng(i).normal(size=value.shape)
        shifted = [
            at([v + t * direction if j == i else v for j, v in enumerate(values)])
            for t in (6e-6, -6e-6)
        ]
        difference = (shifted[0] - shifted[1]) / 12e-6
        assert difference == pytest.approx((found[i] * direction).sum(), rel=1e-6, abs=1e-9)


def test_dropped_values_are_gone():
    layers, x, loss, parameters = c29.network(2, 0)
    objective, outputs, sums = c29.graph_of(layers, x, loss)
    assert [node.name for node in sums] == ["add", "add", "product", "product"]
    assert c29.gradients_without(objective, sums, parameters) is not None
    assert c29.gradients_without(objective, outputs[:1], parameters) is None


def test_all_hold_and_all_mutants_are_refuted(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )
    for hypothesis in c29.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
