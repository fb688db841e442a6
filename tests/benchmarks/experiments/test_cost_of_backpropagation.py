"""C28: products listed by hand, the closed forms, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiments.shallow_and_deep import cost_of_backpropagation as c28
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def measured():
    return [(cell, c28.measure(cell, SEEDS)) for cell in c28.EXPERIMENT.cells()]


def test_every_cell_returns_what_it_declares(measured):
    for _, measurements in measured:
        measurements.check(c28.EXPERIMENT, len(SEEDS))


def test_products_of_two_layers_by_hand():
    """Two layers of 4 units, one example: x W1, h1 W2; then for W2, for h1, and for W1."""
    forward, back = c28.counted(2, 4, c28.ONE, 0)
    assert forward.products == [(1, 4, 4), (1, 4, 4)]
    assert sorted(back.products) == [(1, 4, 4), (4, 1, 4), (4, 1, 4)]
    assert back.flops == 1.5 * forward.flops


@pytest.mark.parametrize("task", [c28.ONE, c28.SQUARE, c28.ALL])
def test_counts_against_closed_forms(task):
    forward, back = c28.counted(5, 6, task, 1)
    expected = c28.multiplications_in_theory(5, 6, task)
    assert (forward.in_products, back.in_products) == expected


def test_counts_do_not_depend_on_the_numbers(measured):
    for _, measurements in measured:
        assert np.ptp(measurements.metrics["flops"]) == 0


def test_the_slide_is_refuted_and_the_rest_holds(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )
    verdicts = {h.id: judge(h, results) for h in c28.EXPERIMENT.hypotheses}
    assert verdicts.pop("C28.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
