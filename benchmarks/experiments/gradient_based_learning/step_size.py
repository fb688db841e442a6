"""Gradient descent lowers a smooth loss at any learning rate below 2 / beta, and no further.

Lecture section "Gradient-based learning", claim C11. The slide promises that some small enough
step does not raise the loss. How small is known where the gradient is `beta`-Lipschitz:

    L(w - rate g) <= L(w) - rate (1 - rate beta / 2) ||g||^2

so the loss cannot rise while `rate <= 2 / beta`. Smoothness is what counts: `1 - cos w` is not
convex and obeys, `|w|` is convex and does not. For the summed logistic loss
`beta = lambda_max(X^T X) / 4`. Every problem here is scaled to `beta = 1`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit as sigmoid

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.gradient_based_learning import _logistic
from benchmarks.verdicts import AtMost, Identity

QUADRATIC, COSINE, KINK = "quadratic", "1 − cos w", "|w|"
LOGISTIC = {f"logistic, {data}": data for data in _logistic.DATA}
SMOOTH = (QUADRATIC, *LOGISTIC, COSINE)
SAFE, UNSAFE = (0.5, 1.0, 1.9, 1.998), (2.002, 2.1)  # in units of 1 / beta; 0.1 % around 2

DIMENSION, CONDITION = 2, 10.0  # of the quadratic: two weights, so that it can be drawn
STARTS = 25  # a seed; with 20 seeds 500 paths a cell
GRID = 40  # points a side of the drawn loss
SWEPT = np.linspace(0.1, 2.1, 21)  # rates of the drawn curve; its theory has a kink at 20/11


@dataclass(frozen=True)
class Problem:
    """Loss and gradient of weights `(seeds, starts, dimension)`, with `beta = 1`."""

    start: np.ndarray
    loss: Callable
    gradient: Callable
    samples: int = 1  # terms in the loss


def problem_of(name, seeds):
    """The problem of one cell, all seeds stacked."""
    rngs = [np.random.default_rng([int(s), 1]) for s in seeds]
    if name in LOGISTIC:
        x, y = _logistic.logistic_problems(LOGISTIC[name], seeds)
        scale = np.sqrt(_logistic.smoothness(x))[:, None, None]
        normal = np.array([r.normal(size=(STARTS, x.shape[2])) for r in rngs])
        x = x / scale  # and w times scale: the same logits, and beta = 1
        sign = (1 - 2 * y)[:, None, :]

        def logits(w):
            return sign * (w @ np.swapaxes(x, 1, 2))  # (seeds, starts, samples)

        return Problem(
            scale * normal,
            lambda w: np.logaddexp(0, logits(w)).sum(-1),
            lambda w: (sign * sigmoid(logits(w))) @ x,
            x.shape[1],
        )
    if name == QUADRATIC:
        _, a, center = quadratics(seeds)
        start = center + np.array([r.normal(size=(STARTS, DIMENSION)) for r in rngs])
        return Problem(
            start,
            lambda w: (((w - center) @ a) * (w - center)).sum(-1) / 2,
            lambda w: (w - center) @ a,
        )
    start = np.array([r.uniform(-np.pi, np.pi, (STARTS, DIMENSION)) for r in rngs])
    if name == COSINE:
        return Problem(start, lambda w: 2 * (np.sin(w / 2) ** 2).sum(-1), np.sin)
    # No beta exists; 1 is what a bounded slope might suggest.
    return Problem(start, lambda w: np.abs(w).sum(-1), np.sign)


def quadratics(seeds):
    """The bowls, their matrices `(seeds, 2, 2)` and their minima `(seeds, 1, 2)`."""
    from suite.datasets import Quadratic

    bowls = [Quadratic(DIMENSION, CONDITION, seed=int(s)) for s in seeds]
    return bowls, np.array([b.matrix for b in bowls]), np.array([[b.minimizer] for b in bowls])


def descend(problem, rate, steps):
    """Weights along the paths of the suite's `SGD`, `(steps + 1, seeds, starts, dimension)`."""
    import keras

    from suite.optimizers import SGD

    optimizer = SGD(learning_rate=rate)
    w = keras.Variable(problem.start, dtype="float64")
    path = [problem.start]
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(problem.gradient(path[-1]))], [w])
        path.append(keras.ops.convert_to_numpy(w))
    return np.array(path)


def closed_form(rate, seeds, start, steps):
    """`w* + (I - rate A)^t (w_0 - w*)` from the eigenvalues, the shape of the path."""
    _, a, center = quadratics(seeds)
    h, v = np.linalg.eigh(a)
    t = np.arange(steps + 1)[:, None, None, None]
    away = (start - center) @ v
    return center + ((1 - rate * h[:, None]) ** t * away) @ np.swapaxes(v, 1, 2)


