"""The simplex needs more than a sum of one, and softmax does not fix its own weights.

Lecture section "Logistic regression", claim C08. A categorical distribution has probabilities

    p in the simplex  <=>  sum_c p_c = 1  and  p_c >= 0        p = softmax(W x)

The slide leaves out the sign: (2, -1) sums to one. It is right about the likelihood and the
softmax, and silent about three things: softmax reaches the inside of the simplex only; for two
classes it is the sigmoid of the *difference* of the logits; and adding a number to all logits
changes nothing, so that of `C D` weights only `(C - 1) D` directions can be learned.
"""

import itertools

import numpy as np
from scipy import special
from scipy.optimize import nnls

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.verdicts import AtMost, Identity

SYNTHETIC, DIGITS = "synthetic", "digits"
SAMPLES = {SYNTHETIC: 40, DIGITS: 100}
FEATURES = {SYNTHETIC: 3, DIGITS: 5}
CLASSES = {SYNTHETIC: 4, DIGITS: 10}
MOST = max(CLASSES.values())
POINTS = 60  # of each of three kinds, a seed
NO_DISTANCE = 1e-9  # far above rounding, far below the distance of a random point
LARGEST = 700.0  # exp of twice that overflows
SHIFT = 123.4
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])
PIXELS = 50


def problem_of(data, seed):
    """Features `(samples, features)`, one-hot labels and weights `(features, classes)`."""
    from suite.datasets import load_arrays

    rng = np.random.default_rng(int(seed))
    n, d, c = SAMPLES[data], FEATURES[data], CLASSES[data]
    if data == SYNTHETIC:
        x, y = rng.normal(0.3, 1, (n, d)), rng.integers(0, c, n)
    else:
        split = load_arrays("digits", seed=0)
        rows = rng.choice(len(split.x_train), n, replace=False)
        pixels = split.x_train[rows].astype(float)
        # A few random mixtures of the pixels: all 640 weights would only take longer.
        x = pixels @ rng.normal(size=(pixels.shape[1], d)) / pixels.shape[1] ** 0.5
        y = split.y_train[rows]
    return x, np.eye(c)[y], rng.normal(size=(d, c)) / d**0.5


def gradient(weights, x, y):
    """Of the summed cross-entropy, by the suite's reverse mode; the shape of the weights."""
    from suite.autodiff import constant, gradients, parameter, softmax_cross_entropy

    w = parameter(weights, "W")
    (slope,) = gradients(softmax_cross_entropy(constant(x) @ w, y), [w])
    return slope


def hessian(weights, x, y):
    """Central differences of that gradient, `(features * classes)` square, symmetric."""
    h = np.finfo(float).eps ** (1 / 3)
    columns = []
    for unit in np.eye(weights.size).reshape(-1, *weights.shape):
        ends = gradient(weights + h * unit, x, y) - gradient(weights - h * unit, x, y)
        columns.append(ends.ravel() / (2 * h))
    columns = np.array(columns)
    return (columns + columns.T) / 2


def points_near_simplex(classes, rng):
    """Inside, in the plane of sum one, and of positive sign alone; `(2, -1, 0, ...)` first."""
    inside = rng.dirichlet(np.ones(classes), POINTS)
    level = rng.normal(size=(POINTS, classes))
    level += (1 - level.sum(axis=1, keepdims=True)) / classes
    positive = rng.dirichlet(np.ones(classes), POINTS) * rng.uniform(0.2, 3, (POINTS, 1))
    known = np.zeros(classes)
    known[:2] = 2, -1
    return np.vstack([known, inside, level, positive])


def is_mixture_of_corners(p):
    """Whether a point is a convex combination of the unit vectors, by SciPy's least squares."""
    corners_and_sum = np.vstack([np.eye(len(p)), np.ones(len(p))])
    return nnls(corners_and_sum, np.append(p, 1.0))[1] <= NO_DISTANCE


def misjudged(points):
    """How many points each description of the simplex gets wrong: both, sum alone, sign alone."""
    truth = np.array([is_mixture_of_corners(p) for p in points])
    level = np.abs(points.sum(axis=1) - 1) <= NO_DISTANCE
    positive = points.min(axis=1) >= 0
    return [int((rule != truth).sum()) for rule in (level & positive, level, positive)]


def total_of_likelihood(p, labels):
    """`sum_y prod_c p_c^{y_c}` over a set of labels."""
    return np.prod(p ** np.asarray(labels), axis=-1).sum()


