"""C07: small cases by hand, the gradient flow as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit

from benchmarks.experiments.logistic_regression import convexity_and_minimizer as c07
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(4)


@pytest.fixture(scope="module")
def measured():
    cells = c07.EXPERIMENT.cells()
    return [(cell, c07.measure(cell, SEEDS)) for cell in cells]


@pytest.fixture(scope="module")
def results(measured):
    diverged = np.zeros(len(SEEDS), bool)
    return Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )


def signed(data, seed):
    x, y = c07.problem(data, seed)
    return (2 * y - 1)[:, None] * x


def test_separation_on_a_line():
    """With a bias: -1 | 1 separate strictly, touching at 0 only weakly, interleaved not at all."""
    ones = np.ones(4)

    def rows(x, y):
        return (2 * np.array(y) - 1)[:, None] * np.column_stack([x, ones])

    apart = rows([-2, -1, 1, 2], [0, 0, 1, 1])
    touching = rows([-1, 0, 0, 1], [0, 0, 1, 1])
    mixed = rows([-1, 0, 1, 2], [0, 1, 0, 1])
    assert c07.strictly_separates(apart)
    assert not c07.strictly_separates(touching)
    assert not c07.strictly_separates(mixed)
    assert c07.weakly_separates(mixed) is None
    for case in (apart, touching):
        logits = case @ c07.weakly_separates(case)
        assert logits.min() >= -1e-7
        assert logits.max() > 0.5


def test_one_feature_seen_by_no_sample_does_not_separate():
    """A zero column has directions that leave every logit at zero: flat, not separating."""
    x = np.column_stack([[1.0, 1.0], [0.0, 0.0]])
    assert c07.weakly_separates(np.array([1.0, -1.0])[:, None] * x) is None


def test_hard_margin_of_a_known_triangle():
    """Signed samples (1, 2), (1, -1): the nearest to the origin on their segment is (1, 0)."""
    normal, margin = c07.hard_margin(np.array([[1.0, 2.0], [1.0, -1.0], [4.0, 0.5]]))
    np.testing.assert_allclose(normal, [1, 0], atol=1e-6)
    assert margin == pytest.approx(1)


def test_construction_has_the_margin_it_promises():
    """Against a quadratic program: minimize ||v||^2 with all signed logits at least 1."""
    for seed in SEEDS:
        x, y, normal = c07.separable_problem(np.random.default_rng([seed, 2]))
        rows = (2 * y - 1)[:, None] * x
        np.testing.assert_array_equal(rows, signed(c07.SEPARABLE, seed))
        limits = {"type": "ineq", "fun": lambda v, rows=rows: rows @ v - 1}
        found = minimize(lambda v: v @ v / 2, normal, constraints=limits, tol=1e-12).x
        assert 1 / np.linalg.norm(found) == pytest.approx(c07.MARGIN, rel=1e-6)
        assert c07.sine(found, normal) < 1e-6


def test_chord_of_a_cosine_by_hand():
    """cos on [-pi/2, pi/2] lies 1 above its chord of height 0; x^2 lies below."""
    ends = np.array([[[-np.pi / 2], [np.pi / 2]], [[0.0], [2 * np.pi]]])
    shares = np.array([0.5, 0.5])
    found = c07.chord_violation(lambda w: np.cos(w[0]), ends, shares)
    assert found == pytest.approx(1)  # and the largest end value is 1
    assert c07.chord_violation(lambda w: w @ w, ends, shares) == 0


def test_squared_error_hessian_against_differences():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(0.5, 1, (7, 3)), rng.integers(0, 2, 7), rng.normal(size=3)

    def gradient(w):
        p = expit(x @ w)
        return x.T @ (2 * (p - y) * p * (1 - p))

    theirs = approx_fprime(w, gradient, 1e-7)  # forward: error about 1e-7
    np.testing.assert_allclose(c07.squared_error_hessian(w, x, y), theirs, atol=1e-5)


def test_descent_by_hand_and_against_the_gradient_flow():
    """First step from zero: the sum of the signed rows, halved, over beta. Later, the flow."""
    rows = signed(c07.SEPARABLE, 1)[None]
    marks, path, beta = c07.descend(rows, 2000)
    assert marks[0] == 1
    np.testing.assert_allclose(beta[0], np.linalg.eigvalsh(rows[0].T @ rows[0])[-1] / 4)
    np.testing.assert_allclose(path[0, 0], rows[0].sum(axis=0) / 2 / beta[0])

    def flow(_, w):
        return rows[0].T @ expit(-rows[0] @ w) / beta[0]

    end = solve_ivp(flow, (0, 2000), np.zeros(2), method="LSODA", rtol=1e-9, atol=1e-9).y[:, -1]
    # Discrete steps shift the clock by a few steps of 2000.
    np.testing.assert_allclose(path[-1, 0], end, rtol=0.01)


def test_shortest_minimizer_of_a_repeated_feature():
    """The copies share the weight, and the sum of the two is the single one's."""
    x, y = c07.problem(c07.OVERLAPPING, 2)
    run, twice = c07.minimize(x[:, [0, 1, 0]], y)
    _, once = c07.minimize(x, y)
    assert run.converged
    np.testing.assert_allclose(twice, [once[0] / 2, once[1], once[0] / 2], rtol=1e-8)


def test_shapes_and_pictures(measured):
    for cell, found in measured:
        found.check(c07.EXPERIMENT, len(SEEDS))
        if cell.data == c07.OVERLAPPING:
            loss, chord = found.arrays["loss"], found.arrays["chord"]
            between = (loss[:, 0] >= 0) & (loss[:, 0] <= 1)
            line = np.interp(loss[between, 0], chord[:, 0], chord[:, 1])
            assert (loss[between, 1] <= line * (1 + 1e-12)).all()
        if cell.data == c07.REPEATED:
            np.testing.assert_allclose(found.curves["loss_on_ray"], np.log(2))
        if cell.data in (c07.TOUCHING, c07.SEPARABLE, c07.THIRTY):
            assert (np.diff(found.curves["loss_on_ray"]) < 0).all()


def test_slide_is_refuted_and_the_correction_holds(results):
    verdicts = {h.id: judge(h, results) for h in c07.EXPERIMENT.hypotheses}
    assert verdicts.pop("C07.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}
