"""In order: by hand, NetworkX and NumPy as oracles, theory, edges."""

import networkx as nx
import numpy as np
import pytest

from suite.datasets import (
    graph_dataset,
    icosphere,
    karate_club,
    molecules,
    stochastic_block_model,
)
from suite.datasets.graphs import VALENCES


def network(graph):
    return nx.from_scipy_sparse_array(graph.a)


def test_the_karate_club():
    club = karate_club()
    np.testing.assert_array_equal(
        club.a.toarray() != 0, nx.to_numpy_array(nx.karate_club_graph()) != 0
    )
    assert set(club.a.data) == {1.0}
    assert (club.y[0], club.y[33], club.y.sum()) == (0, 1, 17)


def test_block_model_joins_as_often_as_it_says():
    sizes, within, between = (300, 200), 0.1, 0.02
    graph = stochastic_block_model(sizes, within, between, seed=0, separation=2.0)
    a, y = graph.a.toarray(), graph.y
    np.testing.assert_array_equal(a, a.T)
    assert not np.diag(a).any() and np.bincount(y).tolist() == [300, 200]
    same = (y[:, None] == y)[np.triu_indices(500, 1)]
    drawn = a[np.triu_indices(500, 1)]
    for pairs, p in ((drawn[same], within), (drawn[~same], between)):
        assert abs(pairs.mean() - p) < 4 * np.sqrt(p * (1 - p) / len(pairs))
    for block in (0, 1):
        mean = graph.x[y == block].mean(axis=0) - 2 * np.eye(2)[block]
        assert (np.abs(mean) < 4 / np.sqrt(sizes[block])).all()


def test_molecules_have_the_rings_they_say():
    found = molecules(60, atoms=9, seed=1, rings=3)
    for molecule in found:
        skeleton = network(molecule)
        assert nx.is_connected(skeleton) and molecule.x.shape == (9, 3)
        cycles = nx.minimum_cycle_basis(skeleton)
        assert len(cycles) == molecule.y[0]
        degrees = np.array([degree for _, degree in skeleton.degree])
        assert (degrees <= molecule.x @ VALENCES).all()
        if len(cycles) == 1:
            assert len(cycles[0]) in (5, 6)


def test_atoms_say_nothing_about_the_rings():
    found = molecules(1500, atoms=8, seed=2)
    rings = np.array([m.y[0] for m in found])
    share = np.bincount(rings, minlength=3) / len(rings)
    assert (np.abs(share - 1 / 3) < 4 * np.sqrt(2 / 9 / len(rings))).all()
    carbons = np.array([m.x[:, 0].sum() for m in found])
    correlation = np.corrcoef(carbons, rings)[0, 1]
    assert abs(correlation) < 4 / np.sqrt(len(found))


def test_icosahedron_by_hand():
    """Equilateral triangles: the cotangent of 60 degrees is one over the square root of three."""
    mesh = icosphere(0)
    assert (mesh.n_nodes, mesh.n_edges // 2, len(mesh.faces)) == (12, 30, 20)
    np.testing.assert_allclose(mesh.a.data, 1 / np.sqrt(3), rtol=1e-14)


@pytest.mark.parametrize("subdivisions", [0, 1, 2])
def test_icosphere_is_a_sphere(subdivisions):
    mesh = icosphere(subdivisions)
    vertices, edges = mesh.n_nodes, mesh.n_edges // 2
    assert vertices == 10 * 4**subdivisions + 2
    assert vertices - edges + len(mesh.faces) == 2  # Euler
    np.testing.assert_allclose(np.linalg.norm(mesh.x, axis=1), 1, rtol=1e-14)
    assert mesh.area.sum() < 4 * np.pi < 1.4 * mesh.area.sum()  # an inscribed surface
    # The gradient of the area, which points along the normals: outwards, on average of x itself.
    moved = mesh.a.sum(axis=1)[:, 0].A1[:, None] * mesh.x - mesh.a @ mesh.x
    cosines = np.sum(moved * mesh.x, axis=1) / np.linalg.norm(moved, axis=1)
    assert cosines.min() > 0.99
    # sum_i x_i (L x)_i is twice the area, in every dimension: Dirichlet energy of the identity.
    np.testing.assert_allclose(np.sum(moved * mesh.x), 2 * mesh.area.sum(), rtol=1e-13)


def test_a_data_set_for_spektrals_loaders():
    from spektral.data import DisjointLoader

    loader = DisjointLoader(
        graph_dataset(molecules(3, atoms=7, seed=3)), batch_size=3, epochs=1, shuffle=False
    )
    (x, a, i), y = next(iter(loader))
    assert x.shape == (21, 3) and tuple(a.shape) == (21, 21) and y.shape == (3, 1)
    np.testing.assert_array_equal(i, np.repeat(np.arange(3), 7))


def test_another_seed_is_another_graph():
    first, again, other = (stochastic_block_model((9, 9), 0.5, 0.1, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.a.toarray(), again.a.toarray())
    assert (first.a != other.a).nnz
    a, b = (molecules(4, 8, seed=5)[3] for _ in range(2))
    np.testing.assert_array_equal(a.a.toarray(), b.a.toarray())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: stochastic_block_model((3, 3), 1.5, 0.1, 0), "within must lie in .* 1.5"),
        (lambda: stochastic_block_model((3, 0), 0.5, 0.1, 0), "sizes must be positive .*0"),
        (lambda: stochastic_block_model((), 0.5, 0.1, 0), "sizes must be positive"),
        (lambda: molecules(0, 8, 0), "n must be at least 1, received 0"),
        (lambda: molecules(2, 5, 0), "atoms must be at least 6, received 5"),
        (lambda: molecules(2, 8, 0, rings=0), "rings must be at least 1, received 0"),
        (lambda: molecules(1, 6, 0, rings=9), "rings must have place among 6 atoms"),
        (lambda: icosphere(-1), "subdivisions must not be negative, received -1"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
