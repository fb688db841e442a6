"""C19: a line worked by hand, SciPy's nearest point as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import minimize

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import decision_boundary as c19
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)
LINE = np.array([3.0, 4.0, -5.0])  # 3 x + 4 y = 5


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c19.EXPERIMENT.cells():
        found.append((cell, c19.measure(Cell(cell.factors, {}), SEEDS)))
        found[-1][1].check(c19.EXPERIMENT, len(SEEDS))
    return found


def test_line_by_hand():
    """From (3, 4): z = 20, distance 20 / 5 = 4, foot (3, 4) - 20 / 25 (3, 4)."""
    point = np.array([[3.0, 4.0]])
    assert c19.logits(point, LINE).tolist() == [20]
    np.testing.assert_allclose(c19.distance(point, LINE), [4])
    np.testing.assert_allclose(c19.projected(point, LINE, LINE[:2]), [[0.6, 0.8]])
    assert c19.off_half(np.array([[0.6, 0.8]]), LINE) < 1e-16


def test_distance_against_a_search_along_the_line():
    point = np.array([[2.0, -7.0]])
    found = minimize(lambda t: np.hypot(t[0] - 2, (5 - 3 * t[0]) / 4 + 7), [0.0])
    np.testing.assert_allclose(c19.distance(point, LINE), found.fun, rtol=1e-6)


def test_ties_are_exact_and_only_the_slide_fails_there():
    weights, points = c19.whole_numbers(np.random.default_rng(0))
    ties = c19.logits(points, weights) == 0
    assert ties[: c19.TIES].all()
    assert c19.failures(weights, points) == [0, ties.sum()]


def test_crossings_lie_on_the_line():
    points = c19.crossings(np.array([[3.0, 4.0], [0.0, 0.0], [5.0, 0.0], [-1.0, 1.0]]), LINE)
    # The search ends at 64^-8 = 4e-15 of the way; a logit loses a little more to its own terms.
    np.testing.assert_allclose(c19.logits(points, LINE), 0, atol=1e-12)
    assert c19.tilt(LINE[:2], points) < 1e-13
    assert c19.tilt(np.array([1.0, 0.0]), points) > 0.1


@pytest.mark.parametrize(("labels", "expected"), [([0, 0, 1, 1], True), ([0, 1, 0, 1], False)])
def test_separable_by_hand(labels, expected):
    """The corners of a square: neighbors against neighbors, and exclusive or."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert c19.separable(corners, np.array(labels)) == expected


def test_slide_is_refuted_and_every_mutant_too(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    verdicts = {h.id: judge(h, results) for h in c19.EXPERIMENT.hypotheses}
    assert verdicts.pop("C19.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants


def test_drawn_normal_is_a_unit_at_right_angles_to_the_boundary(measured):
    for _, found in measured:
        foot, tip = found.arrays["normal"]
        assert np.linalg.norm(tip - foot) == pytest.approx(1)
        start, end = found.arrays["distance"]
        assert abs((end - start) @ [-(tip - foot)[1], (tip - foot)[0]]) < 1e-12
        assert sum(a.nbytes for a in found.arrays.values()) < 50_000
