"""Gradient descent is Newton's method with the Hessian I / learning_rate, not I.

Lecture section "Gradient-based learning", claim C14. Newton's step is `-H^{-1} g`, so

    H = I / rate    gives    -rate g        H = I    gives    -g

The slide's `H = I` is gradient descent with the learning rate 1. On a quadratic the step `-g`
raises the loss exactly where the curvature along the gradient exceeds 2:

    L(w - g) - L(w) = ||g||^2 (q / 2 - 1)        q = g^T A g / g^T g

and a logistic loss, summed over the samples, may have far more curvature than that.
"""

import numpy as np

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

HESSIAN, SCALED, IDENTITY = "Hessian", "I / rate", "I"
BOWLS, WEIGHTS = 50, 3  # quadratics a seed, for the rule of the curvature
CURVATURES = (0.1, 100.0)  # of the steepest direction: both sides of 2
# A bowl with q this close to 2 could be misjudged by rounding alone.
TOO_CLOSE = 1e-9


def matrix_of(form, rate):
    """The function `(weights, features, labels) -> matrix` that stands for the Hessian."""
    from suite.training.newton import logistic_hessian

    return {
        HESSIAN: logistic_hessian,
        SCALED: lambda w, x, y=None: np.eye(len(w)) / rate,
        IDENTITY: lambda w, x, y=None: np.eye(len(w)),
    }[form]


def newton_step(matrix, features, labels):
    """The suite's undamped Newton step from zero, with a matrix of our choice."""
    from suite.training.newton import newton

    return newton(features, labels, damping=None, hessian=matrix, max_steps=1).weights[1]


def sgd_step(g, rate):
    """The suite's plain gradient step from zero."""
    import keras

    from suite.optimizers import SGD

    w = keras.Variable(np.zeros_like(g), dtype="float64")
    SGD(learning_rate=rate).apply([keras.ops.convert_to_tensor(g)], [w])
    return keras.ops.convert_to_numpy(w)


def safe_rate(features):
    """`1 / beta`, rounded to the float32 in which Keras keeps a learning rate."""
    return float(np.float32(1 / _logistic.smoothness(features[None])[0]))


def bowls(seed):
    """Of random quadratics: curvature along the gradient, and the loss before and after `-g`."""
    from suite.datasets import Quadratic

    rng = np.random.default_rng([int(seed), 2])
    found = []
    for n, steepest in enumerate(np.exp(rng.uniform(*np.log(CURVATURES), BOWLS))):
        bowl = Quadratic(WEIGHTS, condition_number=5, seed=1000 * int(seed) + n)
        w = bowl.minimizer + rng.normal(size=WEIGHTS)
        g = steepest * bowl.gradient(w)  # the bowl's own steepest curvature is 1
        q = steepest * (g @ bowl.matrix @ g) / (g @ g)
        found.append((q, steepest * bowl.loss(w), steepest * bowl.loss(w - g)))
    return np.array(found).T


def misjudged(curvature, before, after, limit):
    """How many bowls rise although q is below the limit, or fall although it is above."""
    clear = np.abs(curvature - limit) > TOO_CLOSE
    return int((((after > before) != (curvature > limit)) & clear).sum())


def measure(cell, seeds):
    """Both methods' steps from zero, and what they do to the loss, one value a seed."""
    from suite.training.newton import logistic_gradient, logistic_hessian, logistic_loss

    features, labels = _logistic.logistic_problems(cell.data, seeds)
    rows = []
    lengths = np.linspace(0, 4, 81)
    models, truth = np.empty((2, len(seeds), len(lengths)))
    for i, (seed, x, y) in enumerate(zip(seeds, features, labels, strict=True)):
        rate, start = safe_rate(x), np.zeros(x.shape[1])
        g = logistic_gradient(start, x, y)
        matrix = matrix_of(cell.hessian, rate)
        step, plain = newton_step(matrix, x, y), sgd_step(g, rate)
        before = logistic_loss(start, x, y)
        h = logistic_hessian(start, x)
        drawn = bowls(seed)
        rows.append(
            {
                "deviation": np.linalg.norm(step - plain) / np.linalg.norm(plain),
                "loss_ratio": logistic_loss(step, x, y) / before,
                "step_norm": np.linalg.norm(step),
                "curvature": g @ h @ g / (g @ g),
                "misjudged_at_2": misjudged(*drawn, 2.0),
                "misjudged_at_1": misjudged(*drawn, 1.0),
            }
        )
        # Down the gradient; the best step of the true Hessian has length 1.
        best = g / (g @ h @ g) * (g @ g)
        t = lengths[:, None]
        truth[i] = [logistic_loss(w, x, y) / before for w in -t * best]
        bend = best @ matrix(start, x) @ best
        models[i] = 1 + (-lengths * (g @ best) + lengths**2 / 2 * bend) / before
    return Measurements(
        metrics={name: np.array([row[name] for row in rows]) for name in rows[0]},
        curves={"model": models},
        axes={"model": lengths},
        theory={"model": np.median(truth, axis=0)},
    )


