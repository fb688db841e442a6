"""Graphs of four domains, their tasks, and the training of networks on them."""

from functools import cache, lru_cache

import numpy as np

SOCIAL, BLOCKS, MOLECULES, MESH = "social network", "blocks", "molecules", "mesh"
NODE_TASKS = (SOCIAL, BLOCKS, MESH)  # one label a node; of a molecule there is one for all
DOMAINS = (*NODE_TASKS, MOLECULES)
GCN, GIN, ALONE = "GCN", "GIN", "no edges"
NETWORKS = (GCN, GIN, ALONE)
LABELS = {SOCIAL: 1, BLOCKS: 4, MESH: 12}  # nodes of each class whose label is known
ATOMS, RINGS = 10, 2
NOISE = 0.5  # on the coordinates of the mesh
HIDDEN = -1  # the label of a node whose label is not to be seen


def convolution_of(domain, network):
    """`"gcn"` or `"gin"`: without edges, that of the two which is claimed to do well with them."""
    if network == ALONE:
        return "gin" if domain == MOLECULES else "gcn"
    return network.lower()


def drawn(domain, seed):
    """The domain's one graph with a label for each node, of classes 0 and 1."""
    from suite.datasets import icosphere, karate_club, stochastic_block_model
    from suite.training.streams import integer, streams

    if domain == SOCIAL:
        return karate_club()
    stream = streams(int(seed))["data"]
    if domain == BLOCKS:
        return stochastic_block_model((40, 40), within=0.2, between=0.05, seed=integer(stream))
    mesh = icosphere(2)
    mesh.y = (mesh.x[:, 0] * mesh.x[:, 1] > 0).astype(int)  # four slices, of alternating class
    mesh.x = mesh.x + np.random.default_rng(stream).normal(0, NOISE, mesh.x.shape)
    return mesh


def several(domain, seed):
    """Graphs to compute with: the domain's one, or five molecules of different sizes."""
    from suite.datasets import molecules
    from suite.training.streams import integer, streams

    if domain != MOLECULES:
        return [drawn(domain, seed)]
    stream = integer(streams(int(seed))["data"])
    return [molecules(1, atoms, stream + atoms)[0] for atoms in range(8, 13)]


def mixing(a, domain, network):
    """What the network gets as its adjacency, of a dense one `(..., nodes, nodes)`."""
    from suite.layers import gcn_filter

    a = a * (network != ALONE)
    return gcn_filter(a) if convolution_of(domain, network) == "gcn" else a


def known(y, labels, seed):
    """Labels to learn from and labels to test on, the others `HIDDEN`, of one graph."""
    from suite.training.streams import streams

    rng = np.random.default_rng(streams(int(seed))["noise"])
    chosen = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:labels] for c in (0, 1)])
    seen = np.isin(np.arange(len(y)), chosen)
    return np.where(seen, y, HIDDEN), np.where(seen, HIDDEN, y)


@cache  # the same for every network
def made_up(molecules_each, seed):
    """Elements, bonds and numbers of rings of molecules for training and test."""
    from suite.datasets import molecules
    from suite.training.streams import integer, streams

    graphs = molecules(2 * molecules_each, ATOMS, integer(streams(seed)["data"]), RINGS)
    x, y = np.stack([graph.x for graph in graphs]), np.concatenate([graph.y for graph in graphs])
    return x, np.stack([graph.a.toarray() for graph in graphs]), y


def task(domain, network, seed, molecules_each):
    """Training and test set `((x, y), (x, y))`; an `x` holds features and adjacency side by side.

    That is, `(samples, nodes, features + nodes)`. A node task has one sample, the graph.
    """
    if domain != MOLECULES:
        graph = drawn(domain, seed)
        a = mixing(graph.a.toarray(), domain, network)
        x = np.concatenate([graph.x, a], axis=1)[None]
        learned, tested = known(graph.y, LABELS[domain], seed)
        return (x, learned[None]), (x, tested[None])
    elements, bonds, y = made_up(molecules_each, int(seed))
    x = np.concatenate([elements, mixing(bonds, domain, network)], axis=2)
    return (x[::2], y[::2]), (x[1::2], y[1::2])


def packed(domain, network, nodes, features):
    """A network of two convolutions that takes features and adjacency in one tensor."""
    import keras

    from suite.models import GraphNetwork

    graphs = domain == MOLECULES
    both = keras.Input((nodes, features + nodes))
    outputs = GraphNetwork(
        (16, 16),
        outputs=RINGS + 1 if graphs else 2,
        convolution=convolution_of(domain, network),
        readout="sum" if graphs else None,
    )([both[..., :features], both[..., features:]])
    return keras.Model(both, outputs)


def accuracy(y, outputs):
    """Whether each label is met; those `HIDDEN` weigh nothing in the average."""
    import tensorflow as tf

    counted = tf.cast(y != HIDDEN, tf.float32)
    met = tf.cast(tf.cast(tf.argmax(outputs, axis=-1), y.dtype) == y, tf.float32)
    return met * counted / tf.reduce_mean(counted)


@lru_cache(maxsize=2)  # its data are no part of a program: one serves with and without edges
def program(domain, convolution, seeds, settings):
    """The training of one network for every seed, one after the other, to be run on any data."""
    import keras

    from suite.optimizers import Adam
    from suite.training import Training

    steps, learning_rate, molecules, compiled = settings
    network = next(n for n in NETWORKS if convolution_of(domain, n) == convolution)
    (x, y), test = tasks(domain, network, seeds, molecules)
    nodes, width = x.shape[2:]
    return Training(
        lambda seed: packed(domain, network, nodes, width - nodes),
        Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=HIDDEN),
        x,
        y,
        steps=steps,
        batch_size=min(32, x.shape[1]),
        seeds=seeds,
        test=test,
        metric=accuracy,
        record_every=steps,
        probes=(),
        data_axis_per_seed=True,
        compiled=compiled,
    )


def tasks(domain, network, seeds, molecules_each):
    """`task` of every seed, stacked, in the types of the program."""
    found = [task(domain, network, seed, molecules_each) for seed in seeds]
    return tuple(
        tuple(
            np.stack(arrays).astype(kind)
            for arrays, kind in zip(zip(*pairs, strict=True), ("float32", "int32"), strict=True)
        )
        for pairs in zip(*found, strict=True)
    )


def trained(domain, network, cell, seeds):
    """The training of every seed."""
    seeds = tuple(int(seed) for seed in seeds)
    steps = cell.graph_steps if domain == MOLECULES else cell.node_steps
    settings = (steps, cell.learning_rate, cell.molecules, cell.compiled)
    training = program(domain, convolution_of(domain, network), seeds, settings)
    training.data["train"], training.data["test"] = tasks(domain, network, seeds, cell.molecules)
    return training()
