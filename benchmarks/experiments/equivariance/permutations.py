"""Linear maps that commute with permutations have two numbers; graph layers commute with all.

Beyond the lecture, claim B3. A linear map on n numbers that commutes with every permutation is

    A = a I + b 1 1^T

(Zaheer et al. 2017, Deep Sets): each number keeps a share of itself and gets one of the sum. A
message-passing layer uses nothing but sums, means or maxima over neighbors, so renaming the nodes
renames its output; a readout by a sum, a mean or a maximum does not notice.
"""

from itertools import permutations

import numpy as np

from benchmarks.experiment import Experiment, Hypothesis, Measurements, Metric, Mutant, Points
from benchmarks.experiments.architectures._planes import deviation
from benchmarks.verdicts import AtMost, Identity

N = 5  # numbers, few enough to average over all 120 permutations
NODES, FEATURES, UNITS = 7, 4, 3
LAYERS = ("GCNConv", "GINConv", "GATConv", "MessagePassing")
DENSE = "Dense over nodes"


def commutant_dimension(n, swapped=True):
    """Of the matrices that commute with a cycle and a transposition, which generate all.

    Without `swapped`, with the cycle alone.
    """
    acts = [np.roll(np.eye(n), 1, axis=0)] + [np.eye(n)[[1, 0, *range(2, n)]]] * swapped
    constraint = np.concatenate([np.kron(p.T, np.eye(n)) - np.kron(np.eye(n), p) for p in acts])
    return int((np.linalg.svd(constraint, compute_uv=False) < 1e-10).sum())


def averaged(matrix, over):
    """The mean of P^T A P: the nearest matrix that commutes with these permutations."""
    return np.mean([matrix[np.ix_(p, p)] for p in over], axis=0)


def off_form(matrix):
    """Distance from a I + b 1 1^T, relative: unequal on the diagonal, or off it."""
    off = ~np.eye(len(matrix), dtype=bool)
    spread = max(np.ptp(np.diag(matrix)), np.ptp(matrix[off]))
    return spread / np.abs(matrix).max()


def apply(name, x, adjacency, seed):
    """A layer of the suite on nodes `(nodes, features)`; same weights for the same seed."""
    import keras

    from suite import layers
    from suite.initializers import VarianceScaling

    initializer = VarianceScaling(distribution="normal", seed=seed)
    common = {"kernel_initializer": initializer, "dtype": "float64"}
    if name == DENSE:  # one weight for each pair of nodes: it knows their names
        layer = layers.Dense(len(x) * UNITS, **common)
        return np.asarray(layer(x.reshape(1, -1))).reshape(len(x), UNITS)
    if name == "MessagePassing":
        layer = layers.MessagePassing(aggregate="max", dtype="float64")
    elif name == "GINConv":
        layer = layers.GINConv(UNITS, mlp_hidden=[6], **common)
    elif name == "GATConv":
        attention = VarianceScaling(distribution="normal", seed=seed + 1000)
        layer = layers.GATConv(UNITS, attn_kernel_initializer=attention, **common)
    else:
        layer = layers.GCNConv(UNITS, **common)
    operator = layers.gcn_filter(adjacency) if name == "GCNConv" else adjacency
    return np.asarray(
        layer([keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(operator)])
    )


def measure(cell, seeds):
    """A random graph, features and permutation a seed."""
    rows = {name: [] for name in METRICS}
    everything = np.array(list(permutations(range(N))))
    dimension_off, dimension_off_cycles = (
        float(abs(commutant_dimension(N, swapped) - 2)) for swapped in (True, False)
    )
    cycles = np.array([np.roll(np.arange(N), k) for k in range(N)])
    for seed in seeds:
        rng = np.random.default_rng(int(seed))
        matrix = rng.normal(0.3, 1.0, (N, N))
        made = averaged(matrix, everything)
        p = everything[rng.integers(1, len(everything))]
        rows["off_form"].append(off_form(made))
        rows["off_form_cycles"].append(off_form(averaged(matrix, cycles)))
        v = rng.normal(0.5, 1.0, N)
        rows["commutes"].append(deviation(made @ v[p], (made @ v)[p]))
        rows["random"].append(deviation(matrix @ v[p], (matrix @ v)[p]))
        rows["dimension_off"].append(dimension_off)
        rows["dimension_off_cycles"].append(dimension_off_cycles)
        x = rng.normal(0.5, 1.0, (NODES, FEATURES))
        upper = np.triu(rng.random((NODES, NODES)) < 0.4, 1)
        adjacency = (upper | upper.T | np.roll(np.eye(NODES, dtype=bool), 1, axis=0)).astype(float)
        q = rng.permutation(NODES)
        while (q == np.arange(NODES)).all():
            q = rng.permutation(NODES)
        y = apply(cell.layer, x, adjacency, int(seed))
        renamed = apply(cell.layer, x[q], adjacency[np.ix_(q, q)], int(seed))
        rows["equivariant"].append(deviation(renamed, y[q]))
        reads = (np.sum, np.mean, np.max)
        rows["readout"].append(max(deviation(read(renamed, 0), read(y, 0), y) for read in reads))
        rows["first_node"].append(deviation(renamed[0], y[0], y))
    return Measurements(metrics={name: np.array(values) for name, values in rows.items()})


