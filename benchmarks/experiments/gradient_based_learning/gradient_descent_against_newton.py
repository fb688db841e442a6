"""Newton's method fits a logistic regression in far fewer steps than gradient descent.

Lecture section "Gradient-based learning", claim C18: the two slides titled "Logistic regression:
maximum likelihood". Both methods start at zero weights on the same data and stop at

    ||g|| <= 1e-8 ||g_0||

Gradient descent has the learning rate `1 / beta`, the largest that is safe everywhere. A Newton
step is more expensive, so floating point operations are counted beside the steps.
"""

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Points
from benchmarks.experiments.gradient_based_learning import _logistic
from benchmarks.verdicts import Sign, every

GRADIENT_DESCENT, NEWTON = "gradient descent", "Newton"
TARGET = 1e-8  # of the first gradient; float64 leaves seven more digits


def flops_of_gradient(samples, weights):
    """`X w` and `X^T r`, two operations an entry each; the sigmoid counts as four a sample."""
    return 4 * samples * weights + 4 * samples


def flops_of_newton(samples, weights):
    """A gradient, `X^T S X` using its symmetry, a Cholesky factor and two triangular solves."""
    hessian = samples * weights * (weights + 1) + samples * weights
    return flops_of_gradient(samples, weights) + hessian + weights**3 / 3 + 2 * weights**2


def descend(features, labels, max_steps):
    """Relative gradient norms of gradient descent, `(seeds, steps + 1)`, until all arrived."""
    rate = 1 / _logistic.smoothness(features)[:, None]
    w = np.zeros((len(features), features.shape[2]))
    norms = []
    for _ in range(max_steps + 1):
        g = _logistic.gradients(w, features, labels)
        norms.append(np.linalg.norm(g, axis=1))
        if (norms[-1] <= TARGET * norms[0]).all():
            break
        w = w - rate * g
    return (np.array(norms) / norms[0]).T


def newton_norms(features, labels):
    """Relative gradient norms of undamped Newton steps, padded with the last, the same shape."""
    from suite.training.newton import logistic_gradient, newton

    paths = []
    for x, y in zip(features, labels, strict=True):
        first = np.linalg.norm(logistic_gradient(np.zeros(x.shape[1]), x, y))
        run = newton(x, y, tolerance=TARGET * first)
        if not run.converged:
            raise RuntimeError(f"Newton's method stopped on regular data: {run.outcome}")
        paths.append(run.gradient_norms / first)
    longest = max(map(len, paths))
    return np.array([np.pad(p, (0, longest - len(p)), mode="edge") for p in paths])


def measure(cell, seeds):
    """Steps and operations until the gradient has fallen to the target, one value a seed."""
    features, labels = _logistic.logistic_problems(cell.data, seeds)
    _, samples, weights = features.shape
    if cell.method == NEWTON:
        norms, cost = newton_norms(features, labels), flops_of_newton(samples, weights)
    else:
        norms, cost = descend(features, labels, cell.max_steps), flops_of_gradient(samples, weights)
    reached = norms <= TARGET
    # A run that never arrives counts one step more than it was given.
    steps = np.where(reached.any(axis=1), reached.argmax(axis=1), cell.max_steps + 1)
    length = norms.shape[1] - 1
    picked = np.unique(np.geomspace(1, length + 1, 120).astype(int)) - 1  # evenly on a log axis
    return Measurements(
        metrics={"steps": steps, "flops": steps * cost},
        curves={"gradient_norm": norms[:, picked]},
        axes={"gradient_norm": picked + 1},  # the start is 1: a log axis has no 0
    )


def fewer(metric):
    """Gradient descent exceeds Newton in the metric on each kind of data."""
    return every(
        *(
            Sign(metric, "method", GRADIENT_DESCENT, NEWTON, where={"data": data})
            for data in _logistic.DATA
        )
    )


EXPERIMENT = Experiment(
    claim="C18",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C18.steps",
            "Newton's method needs fewer steps than gradient descent to the same gradient.",
            fewer("steps"),
            kind="as stated",
        ),
        Hypothesis(
            "C18.operations",
            "With a handful of weights it also needs fewer floating point operations, although "
            "each of its steps costs more.",
            fewer("flops"),
            formula=r"4ND \;\text{against}\; 4ND + ND^2 + \tfrac{1}{3} D^3 "
            r"\;\text{operations a step}",
        ),
    ),
    factors={"data": _logistic.DATA, "method": (GRADIENT_DESCENT, NEWTON)},
    # 14 unanimous pairs are the fewest that reach the level of 2^-14.
    seeds=14,
    paired=("data", "initial weights"),
    budget={"max_steps": 20_000},
    smoke={"max_steps": 100},
    metrics={
        "steps": Metric("steps to 1e-8 of the first gradient", "step", better="lower"),
        "flops": Metric("floating point operations to the same", "operation", better="lower"),
    },
    figure=(
        Curves(
            y="gradient_norm",
            by="method",
            where={"data": "breast cancer"},
            log="xy",
            x_label="step, the start being 1",
            y_label="gradient norm, relative to the start",
            title="Newton is done when gradient descent has its first digits",
        ),
        Points(
            x="data",
            y="steps",
            by="method",
            log="y",
            x_label="data",
            y_label="steps to 1e-8 of the first gradient",
            title="A handful of steps against hundreds or thousands",
        ),
    ),
    measure=measure,
    finding="Newton's method reaches the maximum likelihood in a handful of steps, where gradient "
    "descent takes hundreds or thousands.",
    stated=r"w \leftarrow w - H^{-1} g \quad\text{against}\quad w \leftarrow w - \lambda g",
    figures=("F05", "F07"),
    components=("suite.training.newton.newton",),
    limits="Three and four weights, data that no hyperplane separates, start at zero. The price "
    "of a Newton step grows with the cube of the number of weights, so that gradient descent may "
    "need fewer operations where there are many.",
)
