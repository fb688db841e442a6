"""What depth and nothing else does to the signals on a graph: over-smoothing, label spreading.

Lecture section "Graph neural networks", claim C70. A layer without nonlinearity multiplies the
signal by A_hat, so that what is orthogonal to the first eigenvector falls as |lambda_2|^layers.
"""

import math
from functools import cache

import numpy as np

from benchmarks.experiments.architectures import _graphs
from benchmarks.experiments.architectures._graphs import GCN
from benchmarks.verdicts import EPSILON

FEATURES = 4  # of the signals that are smoothed
DECADES = 6  # by which a signal is smoothed: the other half of the digits keeps rounding away
SHOWN = 40  # layers in the picture
RELU_LAYERS = 6
SPREADING_STEPS = 100


def operators(domain, seeds):
    """The mixing matrix of one graph of each seed, `(seeds, nodes, nodes)`, and adjacencies."""
    edges = np.stack([_graphs.several(domain, seed)[-1].a.toarray() for seed in seeds])
    return _graphs.mixing(edges, domain, GCN), edges


def away(x, smooth):
    """Norm of what of `x` `(seeds, nodes, features)` is orthogonal to the vectors `smooth`."""
    rest = x - smooth[:, :, None] * np.einsum("sn,snf->sf", smooth, x)[:, None]
    return np.linalg.norm(rest, axis=(1, 2))


def spectra(a):
    """Eigenvalues' sizes `(seeds, nodes)`, falling, and the eigenvectors in that order."""
    values, vectors = np.linalg.eigh(a)
    order = np.argsort(-np.abs(values), axis=1)
    sizes = np.take_along_axis(np.abs(values), order, axis=1)
    return sizes, np.take_along_axis(vectors, order[:, None], axis=2)


def room_for_faster(start, sizes, vectors, layer):
    """`r / 2`, where `r` is the faster modes' share of the squared distance after so many layers.

    A rate between this layer and a later one differs from that of the slowest mode by at most this
    over the layers between, since `log(1 + r) <= r`.
    """
    squares = np.sum(np.einsum("snk,snf->skf", vectors, start) ** 2, axis=2)
    twins = np.isclose(sizes, sizes[:, 1:2], rtol=1e-6, atol=0)  # a mesh has three of a kind
    twins[:, 0] = False
    faster = (sizes / sizes[:, 1:2]) ** (2.0 * layer[:, None])
    faster[twins], faster[:, 0] = 0, 0
    return np.sum(faster * squares, axis=1) / np.sum(twins * squares, axis=1) / 2


def orthogonal(rng):
    """A kernel that changes no norm."""
    return np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))[0]


@cache
def smoothing(domain, seeds):
    """Rates at which depth forgets, next to eigenvalues, one network for every seed's graph."""
    from suite.layers import GCNConv

    a, edges = operators(domain, seeds)
    sizes, vectors = spectra(a)
    smooth, second = vectors[:, :, 0], sizes[:, 1]
    third = np.array([row[row < row[1] * (1 - 1e-6)][0] for row in sizes])  # the next, not a twin
    rng = np.random.default_rng(seeds[0])
    start = np.stack(
        [np.random.default_rng(s).normal(0.5, 1, (a.shape[1], FEATURES)) for s in seeds]
    )
    linear = GCNConv(FEATURES, use_bias=False, dtype="float64")
    relu = GCNConv(FEATURES, "relu", use_bias=False, dtype="float64")
    for layer in (linear, relu):
        layer.build([start.shape, a.shape])
        layer.set_weights([orthogonal(rng)])

    last = np.ceil(-DECADES * math.log(10) / np.log(second)).astype(int)
    half = last // 2
    x, distances = start, [away(start, smooth)]
    for _ in range(max(last.max(), SHOWN)):
        x = np.asarray(linear([x, a]))
        distances.append(away(x, smooth))
    distances = np.stack(distances, axis=1)
    rows = np.arange(len(seeds))
    rate = np.log(distances[rows, last] / distances[rows, half]) / (last - half)
    rounding = 64 * a.shape[1] * EPSILON["float64"] * 10**DECADES
    room = (room_for_faster(start, sizes, vectors, half) + rounding) / (last - half)
    root = np.sqrt(np.maximum(edges.sum(axis=1), 1e-300))
    loopless = spectra(edges / (root[:, :, None] * root[:, None]))[0][:, 1]
    values = {
        "rate": np.exp(rate),
        "second_eigenvalue": second,
        "rate_error": np.abs(rate - np.log(second)) / room,
        "rate_of_third": np.abs(rate - np.log(third)) / room,
        "rate_without_loops": np.abs(rate - np.log(loopless)) / room,
    }
    kept, skipped = (relu_factors(relu, start, a, smooth, rng, skip) for skip in (False, True))
    values |= {"relu_factor": kept / second, "relu_with_skip": skipped / second}
    return values, distances[:, : SHOWN + 1] / distances[:, :1], second


def relu_factors(layer, x, a, smooth, rng, skip):
    """The largest factor of the distance in a layer, kernels anew for each, `(seeds,)`."""
    largest, before = np.zeros(len(x)), away(x, smooth)
    for _ in range(RELU_LAYERS):
        layer.set_weights([orthogonal(rng)])
        x = np.asarray(layer([x, a])) + (x if skip else 0)
        after = away(x, smooth)
        largest, before = np.maximum(largest, after / before), after
    return largest


@cache
def spreading(domain, seeds):
    """Accuracy of labels that spread along the edges, nothing learned, `(seeds,)`."""
    from suite.layers import GCNConv

    graphs = [_graphs.drawn(domain, seed) for seed in seeds]
    a = _graphs.mixing(np.stack([graph.a.toarray() for graph in graphs]), domain, GCN)
    parts = [
        _graphs.known(graph.y, _graphs.LABELS[domain], s)
        for graph, s in zip(graphs, seeds, strict=True)
    ]
    learned, tested = (np.stack(part) for part in zip(*parts, strict=True))
    layer = GCNConv(2, use_bias=False, kernel_initializer="identity", dtype="float64")
    given = np.eye(3)[learned][..., :2]  # a row of zeros where the label is hidden
    y, seen = given, (learned != _graphs.HIDDEN)[..., None]
    for _ in range(SPREADING_STEPS):
        y = np.where(seen, given, np.asarray(layer([y, a])))
    return np.array(
        [np.mean(found[t != _graphs.HIDDEN] == t[t != _graphs.HIDDEN])
         for found, t in zip(y.argmax(axis=-1), tested, strict=True)]
    )  # fmt: skip