def triangle():
    """Positions in the simplex of three classes: loss, lines of equal logits, corners."""
    x, y = np.linspace(0, 1, PIXELS), np.linspace(0, CORNERS[2, 1], PIXELS)
    third = np.broadcast_to(y[:, None] / CORNERS[2, 1], (PIXELS, PIXELS))
    second = x[None] - third / 2
    p = np.stack([1 - second - third, second, third], axis=-1)
    inside = (p > 0.003).all(axis=-1)  # closer to the edge the loss grows without end
    loss = np.where(inside, -np.log(np.where(inside, p[..., 0], 1)), np.nan)

    varied, fixed = np.append(np.linspace(-7, 7, 29), np.nan), np.arange(-4.0, 5.0, 2.0)
    lines = {}
    for name, swap in (("first logit fixed", False), ("second logit fixed", True)):
        pairs = np.array(list(itertools.product(fixed, varied)))
        logits = np.column_stack([pairs[:, ::-1] if swap else pairs, np.zeros(len(pairs))])
        lines[name] = special.softmax(logits, axis=1) @ CORNERS
    return {
        "loss": loss,
        "loss.x": x,
        "loss.y": y,
        "edge": CORNERS[[0, 1, 2, 0]],
        "corner": CORNERS,
        "corner.label": np.arange(3),
    } | lines


def measure(cell, seeds):
    """Deviations from the identities, points misjudged, and the rank of the Hessian."""
    from suite.activations import softmax

    c, d = CLASSES[cell.data], FEATURES[cell.data]
    every_label = np.array(list(itertools.product((0, 1), repeat=c)))
    rows, spectra = [], []
    for seed in seeds:
        rng = np.random.default_rng([int(seed), 1])
        small, large = rng.normal(size=(50, c)) * 3, rng.uniform(-LARGEST, LARGEST, (50, c))
        logits = np.vstack([small, large])
        p, truth = np.asarray(softmax(logits)), special.softmax(logits, axis=1)
        pair, q = small[:, :2], np.asarray(softmax(small))
        two = np.asarray(softmax(pair))[:, 1]
        both, level, positive = misjudged(points_near_simplex(c, rng))
        # The least probability there can be, C classes with such a range of logits.
        least = np.exp(small.min(axis=1) - small.max(axis=1)) / c
        hard = (small == small.max(axis=1, keepdims=True)).astype(float)

        x, y, w = problem_of(cell.data, seed)
        spectrum = np.abs(np.linalg.eigvalsh(hessian(w, x, y)))
        spectrum = np.sort(spectrum)[::-1] / spectrum.max()
        spectra.append(spectrum)
        # Finite differences are good to 1e-6 of the largest entry, and usually far better.
        rank = int((spectrum > 1e-6).sum())
        rows.append(
            {
                "pmf_error": abs(total_of_likelihood(q[0], np.eye(c)) - 1),
                "pmf_error_any": abs(total_of_likelihood(q[0], every_label) - 1),
                "misjudged": both,
                "misjudged_by_sum": level,
                "misjudged_by_sign": positive,
                "softmax_error": np.abs(p - truth).max(),
                "sigmoids_error": np.abs(special.expit(logits) - truth).max(),
                "edge_shortfall": max(0.0, (1 - q.min(axis=1) / least).max()),
                "edge_shortfall_hard": max(0.0, (1 - hard.min(axis=1) / least).max()),
                "pair_error": np.abs(two - special.expit(pair[:, 1] - pair[:, 0])).max(),
                "pair_error_one": np.abs(two - special.expit(pair[:, 1])).max(),
                "shift_error": np.abs(np.asarray(softmax(small + SHIFT)) - q).max(),
                "scale_error": np.abs(np.asarray(softmax(2 * small)) - q).max(),
                "rank": rank,
                "rank_gap": abs(rank - (c - 1) * d),
                "rank_gap_full": abs(rank - c * d),
            }
        )
    return Measurements(
        metrics={name: np.array([row[name] for row in rows], float) for name in rows[0]},
        curves={"spectrum": np.maximum(spectra, 1e-18)},  # a log axis has no zero
        axes={"spectrum": np.arange(1, c * d + 1) / d},
        arrays=triangle(),
    )