def pictures(seed, path):
    """The first path of a seed over the loss, and its steepest direction in profile."""
    (bowl,), _, center = quadratics([seed])
    center, reach = center[0, 0], 1.5 * np.abs(path[0] - center[0, 0]).max()
    side = np.linspace(-reach, reach, GRID)
    x, y = center[0] + side, center[1] + side
    inside = np.abs(path - center).max(axis=1) <= reach
    kept = path[: np.argmin(inside) if not inside.all() else len(path)]
    # The profile along the steepest eigenvector: h = 1, so L = u^2 / 2.
    steepest = np.linalg.eigh(bowl.matrix)[1][:, -1]
    u = (kept - center) @ steepest
    edge = 1.2 * np.abs(u).max()
    line = np.linspace(-edge, edge, 61)
    ends = np.array([-0.9 * edge, 0.6 * edge])
    return {
        "loss": bowl.loss(np.stack(np.meshgrid(x, y), axis=-1)),
        "loss.x": x,
        "loss.y": y,
        "path": kept,
        "profile": np.column_stack([line, line**2 / 2]),
        "chord": np.column_stack([ends, ends**2 / 2]),
        "steps": np.column_stack([u, u**2 / 2]),
    }


def slowest(rate):
    """What a step multiplies the quadratic by in the end: of the curvatures 1 and 1 / CONDITION."""
    return np.maximum((1 - rate) ** 2, (1 - rate / CONDITION) ** 2)


def last_factors(seeds, steps):
    """The loss after the last step over the loss before, at every rate, `(seeds, rates)`."""
    problem, found = problem_of(QUADRATIC, seeds), []
    for rate in SWEPT:
        path = descend(problem, float(np.float32(rate)), steps)
        found.append((problem.loss(path[-1]) / problem.loss(path[-2])).max(axis=-1))
    return np.array(found).T


def measure(cell, seeds):
    """The largest violation of each bound over all steps of all paths, one value a seed."""
    problem = problem_of(cell.problem, seeds)
    rate = float(np.float32(cell.rate))  # the precision in which Keras keeps a learning rate
    path = descend(problem, rate, cell.steps)
    loss = np.array([problem.loss(w) for w in path])
    squares = np.array([(problem.gradient(w) ** 2).sum(-1) for w in path[:-1]])
    change = np.diff(loss, axis=0)
    # Rounding is relative to the terms that are compared; cos reaches its minimum exactly.
    terms = loss[1:] + loss[:-1] + rate * squares + np.finfo(float).tiny

    def excess(promised):
        return np.maximum(0, (change + promised * squares) / terms).max(axis=(0, 2))

    zeros = np.zeros(len(seeds))
    closed = uniform = last_factor = zeros
    arrays, curves = {}, {}
    if cell.problem == QUADRATIC:
        exact = closed_form(rate, seeds, problem.start, cell.steps)
        _, _, center = quadratics(seeds)
        t = np.arange(cell.steps + 1)[:, None, None, None]
        alike = center + (1 - rate) ** t * (problem.start - center)
        size = np.abs(exact).max(axis=(0, 2, 3))
        closed = np.abs(path - exact).max(axis=(0, 2, 3)) / size
        uniform = np.abs(path - alike).max(axis=(0, 2, 3)) / size
        last_factor = (loss[-1] / loss[-2]).max(axis=-1)  # elsewhere the loss may reach 0
        arrays = pictures(seeds[0], path[:, 0, 0])
    if (cell.problem, cell.rate) == (QUADRATIC, SAFE[0]):  # once: the curve has its own rates
        curves = {"factor_of_rate": last_factors(seeds, cell.steps)}
    return Measurements(
        metrics={
            "rise": excess(0.0),
            "lemma_excess": excess(rate * (1 - rate / 2)),
            "slope_excess": excess(rate),
            "mean_excess": excess(rate * (1 - rate / (2 * problem.samples))),
            "last_factor": last_factor,
            "factor_theory": np.full(len(seeds), slowest(rate)),
            "closed_form_error": closed,
            "uniform_error": uniform,
        },
        curves=curves,
        axes={name: SWEPT for name in curves},
        theory={name: slowest(SWEPT) for name in curves},
        arrays=arrays,
    )


DRAWN = {"problem": QUADRATIC, "rate": (0.5, 1.9, 2.1)}  # monotone, oscillating, diverging

