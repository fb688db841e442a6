"""C44: four points by hand, SciPy and scikit-learn, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes, sqrtm
from sklearn.decomposition import PCA

from benchmarks.experiment import Cell
from benchmarks.experiments.normalization_and_skip import _covariances
from benchmarks.experiments.normalization_and_skip import whitening_methods as c44
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c44.EXPERIMENT.cells():
        found = c44.measure(cell, SEEDS)
        found.check(c44.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_four_points_by_hand():
    """z = (+-1, +-1): z1 z2 is +-1 as well, so V = [[0, 1], [1, 0]], which adds up to D(D - 1)."""
    z = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) + [5.0, -3.0]
    np.testing.assert_allclose(c44.outer_variances(z), [[0, 1], [1, 0]], atol=1e-15)


def test_samples_have_the_covariance_asked_for():
    root = np.array([[2.0, 0.0], [1.5, 0.5]])
    x = _covariances.exact_sample(root, [3.0, -1.0], 11, np.random.default_rng(0))
    np.testing.assert_allclose(x.mean(axis=0), [3.0, -1.0])
    np.testing.assert_allclose(_covariances.covariance(x), root @ root.T)
    np.testing.assert_allclose(_covariances.covariance(x), np.cov(x.T, ddof=0))


@pytest.mark.parametrize("data", _covariances.DATA)
def test_problems_are_rectangular_and_off_center(data):
    x = _covariances.problem(data, 0)
    assert x.shape[0] > x.shape[1] >= 2
    assert np.abs(x.mean(axis=0)).max() > 0.3
    assert len(x) <= _covariances.LONGEST
    condition = np.linalg.cond(np.cov(x.T))
    if data in _covariances.SIZES:
        assert condition == pytest.approx(_covariances.SIZES[data][2], rel=1e-6)
    else:
        assert condition > 10
        assert not np.array_equal(x, _covariances.problem(data, 1))


def test_rotations_are_orthogonal_and_some_are_small():
    q = c44.rotations(5, np.random.default_rng(0))
    np.testing.assert_allclose(q @ np.swapaxes(q, 1, 2), np.broadcast_to(np.eye(5), q.shape),
                               atol=1e-13)  # fmt: skip
    assert np.abs(q - np.eye(5)).max(axis=(1, 2)).min() < 0.01


def test_zca_is_scipys_procrustes_optimum():
    """The rotation that takes white data closest to the data turns PCA's output into ZCA's."""
    x = _covariances.problem(_covariances.MILD, 3)
    centered = x - x.mean(axis=0)
    pca, zca = (_covariances.adapted(method, x)[1] for method in c44.SLIDE)
    np.testing.assert_allclose(pca @ orthogonal_procrustes(pca, centered)[0], zca, atol=1e-12)


def test_closed_form_of_the_distance():
    x = _covariances.problem(_covariances.MILD, 4)
    sigma = np.cov(x.T, ddof=0)
    w, z = _covariances.adapted("zca", x)
    np.testing.assert_allclose(w, np.linalg.inv(sqrtm(sigma)), atol=1e-12)
    distance = ((z - (x - x.mean(axis=0))) ** 2).sum(axis=1).mean()
    assert distance == pytest.approx(len(sigma) + np.trace(sigma) - 2 * np.trace(sqrtm(sigma)))


def test_scikit_learn_divides_by_one_less():
    x = _covariances.problem(_covariances.MILD, 5)
    z = PCA(whiten=True).fit_transform(x)
    assert z.var(axis=0) == pytest.approx((len(x) - 1) / len(x))


def test_curve_of_the_rotations_is_lowest_without_one():
    found = c44.measure(Cell({"data": _covariances.PLANE, "method": "zca"}, {}), SEEDS)
    curve = found.curves["distance"]
    np.testing.assert_allclose(curve, np.broadcast_to(found.theory["distance"], curve.shape))
    assert (c44.ANGLES[curve.argmin(axis=1)] == 0).all()
    assert found.arrays["samples"].shape == (150, 2)


def test_slide_is_refuted_in_one_line_and_every_mutant(results):
    verdicts = {h.id: judge(h, results) for h in c44.EXPERIMENT.hypotheses}
    assert verdicts.pop("C44.variance").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_every_cell_rejects_what_is_not_white(results):
    """Not only the worst cell: per condition number, ten times the threshold in each."""
    bound = 10 * c44.EXPERIMENT.hypotheses[0].rule.bound
    for method in (c44.RAW, c44.STANDARDIZED):
        assert (results.select({"method": method}).values("white_error") > bound).all()
