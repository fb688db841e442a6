"""C70: by hand, NumPy and NetworkX as oracles, theory of smoothing, the verdicts, the mutants."""

import networkx as nx
import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.architectures import (
    _graph_identities,
    _graph_mesh,
    _graph_smoothing,
    _graphs,
)
from benchmarks.experiments.architectures import graph_networks as c70
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)
JUDGED = ("equivariant", "invariant", "formula", "twins", "triangles", "rings", "mesh")


@pytest.fixture(scope="module")
def trials():
    """Identities of each cell, without the smoothing and the training."""
    cells = []
    (order, squares), _, _ = _graph_mesh.sphere()
    (equal, _), _, _ = _graph_mesh.sphere(equal=True)
    for cell in c70.EXPERIMENT.cells():
        found = [_graph_identities.identities(cell.domain, cell.network, seed) for seed in SEEDS]
        values = {name: np.array([one[name] for one in found]) for name in found[0]}
        mesh = {"sphere_order": order, "sphere_equal": equal, "sphere_squares": squares}
        values |= {name: np.full(len(SEEDS), value) for name, value in mesh.items()}
        cells.append(CellResult(cell.factors, SEEDS, values, np.zeros(len(SEEDS), bool)))
    return Results(tuple(cells))


def hypothesis(name):
    return next(h for h in c70.EXPERIMENT.hypotheses if h.id == f"C70.{name}")


def test_a_square_with_a_tail_by_hand():
    """Nodes 0-1-2-3-0 and 4 at 0: one ring, degrees 3 2 2 2 1, no triangle."""
    a = nx.to_numpy_array(nx.Graph([(0, 1), (1, 2), (2, 3), (3, 0), (0, 4)]))
    assert _graph_identities.rings_by_messages(a, np.zeros(5, int)) == [1.0]
    assert _graph_identities.triangles_by_messages(a) == 0
    a[1, 3] = a[3, 1] = 1
    assert _graph_identities.rings_by_messages(a, np.zeros(5, int)) == [2.0]
    assert _graph_identities.triangles_by_messages(a) == 2


def test_triangles_against_networkx():
    club = nx.karate_club_graph()
    a = nx.to_numpy_array(club, weight=None)
    assert _graph_identities.triangles_by_messages(a) == sum(nx.triangles(club).values()) / 3


def test_laplacian_is_degrees_minus_weights():
    from suite.datasets import icosphere

    mesh = icosphere(1)
    weights = mesh.a.toarray()
    expected = np.diag(weights.sum(axis=1)) - weights
    np.testing.assert_allclose(_graph_mesh.laplacian(mesh), expected, atol=1e-14)
    found = np.linalg.eigvalsh(expected / np.sqrt(mesh.area[:, None] * mesh.area))
    assert abs(found[0]) < 1e-12 and (np.abs(found[1:4] / 2 - 1) < 1e-3).all()


def test_eigenvalues_come_in_the_spheres_multiplets():
    _, eigenvalues, exact = _graph_mesh.sphere()
    np.testing.assert_array_equal(exact, np.repeat([0, 2, 6, 12], [1, 3, 5, 7]))
    np.testing.assert_allclose(eigenvalues, exact, rtol=0.02, atol=1e-10)


def test_smoothing_follows_the_whole_spectrum():
    """Every mode shrinks by its own eigenvalue: the distance is known at each layer."""
    values, distances, second = _graph_smoothing.smoothing(_graphs.SOCIAL, (3, 4))
    a = nx.to_numpy_array(nx.karate_club_graph(), weight=None) + np.eye(34)
    scale = a.sum(axis=1) ** -0.5
    eigenvalues, vectors = np.linalg.eigh(scale[:, None] * a * scale)
    assert second[0] == pytest.approx(eigenvalues[-2], rel=1e-13)
    start = np.random.default_rng(3).normal(0.5, 1, (34, _graph_smoothing.FEATURES))
    squares = np.sum((vectors.T @ start) ** 2, axis=1)[:-1]
    layers = np.arange(_graph_smoothing.SHOWN + 1)
    exact = np.sqrt(np.abs(eigenvalues[:-1]) ** (2.0 * layers[:, None]) @ squares)
    np.testing.assert_allclose(distances[0], exact / exact[0], rtol=1e-11)
    assert (values["rate_error"] < 1).all() and (values["rate_of_third"] > 1e3).all()
    assert (values["relu_factor"] <= 1).all() and (values["relu_with_skip"] > 1).all()


def test_room_of_two_modes_by_hand():
    """Eigenvalues 1, 1/2, 1/4, equal parts: after two layers the third has 1/16 of the square."""
    start = np.ones((1, 3, 1))
    room = _graph_smoothing.room_for_faster(
        start, np.array([[1, 0.5, 0.25]]), np.eye(3)[None], np.array([2])
    )
    np.testing.assert_allclose(room, [1 / 16 / 2], rtol=1e-15)


def test_label_spreading_needs_the_edges():
    found = _graph_smoothing.spreading(_graphs.BLOCKS, (0, 1, 2))
    assert found.shape == (3,) and (found > 0.7).all()


def test_hidden_labels():
    y = np.array([0, 1, 0, 1, 1, 0])
    learned, tested = _graphs.known(y, 2, seed=5)
    seen = learned != _graphs.HIDDEN
    assert seen.sum() == 4 and (learned[seen] == y[seen]).all() and learned[seen].sum() == 2
    np.testing.assert_array_equal(tested, np.where(seen, _graphs.HIDDEN, y))
    outputs = np.eye(2)[[0, 1, 1, 0, 1, 0]]  # wrong at nodes 2 and 3
    right = np.array([1, 1, 0, 0, 1, 1.0])
    found = np.mean(_graphs.accuracy(learned[None], outputs[None]))
    assert found == pytest.approx(right[seen].mean())


@pytest.mark.parametrize("domain", [_graphs.SOCIAL, _graphs.MOLECULES])
def test_tasks_hold_the_graph_beside_the_features(domain):
    (x, y), (x_test, y_test) = _graphs.task(domain, _graphs.GIN, 0, molecules_each=6)
    nodes = x.shape[1]
    a = x[..., -nodes:]
    np.testing.assert_array_equal(a, a.swapaxes(1, 2))
    if domain == _graphs.MOLECULES:
        assert x.shape == x_test.shape == (6, 10, 13) and y.shape == y_test.shape == (6,)
        rings = [len(nx.cycle_basis(nx.from_numpy_array(one))) for one in a]
        np.testing.assert_array_equal(rings, y)
    else:
        assert x.shape == (1, 34, 68) and (y >= 0).sum() == 2 and (y_test >= 0).sum() == 32
    (x, _), _ = _graphs.task(domain, _graphs.ALONE, 0, molecules_each=6)
    off = x[..., -nodes:] * (1 - np.eye(nodes))
    assert not off.any()


@pytest.mark.parametrize("name", JUDGED)
def test_verdicts(trials, name):
    verdict = judge(hypothesis(name), trials)
    assert verdict.outcome == SUPPORTED, verdict.sentence
    assert {m[1] for m in verdict.mutants} <= {REFUTED}, verdict.mutants


def test_one_cell_as_smoke():
    budget = {**c70.EXPERIMENT.budget, **c70.EXPERIMENT.smoke}
    cell = Cell({"domain": _graphs.SOCIAL, "network": _graphs.GCN}, budget)
    found = c70.measure(cell, SEEDS)
    found.check(c70.EXPERIMENT, len(SEEDS))
    assert found.arrays["nodes"].shape == (34, 2) and found.arrays["edges"].shape == (78 * 3, 2)
