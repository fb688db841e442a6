"""C14: steps by hand, the rule of the curvature, the verdicts and the slide's form."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import newton_with_identity as c14
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c14.EXPERIMENT.cells():
        found.append((cell, c14.measure(Cell(cell.factors, {}), SEEDS)))
        found[-1][1].check(c14.EXPERIMENT, len(SEEDS))
    return found


def test_steps_by_hand():
    """Two samples x = 1, 3, both positive: g = -(1 + 3) / 2 = -2."""
    x, y = np.array([[1.0], [3.0]]), np.ones(2)
    assert c14.newton_step(c14.matrix_of(c14.IDENTITY, 0.25), x, y) == pytest.approx([2.0])
    assert c14.newton_step(c14.matrix_of(c14.SCALED, 0.25), x, y) == pytest.approx([0.5])
    assert c14.newton_step(c14.matrix_of(c14.HESSIAN, 0.25), x, y) == pytest.approx([0.8])  # / 2.5
    assert c14.sgd_step(np.array([-2.0]), 0.25).tolist() == [0.5]


def test_bowl_rises_by_half_the_curvature_less_one():
    q, before, after = c14.bowls(0)
    assert (q < 2).any() and (q > 2).any()
    # L(w - g) = L(w) + ||g||^2 (q / 2 - 1): the sign, here from the two losses alone
    np.testing.assert_array_equal(np.sign(after - before), np.sign(q / 2 - 1))


def test_bowls_misjudged_by_hand():
    curvature = np.array([1.5, 2.5, 2.0])
    before, after = np.ones(3), np.array([0.9, 1.1, 1.0])
    assert c14.misjudged(curvature, before, after, 2.0) == 0
    assert c14.misjudged(curvature, before, after, 1.0) == 2


def test_slide_is_refuted_and_every_mutant_too(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    verdicts = {h.id: judge(h, results) for h in c14.EXPERIMENT.hypotheses}
    assert verdicts.pop("C14.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_drawn_models_share_value_and_slope_with_the_loss(measured):
    for _, found in measured:
        model, loss, t = found.curves["model"], found.theory["model"], found.axes["model"]
        np.testing.assert_allclose(model[:, 0], 1)
        assert loss[0] == pytest.approx(1)
        slopes = np.median((model[:, 1] - model[:, 0]) / t[1])
        assert slopes == pytest.approx((loss[1] - loss[0]) / t[1], rel=0.1)
