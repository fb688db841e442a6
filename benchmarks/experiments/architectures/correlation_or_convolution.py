"""What the slide, and Keras with it, calls a convolution is a cross-correlation.

Lecture section "Convolutional networks", claim C61. With zeros around image F and kernel W,

    correlation  [F o W](x) = sum_y F(y) W(y - x)    the slide's formula, and the layer's
    convolution  [F * W](x) = sum_y F(y) W(x - y)    the same, the kernel turned by 180 degrees

Of the two only the convolution commutes, F * W = W * F, and associates; exchanging image and
kernel turns a correlation by 180 degrees. For learned weights the name makes no difference, and
layers do commute with each other: two in a row are one, whose kernel is the convolution of both
kernels, in whatever order. A kernel that equals its half turn cannot tell correlation from
convolution, so the kernels here have no symmetry, except where it is shown what symmetry hides.
"""

import numpy as np
from scipy.signal import convolve2d

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
    correlate,
    deviation,
    image,
    kernel,
)
from benchmarks.verdicts import Identity

ASYMMETRIC, SYMMETRIC = "no symmetry", "equal to its half turn"
KERNELS = (ASYMMETRIC, SYMMETRIC)
SHAPE, FIRST, SECOND = (7, 9), (2, 3), (4, 2)
# The longest sums: both kernels laid over an image.
TERMS = FIRST[0] * FIRST[1] * SECOND[0] * SECOND[1]
LETTER = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]], float)


def turned(plane):
    """By 180 degrees."""
    return plane[::-1, ::-1]


def full_correlation(plane, weights):
    """The suite's layer with zeros around the image: every shift at which the two touch.

    Entry `(i, j)` belongs to the shift `x = (i - rows + 1, j - columns + 1)`.
    """
    rows, columns = weights.shape
    padded = np.pad(plane, ((rows - 1, rows - 1), (columns - 1, columns - 1)))
    return correlate(padded, weights)


def full_convolution(plane, weights):
    """The same layer with its kernel turned."""
    return full_correlation(plane, turned(weights))


def by_formula(plane, weights, sign):
    """`sum_y F(y) W(sign (y - x))` pixel by pixel, for the shifts of `full_correlation`."""
    (height, width), (rows, columns) = plane.shape, weights.shape
    out = np.zeros((height + rows - 1, width + columns - 1))
    for y in np.ndindex(height, width):
        for d in np.ndindex(rows, columns):  # where W is not zero: d = sign (y - x)
            x = y[0] - sign * d[0], y[1] - sign * d[1]
            # A correlation begins at the shift 1 - rows, a convolution at 0.
            start = (rows - 1, columns - 1) if sign > 0 else (0, 0)
            out[x[0] + start[0], x[1] + start[1]] += plane[y] * weights[d]
    return out


def kernels(kind, rng):
    """Two kernels of different shapes."""
    drawn = kernel(rng, *FIRST), kernel(rng, *SECOND)
    return drawn if kind == ASYMMETRIC else tuple(w + turned(w) for w in drawn)


def by_spectrum(plane, weights, conjugate):
    """The correlation theorem on a torus: the spectrum of F times the conjugate of that of W."""
    spectrum = np.fft.fft2(weights, plane.shape)
    if conjugate:
        spectrum = spectrum.conj()
    return np.fft.ifft2(np.fft.fft2(plane) * spectrum).real


