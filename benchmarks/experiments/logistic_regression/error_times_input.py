"""The gradient of the logistic loss: each sample's error times its input.

Lecture section "Logistic regression", claim C05. With `p_n = sigma(w^T x_n)`

    grad L = - sum_n (y_n - p_n) x_n = X^T (p - y)

a column, as gradient descent needs it. The lecture has announced numerator layout, though, in
which the derivative of a scalar is a *row*: the product of the derivative by the logits, `(1, N)`,
and of the logits by the weights, `(N, D)`:

    dL/dw = (p - y)^T X = sum_n (p_n - y_n) x_n^T

Rivals that look alike: the other sign; whole errors instead of probabilities (the perceptron's
rule); a factor `p_n (1 - p_n)`, which the squared error would bring in and which hides the samples
that are most wrong.
"""

import numpy as np
from scipy.special import expit

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.logistic_regression import _planar
from benchmarks.verdicts import AtMost, Identity

ERROR, SIGN, PERCEPTRON, SQUARED = (
    "error times input",
    "other sign",
    "whole errors",
    "squared error",
)
DIFFERENCES = np.geomspace(1e-10, 1, 41)  # both arms of the V: rounding and truncation
# Rounding (epsilon / h) and truncation (h^2) of a central difference balance here.
STEP = np.finfo(float).eps ** (1 / 3)
DRAWN = 60  # samples in the picture
TERMS = _planar.LONGEST + 3  # sums over the samples, of logits of three terms


def errors_of(form, z, y):
    """What multiplies the inputs, one number a sample."""
    p = expit(z)
    return {
        ERROR: p - y,
        SIGN: y - p,
        PERCEPTRON: (z > 0) - y,
        SQUARED: (p - y) * p * (1 - p),
    }[form]


def gradient_of(form, w, x, y):
    """The gradient `(features,)` by one form, the first being the suite's own."""
    from suite.training.newton import logistic_gradient

    return logistic_gradient(w, x, y) if form == ERROR else x.T @ errors_of(form, x @ w, y)


def differenced(w, x, y, h):
    """The gradient from values of each sample's loss, which are differenced before they add up."""

    def losses(w):
        z = x @ w
        return np.logaddexp(0, z) - y * z

    shifts = h * np.maximum(1, np.abs(w)) * np.eye(len(w))
    slopes = [(losses(w + s) - losses(w - s)).sum() / (2 * s.sum()) for s in shifts]
    return np.array(slopes)


def taped(model, w, x, y):
    """TensorFlow's gradient of the suite's summed loss of its model; `x` without the ones."""
    import tensorflow as tf

    from suite.losses import BinaryCrossentropy

    loss = BinaryCrossentropy(from_logits=True, reduction="sum", dtype="float64")
    model.set_weights([w[:-1, None], w[-1:]])
    with tf.GradientTape() as tape:
        value = loss(y[:, None], model(x))
    gradients = tape.gradient(value, [v.value for v in model.trainable_variables])
    return np.concatenate([np.ravel(g) for g in gradients])


def derivative_in_numerator_layout(w, x, y):
    """`dL/dw` of the loss as a vector with one entry, shape `(1, features)`, by `suite.autodiff`.

    A sigmoid is a softmax of the logits 0 and z.
    """
    from suite.autodiff import jacobian, parameter, reshape, softmax_cross_entropy

    weights = parameter(w, "w")
    logits = reshape(x @ weights, (len(y), 1)) @ np.array([[0.0, 1.0]])
    loss = softmax_cross_entropy(logits, np.stack([1 - y, y], axis=1))
    return jacobian(reshape(loss, (1,)), weights)


def deviation(found, exact, scale):
    """Largest difference over a scale; another shape counts as a deviation of 1."""
    if np.shape(found) != np.shape(exact):
        return 1.0
    return np.abs(found - exact).max() / scale


def pushes(w, x, y):
    """From each sample the way in which it pushes the boundary, `(3 samples, 2)`, NaN between.

    A unit of error has unit length; the direction is across the boundary, away from the side on
    which the sample's label would be right.
    """
    normal = w[:2] / np.linalg.norm(w[:2])
    ends = x + errors_of(ERROR, _planar.augmented(x) @ w, y)[:, None] * normal
    return np.stack([x, ends, np.full_like(x, np.nan)], axis=1).reshape(-1, 2)