METRICS = {
    "off_form": Metric("averaged over all permutations: distance from a I + b 1 1ᵀ", "1"),
    "off_form_cycles": Metric("averaged over cyclic shifts only: the same distance", "1"),
    "commutes": Metric("permute then map against map then permute, relative", "1"),
    "random": Metric("the same for a random matrix", "1"),
    "dimension_off": Metric("dimension of the commutant, distance from 2", "1"),
    "dimension_off_cycles": Metric("dimension for cyclic shifts, distance from 2", "1"),
    "equivariant": Metric("renamed nodes against renamed outputs, relative", "1"),
    "readout": Metric("change of sum, mean and maximum over nodes by renaming, relative", "1"),
    "first_node": Metric("change of the first node's output by renaming, relative", "1"),
}
GRAPHS = {"layer": LAYERS}

EXPERIMENT = Experiment(
    claim="B3",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "B3.form",
            "A linear map made to commute with all permutations has one number on its diagonal "
            "and one off it.",
            # A mean over 120 permutations.
            rule=Identity("off_form", terms=120),
            formula=r"A P = P A \ \forall P \iff A = a I + b\, \mathbf{1}\mathbf{1}^\top",
            mutants=(Mutant("cyclic shifts suffice", {"metric": "off_form_cycles"}),),
        ),
        Hypothesis(
            "B3.commutes",
            "Such a map commutes with permutations.",
            rule=Identity("commutes", terms=N),
            mutants=(Mutant("any matrix does", {"metric": "random"}),),
        ),
        Hypothesis(
            "B3.dimension",
            "There are no others: the space has dimension 2.",
            rule=AtMost("dimension_off", bound=0.0),
            mutants=(Mutant("commuting with shifts only", {"metric": "dimension_off_cycles"}),),
        ),
        Hypothesis(
            "B3.layers",
            "Graph layers commute with renaming the nodes.",
            # Sums over at most 7 nodes of sums over 4 features, then 6 hidden units.
            rule=Identity("equivariant", terms=NODES * FEATURES * 6, where=GRAPHS),
            mutants=(Mutant("a dense layer over the nodes too", {"where": {"layer": DENSE}}),),
        ),
        Hypothesis(
            "B3.readout",
            "Sum, mean and maximum over the nodes do not change when they are renamed.",
            rule=Identity("readout", terms=NODES * NODES * FEATURES * 6, where=GRAPHS),
            mutants=(Mutant("the first node as readout", {"metric": "first_node"}),),
        ),
    ),
    factors={"layer": (*LAYERS, DENSE)},
    seeds=20,
    paired=("data", "initial weights"),
    metrics=METRICS,
    figure=(
        Points(
            x="layer",
            y="equivariant",
            x_label="layer",
            y_label="renaming against its outputs, relative",
            title="A layer that knows the nodes' names does not commute",
        ),
    ),
    measure=measure,
    finding="Two numbers describe every linear map that commutes with permutations; graph layers "
    "commute with renaming, a dense layer over the nodes does not.",
    corrected=r"A P = P A \iff A = a I + b\,\mathbf{1}\mathbf{1}^\top",
    components=(
        "suite.layers.GCNConv",
        "suite.layers.GINConv",
        "suite.layers.GATConv",
        "suite.layers.MessagePassing",
    ),
    limits="The form is that of linear maps between single numbers a node. Maps between pairs of "
    "nodes have fifteen.",
)
