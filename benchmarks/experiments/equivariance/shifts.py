"""Convolutions commute with shifts, and among linear maps nothing else does.

Beyond the lecture, claim B1. Let T shift a signal around a circle. Correlation with any kernel
commutes with T, since each output sees the same window, wherever it is. Conversely a matrix A with

    A T = T A

has equal entries along its wrapped diagonals: it is circulant, and its row is the kernel. These
matrices form a space of dimension N, the number of places on the circle. With zeros around the
image the border breaks this, and only there.
"""

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.architectures import _planes
from benchmarks.verdicts import AtMost, Identity

SHAPE, WINDOW = (9, 8), (3, 2)
ROUND, ZEROS = PADDINGS = ("around the torus", "zeros")
TERMS = WINDOW[0] * WINDOW[1]
SIDE = 7  # places on the circle of the converse


def outputs(padding, image, kernel):
    """The layer's output, as large as the image; `image` continues periodically or with zeros."""
    if padding == ZEROS:
        return _planes.correlate(image, kernel, padding="same")
    wrapped = np.pad(image, [(0, w - 1) for w in kernel.shape], mode="wrap")
    return _planes.correlate(wrapped, kernel)


def inside(map_, shift):
    """The part that no shift and no window brought in from the border."""
    margin = [w - 1 + abs(s) for w, s in zip(WINDOW, shift, strict=True)]
    return map_[margin[0] : -margin[0] or None, margin[1] : -margin[1] or None]


def commutant(n, mirrored=False):
    """A basis of all matrices that commute with the cyclic shift, (dimension, n, n), by SVD.

    With `mirrored`, of those that commute with a reflection as well.
    """
    acts = [np.roll(np.eye(n), 1, axis=0)] + [np.eye(n)[::-1]] * mirrored
    # Stacked columns: A T - T A = (T^t x I - I x T) vec(A).
    constraint = np.concatenate([np.kron(t.T, np.eye(n)) - np.kron(np.eye(n), t) for t in acts])
    _, s, vt = np.linalg.svd(constraint)
    return vt[s < 1e-10].reshape(-1, n, n).swapaxes(1, 2)


def off_circulant(matrix):
    """Largest difference of an entry from its wrapped diagonal's mean, relative."""
    n = len(matrix)
    i = np.arange(n)
    diagonals = np.array([matrix[i, (i + k) % n] for k in range(n)])
    return _planes.deviation(diagonals, diagonals.mean(axis=1, keepdims=True), matrix)


def projected(matrix):
    """The nearest matrix that commutes with the shift: the mean of T^-k A T^k."""
    n = len(matrix)
    return np.mean([np.roll(matrix, (k, k), axis=(0, 1)) for k in range(n)], axis=0)


def outside(matrix, basis):
    """What is left of a matrix without its part in an orthonormal basis, relative."""
    flat = basis.reshape(len(basis), -1)
    return _planes.deviation(matrix.ravel(), flat.T @ (flat @ matrix.ravel()), matrix)


def measure(cell, seeds):
    """One image, kernel and shift a seed; and a random matrix made to commute."""
    rows = {name: [] for name in METRICS}
    basis, mirrored = commutant(SIDE), commutant(SIDE, mirrored=True)
    for seed in seeds:
        rng = np.random.default_rng([int(seed), _planes.DATA.index(cell.data)])
        image, kernel = _planes.image(cell.data, SHAPE, rng), _planes.kernel(rng, *WINDOW)
        shift = (int(rng.integers(1, 3)), int(rng.integers(-1, 2)))
        first = outputs(cell.padding, np.roll(image, shift, axis=(0, 1)), kernel)
        then = np.roll(outputs(cell.padding, image, kernel), shift, axis=(0, 1))
        rows["everywhere"].append(_planes.deviation(first, then))
        rows["interior"].append(_planes.deviation(inside(first, shift), inside(then, shift), then))
        matrix = rng.normal(size=(SIDE, SIDE))
        made = projected(matrix)
        rows["off_circulant"].append(off_circulant(made))
        rows["random"].append(off_circulant(matrix))
        rows["outside_basis"].append(outside(made, basis))
        rows["outside_mirrored"].append(outside(made, mirrored))
        rows["dimension_off"].append(float(abs(len(basis) - SIDE)))
        rows["mirrored_dimension_off"].append(float(abs(len(mirrored) - SIDE)))
    return Measurements(metrics={name: np.array(values) for name, values in rows.items()})


METRICS = {
    "everywhere": Metric("shift then layer against layer then shift, relative", "1"),
    "interior": Metric("the same away from the border", "1"),
    "off_circulant": Metric("distance of a commuting matrix from circulant, relative", "1"),
    "random": Metric("distance of a random matrix from circulant, relative", "1"),
    "outside_basis": Metric("part of a commuting matrix outside the basis, relative", "1"),
    "outside_mirrored": Metric("the same for kernels equal to their mirror image", "1"),
    "dimension_off": Metric("dimension of the commutant, distance from N", "1"),
    "mirrored_dimension_off": Metric("the same for kernels equal to their mirror image", "1"),
}

EXPERIMENT = Experiment(
    claim="B1",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "B1.torus",
            "On a torus, shifting the image and then convolving is convolving and then shifting.",
            rule=Identity("everywhere", terms=TERMS, where={"padding": ROUND}),
            formula=r"K \star (T F) = T (K \star F)",
            mutants=(Mutant("with zeros around the image", {"where": {"padding": ZEROS}}),),
        ),
        Hypothesis(
            "B1.interior",
            "With zeros around the image it holds away from the border.",
            rule=Identity("interior", terms=TERMS, where={"padding": ZEROS}),
            mutants=(Mutant("at the border as well", {"metric": "everywhere"}),),
        ),
        Hypothesis(
            "B1.converse",
            "A matrix that commutes with cyclic shifts is circulant: its rows are one kernel.",
            rule=Identity("off_circulant", terms=SIDE),
            formula=r"A T = T A \iff A_{i j} = a_{j - i \bmod N}",
            mutants=(Mutant("any matrix", {"metric": "random"}),),
        ),
        Hypothesis(
            "B1.dimension",
            "There are no others: the space of matrices that commute has dimension N.",
            rule=AtMost("dimension_off", bound=0.0),
            formula=r"\dim\{A : A T = T A\} = N",
            mutants=(Mutant("symmetric kernels alone", {"metric": "mirrored_dimension_off"}),),
        ),
        Hypothesis(
            "B1.basis",
            "Every commuting matrix lies in the span that the singular value decomposition finds.",
            # Solved by an SVD of an N² x N² matrix of condition about 2: k = N².
            rule=Identity("outside_basis", terms=SIDE**2),
            mutants=(Mutant("of symmetric kernels alone", {"metric": "outside_mirrored"}),),
        ),
    ),
    factors={"padding": PADDINGS, "data": _planes.DATA},
    seeds=20,  # identities: random states
    paired=("data", "initial weights"),
    metrics=METRICS,
    figure=(
        Points(
            x="padding",
            y="everywhere",
            by="data",
            x_label="around the image",
            y_label="largest difference, relative",
            title="The border is what breaks it",
        ),
    ),
    measure=measure,
    finding="A convolution commutes with shifts wherever its window does not reach beyond the "
    "image; the matrices that commute with cyclic shifts are the circulant ones.",
    corrected=r"K \star (T F) = T (K \star F), \qquad A T = T A \iff A \text{ circulant}",
    figures=("F31",),
    components=("suite.layers.Conv2D",),
    limits="Shifts by whole pixels. Strides and pooling keep fewer of them (B2).",
)