def measure(cell, seeds):
    """One form of the gradient at random weights, against three others, one value a seed."""
    names = ("fd_error", "tape_error", "column_error", "row_error")
    values = {name: np.empty(len(seeds)) for name in names}
    deviations = np.empty((len(seeds), len(DIFFERENCES)))
    model = _planar.classifier(np.zeros(3), output_activation=None)
    for i, seed in enumerate(seeds):
        x, y = _planar.problem(cell.data, seed)
        inputs = _planar.augmented(x)
        w = np.random.default_rng([int(seed), 1]).normal(size=3)
        g = gradient_of(cell.form, w, inputs, y)
        # Deviations are relative to the terms that are summed: the sum itself may nearly vanish.
        errors = errors_of(ERROR, inputs @ w, y)
        scale = np.abs(errors[:, None] * inputs).sum(axis=0).max()
        values["fd_error"][i] = deviation(g, differenced(w, inputs, y, STEP), scale)
        values["tape_error"][i] = deviation(g, taped(model, w, x, y), scale)
        exact = derivative_in_numerator_layout(w, inputs, y)
        values["column_error"][i] = deviation(g[:, None], exact, scale)
        row = errors_of(cell.form, inputs @ w, y)[None, :] @ inputs
        values["row_error"][i] = deviation(row, exact, scale)
        deviations[i] = [deviation(g, differenced(w, inputs, y, h), scale) for h in DIFFERENCES]

    x, y = _planar.problem(cell.data, seeds[0])
    w = _planar.maximum_likelihood(x, y)
    columns, rows = _planar.grid(x)
    return Measurements(
        metrics=values,
        curves={"deviation": deviations},
        axes={"deviation": DIFFERENCES},
        arrays={
            "probability": _planar.field(w, columns, rows),
            "probability.x": columns,
            "probability.y": rows,
            "samples": x[:DRAWN],
            "samples.label": y[:DRAWN],
            "pushes": pushes(w, x[:DRAWN], y[:DRAWN]),
        },
    )


RIVALS = tuple(Mutant(form, {"where": {"form": form}}) for form in (SIGN, PERCEPTRON, SQUARED))

EXPERIMENT = Experiment(
    claim="C05",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C05.stated",
            "The sum of errors times inputs holds the derivatives of the loss.",
            # The differences are good to epsilon^(2/3) = 4e-11 of the terms of the sum; 1e-6
            # leaves room for the third derivative, none for a wrong factor.
            AtMost("fd_error", 1e-6, where={"form": ERROR}),
            kind="as stated",
            formula=r"\frac{\partial \mathcal{L}}{\partial w} = -\sum_n "
            r"\left( y_n - \sigma(w^\top x_n) \right) x_n",
            mutants=RIVALS,
        ),
        Hypothesis(
            "C05.stated_layout",
            "The sum on the slide, a column, is the derivative in the layout that the lecture "
            "announced.",
            Identity("column_error", terms=TERMS, where={"form": ERROR}),
            kind="as stated",
            formula=r"\frac{\partial \mathcal{L}}{\partial w} = \sum_n (\pi_n - y_n)\, x_n "
            r"\in \mathbb{R}^{D \times 1}",
        ),
        Hypothesis(
            "C05.layout",
            "In numerator layout the derivative is the row of errors times the matrix of inputs; "
            "the gradient is its transpose.",
            Identity("row_error", terms=TERMS, where={"form": ERROR}),
            formula=r"\frac{\partial \mathcal{L}}{\partial w} = (\pi - y)^\top X "
            r"\in \mathbb{R}^{1 \times D}, \quad \nabla \mathcal{L} = X^\top (\pi - y)",
            mutants=(Mutant("a column", {"metric": "column_error"}), *RIVALS),
        ),
        Hypothesis(
            "C05.tape",
            "TensorFlow's gradient of the summed cross-entropy is this sum.",
            Identity("tape_error", terms=TERMS, where={"form": ERROR}),
            formula=r"\nabla \mathcal{L} = X^\top (\pi - y)",
            mutants=RIVALS,
        ),
    ),
    factors={"data": _planar.DATA, "form": (ERROR, SIGN, PERCEPTRON, SQUARED)},
    # Derivatives are identities: 20 random states leave no room for a factor that happens to be 1.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "fd_error": Metric("deviation from finite differences, per summed terms", "1", "lower"),
        "tape_error": Metric("deviation from TensorFlow's gradient, the same way", "1", "lower"),
        "column_error": Metric("deviation of the column from the derivative's layout", "1"),
        "row_error": Metric("deviation of the row from it", "1", "lower"),
    },
    figure=(
        Plane(
            surface="probability",
            probability=True,
            points=("samples",),
            lines=("pushes",),
            by="data",
            where={"form": ERROR},
            x_label="first feature",
            y_label="second feature",
            title="Every sample pushes the boundary, as hard as its probability is wrong",
        ),
        Curves(
            y="deviation",
            by="form",
            where={"data": _planar.SYNTHETIC},
            log="xy",
            x_label="step of the finite difference",
            y_label="relative deviation",
            title="Only error times input meets the finite differences",
        ),
    ),
    measure=measure,
    finding="The gradient is the sum of prediction errors times inputs; in the layout that the "
    "lecture announced, the derivative is the row whose transpose the slide prints.",
    stated=r"\frac{\partial \mathcal{L}}{\partial w} = -\sum_n "
    r"\left( y_n - \sigma(w^\top x_n) \right) x_n",
    corrected=r"\nabla \mathcal{L} = \left( \frac{\partial \mathcal{L}}{\partial w} "
    r"\right)^{\!\top} = \sum_n (\pi_n - y_n)\, x_n = X^\top (\pi - y)",
    components=(
        "suite.training.newton.logistic_gradient",
        "suite.models.LogisticRegression",
        "suite.losses.BinaryCrossentropy",
    ),
    limits="Compared at random weights, one point a seed. The layout is a convention: refuted "
    "is only that the slide keeps to the one it announced.",
)
