"""Where the gradient of the logistic loss is zero: no formula in general, yet soon found.

Lecture section "Gradient-based learning", claim C10. The slide calls

    sum_n (y_n - sigma(w^T x_n)) x_n = 0

intractable. It has no closed solution in general, but the problem is convex, and Newton's method
solves it to machine precision in a handful of steps. Where each sample belongs to one of K groups
and the features say which, there is a formula too, `mean_k` being the share of ones in a group:

    w_k = logit(mean_k)

What does fail is separable data, for which no finite solution exists.
"""

import numpy as np
from scipy import special
from scipy.optimize import root

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.gradient_based_learning import _logistic
from benchmarks.verdicts import AtMost, Identity

INTERCEPT, GROUPS, SEPARABLE = "a constant", "three groups", "separable"
CLOSED = (INTERCEPT, GROUPS)
SOLVABLE = (*CLOSED, *_logistic.DATA)
SAMPLES = 60
MOST_STEPS = 50  # of Newton's method, its default
SHOWN_STEPS = 12
# Gradients below 1e-10 leave |w - w*| below 1e-10 over the smallest curvature, which for these
# sums over samples is above 0.01.
SOLVER_TOLERANCE = 1e-8


def problem_of(name, seed):
    """Features and labels of one seed."""
    if name in _logistic.DATA:
        x, y = _logistic.logistic_problems(name, [seed])
        return x[0], y[0]
    rng = np.random.default_rng(int(seed))
    if name == SEPARABLE:
        x = rng.normal(size=(SAMPLES, 3))
        return x, (x @ rng.normal(size=3) > 0).astype(float)
    groups = 1 if name == INTERCEPT else 3
    member = np.arange(SAMPLES) % groups
    # At least two of each label in each group: else its weight would be infinite.
    order = np.arange(SAMPLES) // groups
    size = SAMPLES // groups
    ones = rng.integers(2, size - 1, groups)
    return np.eye(groups)[member], (order < ones[member]).astype(float)


def by_group(x, y):
    """`logit(mean_k)`, the mean of the labels of the samples that have the feature."""
    return special.logit(share_of_ones(x, y))


def share_of_ones(x, y):
    """Label mean weighted by each feature; for groups, the mean of each group."""
    return (x.T @ y) / x.sum(axis=0)


def linearized(x, y):
    """`4 (X^T X)^{-1} X^T (y - 1/2)`: the solution if sigma(z) were 1/2 + z / 4."""
    return 4 * np.linalg.solve(x.T @ x, x.T @ (y - 0.5))


def by_scipy(x, y):
    """A zero of the gradient by MINPACK's Powell hybrid method: neither Newton's nor ours."""
    found = root(lambda w: x.T @ (special.expit(x @ w) - y), np.zeros(x.shape[1]), tol=1e-14)
    return found.x


def gap(a, b):
    """Largest difference, in units of a logit or relative, whichever is smaller."""
    return np.abs(a - b).max() / max(1.0, np.abs(b).max())


def residual(w, x, y):
    """The suite's gradient at some weights, relative to the terms it sums."""
    from suite.training.newton import logistic_gradient

    terms = np.abs(x).T @ np.abs(special.expit(x @ w) - y)
    return np.abs(logistic_gradient(w, x, y)).max() / terms.max()


def measure(cell, seeds):
    """Whether Newton's method arrives, and where, one value a seed."""
    from suite.training.newton import newton

    rows = []
    norms = np.empty((len(seeds), SHOWN_STEPS + 1))
    for i, seed in enumerate(seeds):
        x, y = problem_of(cell.problem, seed)
        run = newton(x, y, max_steps=MOST_STEPS)
        w = run.weights[-1]
        closed = cell.problem in CLOSED
        rows.append(
            {
                "solved": float(run.converged),
                "unsolved": 1 - float(run.converged),
                "steps": run.steps if run.converged else MOST_STEPS + 1,
                "scipy_gap": gap(w, by_scipy(x, y)) if run.converged else 0.0,
                "first_step_gap": gap(linearized(x, y), w) if run.converged else 0.0,
                "closed_residual": residual(by_group(x, y), x, y) if closed else 0.0,
                "share_residual": residual(share_of_ones(x, y), x, y) if closed else 0.0,
                "linear_residual": residual(linearized(x, y), x, y),
            }
        )
        shown = np.minimum(np.arange(SHOWN_STEPS + 1), run.steps)
        norms[i] = run.gradient_norms[shown]  # a run that ended keeps its last norm
    return Measurements(
        metrics={name: np.array([row[name] for row in rows]) for name in rows[0]},
        curves={"gradient_norm": np.maximum(norms, 1e-17)},  # a log axis has no zero
    )


