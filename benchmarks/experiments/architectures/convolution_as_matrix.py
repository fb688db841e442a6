"""A convolution is a linear layer: its matrix is mostly zero and holds few distinct weights.

Lecture section "Convolutional networks", claim C60. With the pixels of an image in one row, x,

    vec(y) = M x + b        M[i, j] = W(j - i) where pixel j lies in the window of output i, else 0

so a dense layer whose kernel is M^T computes the same. Of the entries of M, as many as outputs
times weights of the window are not zero (locality), and among them are no more distinct numbers
than the window has weights (tying). Either property alone makes another layer: local weights that
are not tied, or a window as large as the image, tied but not local. What goes back through M is
the transposed convolution, M^T y. With a bias the layer is affine, not linear.
"""

from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.signal import convolve2d, correlate2d

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
)
from benchmarks.experiments.architectures._planes import (
    DATA,
    NOISE,
    deviation,
    image,
    kernel,
    layer_with,
)
from benchmarks.verdicts import AtMost, Identity

CONVOLUTION, LOCAL, TIED, DENSE = "convolution", "local, not tied", "tied, not local", "dense"
LAYERS = (CONVOLUTION, LOCAL, TIED, DENSE)
SMALLEST, LARGEST = 5, 10  # sides of images, the largest left out; windows are up to 3 x 4
WINDOW_TERMS = 3 * 4
DRAWN = (5, 6), (2, 3)  # image and window of the figure


def sizes(rng):
    """Image and window, each `(height, width)`, all of different shapes from seed to seed."""
    return tuple(rng.integers(SMALLEST, LARGEST, 2)), tuple(rng.integers((1, 2), (4, 5)))


def matrix_of(name, shape, window, rng):
    """The matrix `(outputs, pixels)` of one kind of layer, of random weights."""
    from suite.layers import Dense

    if name == TIED:  # every weight is used for every output, somewhere else
        whole = layer_with(kernel(rng, *shape, 1, 1), (*shape, 1), padding="circular")
        return whole.as_matrix((*shape, 1))
    matrix = layer_with(kernel(rng, *window, 1, 1), (*shape, 1)).as_matrix((*shape, 1))
    if name == CONVOLUTION:
        return matrix
    if name == LOCAL:
        matrix.data = kernel(rng, matrix.nnz)
        return matrix
    dense = Dense(matrix.shape[0], use_bias=False, dtype="float64")
    dense.build((None, matrix.shape[1]))
    dense.set_weights([kernel(rng, *dense.kernel.shape)])
    return sparse.csr_array(np.asarray(dense.kernel).T)


def counts(name, shape, window, rng):
    """What a matrix has: entries, those not zero, and distinct ones."""
    matrix = matrix_of(name, shape, window, rng)
    stored = matrix.data[matrix.data != 0]
    return np.prod(matrix.shape), len(stored), len(np.unique(stored))


@lru_cache(maxsize=64)  # the same for every kind of layer
def deviations(data, seed):
    """How far the convolutional layer is from each other form of it, and the wrong forms."""
    from suite.layers import Dense

    rng = np.random.default_rng(seed)
    shape, window = sizes(rng)
    weights, bias = kernel(rng, *window), np.array([0.3])
    x, other = image(data, shape, rng), image(data, shape, rng)
    layer = layer_with(weights[..., None, None], (*shape, 1), bias)

    def output(plane):
        return np.asarray(layer(plane[None, ..., None]))[0, ..., 0]

    y = output(x)
    matrix = layer.as_matrix((*shape, 1))
    turned = layer_with(weights[::-1, ::-1, None, None], (*shape, 1)).as_matrix((*shape, 1))
    dense = Dense(y.size, dtype="float64")
    dense.build((None, x.size))
    dense.set_weights([matrix.T.toarray(), np.full(y.size, *bias)])
    back = (matrix.T @ y.reshape(-1)).reshape(shape)
    zero = output(np.zeros(shape))
    mixed, parts = output(2 * x - 3 * other), 2 * y - 3 * output(other)
    return {
        "scipy_error": deviation(y, correlate2d(x, weights, "valid") + bias),
        "turned_error": deviation(y.reshape(-1), turned @ x.reshape(-1) + bias),
        "matrix_error": deviation((matrix @ x.reshape(-1)).reshape(y.shape) + bias, y),
        "no_bias_error": deviation((matrix @ x.reshape(-1)).reshape(y.shape), y),
        "dense_error": deviation(np.asarray(dense(x.reshape(1, -1))).reshape(y.shape), y),
        # 2 - 3 = -1 biases on one side, one on the other: without them, linear.
        "linear_error": deviation(mixed - zero, parts + zero),
        "affine_error": deviation(mixed, parts),
        "adjoint_error": deviation(back, convolve2d(y, weights)),
        "adjoint_turned": deviation(back, correlate2d(y, weights)),
    }


