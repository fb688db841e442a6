"""The decision boundary is a hyperplane, and its normal is w without the bias.

Lecture section "Gradient-based learning", claim C19. A sample is called positive where

    p > 1/2  <=>  e^{-z} < 1  <=>  z = w^T x + b > 0

The slide allows equality in the middle, which the end does not: at a tie `z = 0`. With a bias
among the weights, only the others are normal to the boundary, at the distance `|z| / ||w||`. A
hyperplane separates some data and not other data. With several classes the regions are convex,
and classes i and j meet on the hyperplane `(w_i - w_j)^T x + b_i - b_j = 0`.
"""

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import linprog
from scipy.special import log_softmax

from benchmarks.experiment import Experiment, Hypothesis, Measurements, Metric, Mutant, Plane
from benchmarks.experiments.logistic_regression import _planar
from benchmarks.verdicts import AtMost, Identity

APART, MOONS = "clouds apart", "moons"
DATA = (*_planar.DATA, APART, MOONS)
SAMPLES = 60  # of the last two
TIES = 25  # a seed, on the line exactly
PAIRS = 300  # of digits, a seed
NEIGHBORS = 100  # digits that the nearest-neighbor rule knows
PIXELS = 64
# The way between two samples is cut into so many pieces, and the one with the crossing again, ...
PIECES, ROUNDS = 64, 8  # down to 64^-8, the rounding of float64


def problem_of(name, seed):
    """Features in the plane, labels, and the weights of a boundary, the bias last."""
    from suite.datasets import gaussian_classes, moons

    if name == APART:
        # No maximum of the likelihood exists; the clouds' own boundary is drawn.
        drawn = gaussian_classes(SAMPLES, 2, int(seed), separation=10)
        bias = -drawn.true_w @ _planar.SHIFT
        return drawn.x + _planar.SHIFT, drawn.y, np.append(drawn.true_w, bias)
    x, y = moons(SAMPLES, int(seed)) if name == MOONS else _planar.problem(name, seed)
    return x, y, _planar.maximum_likelihood(x, y.astype(float))


def logits(x, weights):
    """`w^T x + b`, the bias being the last weight."""
    return x @ weights[:-1] + weights[-1]


def whole_numbers(rng):
    """Integer weights without bias and points, the first `TIES` exactly on the boundary."""
    w = rng.integers(1, 9, 2)
    along = rng.choice(np.arange(1, 100), TIES, replace=False)[:, None] * [-w[1], w[0]]
    return np.append(w, 0).astype(float), np.vstack([along, rng.integers(-99, 100, (200, 2))])


def failures(weights, points):
    """How often "positive, so z > 0" fails, with the strict inequality and with the slide's."""
    z = logits(points, weights)
    positive = np.asarray(_planar.classifier(weights)(points.astype(float)))[:, 0] > 0.5
    with np.errstate(over="ignore"):  # e^{-z} may be infinite, which is not below 1 either
        strict, slide = np.exp(-z) < 1, np.exp(-z) <= 1
    return [int(((rule != (z > 0)) | (rule != positive)).sum()) for rule in (strict, slide)]


def projected(x, weights, normal):
    """`x - z n / ||n||^2`, which for the true normal lies on the boundary."""
    return x - (logits(x, weights) / (normal @ normal))[:, None] * normal[:2]


def off_half(x, weights):
    """How far the suite's probability is from one half, relative to the logit's terms."""
    p = np.asarray(_planar.classifier(weights)(x))[:, 0]
    return np.abs(p - 0.5).max() / (1 + np.abs(logits(np.abs(x), np.abs(weights))).max())


def crossings(x, weights):
    """Where the suite's probability passes one half on the way from a positive to a negative.

    By search, without use of the weights: they are only handed to the model.
    """
    model = _planar.classifier(weights)
    positive = np.asarray(model(x))[:, 0] > 0.5
    count = min(positive.sum(), (~positive).sum())
    a, b = x[positive][:count], x[~positive][:count]
    low, width = np.zeros((count, 1)), 1.0
    for _ in range(ROUNDS):
        width /= PIECES
        share = low + width * np.arange(1, PIECES)
        points = a[:, None] + share[..., None] * (b - a)[:, None]
        p = np.asarray(model(points.reshape(-1, 2))).reshape(share.shape)
        low = low + width * (p > 0.5).sum(axis=1, keepdims=True)
    return a + (low + width / 2) * (b - a)


def tilt(direction, points):
    """How far points leave a plane that is normal to a direction, relative to their spread."""
    away = points - points.mean(axis=0)
    spread = np.linalg.norm(away, axis=1).max() * np.linalg.norm(direction)
    return np.abs(away @ direction).max() / spread