EXPERIMENT = Experiment(
    claim="C14",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C14.stated",
            "Newton's step with H\u00a0=\u00a0I is the step of gradient descent, whatever its "
            "learning rate; here 1/β.",
            Identity("deviation", terms=_logistic.ROWS, where={"hessian": IDENTITY}),
            kind="as stated",
            formula=r"H_t = I",
        ),
        Hypothesis(
            "C14.scaled",
            "Newton's step with H\u00a0=\u00a0I/λ is the step of gradient descent.",
            # Both add up the same gradient over the samples.
            Identity("deviation", terms=_logistic.ROWS, where={"hessian": SCALED}),
            formula=r"H_t = \frac{1}{\lambda_t} I",
            mutants=(
                Mutant("H = I", {"where": {"hessian": IDENTITY}}),
                Mutant("the true Hessian", {"where": {"hessian": HESSIAN}}),
            ),
        ),
        Hypothesis(
            "C14.safe",
            "With λ\u00a0=\u00a01/β the step does not raise the summed logistic loss.",
            AtMost("loss_ratio", 1.0, where={"hessian": SCALED}),
            formula=r"\lambda = \frac{1}{\beta}, \quad \beta = \tfrac{1}{4} "
            r"\lambda_{\max}(X^\top X)",
            mutants=(Mutant("H = I", {"where": {"hessian": IDENTITY}}),),
        ),
        Hypothesis(
            "C14.curvature",
            "On a quadratic the step with H\u00a0=\u00a0I raises the loss exactly where the "
            "curvature along the gradient exceeds 2.",
            AtMost("misjudged_at_2", 0),
            formula=r"\frac{g^\top A g}{g^\top g} > 2",
            mutants=(Mutant("exceeds 1", {"metric": "misjudged_at_1"}),),
        ),
    ),
    factors={"data": _logistic.DATA, "hessian": (HESSIAN, SCALED, IDENTITY)},
    # Identities: 20 draws of the data, and 50 quadratics for each.
    seeds=20,
    paired=("data",),
    metrics={
        "deviation": Metric("distance of Newton's step from SGD's, relative", "1", "lower"),
        "loss_ratio": Metric("loss after the step over the loss before", "1", "lower"),
        "step_norm": Metric("length of the step", "1"),
        "curvature": Metric("curvature of the loss along the gradient", "1"),
        "misjudged_at_2": Metric("of 50 quadratics, misjudged by the limit 2", "1", "lower"),
        "misjudged_at_1": Metric("of 50 quadratics, misjudged by the limit 1", "1"),
    },
    figure=(
        Curves(
            y="model",
            by="hessian",
            where={"data": "breast cancer"},
            theory_label="the loss",
            x_label="distance, in steps of the Hessian",
            y_label="loss, relative to the start",
            title="I / rate bends at least as much as the Hessian, I far less; dashed, the loss",
        ),
        Points(
            x="hessian",
            y="loss_ratio",
            by="data",
            log="y",
            reference=1.0,
            reference_label="no change",
            x_label="matrix in place of the Hessian",
            y_label="loss after one step over the loss before",
            title="With H = I the first step multiplies the loss",
        ),
    ),
    measure=measure,
    finding="Gradient descent with learning rate λ is Newton's method with H = I/λ; taken "
    "literally, H = I is a learning rate of 1 and overshoots where curvature exceeds 2.",
    stated=r"H_t = I",
    corrected=r"H_t = \frac{1}{\lambda_t} I",
    components=("suite.optimizers.SGD", "suite.training.newton.newton"),
    limits="One step from zero weights on summed losses. With a mean loss the curvature is "
    "smaller by the number of samples, and a learning rate of 1 may be safe.",
)
