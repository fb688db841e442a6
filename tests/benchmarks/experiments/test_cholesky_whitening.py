"""C45: a covariance by hand, SciPy's factors, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.linalg import ldl, sqrtm

from benchmarks.experiments.normalization_and_skip import _covariances
from benchmarks.experiments.normalization_and_skip import cholesky_whitening as c45
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c45.EXPERIMENT.cells():
        found = c45.measure(cell, SEEDS)
        found.check(c45.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (c45.LOWER, [[2, 0], [1, 3]]),
        (c45.UPPER, [[2, 1], [0, 3]]),
        (c45.INVERSE, [[1 / 2, 0], [-1 / 6, 1 / 3]]),
        # Sigma^-1 = [[10, -2], [-2, 4]] / 36 = M M^T
        (c45.PRECISION, [[10**0.5 / 6, -(10**-0.5) / 3], [0, 10**-0.5]]),
        (c45.RAW, np.eye(2)),
    ],
)
def test_factors_by_hand(form, expected):
    """Sigma = [[4, 2], [2, 10]] has L = [[2, 0], [1, 3]]."""
    root = np.array([[2.0, 0.0], [1.0, 3.0]])
    x = _covariances.exact_sample(root, [5.0, -4.0], 9, np.random.default_rng(0))
    w, z = c45.mapped(form, x)
    np.testing.assert_allclose(w, expected, atol=1e-14)
    np.testing.assert_allclose(z, (x - [5.0, -4.0]) @ w.T, atol=1e-13)


def test_roots_against_scipy():
    x = _covariances.problem(_covariances.MILD, 1)
    sigma = np.cov(x.T, ddof=0)
    np.testing.assert_allclose(c45.mapped(c45.ROOT, x)[0], sqrtm(sigma), atol=1e-12)
    np.testing.assert_allclose(
        c45.mapped(c45.SYMMETRIC, x)[0], np.linalg.inv(sqrtm(sigma)), atol=1e-11
    )


def test_inverse_factor_against_ldl():
    """Sigma = T D T^T with unit lower T, so L = T sqrt(D)."""
    x = _covariances.problem(_covariances.MILD, 2)
    t, d, order = ldl(np.cov(x.T, ddof=0), lower=True)
    assert order.tolist() == list(range(7))  # no pivoting of a definite matrix
    w, _ = c45.mapped(c45.INVERSE, x)
    np.testing.assert_allclose(w, np.linalg.inv(t @ np.sqrt(d)), atol=1e-12)


def test_off_triangle_by_hand():
    assert c45.off_triangle(np.array([[1.0, 0.0], [7.0, 2.0]])) == 0
    assert c45.off_triangle(np.array([[1.0, 5.0], [0.0, 2.0]])) == 0
    assert c45.off_triangle(np.array([[1.0, 1.0], [-4.0, 2.0]])) == 0.25


def test_condition_numbers_in_the_plane(results):
    """20 before; 400 under the slide's map, 1 under the whiteners."""
    found = {
        form: results.select({"data": _covariances.PLANE, "form": form})
        .values("condition_after")
        .tolist()
        for form in c45.FORMS
    }
    assert found[c45.RAW] == pytest.approx([20, 20])
    assert found[c45.ROOT] == pytest.approx([400, 400])
    for form in (*c45.CHOLESKY, c45.SYMMETRIC):
        assert found[form] == pytest.approx([1, 1])


def test_cholesky_moves_the_data_further_than_zca(results):
    least = results.select({"form": c45.SYMMETRIC}).values("distance")
    for form in c45.CHOLESKY:
        assert (results.select({"form": form}).values("distance") > least).all()


def test_slide_is_refuted_and_every_mutant_too(results):
    verdicts = {h.id: judge(h, results) for h in c45.EXPERIMENT.hypotheses}
    assert verdicts.pop("C45.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_every_cell_rejects_the_wrong_forms(results):
    """Not only the worst cell: ten times the threshold in each."""
    bound = 10 * c45.EXPERIMENT.hypotheses[0].rule.bound
    for form in (c45.ROOT, c45.LOWER, c45.UPPER):
        assert (results.select({"form": form}).values("white_error") > bound).all()
