"""What holds for networks of any weights on graphs: symmetry, formula, twins, and counting.

Lecture section "Graph neural networks", claim C70.
"""

from functools import cache

import numpy as np

from benchmarks.experiments.architectures import _graphs
from benchmarks.experiments.architectures._graphs import ALONE
from benchmarks.experiments.architectures._planes import deviation

CHANNELS = (6, 5)  # of the random networks
# The longest sums: 162 vertices of the mesh, then features, in each of two layers and a readout.
TERMS = 3 * (162 + max(CHANNELS))


@cache  # building takes longer than all that is computed here
def networks(kind, features):
    """Two networks of the same weights, without and with a readout; set before each use."""
    from suite.models import GraphNetwork

    made = []
    for readout in (None, "sum"):
        network = GraphNetwork(
            CHANNELS, 3, kind, activation="tanh", readout=readout, dtype="float64"
        )
        network.build([(None, features), (None, None)])
        made.append(network)
    return made


def loaded(graphs):
    """Features, dense adjacency and numbers of the graphs, from Spektral's loader."""
    import tensorflow as tf
    from spektral.data import DisjointLoader, Graph

    from suite.datasets import graph_dataset

    bare = graph_dataset([Graph(x=graph.x, a=graph.a) for graph in graphs])
    loader = DisjointLoader(bare, batch_size=len(graphs), epochs=1, shuffle=False)
    x, a, i = next(iter(loader))
    return np.asarray(x), tf.sparse.to_dense(a).numpy(), np.asarray(i)


@cache  # the same for every network
def known_of(domain, seed):
    """The graphs of a seed as `loaded` gives them, and how many rings each has, by NetworkX."""
    import networkx as nx

    graphs = _graphs.several(domain, seed)
    skeletons = [nx.from_scipy_sparse_array(graph.a) for graph in graphs]
    rings = np.array([len(nx.cycle_basis(skeleton)) for skeleton in skeletons], float)
    return *loaded(graphs), rings


def sparse(a):
    """A dense adjacency as a sparse tensor, so that the layers go edge by edge."""
    import tensorflow as tf

    return tf.sparse.from_dense(a)


def formula(network, x, own, a):
    """The network without readout in NumPy: `own` and `a` say how a node weighs itself, others."""
    for layer in network.convolutions:
        dense = layer.mlp[0] if hasattr(layer, "mlp") else layer
        loops = own * (1 + float(layer.eps[0])) if hasattr(layer, "mlp") else own
        x = np.tanh((loops * x + a @ x) @ dense.kernel.numpy() + dense.bias.numpy())
    return x @ network.output_layer.kernel.numpy() + network.output_layer.bias.numpy()


def one_and_two():
    """A hexagon, two triangles, and a path: adjacencies of six nodes."""
    hexagon = np.roll(np.eye(6), 1, axis=1)
    triangles = np.kron(np.eye(2), np.roll(np.eye(3), 1, axis=1))
    path = np.eye(6, k=1)
    return [half + half.T for half in (hexagon, triangles, path)]


def triangles_by_messages(a):
    """A third of the closed walks of three steps, each way: by passing messages with names on."""
    from suite.layers import MessagePassing

    layer, names = MessagePassing(dtype="float64"), np.eye(len(a))
    for _ in range(3):
        names = np.asarray(layer([names, sparse(a)]))
    return np.trace(names) / 6


@cache
def more_triangles():
    """How many triangles two of them have more than a hexagon."""
    hexagon, triangles, _ = one_and_two()
    return triangles_by_messages(triangles) - triangles_by_messages(hexagon)


def rings_by_messages(a, i, aggregate="sum"):
    """Rings of each connected graph, `edges - nodes + 1`, as a sum over the nodes."""
    from suite.layers import GlobalSumPool, MessagePassing

    ones = np.ones((len(a), 1))
    neighbors = np.asarray(MessagePassing(aggregate, dtype="float64")([ones, sparse(a)]))
    return 1 + np.asarray(GlobalSumPool(dtype="float64")([neighbors / 2 - 1, i]))[:, 0]


def identities(domain, network, seed):
    """Deviations of one random network on the domain's graphs."""
    from scipy.linalg import block_diag

    rng = np.random.default_rng(int(seed))
    kind = _graphs.convolution_of(domain, network)
    x, edges, i, rings = known_of(domain, int(seed))
    a = _graphs.mixing(edges, domain, network)
    nodes, whole = networks(kind, x.shape[1])
    weights = [rng.normal(0.1, 0.4, w.shape) for w in nodes.get_weights()]
    for model in (nodes, whole):
        model.set_weights(weights)

    order = np.lexsort([rng.random(len(i)), i])  # the nodes of a graph stay together
    first = np.flatnonzero(np.diff(i, prepend=-1))
    turned = [x[order], sparse(a[np.ix_(order, order)])]
    states, permuted = np.asarray(nodes([x, sparse(a)])), np.asarray(nodes(turned))
    values = {
        "order_error": deviation(permuted, states[order]),
        "order_of_nodes_only": deviation(nodes([x[order], sparse(a)]), states[order]),
        "readout_error": deviation(whole([*turned, i]), whole([x, sparse(a), i])),
        "readout_of_first": deviation(permuted[first], states[first]),
    }

    if kind == "gcn":
        plain = edges * (network != ALONE)
        root = np.sqrt(np.maximum(plain.sum(axis=1), 1e-300))  # of no edges: not zero
        forms = (
            (0.0, a),
            (0.0, plain / (root[:, None] * root)),
            (0.0, (plain + np.eye(len(a))) / (plain.sum(axis=1) + 1)[:, None]),
        )
    else:
        one = (a != 0).astype(float)
        forms = ((1.0, one), (0.0, one), (1.0, one / np.maximum(one.sum(axis=1), 1)[:, None]))
    found = [deviation(states, formula(nodes, x, own, matrix)) for own, matrix in forms]
    values |= dict(zip(("layer_error", "layer_without_self", "layer_of_means"), found, strict=True))

    hexagon, triangles, path = one_and_two()
    same = np.ones((6, x.shape[1]))
    named = rng.normal(size=same.shape)
    shown = [(hexagon, same), (triangles, same), (path, same), (hexagon, named), (triangles, named)]
    blocks = block_diag(*(_graphs.mixing(one, domain, network) for one, _ in shown))
    features = np.concatenate([one for _, one in shown])
    read = np.asarray(whole([features, sparse(blocks), np.repeat(np.arange(5), 6)]))
    values |= {
        "twin_error": deviation(read[1], read[0]),
        "twin_path": deviation(read[2], read[0]),
        "twin_named": deviation(read[4], read[3]),
        "triangles": more_triangles(),
    }

    one = (edges != 0).astype(float)
    scale = max(1.0, rings.max())  # molecules without any
    for name, aggregate in (("rings_error", "sum"), ("rings_of_means", "mean")):
        values[name] = np.abs(rings_by_messages(one, i, aggregate) - rings).max() / scale
    return values