def on_a_torus(plane, weights):
    """The layer with circular padding, moved so that entry `(0, 0)` is the shift 0."""
    start = tuple((side - 1) // 2 for side in weights.shape)
    return np.roll(correlate(plane, weights, padding="circular"), [-s for s in start], (0, 1))


def deviations(data, kind, seed):
    """How far the two sides of each statement are apart, relative to the largest entry."""
    rng = np.random.default_rng(int(seed))
    f, (w, v) = image(data, SHAPE, rng), kernels(kind, rng)
    correlation, convolution = full_correlation(f, w), full_convolution(f, w)
    exchanged = full_correlation(w, f)
    both, spectrum = convolve2d(w, v), by_spectrum(f, w, True)
    two_layers = correlate(correlate(f, w), v)
    return {
        "formula_error": deviation(correlation, by_formula(f, w, 1)),
        "wrong_formula_error": deviation(correlation, by_formula(f, w, -1)),
        "name_error": deviation(correlation, convolve2d(f, w)),
        "turned_error": deviation(convolution, convolve2d(f, w)),
        "commutator": deviation(full_convolution(w, f), convolution),
        "commutator_correlation": deviation(exchanged, correlation),
        "reversal_error": deviation(turned(exchanged), correlation),
        "associator": deviation(
            full_convolution(full_convolution(f, w), v),
            full_convolution(f, full_convolution(w, v)),
        ),
        "associator_correlation": deviation(
            full_correlation(full_correlation(f, w), v),
            full_correlation(f, full_correlation(w, v)),
        ),
        "stacked_error": max(
            deviation(two_layers, correlate(f, both)),
            deviation(two_layers, correlate(correlate(f, v), w)),
        ),
        "stacked_correlation": deviation(two_layers, correlate(f, full_correlation(w, v))),
        "spectrum_error": deviation(on_a_torus(f, w), spectrum),
        "no_conjugate_error": deviation(on_a_torus(f, w), by_spectrum(f, w, False)),
    }


def cells_of(plane, left):
    """Pixels that are not zero, as points `(n, 2)`, the first row on top."""
    rows, columns = np.nonzero(np.abs(plane) > 0.5)
    return np.column_stack([columns + left, len(plane) - 1 - rows]).astype(float)


def picture():
    """Arrays for a `Plane`: a letter as the kernel, and both answers to one bright pixel."""
    dot = np.zeros((3, 3))
    dot[1, 1] = 1
    answers = {
        "kernel": np.pad(LETTER, 1),
        "correlation": full_correlation(dot, LETTER),
        "convolution": full_convolution(dot, LETTER),
    }
    parts = [cells_of(plane, 6.0 * i) for i, plane in enumerate(answers.values())]
    labels = np.repeat(list(answers), [len(part) for part in parts])
    return {"pixels": np.concatenate(parts), "pixels.label": labels}


def measure(cell, seeds):
    """Deviations of one kind of kernel on one kind of image, one value a seed."""
    found = {name: np.zeros(len(seeds)) for name in EXPERIMENT.metrics}
    for i, seed in enumerate(seeds):
        for name, value in deviations(cell.data, cell.kernel, seed).items():
            found[name][i] = value
    drawn = (cell.data, cell.kernel) == (NOISE, ASYMMETRIC)
    return Measurements(metrics=found, arrays=picture() if drawn else {})


def identity(metric, where=ASYMMETRIC, terms=TERMS):
    """The two sides agree, for these kernels."""
    return Identity(metric, terms=terms, where={"kernel": where})


EXPERIMENT = Experiment(
    claim="C61",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C61.formula",
            "The layer computes the slide's formula, with W(y − x).",
            identity("formula_error"),
            kind="as stated",
            formula=r"\sum_{y \in \mathbb{Z}^2} F(y)\, W(y - x)",
            mutants=(Mutant("with W(x − y)", {"metric": "wrong_formula_error"}),),
        ),
        Hypothesis(
            "C61.name",
            "That formula is the convolution of image and kernel.",
            identity("name_error"),
            kind="as stated",
            formula=r"[F * W](x) = \sum_y F(y)\, W(y - x)",
        ),
        Hypothesis(
            "C61.turned",
            "It is a cross-correlation; the convolution is that with the kernel turned by 180°.",
            identity("turned_error"),
            formula=r"[F * W](x) = \sum_y F(y)\, W(x - y)",
            mutants=(Mutant("the kernel not turned", {"metric": "name_error"}),),
        ),
        Hypothesis(
            "C61.symmetric",
            "A kernel that equals its half turn hides the difference.",
            identity("name_error", SYMMETRIC),
            formula=r"W(-x) = W(x) \;\Rightarrow\; F \star W = F * W",
            mutants=(Mutant("a kernel without symmetry", {"where": {"kernel": ASYMMETRIC}}),),
        ),
        Hypothesis(
            "C61.commutes",
            "Image and kernel of a convolution may be exchanged.",
            # A kernel laid over an image, or an image over a kernel: as many products.
            identity("commutator"),
            formula=r"F * W = W * F",
            mutants=(Mutant("those of a correlation", {"metric": "commutator_correlation"}),),
        ),
        Hypothesis(
            "C61.reversed",
            "Exchanging those of a correlation turns it by 180°.",
            identity("reversal_error"),
            formula=r"[W \star F](x) = [F \star W](-x)",
            mutants=(Mutant("it stays the same", {"metric": "commutator_correlation"}),),
        ),
        Hypothesis(
            "C61.associates",
            "Convolutions associate.",
            identity("associator"),
            formula=r"(F * W) * V = F * (W * V)",
            mutants=(Mutant("correlations do", {"metric": "associator_correlation"}),),
        ),
        Hypothesis(
            "C61.stacked",
            "Two layers without bias and activation are one, in either order; its kernel is the "
            "convolution of both, though each layer is a correlation.",
            identity("stacked_error"),
            formula=r"(F \star W) \star V = F \star (W * V) = (F \star V) \star W",
            mutants=(Mutant("the correlation of both kernels", {"metric": "stacked_correlation"}),),
        ),
        Hypothesis(
            "C61.spectrum",
            "On a torus the layer multiplies the spectrum of the image by the complex conjugate "
            "of the kernel's; a convolution has no conjugate.",
            identity("spectrum_error", terms=SHAPE[0] * SHAPE[1]),
            formula=r"\mathcal{F}[F \star W] = \mathcal{F}[F]\, \overline{\mathcal{F}[W]}",
            mutants=(Mutant("without the conjugate", {"metric": "no_conjugate_error"}),),
        ),
    ),
    factors={"data": DATA, "kernel": KERNELS},
    seeds=20,  # identities: 20 random states leave no room for a coincidence
    paired=("data", "initial weights"),
    metrics={
        "formula_error": Metric("deviation of the layer from W(y − x)", "1", "lower"),
        "wrong_formula_error": Metric("deviation of the layer from W(x − y)", "1"),
        "name_error": Metric("deviation of the slide's formula from a convolution", "1"),
        "turned_error": Metric("deviation of the turned kernel's from a convolution", "1", "lower"),
        "commutator": Metric("F * W off W * F, for convolutions", "1", "lower"),
        "commutator_correlation": Metric("the same for correlations", "1"),
        "reversal_error": Metric("turned W o F off F o W, for correlations", "1", "lower"),
        "associator": Metric("(F * W) * V off F * (W * V), for convolutions", "1", "lower"),
        "associator_correlation": Metric("the same for correlations", "1"),
        "stacked_error": Metric("two layers off one with the convolved kernel", "1", "lower"),
        "stacked_correlation": Metric("two layers off one with the correlated kernel", "1"),
        "spectrum_error": Metric("deviation from the correlation theorem", "1", "lower"),
        "no_conjugate_error": Metric("the same without the conjugate", "1"),
    },
    figure=(
        Plane(
            points=("pixels",),
            where={"data": NOISE, "kernel": ASYMMETRIC},
            x_label="column",
            y_label="row, the first on top",
            title="One bright pixel: a correlation answers with the kernel turned",
        ),
        Points(
            x="kernel",
            y="name_error",
            by="data",
            x_label="kernel",
            y_label="correlation off convolution, relative",
            title="Symmetric kernels hide the difference",
            reference=0.0,
            reference_label="the same",
        ),
    ),
    measure=measure,
    finding="The slide's formula is a cross-correlation, as is Keras's layer; with the kernel "
    "turned by 180° it is a convolution, which alone commutes and associates.",
    stated=r"[F * W](x) = \sum_y F(y)\, W(y - x)",
    corrected=r"[F \star W](x) = \sum_y F(y)\, W(y - x), \quad [F * W](x) = \sum_y F(y)\, W(x - y)",
    figures=("F25",),
    components=("suite.layers.Conv2D",),
    limits="A matter of names: a layer that learns its weights learns them turned or not. It "
    "matters where kernels are given, or carried from one library to another.",
)
