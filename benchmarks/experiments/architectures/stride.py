"""A stride takes every n-th output; with zeros around the image, not always the ones one expects.

Lecture section "Convolutional networks", claim C63:

    [F o_n W](x) = sum_y F(y) W(y - n x)        = [F o W](n x)        x = 0, 1, ...

computed at the outputs that are kept alone. Inside an image of side D a window of side d has
floor((D - d) / n) + 1 places. Padding "same" adds as few zeros as it can while keeping ceil(D / n)
outputs; a stride needs fewer of them, so that the windows start further inside:

    zeros(n) = max((ceil(D / n) - 1) n + d - D, 0)        half of them, rounded down, in front
    output x of stride n = output n x + s of stride 1     s = floor((d - 1) / 2) - floor(zeros / 2)

For d = 3 and n = 2 the shift s is 1 where D is even, and 0 where it is odd: a network that meets
images of both kinds looks at another grid on each.
"""

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.architectures._planes import (
    DATA,
    NOISE,
    correlate,
    image,
    kernel,
    layer_with,
)
from benchmarks.verdicts import AtMost, Identity

VALID, SAME, CIRCULAR = "valid", "same", "circular"
PADDINGS = (VALID, CIRCULAR, SAME)
SMALLEST, LARGEST = 5, 12  # sides of images; a digit's has 14 x 12 pixels
WINDOW, STRIDES = 4, 4  # the largest of each
DRAWN = 10  # sizes a seed: 200 in all
SIDES = np.arange(4, 14)  # sides of the figure, under a window of 3 and a stride of 2


def sizes(rng):
    """Image, window and stride, each `(height, width)`."""
    shape = rng.integers(SMALLEST, LARGEST + 1, 2)
    window, stride = rng.integers(1, (WINDOW + 1, STRIDES + 1), (2, 2)).T
    return (tuple(map(int, sides)) for sides in (shape, window, stride))


def outputs(side, window, stride, padding):
    """Number of outputs along an axis, by the formula."""
    return (side - window) // stride + 1 if padding == VALID else -(-side // stride)


def zeros_in_front(side, window, stride):
    """Of padding "same": half of what is missing, rounded down."""
    missing = (outputs(side, window, stride, SAME) - 1) * stride + window - side
    return max(missing, 0) // 2


def shift(side, window, stride, padding):
    """Which output of stride 1 is the first of stride n."""
    if padding != SAME:
        return 0
    return (window - 1) // 2 - zeros_in_front(side, window, stride)


def by_formula(plane, weights, stride):
    """`sum_y F(y) W(y - n x)`, window by window, inside the image."""
    counts = [outputs(*one, VALID) for one in zip(plane.shape, weights.shape, stride, strict=True)]
    out = np.empty(counts)
    for x in np.ndindex(*counts):
        i, j = x[0] * stride[0], x[1] * stride[1]
        out[x] = np.sum(plane[i : i + weights.shape[0], j : j + weights.shape[1]] * weights)
    return out


def kept(every, start, stride, counts):
    """Every n-th output from a start along both axes, as many as there are; round the torus."""
    rows, columns = (s + n * np.arange(c) for s, n, c in zip(start, stride, counts, strict=True))
    return every[np.ix_(rows % every.shape[0], columns % every.shape[1])]


def deviations(data, padding, seed):
    """A strided layer against other forms of it, relative to the largest output of stride 1."""
    rng = np.random.default_rng(int(seed))
    shape, window, stride = sizes(rng)
    f, w = image(data, shape, rng), kernel(rng, *window)
    every = correlate(f, w, padding=padding)
    strided = correlate(f, w, padding=padding, strides=stride)
    inside = correlate(f, w, strides=stride)
    side_by_side = by_formula(f, w, (1, 1))[: inside.shape[0], : inside.shape[1]]
    axes = list(zip(shape, window, stride, strict=True))
    sides = tuple(outputs(*axis, padding) for axis in axes)

    def off(expected, found=strided):
        return np.abs(found - expected).max() / np.abs(every).max()

    first = tuple(shift(*axis, padding) for axis in axes)
    second = tuple(min(n - 1, 1) for n in stride)  # where there is a stride
    return {
        "kept_error": off(kept(every, first, stride, strided.shape)),
        "from_first_error": off(kept(every, (0, 0), stride, strided.shape)),
        "from_second_error": off(kept(every, second, stride, strided.shape)),
        "no_stride_error": off(kept(every, first, (1, 1), strided.shape)),
        "formula_error": off(by_formula(f, w, stride), inside),
        "formula_no_stride": off(side_by_side, inside),
        "size_gap": max(abs(n - side) for n, side in zip(strided.shape, sides, strict=True)),
    }