EXPERIMENT = Experiment(
    claim="C10",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C10.stated",
            "The equation is not solved: no run of Newton's method ends at a solution in 50 steps.",
            AtMost("solved", 0, where={"problem": SOLVABLE}),
            kind="as stated",
            formula=r"\sum_n \left(y_n - \sigma(w^\top x_n)\right) x_n = 0 "
            r"\;\text{is intractable}",
        ),
        Hypothesis(
            "C10.solved",
            "Newton's method ends at a solution within 50 steps on every draw, unless the data is "
            "separable: the gradient falls below 1e-10 and the weights settle.",
            AtMost("unsolved", 0, where={"problem": SOLVABLE}),
            mutants=(Mutant("separable data too", {"where": {"problem": SEPARABLE}}),),
        ),
        Hypothesis(
            "C10.unique",
            "It ends where SciPy's root finder ends: there is one solution.",
            AtMost("scipy_gap", SOLVER_TOLERANCE, where={"problem": SOLVABLE}),
            mutants=(Mutant("its first step alone", {"metric": "first_step_gap"}),),
        ),
        Hypothesis(
            "C10.closed_form",
            "Where the features name the group of a sample the logits of the groups' means solve "
            "the equation.",
            Identity("closed_residual", terms=SAMPLES, where={"problem": CLOSED}),
            formula=r"w_k = \mathrm{logit}(\bar{y}_k)",
            mutants=(
                Mutant("the means without the logit", {"metric": "share_residual"}),
                Mutant("the sigmoid made linear", {"metric": "linear_residual"}),
            ),
        ),
    ),
    factors={"problem": (*SOLVABLE, SEPARABLE)},
    # A certainty over draws of the data: 20 without a failure.
    seeds=20,
    paired=("data",),
    metrics={
        "solved": Metric("whether the run ends at a solution", "1", "higher"),
        "unsolved": Metric("whether it does not", "1", "lower"),
        "steps": Metric("Newton steps to the solution, 51 if there is none", "step", "lower"),
        "scipy_gap": Metric("distance from SciPy's solution", "1", "lower"),
        "first_step_gap": Metric("distance of the first step from the solution", "1"),
        "closed_residual": Metric("gradient at the closed form, relative", "1", "lower"),
        "share_residual": Metric("gradient at the means, relative", "1"),
        "linear_residual": Metric("gradient at the linear solution, relative", "1"),
    },
    figure=(
        Curves(
            y="gradient_norm",
            by="problem",
            log="y",
            x_label="Newton step",
            y_label="norm of the gradient",
            title="A few steps empty the gradient; on separable data it only fades",
        ),
        Points(
            x="problem",
            y="steps",
            x_label="data",
            y_label="Newton steps to the solution, 51 if there is none",
            title="Solved in a handful of steps, except where no solution exists",
        ),
    ),
    measure=measure,
    finding="No closed form solves the equation in general, but it is convex and Newton's method "
    "solves it in a handful of steps; for grouped data there is a formula.",
    stated=r"\sum_n \left(y_n - \sigma(w^\top x_n)\right) x_n = 0 \;\text{is intractable}",
    corrected=r"\text{no closed form in general, but convex;} \quad "
    r"w_k = \mathrm{logit}(\bar{y}_k) \;\text{for groups}",
    components=("suite.training.newton.newton", "suite.training.newton.logistic_gradient"),
    limits="That no closed form exists in general is a theorem about formulas, which no "
    "measurement shows. Few weights; data that no hyperplane separates, but for one cell.",
)
