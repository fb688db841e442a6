"""C27: the worked example by hand, the oracle against known derivatives, the verdicts."""

import numpy as np
import pytest

from benchmarks.experiments.shallow_and_deep import backpropagation_recursion as c27
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    return {cell.graph: c27.measure(cell, SEEDS) for cell in c27.EXPERIMENT.cells()}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c27.EXPERIMENT, len(SEEDS))


def test_worked_example_by_hand():
    leaves, _, trainable = c27.problem(c27.WORKED, 5)
    stops, _ = c27.swept(c27.WORKED, leaves, trainable)
    z3 = 1 / (1 + np.exp(-(leaves["W"] @ leaves["x"] + leaves["b"])))
    delta4 = leaves["w"] @ z3 - leaves["target"]
    delta2 = delta4 * leaves["w"] * z3 * (1 - z3)
    expected = {
        "z4": delta4, "z3": delta4 * leaves["w"], "z2": delta2, "z1": delta2,
        "W": np.outer(delta2, leaves["x"]), "b": delta2, "w": delta4 * z3,
    }  # fmt: skip
    for name, delta in expected.items():
        np.testing.assert_allclose(stops[name].delta, delta, rtol=1e-13)


@pytest.mark.parametrize("graph", c27.GRAPHS)
def test_oracle_computes_the_loss_of_the_graph(graph):
    leaves, shifts, trainable = c27.problem(graph, 2)
    stops, steps = c27.swept(graph, leaves, trainable)
    assert c27.LOSS_OF[graph](leaves | shifts) == pytest.approx(float(steps[0].node.value))
    assert {*trainable, *shifts} < set(stops)


def test_complex_step_on_known_derivatives():
    values = {"x": np.array([0.3, -1.2]), "c": np.array(2.0)}

    def loss(v):
        return v["c"] * np.exp(v["x"]).sum()

    np.testing.assert_allclose(c27.complex_step(loss, values, "x"), 2 * np.exp(values["x"]))
    np.testing.assert_allclose(c27.complex_step(loss, values, "c"), np.exp(values["x"]).sum())


def test_overwriting_loses_time_steps():
    leaves, _, trainable = c27.problem(c27.RECURRENCE, 0)
    stops, steps = c27.swept(c27.RECURRENCE, leaves, trainable)
    # What remains is the use at the first time step, the last that the sweep reaches.
    first = np.outer(np.concatenate([leaves["h0"], leaves["x1"]]), stops["z1"].delta)
    np.testing.assert_allclose(c27.last_use_only(steps, "kernel"), first)


def test_overwriting_is_seen_only_where_a_node_has_several_uses(measured):
    for graph, measurements in measured.items():
        errors = measurements.metrics["overwritten_error"]
        if graph in (c27.RECURRENCE, c27.TWO_USES):
            assert errors.min() > 0.01
        else:
            assert errors.max() < 1e-12


def test_deltas_of_the_worked_example_follow_the_recursion():
    leaves, _, trainable = c27.problem(c27.WORKED, 0)
    stops, steps = c27.swept(c27.WORKED, leaves, trainable)
    jacobians = {
        (step.node.name, parent.name): j for step in steps for parent, j in step.jacobians()
    }
    assert steps[0].node.name == "squared_error" and "x" not in stops
    product = stops["z4"].delta * jacobians["z4", "z3"]
    np.testing.assert_allclose(stops["z3"].delta, product)
    np.testing.assert_allclose(
        stops["W"].delta, np.tensordot(stops["z1"].delta, jacobians["z1", "W"], 1)
    )


def test_all_hold_and_all_mutants_are_refuted(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult({"graph": g}, SEEDS, m.metrics, diverged) for g, m in measured.items())
    )
    for hypothesis in c27.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