def size_gaps(padding, seed):
    """Largest deviations of the sizes that the layer names from the formula, and wrong ones."""
    from suite.layers import Conv2D

    rng = np.random.default_rng([int(seed), 1])
    gaps = np.zeros(3, int)
    for _ in range(DRAWN):
        side, window, stride = (int(n) for n in rng.integers((12, 1, 1), (60, 12, 9)))
        layer = Conv2D(1, (1, window), (1, stride), padding)
        found = layer.compute_output_shape((1, 1, side, 1))[2]
        formulas = (
            outputs(side, window, stride, padding),
            -(-(side - window) // stride) + 1,
            outputs(side, window, stride, SAME if padding == VALID else VALID),
        )
        gaps = np.maximum(gaps, [abs(found - formula) for formula in formulas])
    return dict(zip(("size_gap", "size_gap_up", "size_gap_other"), gaps, strict=True))


def shifts_found(padding, seeds):
    """Where the outputs of a window of 3 and a stride of 2 begin, `(seeds, sides)`, by looking."""
    found = np.empty((len(seeds), len(SIDES)))
    for k, side in enumerate(SIDES):
        rngs = [np.random.default_rng([int(seed), 2, int(side)]) for seed in seeds]
        x = np.array([image(NOISE, (side, 3), rng) for rng in rngs])[..., None]
        weights = kernel(np.random.default_rng(0), 3, 2, 1, 1)
        every, strided = (
            np.asarray(layer_with(weights, x.shape[1:], padding=padding, strides=(n, 1))(x))
            for n in (1, 2)
        )
        starts = [every[:, s::2][:, : strided.shape[1]] for s in range(2)]
        off = [
            np.abs(part - strided).max(axis=(1, 2, 3))
            if part.shape == strided.shape
            else np.full(len(seeds), np.inf)
            for part in starts
        ]
        found[:, k] = np.argmin(off, axis=0)
    return found


def measure(cell, seeds):
    """Deviations and sizes under one kind of padding, one value a seed."""
    found = {name: np.zeros(len(seeds)) for name in EXPERIMENT.metrics}
    for i, seed in enumerate(seeds):
        values, named = deviations(cell.data, cell.padding, seed), size_gaps(cell.padding, seed)
        # Of an output that it computed, and of those that it only names.
        named["size_gap"] = max(named["size_gap"], values["size_gap"])
        for name, value in (values | named).items():
            found[name][i] = value
    shifts = shifts_found(cell.padding, seeds)
    found["parity_gap"] = np.abs(shifts - (SIDES % 2 == 0)).max(axis=1)
    return Measurements(
        metrics=found,
        curves={"shift": shifts},
        axes={"shift": SIDES.astype(float)},
        theory={"shift": np.array([shift(side, 3, 2, cell.padding) for side in SIDES], float)},
    )


UNPADDED, PADDED = {"padding": VALID}, {"padding": SAME}
FROM_SECOND = Mutant("from the second output on", {"metric": "from_second_error"})
NO_STRIDE = Mutant("outputs side by side", {"metric": "no_stride_error"})

EXPERIMENT = Experiment(
    claim="C63",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C63.formula",
            "The strided layer computes the slide's formula, with W(y − n x).",
            Identity("formula_error", terms=WINDOW**2, where=UNPADDED),
            kind="as stated",
            formula=r"[F \star_n W](x) = \sum_y F(y)\, W(y - n x)",
            mutants=(Mutant("with W(y − x)", {"metric": "formula_no_stride"}),),
        ),
        Hypothesis(
            "C63.kept",
            "Without padding, or on a torus, it keeps every n-th output of stride 1, from the "
            "first on.",
            Identity("kept_error", terms=WINDOW**2, where={"padding": (VALID, CIRCULAR)}),
            formula=r"[F \star_n W](x) = [F \star W](n x)",
            mutants=(FROM_SECOND, NO_STRIDE),
        ),
        Hypothesis(
            "C63.sizes",
            "Without padding an axis of D cells has as many outputs as a window of d has places.",
            AtMost("size_gap", 0, where=UNPADDED),
            formula=r"\lfloor (D - d) / n \rfloor + 1",
            mutants=(
                Mutant("rounded up", {"metric": "size_gap_up"}),
                Mutant("D / n, rounded up", {"metric": "size_gap_other"}),
            ),
        ),
        Hypothesis(
            "C63.padded_sizes",
            "With padding, by zeros or by the other end of a torus, it has D\u00a0/\u00a0n, "
            "rounded up, whatever the window.",
            AtMost("size_gap", 0, where={"padding": (SAME, CIRCULAR)}),
            formula=r"\lceil D / n \rceil",
            mutants=(Mutant("the formula without padding", {"metric": "size_gap_other"}),),
        ),
        Hypothesis(
            "C63.same",
            "With zeros around the image (same) the outputs kept begin at a shift s, which depends "
            "on the size of the image.",
            Identity("kept_error", terms=WINDOW**2, where=PADDED),
            formula=r"s = \lfloor \tfrac{d - 1}{2} \rfloor - \lfloor \tfrac{p}{2} \rfloor, \quad "
            r"p = \max((\lceil D / n \rceil - 1) n + d - D,\, 0)",
            mutants=(
                Mutant("from the first output on", {"metric": "from_first_error"}),
                FROM_SECOND,
                NO_STRIDE,
            ),
        ),
        Hypothesis(
            "C63.parity",
            "For a window of 3 and a stride of 2 the shift is 1 where the size is even, 0 where it "
            "is odd.",
            AtMost("parity_gap", 0, where=PADDED),
            formula=r"s = (D + 1) \bmod 2",
            mutants=(
                Mutant("without padding too", {"where": UNPADDED}),
                Mutant("on a torus too", {"where": {"padding": CIRCULAR}}),
            ),
        ),
    ),
    factors={"data": DATA, "padding": PADDINGS},
    # Identities: 20 random states, each of its own sizes, and 200 sizes for each padding.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "kept_error": Metric("deviation from every n-th output, from the shift on", "1", "lower"),
        "from_first_error": Metric("the same, from the first output on", "1"),
        "from_second_error": Metric("the same, from the second output on", "1"),
        "no_stride_error": Metric("deviation from outputs side by side", "1"),
        "formula_error": Metric("deviation from W(y − n x)", "1", "lower"),
        "formula_no_stride": Metric("deviation from W(y − x)", "1"),
        "size_gap": Metric("size, off the formula", "cell", "lower"),
        "size_gap_up": Metric("size, off the formula rounded up", "cell"),
        "size_gap_other": Metric("size, off the formula of the other padding", "cell"),
        "parity_gap": Metric("shift, off 1 for even and 0 for odd sizes", "cell", "lower"),
    },
    figure=(
        Curves(
            y="shift",
            by="padding",
            where={"data": NOISE},
            x_label="side of the image D",
            y_label="first output kept (window 3, stride 2)",
            title="With zeros around it, an image of even size is seen on another grid",
        ),
    ),
    measure=measure,
    finding="A stride keeps every n-th output, as the slide says; with same padding the first one "
    "kept depends on the size of the image.",
    stated=r"[F \star_n W](x) = \sum_y F(y)\, W(y - n x)",
    corrected=r"[F \star_n W](x) = [F \star W](n x), \quad \text{padded: } [F \star W](n x + s)",
    components=("suite.layers.Conv2D",),
    limits="Where the zeros go is a convention: this is TensorFlow's and Keras's. Where as many "
    "are put on both sides at any stride, there is no shift. One channel, without dilation.",
)