def distance(x, weights):
    """From the boundary, by SciPy's basis of its directions: what they leave of `x - q`."""
    directions = null_space(weights[None, :2])
    q = -weights[2] * weights[:2] / (weights[:2] @ weights[:2])
    away = x - q
    return np.linalg.norm(away - away @ directions @ directions.T, axis=1)


def separable(x, y):
    """Whether some hyperplane has each class on its own side, by linear programming."""
    sign = np.where(y > 0, 1.0, -1.0)[:, None]
    found = linprog(
        np.zeros(3), A_ub=-sign * _planar.augmented(x), b_ub=-np.ones(len(x)), bounds=(None, None)
    )
    return found.status == 0


def on_digits(seed):
    """How many mixtures of digits leave the region of both, and how exact the ties are."""
    from suite.datasets import load_arrays

    split = load_arrays("digits", seed=0)
    rng = np.random.default_rng([int(seed), 3])
    x, label = split.x_train.astype(float), split.y_train
    # One prototype a class: a linear score, as in softmax regression.
    w = np.array([x[label == c].mean(axis=0) for c in range(split.classes)])
    b = -(w**2).sum(axis=1) / 2
    known = rng.choice(len(x), NEIGHBORS, replace=False)

    def best_score(points):
        return (points @ w.T + b).argmax(axis=1)

    def nearest_digit(points):
        squares = (x[known] ** 2).sum(axis=1) - 2 * points @ x[known].T
        return label[known][squares.argmin(axis=1)]

    chosen = rng.integers(0, len(x), PAIRS)
    alike = [rng.choice(np.flatnonzero(label == label[k])) for k in chosen]
    first, second = x[chosen], x[alike]
    share = rng.uniform(size=(PAIRS, 1))
    mixture = share * first + (1 - share) * second

    def broken(predict):
        calls = [predict(points) for points in (first, second, mixture)]
        return int(((calls[0] == calls[1]) & (calls[2] != calls[0])).sum())

    i, j = rng.choice(split.classes, 2, replace=False)
    excess = first @ (w[i] - w[j]) + b[i] - b[j]

    def untied(normal):
        moved = first - (excess / (normal @ normal))[:, None] * normal
        log_p = log_softmax(moved @ w.T + b, axis=1)
        terms = np.abs(moved) @ np.abs(w).T + np.abs(b)
        return (np.abs(log_p[:, i] - log_p[:, j]) / terms.max(axis=1)).max()

    return {
        "broken_mixtures": broken(best_score),
        "broken_by_nearest": broken(nearest_digit),
        "untied": untied(w[i] - w[j]),
        "untied_by_one": untied(w[i]),
    }


