"""Newton's method fits a logistic regression in far fewer steps than gradient descent.

Lecture section "Gradient-based learning", claim C18: the two slides titled "Logistic regression:
maximum likelihood". Both methods start at zero weights on the same data and stop at

    ||g|| <= 1e-8 ||g_0||

Gradient descent has the learning rate `1 / beta`, the largest that is safe everywhere. A Newton
step is more expensive, so floating point operations are counted beside the steps.
"""

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
)
from benchmarks.experiments.gradient_based_learning import _logistic
from benchmarks.verdicts import Sign, every

GRADIENT_DESCENT, NEWTON = "gradient descent", "Newton"
TARGET = 1e-8  # of the first gradient; float64 leaves seven more digits
STRETCH = np.array([1.0, 3.0])  # of the drawn features: in a third of the unit, a number is larger
DRAWN_STEPS = 60
DRAWN_BOUNDARIES = {"after 1 step": 1, "after 3 steps": 3, "after 60 steps": DRAWN_STEPS}


def flops_of_gradient(samples, weights):
    """`X w` and `X^T r`, two operations an entry each, and `r = 1 / (1 + exp(-z)) - y`.

    The residual is a negation, an exponential, a sum, a quotient and a difference a sample. To
    count the exponential as one favors gradient descent, which takes more of them.
    """
    return 4 * samples * weights + 5 * samples


def flops_of_newton(samples, weights):
    """A gradient, `X^T S X` using its symmetry, a Cholesky factor and two triangular solves.

    `S` takes a difference and a product a sample, `S X` a product an entry. An undamped step needs
    no value of the loss.
    """
    hessian = 2 * samples + samples * weights + samples * weights * (weights + 1)
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


def newton_norms(features, labels, hessian=None):
    """Relative gradient norms of undamped Newton steps, padded with the last, the same shape.

    With a `hessian` other than the right one a run may end without reaching the target.
    """
    from suite.training.newton import logistic_gradient, logistic_hessian, newton

    paths = []
    for x, y in zip(features, labels, strict=True):
        first = np.linalg.norm(logistic_gradient(np.zeros(x.shape[1]), x, y))
        with np.errstate(all="ignore"):  # an ascent overflows, as it should
            run = newton(
                x, y, damping=None, hessian=hessian or logistic_hessian, tolerance=TARGET * first
            )
        if hessian is None and not run.converged:
            raise RuntimeError(f"Newton's method stopped on regular data: {run.outcome}")
        paths.append(run.gradient_norms / first)
    longest = max(map(len, paths))
    return np.array([np.pad(p, (0, longest - len(p)), mode="edge") for p in paths])


def drawn_problem(seed):
    """Sixty samples of two features and no bias, so that the loss has a picture."""
    from suite.datasets import gaussian_classes

    drawn = gaussian_classes(60, 2, int(seed))
    return drawn.x * STRETCH, drawn.y.astype(float)


def drawn_paths(x, y):
    """Weights of both methods from zero, `(steps + 1, 2)` by method."""
    from suite.training.newton import newton

    rate = 1 / _logistic.smoothness(x[None])[0]
    w = [np.zeros(2)]
    for _ in range(DRAWN_STEPS):
        w.append(w[-1] - rate * _logistic.gradients(w[-1][None], x[None], y[None])[0])
    return {GRADIENT_DESCENT: np.array(w), NEWTON: newton(x, y, damping=None).weights}


def picture(method, seed):
    """The loss over two weights with the paths of both methods, and one method's boundaries."""
    x, y = drawn_problem(seed)
    paths = drawn_paths(x, y)
    reached = np.concatenate(list(paths.values()))
    low, high = reached.min(axis=0), reached.max(axis=0)
    margin = 0.3 * (high - low)
    columns, rows = np.linspace(low - margin, high + margin, 40).T
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    z = (2 * y - 1) * (grid @ x.T)
    arrays = {
        "loss": np.logaddexp(0, -z).sum(axis=1).reshape(40, 40).astype("float32"),
        "loss.x": columns,
        "loss.y": rows,
        "samples": x,
        "samples.label": y.astype(int),
    }
    reach = np.abs(x).max() * np.array([[-1.0], [1.0]])
    for name, step in DRAWN_BOUNDARIES.items():
        w = paths[method][min(step, len(paths[method]) - 1)]
        line = reach * np.array([-w[1], w[0]]) / np.linalg.norm(w)
        inside = np.abs(line) / np.abs(x).max(axis=0)
        arrays[name] = line / max(1.0, inside.max())  # ends where the samples do
    return arrays | paths


