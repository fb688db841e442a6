"""In order: the formula edge by edge, theory of the softmax, dropout, edges."""

import keras
import numpy as np
import pytest
import scipy.sparse
from backends import layer_gradients, numpy

from suite.layers import GATConv

NODES, FEATURES, CHANNELS, HEADS = 6, 3, 4, 2


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    a = (rng.random((NODES, NODES)) < 0.4).astype("float32")
    a[2], a[1, 1] = 0, 1  # nobody sends to node 2; a loop at node 1
    return rng.normal(0.7, 1.0, (NODES, FEATURES)).astype("float32"), a


def by_loops(x, a, weights, loops, concat):
    kernel, own, neighbor, bias = (w.astype("float64") for w in weights)
    heads, alphas = [], np.zeros((NODES, HEADS, NODES))
    for k in range(HEADS):
        h, y = x @ kernel[:, k], np.zeros((NODES, CHANNELS))
        for i in range(NODES):
            sources = [j for j in range(NODES) if a[i, j] or (loops and i == j)]
            s = np.array([h[i] @ own[:, k, 0] + h[j] @ neighbor[:, k, 0] for j in sources])
            e = np.exp(np.where(s > 0, s, 0.2 * s))
            for j, weight in zip(sources, e / e.sum(), strict=True):
                y[i] += weight * h[j]
                alphas[i, k, j] = weight
        heads.append(y)
    return (np.concatenate(heads, 1) if concat else np.mean(heads, 0)) + bias, alphas


@pytest.mark.parametrize("concat", [True, False])
@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_the_formula_edge_by_edge(graph, form, loops, concat):
    x, a = graph
    layer = GATConv(
        CHANNELS,
        attn_heads=HEADS,
        concat_heads=concat,
        add_self_loops=loops,
        return_attn_coef=True,
        bias_initializer="normal",
    )
    y, alpha = layer([x, form(a)])
    expected, alphas = by_loops(x, a, layer.get_weights(), loops, concat)
    np.testing.assert_allclose(numpy(y), expected, rtol=1e-4, atol=1e-5)
    if form is np.asarray:
        np.testing.assert_allclose(numpy(alpha), alphas, rtol=1e-4, atol=1e-6)
    else:
        rows, columns = np.nonzero(a)
        if loops:
            kept = alphas[rows, :, columns] * (rows != columns)[:, None]
            diagonal = alphas[np.arange(NODES), :, np.arange(NODES)]
            alphas = np.concatenate([kept, diagonal])
        else:
            alphas = alphas[rows, :, columns]
        np.testing.assert_allclose(numpy(alpha)[..., 0], alphas, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_large_scores_neither_overflow_nor_vanish(graph, form):
    x, a = graph
    layer = GATConv(CHANNELS, attn_heads=HEADS, dropout_rate=0.0)
    y, slopes = layer_gradients(layer, [1e4 * x, form(a)], lambda y: keras.ops.mean(y))
    assert all(np.isfinite(found).all() for found in (y, *slopes))
    layer = GATConv(CHANNELS, return_attn_coef=True)
    _, alpha = layer([1e4 * x, a])
    np.testing.assert_allclose(numpy(alpha).sum(-1), 1.0, rtol=1e-5)


def test_the_two_attention_kernels_start_differently(graph):
    layer = GATConv(CHANNELS, attn_heads=HEADS)
    layer(list(graph))
    _, own, neighbor, _ = layer.get_weights()
    assert own.shape == neighbor.shape == (CHANNELS, HEADS, 1)
    assert not np.allclose(own, neighbor)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_dropout_of_the_attention_keeps_the_mean(form):
    x = np.ones((400, 1), "float32")
    a = form(np.ones((400, 400), "float32"))
    layer = GATConv(1, dropout_rate=0.25, kernel_initializer="ones")
    np.testing.assert_allclose(numpy(layer([x, a])), 1.0, rtol=1e-4)
    y = numpy(layer([x, a], training=True))[:, 0]
    # Each of 400 weights 1/400 is kept with 3/4 and divided by it: variance (1/3) / 400.
    assert abs(y.mean() - 1) < 5 * np.sqrt(1 / 3 / 400 / 400)
    np.testing.assert_allclose(y.std(), np.sqrt(1 / 3 / 400), rtol=0.2)


def test_symbolic_shapes_of_the_coefficients():
    layer = GATConv(CHANNELS, attn_heads=HEADS, return_attn_coef=True)
    y, alpha = layer([keras.Input((5, 3)), keras.Input((5, 5))])
    assert y.shape == (None, 5, CHANNELS * HEADS) and alpha.shape == (None, 5, HEADS, 5)
    layer = GATConv(CHANNELS, attn_heads=HEADS, return_attn_coef=True)
    y, alpha = layer([keras.Input((3,)), keras.Input((None,), sparse=True)])
    assert alpha.shape[1:] == (HEADS, 1)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="attn_heads must be a positive integer, received 0"):
        GATConv(4, attn_heads=0)
    with pytest.raises(ValueError, match="received 1.5"):
        GATConv(4, dropout_rate=1.5)
