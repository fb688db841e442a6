"""The Hessian of the logistic loss, and two mistakes on the slide, one of them silent.

Lecture section "Gradient-based learning", claim C17. With `z_n = w^T x_n` the slide writes

    H = - sum_n sigma(z_n) sigma(1 - z_n) x_n x_n^T

where differentiation gives

    H =   sum_n sigma(z_n) (1 - sigma(z_n)) x_n x_n^T

The flipped sign turns Newton's descent into an ascent. The misplaced bracket alone is worse to
find: the step still goes downhill and ends at the same minimum, only the doubling of digits is
lost. Counting steps sees it; looking at the final loss does not.
"""

import numpy as np
from scipy.special import expit as sigmoid

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.gradient_based_learning import _logistic
from benchmarks.verdicts import AtMost, Identity

CORRECT, PRINTED, SIGN, ARGUMENT = (
    "correct",
    "as printed",
    "only the sign flipped",
    "only the bracket misplaced",
)
DIFFERENCES = np.geomspace(1e-6, 1, 41)  # both arms of the V: rounding and truncation
SHOWN_STEPS = 40
LOGITS = np.linspace(-6, 6, 97)
ONE_DIGIT = 0.1  # the scaled error u below: from here on its digits double


def misplaced_bracket(weights, features, labels=None):
    """`sum_n sigma(z_n) sigma(1 - z_n) x_n x_n^T`: the slide's argument, with the right sign."""
    z = features @ weights
    return features.T @ ((sigmoid(z) * sigmoid(1 - z))[:, None] * features)


def hessian_of(form):
    """The function `(weights, features, labels) -> H` that one level of the factor stands for."""
    from suite.training.newton import logistic_hessian

    return {
        CORRECT: logistic_hessian,
        PRINTED: lambda w, x, y=None: -misplaced_bracket(w, x),
        SIGN: lambda w, x, y=None: -logistic_hessian(w, x),
        ARGUMENT: misplaced_bracket,
    }[form]


def sample_losses(w, features, labels):
    """`log(1 + exp(z_n)) - y_n z_n`, written anew: the oracle shares no code with the suite."""
    z = features @ w
    return np.logaddexp(0, z) - labels * z


def second_difference(w, direction, features, labels, h):
    """`d^2 L / dt^2` along `w + t direction` at 0, by the five-point formula.

    Each sample's loss is differenced before the sum, so that the sum's size adds no rounding.
    """
    weights = np.array([-1, 16, -30, 16, -1]) / (12 * h**2)
    shifts = h * np.arange(-2, 3)
    values = [sample_losses(w + t * direction, features, labels) for t in shifts]
    return (weights @ np.array(values)).sum()


def differenced_hessian(w, features, labels, h):
    """The Hessian from values of the loss alone: `u^T H v` by polarization, `(weights, weights)`.

    `2 u^T H v = (u + v)^T H (u + v) - u^T H u - v^T H v`, with unit vectors `u` and `v`.
    """
    units = np.eye(len(w))
    along = [second_difference(w, u, features, labels, h) for u in units]
    hessian = np.diag(along)
    for i, j in zip(*np.triu_indices(len(w), 1), strict=True):
        both = second_difference(w, units[i] + units[j], features, labels, h)
        hessian[i, j] = hessian[j, i] = (both - along[i] - along[j]) / 2
    return hessian


def relative(a, b):
    """Frobenius norm of the difference, relative to `b`."""
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def doubling_region(path, minimizer, features):
    """Whether each of the weights on a path is near enough for the digits to double.

    The curvature `s = sigma (1 - sigma)` changes by at most `s` a unit of the logit, so that

        ||e_{T+1}||_H <= (R / 2) ||e_T||_H^2,    R = max_n ||x_n||_{H^-1}

    to first order, and `u = R ||e||_H / 2` is squared by a step: 0.1, 0.01, 1e-4, ...
    """
    from suite.training.newton import logistic_hessian

    h = logistic_hessian(minimizer, features)
    e = path - minimizer
    reach = np.sqrt(np.einsum("ni,ni->n", features, np.linalg.solve(h, features.T).T).max())
    return reach * np.sqrt(np.einsum("ti,ij,tj->t", e, h, e)) / 2 <= ONE_DIGIT


def measure(cell, seeds):
    """Deviation from finite differences at random weights, and Newton's steps from zero."""
    from suite.training.newton import newton

    hessian = hessian_of(cell.hessian)
    features, labels = _logistic.logistic_problems(cell.data, seeds)
    minimizers = _logistic.minimizers(features, labels)
    names = ("fd_error", "negativity", "steps", "last_steps")
    values = {name: np.empty(len(seeds)) for name in names}
    shown = np.arange(SHOWN_STEPS + 1)
    norms = np.empty((len(seeds), len(shown)))
    deviations = np.empty((len(seeds), len(DIFFERENCES)))
    for i, (seed, x, y) in enumerate(zip(seeds, features, labels, strict=True)):
        w = np.random.default_rng([int(seed), 1]).normal(size=x.shape[1])
        ours = hessian(w, x, y)
        # Rounding (epsilon / h^2) and truncation (h^4) balance at the sixth root of epsilon.
        best = np.finfo(float).eps ** (1 / 6)
        values["fd_error"][i] = relative(ours, differenced_hessian(w, x, y, best))
        deviations[i] = [relative(ours, differenced_hessian(w, x, y, h)) for h in DIFFERENCES]
        eigenvalues = np.linalg.eigvalsh(ours)
        values["negativity"][i] = max(0.0, -eigenvalues[0]) / np.abs(eigenvalues).max()

        with np.errstate(all="ignore"):  # the ascending forms overflow, as they should
            run = newton(x, y, damping=None, hessian=hessian, max_steps=cell.max_steps)
        relative_norms = run.gradient_norms / run.gradient_norms[0]
        near = doubling_region(run.weights, minimizers[i], x)
        values["steps"][i] = values["last_steps"][i] = cell.max_steps + 1
        if run.converged:
            values["steps"][i] = run.steps
            values["last_steps"][i] = run.steps - np.argmax(near)
        # A run that ended keeps its last norm.
        norms[i] = relative_norms[np.minimum(shown, run.steps)]
    # What a sample weighs in H at each logit: one sample, one feature of 1.
    one = np.ones((1, 1))
    weight = [hessian(np.array([z]), one, np.zeros(1))[0, 0] for z in LOGITS]
    return Measurements(
        metrics=values,
        curves={
            "gradient_norm": norms,
            "deviation": deviations,
            "sample_weight": np.tile(weight, (len(seeds), 1)),
        },
        axes={"gradient_norm": shown, "deviation": DIFFERENCES, "sample_weight": LOGITS},
    )


