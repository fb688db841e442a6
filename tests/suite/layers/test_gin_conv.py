"""In order: the formula, what a sum sees and a mean does not, weights, edges."""

import numpy as np
import pytest
import scipy.sparse
from backends import numpy

from suite.layers import GINConv

NODES, FEATURES, CHANNELS = 6, 3, 4


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    a = (rng.random((NODES, NODES)) < 0.4).astype("float32")
    return rng.normal(0.7, 1.0, (NODES, FEATURES)).astype("float32"), a


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_the_formula(graph, form):
    x, a = graph
    layer = GINConv(CHANNELS, mlp_hidden=[5], mlp_batchnorm=False, mlp_activation="tanh")
    layer([x, form(a)])
    rng = np.random.default_rng(1)
    weights = [rng.normal(0.3, 1.0, w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    eps, k1, b1, k2, b2 = weights
    z = (1 + eps) * x + a @ x
    expected = np.tanh(z @ k1 + b1) @ k2 + b2
    np.testing.assert_allclose(numpy(layer([x, form(a)])), expected, rtol=1e-4, atol=1e-5)
    mutant = np.tanh(((1 + eps) * x + a.T @ x) @ k1 + b1) @ k2 + b2
    assert np.abs(expected - mutant).max() > 0.1


def test_a_sum_counts_and_a_mean_does_not():
    """Two neighbors with the same features, or three of them: multisets that a mean confuses."""
    two, three = np.zeros((4, 4)), np.zeros((4, 4))
    two[0, 1:3] = three[0, 1:4] = 1
    x = np.ones((4, 1))
    for aggregate, differs in (("sum", True), ("mean", False), ("max", False)):
        layer = GINConv(2, aggregate=aggregate, kernel_initializer="ones")
        assert np.allclose(numpy(layer([x, two])), numpy(layer([x, three]))) != differs


def test_weights_by_name(graph):
    layer = GINConv(CHANNELS, mlp_hidden=[5, 5])
    layer(list(graph))
    names = [w.path.split("/", 1)[1].rsplit("/", 1)[-1] for w in layer.weights]
    norm = ["gamma", "beta", "moving_mean", "moving_variance"]
    hidden = ["kernel", "bias", *norm]
    assert names == ["eps", *hidden, *hidden, "kernel", "bias"]
    fixed = GINConv(CHANNELS, epsilon=0.5)
    fixed(list(graph))
    assert len(fixed.weights) == 2 and fixed.eps == 0.5


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="mlp_hidden must be a positive integer, received 0"):
        GINConv(4, mlp_hidden=[3, 0])
    with pytest.raises(ValueError, match="aggregate.* received 'median'"):
        GINConv(4, aggregate="median")