def picture(name):
    """Arrays for a `Plane`: where the matrix is not zero, and which weight stands there."""
    shape, window = DRAWN
    matrix = matrix_of(name, shape, window, np.random.default_rng(0)).tocoo()
    # The first output on top; which weight it is, by size, for layers that have so few.
    places = np.column_stack([matrix.col + 1, -(matrix.row + 1)]).astype(float)
    _, number = np.unique(matrix.data, return_inverse=True)
    arrays = {"entries": places}
    if number.max() < np.prod(window):
        numbered = np.empty(number.max() + 1, int)
        # In the order in which the first row meets them, which is that of the window.
        first = number[matrix.row == 0][np.argsort(matrix.col[matrix.row == 0])]
        numbered[first] = np.arange(len(first))
        at = [f"W({n // window[1]}, {n % window[1]})" for n in range(len(first))]
        arrays["entries.label"] = np.array(at)[numbered[number]]
    return arrays


def measure(cell, seeds):
    """Counts of one kind of layer, and the deviations of the convolution, one value a seed."""
    found = {name: np.zeros(len(seeds)) for name in EXPERIMENT.metrics}
    for i, seed in enumerate(seeds):
        for name, value in deviations(cell.data, int(seed)).items():
            found[name][i] = value
        rng = np.random.default_rng(int(seed))
        shape, window = sizes(rng)
        entries, nonzero, distinct = counts(cell.layer, shape, window, rng)
        outputs = (shape[0] - window[0] + 1) * (shape[1] - window[1] + 1)
        # Tied weights are as many as their own window has, which may be as large as the image.
        own = shape if cell.layer in (TIED, DENSE) else window
        found["share"][i] = nonzero / entries
        found["distinct"][i] = distinct
        found["locality_gap"][i] = abs(nonzero - outputs * np.prod(window))
        found["tying_gap"][i] = abs(distinct - np.prod(own))
    arrays = (
        picture(cell.layer) if cell.data == NOISE and cell.layer in (CONVOLUTION, LOCAL) else {}
    )
    return Measurements(metrics=found, arrays=arrays)


def others(*names):
    """Mutants: the same count, of these layers."""
    return tuple(Mutant(name, {"where": {"layer": name}}) for name in names)


# The deviations are the convolution's in every cell; one cell a data set is judged.
HERE = {"layer": CONVOLUTION}