EXPERIMENT = Experiment(
    claim="C08",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C08.stated",
            "Numbers lie in the simplex exactly if they sum to one.",
            AtMost("misjudged_by_sum", 0),
            kind="as stated",
            formula=r"\sum_c \pi_c = 1 \iff \pi \in \Delta^{C-1}",
        ),
        Hypothesis(
            "C08.likelihood",
            "The likelihood of a one-hot label is a distribution over the classes.",
            Identity("pmf_error", terms=MOST),
            kind="as stated",
            formula=r"\mathrm{Cat}(y \mid \pi) = \prod_c \pi_c^{y_c}",
            mutants=(Mutant("any y of zeros and ones", {"metric": "pmf_error_any"}),),
        ),
        Hypothesis(
            "C08.softmax",
            "Softmax is the normalized exponential, for logits up to 700 as well.",
            Identity("softmax_error", terms=MOST),
            kind="as stated",
            formula=r"\mathrm{softmax}(z)_c = \frac{e^{z_c}}{\sum_k e^{z_k}}",
            mutants=(Mutant("a sigmoid for each class", {"metric": "sigmoids_error"}),),
        ),
        Hypothesis(
            "C08.simplex",
            "Numbers lie in the simplex exactly if they sum to one and none is negative.",
            AtMost("misjudged", 0),
            formula=r"\sum_c \pi_c = 1, \;\; \pi_c \ge 0 \iff \pi \in \Delta^{C-1}",
            mutants=(
                Mutant("the sum alone", {"metric": "misjudged_by_sum"}),
                Mutant("the sign alone", {"metric": "misjudged_by_sign"}),
            ),
        ),
        Hypothesis(
            "C08.inside",
            "Softmax of finite logits stays inside: no probability falls below a positive bound.",
            Identity("edge_shortfall", terms=MOST),
            formula=r"\pi_c \ge \tfrac{1}{C} e^{\min_k z_k - \max_k z_k} > 0",
            mutants=(Mutant("all on the largest logit", {"metric": "edge_shortfall_hard"}),),
        ),
        Hypothesis(
            "C08.two_classes",
            "For two classes softmax is the sigmoid of the difference of the logits.",
            Identity("pair_error", terms=2),
            formula=r"\mathrm{softmax}(z)_1 = \sigma(z_1 - z_0)",
            mutants=(Mutant("the sigmoid of one logit", {"metric": "pair_error_one"}),),
        ),
        Hypothesis(
            "C08.shift",
            "A number added to all logits changes no probability.",
            # Adding it rounds the logits, to an epsilon of its own size.
            Identity("shift_error", terms=MOST, condition=SHIFT),
            formula=r"\mathrm{softmax}(z + c\,\mathbf{1}) = \mathrm{softmax}(z)",
            mutants=(Mutant("a factor on all logits", {"metric": "scale_error"}),),
        ),
        Hypothesis(
            "C08.rank",
            "The Hessian in the C D weights has rank (C\u00a0−\u00a01)\u00a0D: D directions are "
            "flat, and the system of a Newton step is singular.",
            AtMost("rank_gap", 0),
            formula=r"\mathrm{rank}\, H = (C - 1)\, D",
            mutants=(Mutant("full rank C D", {"metric": "rank_gap_full"}),),
        ),
    ),
    factors={"data": (SYNTHETIC, DIGITS)},
    # Identities: 20 random states; 50 sets of logits and 180 points near the simplex in each.
    seeds=20,
    metrics={
        "pmf_error": Metric("|sum of the likelihood over the labels − 1|", "1", "lower"),
        "pmf_error_any": Metric("the same over all y of zeros and ones", "1"),
        "misjudged": Metric("points misjudged by sum and sign", "point", "lower"),
        "misjudged_by_sum": Metric("points misjudged by the sum alone", "point", "lower"),
        "misjudged_by_sign": Metric("points misjudged by the sign alone", "point"),
        "softmax_error": Metric("largest deviation from SciPy's softmax", "1", "lower"),
        "sigmoids_error": Metric("the same for a sigmoid a class", "1"),
        "edge_shortfall": Metric("shortfall of the least probability, relative", "1", "lower"),
        "edge_shortfall_hard": Metric("the same, all on the largest logit", "1"),
        "pair_error": Metric("two classes: deviation from the sigmoid", "1", "lower"),
        "pair_error_one": Metric("the same for the sigmoid of one logit", "1"),
        "shift_error": Metric("largest change under a shift", "1", "lower"),
        "scale_error": Metric("largest change under a factor of 2", "1"),
        "rank": Metric("rank of the Hessian", "1"),
        "rank_gap": Metric("distance of the rank from (C − 1) D", "1", "lower"),
        "rank_gap_full": Metric("distance of the rank from C D", "1"),
    },
    figure=(
        Plane(
            surface="loss",
            points=("corner",),
            lines=("edge", "first logit fixed", "second logit fixed"),
            where={"data": SYNTHETIC},
            log=True,
            x_label="position in the simplex of three classes",
            y_label="height",
            title="Lines of one logit are rays from a corner; shaded, the loss of the first class",
        ),
        Curves(
            y="spectrum",
            by="data",
            log="y",
            x_label="eigenvalue of the Hessian, by size, in units of D",
            y_label="eigenvalue, relative to the largest",
            title="The last D eigenvalues of the C D are zero, up to finite differences",
        ),
    ),
    measure=measure,
    finding="A sum of one does not make a distribution, the sign has to be asked for too; softmax "
    "meets both, and leaves one direction for each feature undetermined.",
    stated=r"\sum_c \pi_c = 1 \iff \pi \in \Delta^{C-1}",
    corrected=r"\sum_c \pi_c = 1, \;\; \pi_c \ge 0 \iff \pi \in \Delta^{C-1}",
    figures=("F03",),
    components=("suite.activations.softmax", "suite.autodiff.softmax_cross_entropy"),
    limits="That softmax stays inside holds for real numbers: in float64 a probability below "
    "5e-324 becomes zero. The rank is that at random weights, of features of full rank and "
    "without a penalty, which would make the Hessian regular.",
)
