"""Spektral's layers under legacy Keras, in a process of their own: writes what they compute.

    TF_USE_LEGACY_KERAS=1 python legacy_layers.py cases.npz '{"gcn": ["GCNConv", {"channels": 4}]}'

For each case: the graph, the weights by name, the output, and the gradients of `sum(sin(output))`
by the features and by each weight.
"""

import json
import sys

import numpy as np
import tensorflow as tf
from spektral import layers

NODES, FEATURES = 11, 3
GRAPHS = np.array([0] * 4 + [1] * 2 + [2] * 5)
SUMS = (False, True)  # without and with a sum over the nodes of each of the disjoint graphs


def graph(name, disjoint):
    """Features and a directed adjacency; three blocks on its diagonal if disjoint."""
    rng = np.random.default_rng(0)
    x = rng.normal(0.7, 1.0, (NODES, FEATURES)).astype("float32")
    a = (rng.random((NODES, NODES)) < 0.4).astype("float32")
    np.fill_diagonal(a, 0)
    a[np.arange(NODES), (np.arange(NODES) + 1) % NODES] = 1  # nobody is isolated
    if disjoint:
        a *= GRAPHS[:, None] == GRAPHS
    if name == "GCNConv":
        a *= rng.uniform(0.5, 2.0, a.shape).astype("float32")
    return x, a


def main(path, cases):
    """Computes every case, a class's name and its arguments, and stores it."""
    out = {}
    for name, (cls, arguments) in cases.items():
        for disjoint in SUMS:
            x, a = graph(cls, disjoint)
            # Spektral's GCNConv sums over the columns of a row; its sparse GATConv and GINConv
            # send from the row to the column, so they are given the transpose.
            layer = getattr(layers, cls)(**arguments)
            given = a if cls == "GCNConv" else a.T
            sparse, x = tf.sparse.from_dense(given), tf.constant(x)
            layer([x, sparse])
            rng = np.random.default_rng(1)
            layer.set_weights([rng.uniform(0.2, 1.0, w.shape) for w in layer.get_weights()])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer([x, sparse])
                if disjoint:
                    y = layers.GlobalSumPool()([y, tf.constant(GRAPHS)])
                value = tf.reduce_sum(tf.sin(y))
            slopes = tape.gradient(value, [x, *layer.trainable_weights])
            key = f"{name}/{disjoint}"
            out |= {f"{key}/x": x.numpy(), f"{key}/a": a, f"{key}/y": y.numpy()}
            out[f"{key}/dx"] = slopes[0].numpy()
            for n, w in enumerate(layer.trainable_weights):
                out[f"{key}/w{n}"] = w.numpy()
                out[f"{key}/dw{n}"] = tf.convert_to_tensor(slopes[n + 1]).numpy()
            for n, w in enumerate(layer.non_trainable_weights):
                out[f"{key}/fixed{n}"] = w.numpy()
    np.savez(path, **out)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