def picture(x, y, weights):
    """Probability, samples, the unit normal, and the way of one sample to the boundary."""
    columns, rows = _planar.grid(x)
    normal = weights[:2] / np.linalg.norm(weights[:2])
    foot = projected(x.mean(axis=0)[None], weights, weights[:2])[0]
    far = np.argsort(np.abs(logits(x, weights)))[len(x) // 2]
    return {
        "probability": _planar.field(weights, columns, rows),
        "probability.x": columns,
        "probability.y": rows,
        "sample": x,
        "sample.label": np.asarray(y, int),
        "normal": np.array([foot, foot + normal]),
        "distance": np.array([x[far], projected(x[far][None], weights, weights[:2])[0]]),
    }


def measure(cell, seeds):
    """Deviations from the geometry of a hyperplane, one value a seed."""
    rows, arrays = [], {}
    for i, seed in enumerate(seeds):
        x, y, weights = problem_of(cell.data, seed)
        normal, z = weights[:2], logits(x, weights)
        scale = np.linalg.norm(x, axis=1).max() + abs(weights[2]) / np.linalg.norm(normal)
        truth = distance(x, weights)
        strict, slide = failures(*whole_numbers(np.random.default_rng([int(seed), 2])))
        boundary = crossings(x, weights)
        between_means = x[y == 1].mean(axis=0) - x[y == 0].mean(axis=0)
        rows.append(
            {
                "strict_failures": strict,
                "slide_failures": slide,
                "off_half": off_half(projected(x, weights, normal), weights),
                "off_half_augmented": off_half(projected(x, weights, weights), weights),
                "tilt": tilt(normal, boundary),
                "tilt_of_means": tilt(between_means, boundary),
                "distance_error": np.abs(np.abs(z) / np.linalg.norm(normal) - truth).max() / scale,
                "distance_augmented": np.abs(np.abs(z) / np.linalg.norm(weights) - truth).max()
                / scale,
                "separable": float(separable(x, y)),
            }
            | on_digits(seed)
        )
        if i == 0:
            arrays = picture(x, y, weights)
    return Measurements(
        metrics={name: np.array([row[name] for row in rows], float) for name in rows[0]},
        arrays=arrays,
    )


EXPERIMENT = Experiment(
    claim="C19",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C19.stated",
            "The exponential is at most 1 exactly where the logit is positive.",
            AtMost("slide_failures", 0),
            kind="as stated",
            formula=r"e^{-w^\top x} \le 1 \Rightarrow w^\top x > 0",
        ),
        Hypothesis(
            "C19.strict",
            "The exponential is below 1 exactly where the logit is positive, and exactly where "
            "the suite's probability exceeds one half; ties count as negative.",
            AtMost("strict_failures", 0),
            formula=r"e^{-z} < 1 \iff z > 0 \iff p > \tfrac{1}{2}",
            mutants=(Mutant("at most 1", {"metric": "slide_failures"}),),
        ),
        Hypothesis(
            "C19.normal",
            "Points where the probability is one half differ only in directions at right angles "
            "to w.",
            Identity("tilt", terms=_planar.LONGEST),  # the mean over the points
            kind="as stated",
            formula=r"w^\top (x - x') = 0",
            mutants=(Mutant("to the line between the means", {"metric": "tilt_of_means"}),),
        ),
        Hypothesis(
            "C19.projection",
            "The step along w without the bias, of length |z|/‖w‖, ends where the probability is "
            "one half.",
            Identity("off_half", terms=3),
            formula=r"x - \frac{z}{\lVert w \rVert^2} w",
            mutants=(Mutant("w with the bias", {"metric": "off_half_augmented"}),),
        ),
        Hypothesis(
            "C19.distance",
            "The distance of a sample from the boundary is |z|/‖w‖.",
            Identity("distance_error", terms=3),
            formula=r"d = \frac{\lvert w^\top x + b \rvert}{\lVert w \rVert}",
            mutants=(Mutant("w with the bias", {"metric": "distance_augmented"}),),
        ),
        Hypothesis(
            "C19.inseparable",
            "No hyperplane separates two interleaved half moons.",
            AtMost("separable", 0, where={"data": MOONS}),
            mutants=(Mutant("clouds apart", {"where": {"data": APART}}),),
        ),
        Hypothesis(
            "C19.convex",
            "With several classes of linear scores each region is convex: a mixture of two digits "
            "called the same is called the same.",
            AtMost("broken_mixtures", 0),
            mutants=(Mutant("the nearest of 100 digits", {"metric": "broken_by_nearest"}),),
        ),
        Hypothesis(
            "C19.pairs",
            "Classes i and j tie on a hyperplane whose normal is the difference of their weights.",
            Identity("untied", terms=PIXELS),
            formula=r"(w_i - w_j)^\top x + b_i - b_j = 0",
            mutants=(Mutant("the weights of one class", {"metric": "untied_by_one"}),),
        ),
    ),
    factors={"data": DATA},
    # Identities: 20 random states, with 300 mixtures of digits for each.
    seeds=20,
    metrics={
        "strict_failures": Metric("points where e⁻ᶻ < 1 and z > 0 differ", "point", "lower"),
        "slide_failures": Metric("points where e⁻ᶻ ≤ 1 and z > 0 differ", "point", "lower"),
        "tilt": Metric("deviation of boundary points from a plane normal to w", "1", "lower"),
        "tilt_of_means": Metric("the same for the line between the means", "1"),
        "off_half": Metric("distance of p from 1/2 after projection", "1", "lower"),
        "off_half_augmented": Metric("the same, the bias being part of w", "1"),
        "distance_error": Metric("deviation of the distance, relative", "1", "lower"),
        "distance_augmented": Metric("the same, the bias being part of w", "1"),
        "separable": Metric("whether a hyperplane separates the classes", "1"),
        "broken_mixtures": Metric("mixtures of 300 that leave their region", "mixture", "lower"),
        "broken_by_nearest": Metric("the same for the nearest digit", "mixture"),
        "untied": Metric("difference of two log-probabilities, relative", "1", "lower"),
        "untied_by_one": Metric("the same along the weights of one class", "1"),
    },
    figure=(
        Plane(
            surface="probability",
            probability=True,
            points=("sample",),
            lines=("distance",),
            paths=("normal",),
            by="data",
            x_label="first feature",
            y_label="second feature",
            title="The boundary is straight, also where no straight line separates the classes",
        ),
    ),
    measure=measure,
    finding="The boundary is a hyperplane with normal w, the bias left out; a tie is no positive, "
    "and some data no hyperplane separates.",
    stated=r"e^{-w^\top x} \le 1 \Rightarrow w^\top x > 0",
    corrected=r"e^{-(w^\top x + b)} < 1 \iff w^\top x + b > 0, \quad w \perp \text{boundary}",
    figures=("F08",),
    components=("suite.models.LogisticRegression", "suite.datasets.moons"),
    limits="Two features, so that the plane can be drawn. Classes of digits have linear scores "
    "from their means, not from training: convexity does not depend on the weights.",
)
