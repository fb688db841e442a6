"""C26: counts by hand, brackets by dynamic programming, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import order_of_association as c26
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def measured():
    return [(cell, c26.measure(cell, SEEDS)) for cell in c26.EXPERIMENT.cells()]


def test_every_cell_returns_what_it_declares(measured):
    for _, measurements in measured:
        measurements.check(c26.EXPERIMENT, len(SEEDS))


def cheapest_by_dynamic_programming(sizes):
    """The textbook recursion for matrix chains, in multiplications."""
    count = len(sizes) - 1
    cost = np.zeros((count, count))
    for span in range(1, count):
        for i in range(count - span):
            j = i + span
            cost[i, j] = min(
                cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            )
    return cost[0, -1]


@pytest.mark.parametrize("width", [3, 8])
def test_bracketings_against_dynamic_programming(width):
    listed = c26.bracketing_flops(width)
    assert len(listed) == len({brackets for _, brackets in listed}) == 42  # Catalan's number
    sizes = [1] + [width] * (c26.BRACKETED + 1)
    assert listed[0][0] == 2 * cheapest_by_dynamic_programming(sizes)
    assert listed[0][1] == (((((0, 1), 2), 3), 4), 5)  # the row first
    # The dearest multiplies four times two matrices; where they stand makes no difference.
    assert listed[-1][0] == 2 * (4 * width**3 + width**2)


def test_counts_by_hand():
    """L = 8, D = 64: 8 rows; 36 of them; 7 and 28 products of matrices with 8 rows behind."""
    found = [c26.flops_in_theory(order, 8, 64) for order in c26.ORDERS]
    assert found == [65_536, 294_912, 3_735_552, 14_745_600]
    one = c26.measure(Cell({"order": c26.MATRICES, "width": 64, "depth": 8}, {}), SEEDS)
    np.testing.assert_array_equal(one.metrics["one_flops"], 7 * 2 * 64**3 + 2 * 64**2)


def test_depth_exponents(measured):
    """All gradients: linear in the depth with reuse, quadratic to leading order without."""
    flops = {
        (c.order, c.depth): m.metrics["matrix_flops" if "matrices" in c.order else "flops"][0]
        for c, m in measured
        if c.width == 16
    }
    assert flops[c26.ROWS, 16] == 4 * flops[c26.ROWS, 4]
    assert flops[c26.ROWS_ANEW, 16] == 13.6 * flops[c26.ROWS_ANEW, 4]  # 16 x 17 / (4 x 5)
    assert flops[c26.MATRICES, 16] == 5 * flops[c26.MATRICES, 4]  # 15 / 3
    assert flops[c26.MATRICES_ANEW, 16] == 20 * flops[c26.MATRICES_ANEW, 4]  # 16 x 15 / (4 x 3)


def test_oracle_against_plain_products():
    row, jacobians = c26.chain(3, 5, 7)
    found = c26.rows_in_extended_precision(row, jacobians)
    np.testing.assert_allclose(found[0], row @ jacobians[0])
    np.testing.assert_allclose(found[2], row @ jacobians[0] @ jacobians[1] @ jacobians[2])


def test_the_slide_is_refuted_and_the_rest_holds(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )
    verdicts = {h.id: judge(h, results) for h in c26.EXPERIMENT.hypotheses}
    assert verdicts.pop("C26.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