EXPERIMENT = Experiment(
    claim="C17",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C17.stated",
            "The slide's formula is the second derivative of the loss.",
            # The differences are good to epsilon^(2/3) = 4e-11 times the ratio of the loss and of
            # its sixth derivative to H; 1e-6 leaves room for those ratios, none for a wrong factor.
            AtMost("fd_error", 1e-6, where={"hessian": PRINTED}),
            kind="as stated",
            formula=r"H = -\sum_n \sigma(w^\top x_n)\, \sigma(1 - w^\top x_n)\, x_n x_n^\top",
        ),
        Hypothesis(
            "C17.derivative",
            "With σ(1\u00a0−\u00a0σ) and a positive sign it is the second derivative of the loss.",
            AtMost("fd_error", 1e-6, where={"hessian": CORRECT}),
            formula=r"H = \sum_n \sigma_n (1 - \sigma_n)\, x_n x_n^\top = X^\top S X",
            mutants=(
                Mutant(PRINTED, {"where": {"hessian": PRINTED}}),
                Mutant(SIGN, {"where": {"hessian": SIGN}}),
                Mutant(ARGUMENT, {"where": {"hessian": ARGUMENT}}),
            ),
        ),
        Hypothesis(
            "C17.convex",
            "The Hessian has no negative eigenvalue, so the loss is convex.",
            # Sums run over the samples; eigvalsh adds a few epsilon of the largest eigenvalue.
            Identity("negativity", terms=_logistic.ROWS, where={"hessian": CORRECT}),
            formula=r"v^\top H v = \sum_n \sigma_n (1 - \sigma_n) (v^\top x_n)^2 \ge 0",
            mutants=(Mutant(SIGN, {"where": {"hessian": SIGN}}),),
        ),
        Hypothesis(
            "C17.steps",
            "Once near the minimum, Newton's method with the right Hessian takes at most 4 steps "
            "to a gradient of 1e-10.",
            # The scaled error goes 0.1, 1e-2, 1e-4, 1e-8, 1e-16: below what float64 resolves.
            AtMost("last_steps", 4, where={"hessian": CORRECT}),
            formula=r"\lVert e_{T+1} \rVert_H \le \tfrac{1}{2} \max_n \lVert x_n \rVert_{H^{-1}} "
            r"\lVert e_T \rVert_H^2",
            mutants=(Mutant(ARGUMENT, {"where": {"hessian": ARGUMENT}}),),
        ),
    ),
    factors={
        "data": _logistic.DATA,
        "hessian": (CORRECT, PRINTED, SIGN, ARGUMENT),
    },
    # Derivatives are identities: 20 random states leave no room for a factor that happens to be 1.
    seeds=20,
    paired=("data", "initial weights"),
    budget={"max_steps": 200},
    smoke={"max_steps": 60},
    metrics={
        "fd_error": Metric("relative deviation from finite differences", "1", better="lower"),
        "negativity": Metric("most negative eigenvalue over the largest magnitude", "1", "lower"),
        "steps": Metric("Newton steps to a gradient of 1e-10", "step", better="lower"),
        "last_steps": Metric(
            "those after the scaled error fell to a tenth", "step", better="lower"
        ),
    },
    figure=(
        Curves(
            y="sample_weight",
            by="hessian",
            where={"data": "synthetic", "hessian": (CORRECT, ARGUMENT)},
            x_label="logit z of a sample",
            y_label="its weight in the Hessian",
            title="σ(z)(1 − σ(z)) against σ(z) σ(1 − z): the bracket makes a lopsided weight",
        ),
        Curves(
            y="gradient_norm",
            by="hessian",
            where={"data": "synthetic"},
            log="y",
            x_label="step",
            y_label="gradient norm, relative to the start",
            title="The flipped sign climbs; the misplaced bracket arrives, but slowly",
        ),
        Curves(
            y="deviation",
            by="hessian",
            where={"data": "synthetic"},
            log="xy",
            x_label="step of the finite difference",
            y_label="relative deviation",
            title="Only the correct form meets the finite differences",
        ),
    ),
    measure=measure,
    finding="The slide's Hessian has the wrong sign and a misplaced bracket; the bracket alone "
    "still finds the minimum, in several times as many steps.",
    stated=r"H = -\sum_n \sigma(w^\top x_n)\, \sigma(1 - w^\top x_n)\, x_n x_n^\top",
    corrected=r"H = \sum_n \sigma(w^\top x_n) \left(1 - \sigma(w^\top x_n)\right) x_n x_n^\top",
    components=("suite.training.newton.logistic_hessian", "suite.training.newton.newton"),
    limits="The oracle differentiates the loss twice, at one random point a seed, and shares no "
    "code with the Hessian under test. How many steps lead to the neighborhood of the minimum "
    "depends on the data and is not judged.",
)
