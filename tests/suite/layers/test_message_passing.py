"""In order: by hand, a loop over the edges, theory (symmetry, 1-WL), Spektral's loaders, edges."""

import keras
import networkx as nx
import numpy as np
import pytest
import scipy.sparse
from backends import BACKEND, compiled, gradients, layer_gradients, numpy
from keras import ops

from suite.layers import GATConv, GCNConv, GINConv, GlobalSumPool, MessagePassing

NODES, FEATURES, CHANNELS = 7, 3, 4
LAYERS = {
    "gcn": lambda: GCNConv(CHANNELS),
    "gat": lambda: GATConv(CHANNELS, attn_heads=2, dropout_rate=0.0),
    "gin": lambda: GINConv(CHANNELS, mlp_hidden=[5]),
    "sum": lambda: MessagePassing("sum"),
    "mean": lambda: MessagePassing("mean"),
    "max": lambda: MessagePassing("max"),
    "edges": lambda: Weighted("max"),
}


class Weighted(MessagePassing):
    """A message of both ends and the edge."""

    def message(self, target, source, edge):
        return ops.concatenate([target * source, edge * source], axis=-1)

    def update(self, x, messages):
        return ops.concatenate([x, messages], axis=-1)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.7, 1.0, (NODES, FEATURES)).astype("float32")


@pytest.fixture
def a():
    """Directed, weighted, with a loop at node 1; nobody sends to node 2."""
    rng = np.random.default_rng(1)
    a = (rng.random((NODES, NODES)) < 0.4) * rng.normal(1.5, 1.0, (NODES, NODES))
    a[2], a[1, 1] = 0, 0.7
    return a.astype("float32")


def sparse(a):
    return scipy.sparse.csr_matrix(a)


def test_messages_go_from_the_column_to_the_row():
    a, x = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]]), np.array([[1.0], [2.0], [5.0]])
    for adjacency in (a, sparse(a)):
        for aggregate, expected in (("sum", 7.0), ("mean", 3.5), ("max", 5.0)):
            y = numpy(MessagePassing(aggregate)([x, adjacency]))
            np.testing.assert_array_equal(y, [[expected], [0], [0]])


