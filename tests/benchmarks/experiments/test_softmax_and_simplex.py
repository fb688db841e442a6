"""C08: (2, -1), two classes by hand, a closed form of the Hessian, the verdicts."""

import numpy as np
import pytest
from scipy.special import softmax

from benchmarks.experiment import Cell
from benchmarks.experiments.logistic_regression import softmax_and_simplex as c08
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c08.EXPERIMENT.cells():
        found.append((cell, c08.measure(Cell(cell.factors, {}), SEEDS)))
        found[-1][1].check(c08.EXPERIMENT, len(SEEDS))
    return found


@pytest.mark.parametrize(
    ("point", "inside"),
    [([2, -1], False), ([0.5, 0.5], True), ([1, 0], True), ([0.5, 0.4], False)],
)
def test_corners_mix_to_the_simplex(point, inside):
    assert c08.is_mixture_of_corners(np.array(point, float)) == inside


def test_misjudged_by_hand():
    points = np.array([[2, -1], [0.5, 0.5], [0.5, 0.4], [3, -1]], float)
    assert c08.misjudged(points) == [0, 1, 1]


def test_likelihood_by_hand():
    """(1/4, 3/4): one-hot labels give 1; all four give (1 + 1/4) (1 + 3/4)."""
    p = np.array([0.25, 0.75])
    assert c08.total_of_likelihood(p, np.eye(2)) == 1
    assert c08.total_of_likelihood(p, [[0, 0], [0, 1], [1, 0], [1, 1]]) == 1.25 * 1.75


def test_hessian_against_its_closed_form():
    """sum_n x_n x_n^T (x) (diag(p) - p p^T), the weights in the order (feature, class)."""
    x, y, w = c08.problem_of(c08.SYNTHETIC, 3)
    closed = 0
    for row, p in zip(x, softmax(x @ w, axis=1), strict=True):
        closed = closed + np.kron(np.outer(row, row), np.diag(p) - np.outer(p, p))
    np.testing.assert_allclose(c08.hessian(w, x, y), closed, atol=1e-7)


def test_slide_is_refuted_and_every_mutant_too(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    verdicts = {h.id: judge(h, results) for h in c08.EXPERIMENT.hypotheses}
    assert verdicts.pop("C08.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_triangle_holds_every_line_and_no_loss_outside():
    arrays = c08.triangle()
    shape = (len(arrays["loss.y"]), len(arrays["loss.x"]))
    assert arrays["loss"].shape == shape
    assert np.isnan(arrays["loss"][-1, 0])  # left of the top corner
    for name in ("first logit fixed", "second logit fixed"):
        inside = arrays[name][np.isfinite(arrays[name][:, 0])]
        assert (inside.min(axis=0) > 0).all()
        assert (inside.max(axis=0) < [1, 0.75**0.5]).all()
    # The first logit fixed against the third, 0: straight lines from the second corner.
    line = arrays["first logit fixed"][:29] - c08.CORNERS[1]
    directions = line / np.linalg.norm(line, axis=1, keepdims=True)
    np.testing.assert_allclose(directions, directions[:1].repeat(29, axis=0), atol=1e-9)


def test_stored_pictures_are_small(measured):
    assert sum(a.nbytes for a in measured[0][1].arrays.values()) < 50_000