EXPERIMENT = Experiment(
    claim="C11",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C11.stated",
            "A small enough learning rate, here one below 2/β, never raises the loss.",
            # The longest sum is that over the samples.
            Identity("rise", terms=_logistic.ROWS, where={"problem": SMOOTH, "rate": SAFE}),
            kind="as stated",
            formula=r"\mathcal{L}(w_{t+1}) \le \mathcal{L}(w_t)",
            mutants=(
                Mutant("a rate of 2.1/β", {"where": {"problem": SMOOTH, "rate": 2.1}}),
                Mutant("convex without smooth, |w|", {"where": {"problem": KINK, "rate": SAFE}}),
            ),
        ),
        Hypothesis(
            "C11.lemma",
            "A step lowers a smooth loss, convex or not, by at least λ(1\u00a0−\u00a0λβ/2) times "
            "the squared gradient; beyond 2/β it raises it by no more than that.",
            Identity("lemma_excess", terms=_logistic.ROWS, where={"problem": SMOOTH}),
            formula=r"\mathcal{L}(w_{t+1}) \le \mathcal{L}(w_t) "
            r"- \lambda \left(1 - \frac{\lambda \beta}{2}\right) \lVert g_t \rVert^2",
            mutants=(
                Mutant("the slope alone, λ‖g‖²", {"metric": "slope_excess"}),
                Mutant(
                    "β of the mean loss",
                    {"metric": "mean_excess", "where": {"problem": tuple(LOGISTIC)}},
                ),
            ),
        ),
        Hypothesis(
            "C11.threshold",
            "On a quadratic the limit is sharp: a thousandth below 2/β the loss falls to the end.",
            # In the end a step multiplies the loss by (1 - rate beta)^2, which is 1 at 2 / beta.
            AtMost("last_factor", 1.0, where={"problem": QUADRATIC, "rate": SAFE}),
            formula=r"0 < \lambda < \frac{2}{\beta}",
            mutants=(
                Mutant(
                    "a thousandth above 2/β",
                    {"where": {"problem": QUADRATIC, "rate": 2.002}},
                ),
            ),
        ),
        Hypothesis(
            "C11.closed_form",
            "On a quadratic SGD multiplies the error in each direction by 1\u00a0−\u00a0λh, h "
            "being the curvature there.",
            # A path of 40 steps, a sum of two terms each.
            Identity("closed_form_error", terms=40 * DIMENSION, where={"problem": QUADRATIC}),
            formula=r"v_i^\top (w_t - w^*) = (1 - \lambda h_i)^t\, v_i^\top (w_0 - w^*)",
            mutants=(Mutant("1 − λβ in every direction", {"metric": "uniform_error"}),),
        ),
    ),
    factors={"problem": (*SMOOTH, KINK), "rate": (*SAFE, *UNSAFE)},
    # A bound has to hold everywhere: 20 draws of the problem, 25 starts each.
    seeds=20,
    paired=("data", "initial weights"),
    budget={"steps": 40},
    smoke={"steps": 10},
    metrics={
        "rise": Metric("largest rise of the loss in a step, relative", "1", "lower"),
        "lemma_excess": Metric("largest excess over the descent lemma, relative", "1", "lower"),
        "slope_excess": Metric("the same for the promise λ‖g‖²", "1"),
        "mean_excess": Metric("the same with β of the mean loss", "1"),
        "last_factor": Metric("last loss over the one before, quadratic only", "1", "lower"),
        "factor_theory": Metric("largest (1 − λh)² of the two curvatures h", "1"),
        "closed_form_error": Metric("deviation from the closed form, relative", "1", "lower"),
        "uniform_error": Metric("deviation from (1 − λβ)ᵗ everywhere, relative", "1"),
    },
    figure=(
        Plane(
            surface="loss",
            paths=("path",),
            by="rate",
            where=DRAWN,
            log=True,
            x_label="first weight",
            y_label="second weight",
            title="Straight down, across the valley, or out of it: the learning rate decides",
        ),
        Plane(
            lines=("profile", "chord"),
            paths=("steps",),
            by="rate",
            where=DRAWN,
            x_label="weight along the steepest direction",
            y_label="loss along it",
            title="A chord lies above the convex curve; steps beyond 2/β climb it",
        ),
        Curves(
            y="factor_of_rate",
            where={"problem": QUADRATIC, "rate": SAFE[0]},
            x_label="learning rate times β",
            y_label="loss after a step over loss before",
            title="The largest factor of the last step crosses 1 at 2/β",
        ),
    ),
    measure=measure,
    finding="Gradient descent never raises a smooth loss while the learning rate is at most 2/β; "
    "just beyond, a quadratic loss grows without end.",
    stated=r"\mathcal{L}(w_{t+1}) \le \mathcal{L}(w_t) \;\text{for}\; \lambda_t \ge 0 "
    r"\;\text{small enough}",
    corrected=r"\mathcal{L}(w_{t+1}) \le \mathcal{L}(w_t) "
    r"- \lambda \left(1 - \frac{\lambda \beta}{2}\right) \lVert g_t \rVert^2, "
    r"\quad 0 < \lambda \le \frac{2}{\beta}",
    figures=("F04",),
    components=("suite.optimizers.SGD", "suite.datasets.Quadratic"),
    limits="The whole gradient, without noise. A rate of zero, which the slide allows, keeps the "
    "loss where it is. That the loss never rises does not say where the path ends: on a loss that "
    "is not convex it may be a poor minimum.",
)
