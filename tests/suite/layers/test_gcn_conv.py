"""In order: the dense formula, theory (over-smoothing), edges."""

import keras
import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from backends import numpy

from suite.layers import GCNConv, gcn_filter

NODES, FEATURES, CHANNELS = 6, 3, 4


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    a = (rng.random((NODES, NODES)) < 0.4) * rng.uniform(0.5, 2.0, (NODES, NODES))
    return rng.normal(0.7, 1.0, (NODES, FEATURES)), a


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_the_dense_formula(graph, form):
    x, a = graph
    layer = GCNConv(CHANNELS, activation="tanh", bias_initializer="normal")
    y = numpy(layer([x, form(a)]))
    kernel, bias = (w.astype("float64") for w in layer.get_weights())
    np.testing.assert_allclose(y, np.tanh(a @ x @ kernel + bias), rtol=1e-5, atol=1e-6)
    mutant = np.tanh(a.T @ x @ kernel + bias)  # messages against the edges
    assert np.abs(y - mutant).max() > 0.1


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_filter_against_its_formula(graph, symmetric):
    _, a = graph
    loops = a + np.eye(NODES)
    degree = np.diag(loops.sum(1))
    half = np.diag(1 / np.sqrt(np.diag(degree)))
    expected = half @ loops @ half if symmetric else np.linalg.inv(degree) @ loops
    np.testing.assert_allclose(gcn_filter(a, symmetric), expected, rtol=1e-12)
    found = gcn_filter(scipy.sparse.coo_matrix(a), symmetric)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12)
    np.testing.assert_allclose(gcn_filter(np.stack([a, a]), symmetric)[1], expected, rtol=1e-12)
    assert gcn_filter(a.astype("float32")).dtype == np.float32
    assert GCNConv.preprocess is gcn_filter


def test_differences_between_nodes_shrink_at_the_rate_of_the_second_eigenvalue():
    """Over-smoothing, on Zachary's karate club."""
    a = gcn_filter(nx.to_numpy_array(nx.karate_club_graph(), weight=None))
    eigenvalues, vectors = np.linalg.eigh(a)
    layer = GCNConv(1, use_bias=False, kernel_initializer="ones")
    x, sizes = np.random.default_rng(0).normal(size=(len(a), 1)), []
    limit = vectors[:, -1:]  # the stationary direction: sqrt of the degrees
    for _ in range(60):
        x = numpy(layer([x, a])).astype("float64")
        sizes.append(np.linalg.norm(x - limit * (limit.T @ x)))
    slope = np.polyfit(np.arange(20, 60), np.log(sizes[20:]), 1)[0]
    np.testing.assert_allclose(np.exp(slope), eigenvalues[-2], rtol=1e-3)
    np.testing.assert_allclose(eigenvalues[-2], 0.89614, atol=5e-6)  # C70 of the ledger


def test_penalties_and_config(graph):
    x, a = graph
    layer = GCNConv(CHANNELS, kernel_regularizer=keras.regularizers.L2(0.1), use_bias=False)
    layer([x, a])
    assert len(layer.losses) == len(layer.get_weights()) == 1


def test_bad_adjacencies_are_refused():
    with pytest.raises(ValueError, match=r"a must be a square matrix, received the shape \(2, 3\)"):
        gcn_filter(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"a must have no negative degrees, received -2"):
        gcn_filter(np.array([[0.0, -3.0], [1.0, 0.0]]))
