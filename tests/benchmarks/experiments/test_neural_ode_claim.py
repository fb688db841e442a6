"""C69: flows against SciPy, gradients against a formula, verdicts and mutants."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from benchmarks.experiments.architectures import neural_ode as c69
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c69.EXPERIMENT.cells():
        found = c69.measure(cell, SEEDS)
        found.check(c69.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_the_exponential_is_the_solution():
    matrices, starts = c69.fields((3, 4))
    ends = c69.exact(matrices, starts)
    for a, z, end in zip(matrices, starts, ends, strict=True):
        found = solve_ivp(lambda t, z, a=a: a @ z, (0, 1), z, rtol=1e-11, atol=1e-12).y[:, -1]
        np.testing.assert_allclose(end, found, rtol=1e-9)


def test_one_step_of_euler_by_hand():
    matrices, starts = c69.fields((5,))
    expected = starts[0] + matrices[0] @ starts[0]
    np.testing.assert_allclose(c69.flow(matrices, starts, "euler", 1)[0], expected)
    np.testing.assert_allclose(c69.residual_network(matrices, starts, 1)[0], expected)


def test_the_gradient_is_that_of_sensitivities():
    """dz/dt = tanh(A z) together with dS/dt for each entry of A, by SciPy."""
    adjoint, backpropagated, _, _ = c69.gradients(2)
    (a,), (z0,) = c69.fields((2,))
    n = len(z0)

    def slope(t, state):
        z, s = state[:n], state[n:].reshape(n, n, n)  # s[i] = dz_i / dA
        y = np.tanh(a @ z)
        gain = 1 - y**2
        ds = gain[:, None, None] * np.einsum("ij,jkl->ikl", a, s)
        for k in range(n):
            ds[k, k] += gain[k] * z
        return np.concatenate([y, ds.ravel()])

    start = np.concatenate([z0, np.zeros(n**3)])
    end = solve_ivp(slope, (0, 1), start, rtol=1e-11, atol=1e-13).y[:, -1]
    expected = np.einsum("i,ikl->kl", end[:n], end[n:].reshape(n, n, n))
    np.testing.assert_allclose(adjoint.T, expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(backpropagated.T, expected, rtol=1e-6, atol=1e-8)


def test_one_long_step_crosses_and_short_ones_do_not():
    assert c69.crossings(1.0, 1) > 0
    z = c69.STARTS - 3 * np.tanh(c69.STARTS)
    assert c69.crossings(1.0, 1) == (np.diff(z) <= 0).sum()
    assert c69.crossings(1 / 64, 64) == 0


def test_paths_have_gaps_between_them():
    paths = c69.trajectories("rk4")
    assert np.isnan(paths).any(axis=1).sum() == 3
    energy = paths[:25, 1] ** 2 / 2 - np.cos(paths[:25, 0])
    assert np.ptp(energy) < 0.01  # a closed orbit
    assert np.ptp(c69.trajectories("euler")[:25, 0]) > np.ptp(paths[:25, 0])


def test_pictures_belong_to_two_cells():
    with_path = [
        cell.label
        for cell in c69.EXPERIMENT.cells()
        if cell.solver != "dormand_prince5" and c69.measure(cell, SEEDS[:1]).arrays
    ]
    assert with_path == ["solver=euler, steps=8", "solver=rk4, steps=8"]


def test_verdicts(results):
    for hypothesis in c69.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, (hypothesis.id, verdict.sentence)
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants), hypothesis.id