def steps_to_target(norms, max_steps):
    """First step at the target; a run that never arrives counts one more than it was given."""
    reached = norms <= TARGET
    return np.where(reached.any(axis=1), reached.argmax(axis=1), max_steps + 1)


def measure(cell, seeds):
    """Steps and operations until the gradient has fallen to the target, one value a seed."""
    from suite.training.newton import logistic_hessian

    features, labels = _logistic.logistic_problems(cell.data, seeds)
    _, samples, weights = features.shape
    if cell.method == NEWTON:
        norms, cost = newton_norms(features, labels), flops_of_newton(samples, weights)
    else:
        norms, cost = descend(features, labels, cell.max_steps), flops_of_gradient(samples, weights)
    steps = mutant_steps = steps_to_target(norms, cell.max_steps)
    if cell.method == NEWTON:
        flipped = newton_norms(features, labels, lambda w, x, y=None: -logistic_hessian(w, x))
        mutant_steps = steps_to_target(flipped, cell.max_steps)
    length = norms.shape[1] - 1
    picked = np.unique(np.geomspace(1, length + 1, 120).astype(int)) - 1  # evenly on a log axis
    return Measurements(
        metrics={
            "steps": steps,
            "steps_flipped": mutant_steps,
            "flops": steps * cost,
            "flops_a_step": np.full(len(seeds), cost),
        },
        curves={"gradient_norm": norms[:, picked]},
        axes={"gradient_norm": picked + 1},  # the start is 1: a log axis has no 0
        arrays=picture(cell.method, seeds[0]),
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
            mutants=(Mutant("the Hessian's sign of the slide", {"metric": "steps_flipped"}),),
        ),
        Hypothesis(
            "C18.operations",
            "With a handful of weights it also needs fewer floating point operations, although "
            "each of its steps costs more.",
            fewer("flops"),
            formula=r"4ND \;\text{against}\; 4ND + ND^2 + \tfrac{1}{3} D^3 "
            r"\;\text{operations a step, leading terms}",
            mutants=(Mutant("the price of a single step", {"metric": "flops_a_step"}),),
        ),
    ),
    factors={"data": _logistic.DATA, "method": (GRADIENT_DESCENT, NEWTON)},
    # 14 unanimous pairs are the fewest that reach the level of 2^-14.
    seeds=14,
    paired=("data", "initial weights"),
    budget={"max_steps": 20_000},
    smoke={"max_steps": 100},
    metrics={
        "steps": Metric("steps to 10⁻⁸ of the first gradient", "step", better="lower"),
        "steps_flipped": Metric("the same, Newton's Hessian with its sign flipped", "step"),
        "flops": Metric("floating point operations to the same", "operation", better="lower"),
        "flops_a_step": Metric("floating point operations a step", "operation", better="lower"),
    },
    figure=(
        Plane(
            surface="loss",
            paths=(GRADIENT_DESCENT, NEWTON),
            where={"data": "synthetic", "method": NEWTON},
            x_label="weight of the first feature",
            y_label="weight of the second",
            title=f"{DRAWN_STEPS} steps of gradient descent, and all of Newton's, over the loss",
        ),
        Plane(
            points=("samples",),
            lines=tuple(DRAWN_BOUNDARIES),
            by="method",
            where={"data": "synthetic"},
            x_label="first feature",
            y_label="second feature",
            title="The boundary turns into place",
        ),
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
            y_label="steps to 10⁻⁸ of the first gradient",
            title="A handful of steps against hundreds or thousands",
        ),
    ),
    measure=measure,
    finding="Newton's method reaches the maximum likelihood in a handful of steps, where gradient "
    "descent takes hundreds or thousands.",
    stated=r"w \leftarrow w - H^{-1} g \quad\text{against}\quad w \leftarrow w - \lambda g",
    figures=("F05", "F07"),
    components=("suite.training.newton.newton",),
    limits="Three and four weights, two in the pictures; data that no hyperplane separates, start "
    "at zero. The price of a Newton step grows with the cube of the number of weights, so that "
    "gradient descent may need fewer operations where there are many.",
)