@pytest.mark.parametrize("aggregate", ["sum", "mean", "max"])
@pytest.mark.parametrize("form", [np.asarray, sparse])
def test_a_loop_over_the_edges(x, a, aggregate, form):
    expected = np.zeros((NODES, 2 * FEATURES))
    for i in range(NODES):
        messages = [np.concatenate([x[i] * x[j], a[i, j] * x[j]]) for j in np.nonzero(a[i])[0]]
        if messages:
            expected[i] = getattr(np, aggregate)(messages, axis=0)
    y = numpy(Weighted(aggregate)([x, form(a)]))
    np.testing.assert_allclose(y, np.concatenate([x, expected], axis=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_features_of_the_edges(x, a, form):
    class Both(MessagePassing):
        def message(self, target, source, edge):
            return ops.sum(edge, axis=-1, keepdims=True) * source

    e = np.random.default_rng(2).normal(size=(NODES, NODES, 2)).astype("float32")
    expected = ((a != 0) * e.sum(-1)) @ x
    inputs = [x, a, e] if form == "dense" else [x, sparse(a), e[np.nonzero(a)]]
    np.testing.assert_allclose(numpy(Both()(inputs)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_sparse_dense_batch_and_compiled_agree_with_their_gradients(x, a, name):
    dense, batch = LAYERS[name](), LAYERS[name]()
    y, slopes = layer_gradients(dense, [x, a])
    twin = LAYERS[name]()
    for other, inputs in ((twin, [x, sparse(a)]), (batch, [np.stack([x, 2 * x]), a])):
        other(inputs)
        other.set_weights(dense.get_weights())
    z, others = layer_gradients(twin, [x, sparse(a)])
    np.testing.assert_allclose(z, y, rtol=1e-4, atol=1e-5)
    for ours, reference in zip(others, slopes, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(numpy(batch([np.stack([x, 2 * x]), a]))[0], y, rtol=1e-4, atol=1e-5)
    together = compiled(lambda x: twin([x, sparse(a)]))(ops.convert_to_tensor(x))
    np.testing.assert_allclose(numpy(together), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("form", [np.asarray, sparse])
def test_renaming_the_nodes_renames_the_output(x, a, name, form):
    layer, order = LAYERS[name](), np.random.default_rng(3).permutation(NODES)
    y = numpy(layer([x, form(a)]))
    renamed = numpy(layer([x[order], form(a[np.ix_(order, order)])]))
    np.testing.assert_allclose(renamed, y[order], rtol=1e-4, atol=1e-5)
    total = numpy(GlobalSumPool()(renamed))
    np.testing.assert_allclose(total, y.sum(0, keepdims=True), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["gcn", "gat", "gin"])
def test_a_hexagon_and_two_triangles_look_the_same(name):
    """The limit of message passing: one round of color refinement cannot tell them apart (1-WL)."""
    layer, features = LAYERS[name](), np.ones((6, FEATURES), "float32")
    graphs = [nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))]
    readouts = [
        numpy(GlobalSumPool()(layer([features, nx.to_scipy_sparse_array(graph)])))
        for graph in (*graphs, nx.path_graph(6))
    ]
    np.testing.assert_allclose(readouts[0], readouts[1], rtol=1e-6)
    assert [sum(nx.triangles(graph).values()) // 3 for graph in graphs] == [0, 2]
    if name != "gat":  # whose mean of equal features is that feature
        assert not np.allclose(readouts[0], readouts[2], rtol=1e-3)


@pytest.mark.parametrize("form", [np.asarray, sparse])
@pytest.mark.parametrize("name", LAYERS)
def test_isolated_nodes_and_graphs_without_edges_are_finite(x, name, form):
    y, slopes = layer_gradients(LAYERS[name](), [x, form(np.zeros((NODES, NODES), "float32"))])
    assert all(np.isfinite(found).all() for found in (y, *slopes))


@pytest.mark.parametrize("form", [np.asarray, sparse])
def test_equal_largest_messages_share_the_gradient(form):
    a = form(np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]], "float32"))
    layer = MessagePassing("max")
    _, (slope,) = gradients(
        lambda x: ops.sum(layer([x, a])), np.array([[0.0], [2], [2]], "float32")
    )
    np.testing.assert_allclose(slope, [[0], [0.5], [0.5]])


@pytest.mark.parametrize("name", LAYERS)
def test_a_mask_leaves_nodes_out(x, a, name):
    a[:, -1], padded = 0, np.stack([x, x])
    padded[:, -1] = 0
    masked = keras.layers.Masking(0.0)(padded)
    y = LAYERS[name]()([masked, np.stack([a, a])])
    if name != "gat":
        np.testing.assert_array_equal(numpy(y)[:, -1], 0)
    pooled = numpy(GlobalSumPool()(y))
    np.testing.assert_allclose(pooled, numpy(y)[:, :-1].sum(1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["gcn", "gat", "gin"])
def test_a_half_precision_policy_on_a_sparse_graph(x, a, name):
    layer = {"gcn": GCNConv, "gat": GATConv, "gin": GINConv}[name](CHANNELS, dtype="mixed_float16")
    y = layer([x, sparse(a)])
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert np.isfinite(numpy(y)).all()


def test_bad_graphs_are_refused(x, a):
    layer = MessagePassing()
    with pytest.raises(ValueError, match=r"must be square, received the shape \(7, 6\)"):
        layer([x, a[:, :6]])
    with pytest.raises(ValueError, match=r"one row for each node .* received the shape \(6, 6\)"):
        layer([x, sparse(a[:6, :6])])
    with pytest.raises(ValueError, match=r"rank 2, or 3 in batches, received \(7,\)"):
        layer([x, a[0]])
    with pytest.raises(ValueError, match=r"x must have the shape .* received \(2, 7, 3\)"):
        layer([np.stack([x, x]), sparse(a)])
    with pytest.raises(ValueError, match=r"one row for each node .* \(4, 7, 7\)"):
        layer([np.stack([x, x]), np.stack([a] * 4)])
    with pytest.raises(ValueError, match="inputs must be a list"):
        layer(x)
    with pytest.raises(ValueError, match=r"inputs must be \[x, a, e\], received 1"):
        layer([x])


# --- Spektral's data in `fit` --------------------------------------------------------------------


needs_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="Spektral's loaders give TensorFlow's tensors"
)


def datasets():
    """One graph with a label for each node, and rings with a label for each graph."""
    from spektral.data import Dataset, Graph
    from spektral.transforms import LayerPreprocess

    def ring(nodes, y):
        x = np.random.default_rng(nodes).normal(size=(nodes, FEATURES)).astype("float32")
        a = nx.to_scipy_sparse_array(nx.cycle_graph(nodes), format="csr").astype("float32")
        return Graph(x=x, a=scipy.sparse.csr_matrix(a), y=np.asarray(y, "float32"))

    class Nodes(Dataset):
        def read(self):
            return [ring(9, np.eye(CHANNELS)[np.arange(9) % CHANNELS])]

    class Graphs(Dataset):
        def read(self):
            return [ring(nodes, [nodes]) for nodes in (3, 4, 5, 6, 7, 8, 4)]

    return [kind(transforms=LayerPreprocess(GCNConv)) for kind in (Nodes, Graphs)]


class NodeModel(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.convolution = layer

    def call(self, inputs):
        return self.convolution(inputs)


class GraphModel(NodeModel):
    def __init__(self, layer):
        super().__init__(layer)
        self.pool, self.dense = GlobalSumPool(), keras.layers.Dense(1)

    def call(self, inputs):
        x, a, i = inputs
        return self.dense(self.pool([self.convolution([x, a]), i]))


def functional(layer, disjoint):
    x, a = keras.Input((FEATURES,)), keras.Input((None,), sparse=True)
    if not disjoint:
        return keras.Model([x, a], layer([x, a]))
    i = keras.Input((), dtype="int64")
    y = keras.layers.Dense(1)(GlobalSumPool()([layer([x, a]), i]))
    return keras.Model([x, a, i], y)


@needs_tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("style", ["functional", "subclass"])
@pytest.mark.parametrize("name", ["gcn", "gat", "gin"])
def test_fit_with_a_single_loader(name, style, jit_compile):
    from spektral.data import SingleLoader

    loader = SingleLoader(datasets()[0])
    layer = LAYERS[name]() if name != "gat" else GATConv(CHANNELS, dropout_rate=0.0)
    model = functional(layer, False) if style == "functional" else NodeModel(layer)
    model.compile("adam", "mse", jit_compile=jit_compile)
    history = model.fit(loader.load(), steps_per_epoch=1, epochs=30, verbose=0, shuffle=False)
    assert history.history["loss"][-1] < history.history["loss"][0]


@needs_tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_fit_with_a_disjoint_loader(style, jit_compile):
    from spektral.data import DisjointLoader

    graphs = datasets()[1]

    def load(**more):
        loader = DisjointLoader(graphs, batch_size=3, shuffle=False, **more)
        return loader.load(), loader.steps_per_epoch

    layer = GINConv(CHANNELS, mlp_hidden=[5])
    model = functional(layer, True) if style == "functional" else GraphModel(layer)
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=jit_compile)
    data, steps = load()
    history = model.fit(data, steps_per_epoch=steps, epochs=10, verbose=0, shuffle=False)
    assert history.history["loss"][-1] < history.history["loss"][0]
    data, steps = load(epochs=1)
    assert model.predict(data, steps=steps, verbose=0).shape == (7, 1)
