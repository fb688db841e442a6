"""C24: factors in closed form, wrong products by hand, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiments.shallow_and_deep import chain_rule_by_layers as c24
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    return {(cell.data, cell.product): c24.measure(cell, SEEDS) for cell in c24.EXPERIMENT.cells()}


@pytest.fixture(scope="module")
def results(measured):
    diverged = np.zeros(len(SEEDS), bool)
    return Results(
        tuple(
            CellResult({"data": data, "product": product}, SEEDS, m.metrics, diverged)
            for (data, product), m in measured.items()
        )
    )


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c24.EXPERIMENT, len(SEEDS))


@pytest.mark.parametrize("data", c24.INPUTS)
def test_factors_in_closed_form(data):
    """`J_l = diag(1 - h_l^2) W_l^T`, and `d h_i / d W_jk = (1 - h_i^2) x_j` where `k = i`."""
    x, target, kernels, biases = c24.problem(data, 4)
    row, jacobians, tensors = c24.layer_factors(x, kernels, biases, target)
    h = [x]
    for function in c24.layer_functions(kernels, biases):
        h.append(function(h[-1]))
    softmax = np.exp(h[-1]) / np.exp(h[-1]).sum()
    np.testing.assert_allclose(row[0], softmax - target, rtol=1e-12)
    np.testing.assert_allclose(jacobians[0], kernels[-1].T)
    for layer in range(2, c24.DEPTH):
        expected = (1 - h[layer][:, None] ** 2) * kernels[layer - 1].T
        np.testing.assert_allclose(jacobians[c24.DEPTH - layer], expected, rtol=1e-12)
    expected = np.einsum("i,j,ik->ijk", 1 - h[1] ** 2, x, np.eye(c24.WIDTH))
    np.testing.assert_allclose(tensors[0], expected, rtol=1e-12)


def test_arrangements_by_hand():
    first, a, b = np.ones((2, 3)), np.diag([1.0, 2, 3]), np.arange(9.0).reshape(3, 3)
    found = c24.arranged(c24.REVERSED, [first, a, b])
    assert found[1] is b and found[2] is a
    assert len(c24.arranged(c24.LEFT_OUT, [first, a, b])) == 2
    np.testing.assert_array_equal(c24.arranged(c24.TRANSPOSED, [first, a, b])[2], b.T)
    for form in (c24.AS_DERIVED, c24.REVERSED, c24.LEFT_OUT):
        assert len(c24.arranged(form, [first])) == 1  # nothing to exchange or leave out


def test_loss_against_probabilities():
    x, target, kernels, biases = c24.problem(c24.SYNTHETIC, 1)
    logits = c24.compose(c24.layer_functions(kernels, biases), x)
    probabilities = np.exp(logits) / np.exp(logits).sum()
    assert c24.loss_of(x, target, kernels, biases) == pytest.approx(-np.log(target @ probabilities))


def test_wrong_forms_are_right_where_nothing_is_left_to_arrange(measured):
    """Of the last two layers the first Jacobian alone stands in between, or none."""
    curves = measured[c24.SYNTHETIC, c24.TRANSPOSED].curves["gradient_error"]
    assert curves[:, :2].max() < 1e-14 < curves[:, 2:].min()


def test_entries_of_the_last_factor(measured):
    found = measured[c24.DIGITS, c24.AS_DERIVED]
    np.testing.assert_array_equal(found.curves["share_used"][0], 1 / np.array(c24.WIDTHS))


def test_the_printed_nesting_is_refuted_and_the_rest_holds(results):
    verdicts = {h.id: judge(h, results) for h in c24.EXPERIMENT.hypotheses}
    assert verdicts.pop("C24.nested_as_printed").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