EXPERIMENT = Experiment(
    claim="C60",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C60.matrix",
            "A convolution is a matrix times the image, plus the bias.",
            Identity("matrix_error", terms=WINDOW_TERMS, where=HERE),
            kind="as stated",
            formula=r"\mathrm{vec}(y) = M\, \mathrm{vec}(x) + b",
            mutants=(
                Mutant("the kernel turned by 180°", {"metric": "turned_error"}),
                Mutant("the bias left out", {"metric": "no_bias_error"}),
            ),
        ),
        Hypothesis(
            "C60.dense",
            "So it can take the place of a dense layer: one with the kernel Mᵀ computes the same.",
            # The dense layer sums over zeros too.
            Identity("dense_error", terms=LARGEST**2, where=HERE),
            kind="as stated",
            formula=r"\mathrm{Dense}(\mathrm{vec}(x)), \quad \text{kernel } M^\top",
            mutants=(Mutant("the kernel turned by 180°", {"metric": "turned_error"}),),
        ),
        Hypothesis(
            "C60.local",
            "Its weights are local: not zero are as many entries of M as there are outputs times "
            "weights of the window.",
            AtMost("locality_gap", 0, where=HERE),
            kind="as stated",
            formula=r"\mathrm{nnz}(M) = o^2 d^2",
            mutants=others(TIED, DENSE),
        ),
        Hypothesis(
            "C60.tied",
            "Its weights are tied: M has as many distinct entries as the window has weights; so it "
            "is with a window as large as the image, on a torus.",
            AtMost("tying_gap", 0, where={"layer": (CONVOLUTION, TIED)}),
            kind="as stated",
            formula=r"|\{M_{ij} \ne 0\}| = d^2",
            mutants=others(LOCAL, DENSE),
        ),
        Hypothesis(
            "C60.linear",
            "It is linear once the bias is taken off; with it, affine.",
            # 2 x - 3 x' has four operations more than an output.
            Identity("linear_error", terms=WINDOW_TERMS + 4, where=HERE),
            formula=r"f(\alpha x + \beta x') - b = \alpha (f(x) - b) + \beta (f(x') - b)",
            mutants=(Mutant("linear with its bias", {"metric": "affine_error"}),),
        ),
        Hypothesis(
            "C60.adjoint",
            "Backward, Mᵀ is the transposed convolution: the full one with the kernel turned.",
            Identity("adjoint_error", terms=WINDOW_TERMS, where=HERE),
            formula=r"[M^\top y](x) = \sum_z y(z)\, W(x - z)",
            mutants=(Mutant("the kernel not turned", {"metric": "adjoint_turned"}),),
        ),
        Hypothesis(
            "C60.scipy",
            "The layer computes what SciPy's cross-correlation does, plus the bias.",
            Identity("scipy_error", terms=WINDOW_TERMS, where=HERE),
            mutants=(Mutant("the kernel turned by 180°", {"metric": "turned_error"}),),
        ),
    ),
    factors={"data": DATA, "layer": LAYERS},
    # Identities: 20 random states, each of its own sizes, leave no room for a coincidence.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "share": Metric("share of entries that are not zero", "1"),
        "distinct": Metric("distinct weights", "1"),
        "locality_gap": Metric("entries not zero, off outputs × window", "1", "lower"),
        "tying_gap": Metric("distinct weights, off those of the window", "1", "lower"),
        "matrix_error": Metric("deviation of M x + b, relative", "1", "lower"),
        "no_bias_error": Metric("the same without b", "1"),
        "turned_error": Metric("the same with the kernel turned", "1"),
        "dense_error": Metric("deviation of the dense layer, relative", "1", "lower"),
        "linear_error": Metric("deviation from linearity without b, relative", "1", "lower"),
        "affine_error": Metric("the same with b", "1"),
        "adjoint_error": Metric("deviation of Mᵀ from the transposed convolution", "1", "lower"),
        "adjoint_turned": Metric("the same with the kernel not turned", "1"),
        "scipy_error": Metric("deviation from SciPy, relative", "1", "lower"),
    },
    figure=(
        Plane(
            points=("entries",),
            by="layer",
            where={"data": NOISE, "layer": (CONVOLUTION, LOCAL)},
            x_label="pixel, row after row",
            y_label="− number of the output",
            title="Entries of M that are not zero",
        ),
        Points(
            x="layer",
            y="distinct",
            where={"data": NOISE},
            log="y",
            x_label="layer",
            y_label="distinct weights",
            title="Tied and local: only a convolution has the window's few weights",
        ),
        Points(
            x="layer",
            y="share",
            where={"data": NOISE},
            x_label="layer",
            y_label="share of entries that are not zero",
            title="Locality leaves most of the matrix empty",
            reference=1.0,
            reference_label="dense",
        ),
    ),
    measure=measure,
    finding="A convolution is a dense layer whose matrix is mostly zero and repeats the window's "
    "weights in every row, further along.",
    stated=r"\mathrm{vec}(y) = M\, \mathrm{vec}(x)",
    corrected=r"\mathrm{vec}(y) = M\, \mathrm{vec}(x) + b, \quad \mathrm{nnz}(M) = o^2 d^2, "
    r"\; d^2 \text{ distinct}",
    figures=("F25",),
    components=("suite.layers.Conv2D", "suite.layers.Dense"),
    limits="One channel, windows inside the image, images of at most 9 × 9 pixels, so that the "
    "whole matrix can be looked at. Where zeros are padded, windows at the border have fewer "
    "entries. That fewer weights help on images is no identity, and is not tested here.",
)
