"""Three derivatives of the sigmoid, and how the length of the weights makes it flat or steep.

Lecture section "Logistic regression", claim C02:

    sigma' = sigma (1 - sigma)    (log sigma)' = 1 - sigma    (log(1 - sigma))' = -sigma

Across the boundary of a model with weights `w` the logit grows by `||w||` a unit of length, so by
the chain rule each derivative is multiplied by `||w||`. The slope is largest at the boundary,
where it is `||w|| / 4`. The boundary stays in place only if the bias is scaled with the weights.

Steep models have large logits, and then `log(1 - sigma)` must not be computed from `sigma`, which
rounds to 1: it is `-softplus(z)`, which loses no digits.
"""

import numpy as np
from scipy.special import expit, log_expit

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import AtMost, Identity

NORMS = (0.5, 1, 2, 4, 8)
FEATURES = 3
POINTS = 50  # random logits in [-6, 6], where every derivative is above 0.002
# Rounding (epsilon / h) and truncation (h^2) of a central difference balance here.
STEP = np.finfo(float).eps ** (1 / 3)
SHOWN = np.linspace(-3, 3, 101)  # distances from the boundary, which is among them
FAR = np.array([-100.0, -5.0, 5.0, 100.0])  # times a norm of 8: logits of -800, -40, 40, 800


def slopes(sigma):
    """The three derivatives in terms of `sigma`, and a slip of each that looks as plausible."""
    right = {"sigma": sigma * (1 - sigma), "log": 1 - sigma, "log_rest": -sigma}
    slips = {"sigma": sigma**2, "log": sigma, "log_rest": sigma}
    return right, slips


def central_difference(f, t, h):
    """`f'(t)` from two values of `f`, with the step that floating point really takes."""
    above, below = t + h, t - h
    return (f(above) - f(below)) / (above - below)


def relative(a, b):
    """Largest deviation, each relative to the larger of the two."""
    return (np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))).max()


def loss_error(from_logits, z, y):
    """Largest relative deviation of the suite's loss from `max(z, 0) - y z + log(1 + e^-|z|)`."""
    from suite.losses import BinaryCrossentropy

    loss = BinaryCrossentropy(from_logits=from_logits, reduction=None, dtype="float64")
    exact = np.maximum(np.where(y == 1, -z, z), 0) + np.log1p(np.exp(-np.abs(z)))
    found = np.asarray(loss(y[:, None], (z if from_logits else expit(z))[:, None]))
    seen = exact > 0  # exp(-800) underflows: exactly 0 in both
    return relative(found[seen], exact[seen])


def measure(cell, seeds):
    """Derivatives across the boundary of a model whose weights have the given length."""
    from suite.activations import sigmoid
    from suite.models import LogisticRegression

    model = LogisticRegression(FEATURES, output_activation="sigmoid", dtype="float64")
    names = (
        "sigma_error", "sigma_slip", "log_error", "log_slip", "log_rest_error", "log_rest_slip",
        "slope", "slope_error", "slope_unquartered", "boundary_shift", "boundary_shift_bias_kept",
        "loss_error", "clipped_loss_error",
    )  # fmt: skip
    values = {name: np.empty(len(seeds)) for name in names}
    curves = {name: np.empty((len(seeds), len(SHOWN))) for name in ("probability", "steepness")}
    functions = {"sigma": expit, "log": log_expit, "log_rest": lambda z: log_expit(-z)}
    norm = float(cell.norm)
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(int(seed))
        # The derivatives, by the distance t = z / ||w|| from the boundary.
        z = rng.uniform(-6, 6, POINTS)
        h = STEP * np.maximum(1, np.abs(z)) / norm
        right, slips = slopes(np.asarray(sigmoid(z)))
        for name, f in functions.items():
            differenced = central_difference(lambda t, f=f: f(norm * t), z / norm, h)
            values[f"{name}_error"][i] = relative(norm * right[name], differenced)
            values[f"{name}_slip"][i] = relative(norm * slips[name], differenced)

        # A model with random weights of that length, along its normal.
        normal = rng.normal(size=FEATURES)
        normal /= np.linalg.norm(normal)
        offset = rng.uniform(0.5, 1.5)  # the boundary's distance from the origin
        model.set_weights([norm * normal[:, None], np.array([-norm * offset])])

        def along(t, normal=normal, offset=offset):
            return np.asarray(model((offset + t)[:, None] * normal))[:, 0]

        values["slope"][i] = central_difference(along, np.zeros(1), STEP / norm)[0]
        values["slope_error"][i] = relative(values["slope"][i], norm / 4)
        values["slope_unquartered"][i] = relative(values["slope"][i], norm)
        curves["probability"][i] = along(SHOWN)
        curves["steepness"][i] = norm * curves["probability"][i] * (1 - curves["probability"][i])

        # Anywhere on the boundary of the model of norm 1 the probability has to stay 1/2.
        x = rng.normal(size=(POINTS, FEATURES))
        x += (offset - x @ normal)[:, None] * normal
        values["boundary_shift"][i] = np.abs(np.asarray(model(x)) - 0.5).max()
        model.set_weights([norm * normal[:, None], np.array([-offset])])
        values["boundary_shift_bias_kept"][i] = np.abs(np.asarray(model(x)) - 0.5).max()

        far, y = norm * FAR, rng.permutation([0.0, 0.0, 1.0, 1.0])
        far, y = np.concatenate([far, far]), np.concatenate([y, 1 - y])  # each with both labels
        values["loss_error"][i] = loss_error(True, far, y)
        values["clipped_loss_error"][i] = loss_error(False, far, y)
    return Measurements(
        metrics=values,
        curves=curves,
        axes={"probability": SHOWN, "steepness": SHOWN},
    )


# The differences are good to epsilon^(2/3) = 4e-11 of the function's own size; the derivatives fall
# to 0.002 of it. 1e-6 leaves room for that ratio and none for a wrong factor.
DERIVATIVE = 1e-6

EXPERIMENT = Experiment(
    claim="C02",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C02.sigma",
            "The derivative of σ is σ(1\u00a0−\u00a0σ).",
            AtMost("sigma_error", DERIVATIVE),
            kind="as stated",
            formula=r"\sigma' = \sigma (1 - \sigma)",
            mutants=(Mutant("σ²", {"metric": "sigma_slip"}),),
        ),
        Hypothesis(
            "C02.log",
            "The derivative of log\u00a0σ is 1\u00a0−\u00a0σ.",
            AtMost("log_error", DERIVATIVE),
            kind="as stated",
            formula=r"(\log \sigma)' = 1 - \sigma",
            mutants=(Mutant("σ", {"metric": "log_slip"}),),
        ),
        Hypothesis(
            "C02.log_rest",
            "The derivative of log(1\u00a0−\u00a0σ) is −σ.",
            AtMost("log_rest_error", DERIVATIVE),
            kind="as stated",
            formula=r"(\log (1 - \sigma))' = -\sigma",
            mutants=(Mutant("+σ", {"metric": "log_rest_slip"}),),
        ),
        Hypothesis(
            "C02.slope",
            "At the boundary the probability rises by ‖w‖/4 a unit of length.",
            AtMost("slope_error", DERIVATIVE),
            formula=r"\left. \frac{\partial\, \sigma(w^\top x)}{\partial x} "
            r"\frac{w}{\lVert w \rVert} \right|_{w^\top x = 0} = \frac{\lVert w \rVert}{4}",
            mutants=(Mutant("‖w‖", {"metric": "slope_unquartered"}),),
        ),
        Hypothesis(
            "C02.boundary",
            "Longer weights sharpen the model without moving its boundary, if the bias grows with "
            "them.",
            # Sums of the features and the bias, in logits of up to 8 times their size.
            Identity("boundary_shift", terms=8 * (FEATURES + 1)),
            formula=r"w^\top x + b = 0 \iff c\, w^\top x + c\, b = 0",
            mutants=(Mutant("the bias left as it was", {"metric": "boundary_shift_bias_kept"}),),
        ),
        Hypothesis(
            "C02.stable",
            "From logits, both log-probabilities keep all their digits, however large the logit.",
            Identity("loss_error", terms=1),
            formula=r"-\log(1 - \sigma(z)) = \max(z, 0) + \log(1 + e^{-|z|})",
            mutants=(Mutant("from probabilities, clipped", {"metric": "clipped_loss_error"}),),
        ),
    ),
    factors={"norm": NORMS},
    # Derivatives are identities: 20 random states leave no room for a factor that happens to be 1.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "sigma_error": Metric("σ(1 − σ) against differences, relative", "1", "lower"),
        "sigma_slip": Metric("σ² against the same", "1"),
        "log_error": Metric("1 − σ against differences of log σ, relative", "1", "lower"),
        "log_slip": Metric("σ against the same", "1"),
        "log_rest_error": Metric("−σ against differences of log(1 − σ), relative", "1", "lower"),
        "log_rest_slip": Metric("+σ against the same", "1"),
        "slope": Metric("slope of the probability at the boundary", "1"),
        "slope_error": Metric("slope against ‖w‖/4, relative", "1", "lower"),
        "slope_unquartered": Metric("slope against ‖w‖, relative", "1"),
        "boundary_shift": Metric("|p − ½| on the boundary of unit weights", "1", "lower"),
        "boundary_shift_bias_kept": Metric("the same if the bias is not scaled", "1"),
        "loss_error": Metric("loss from logits, relative deviation", "1", "lower"),
        "clipped_loss_error": Metric("loss from probabilities, relative deviation", "1"),
    },
    figure=(
        Curves(
            y="probability",
            by="norm",
            x_label="distance from the boundary",
            y_label="probability of label 1",
            title="Long weights make the sigmoid sharper, short ones flatter",
        ),
        Curves(
            y="steepness",
            by="norm",
            x_label="distance from the boundary",
            y_label="slope of the probability",
            title="The slope peaks at a quarter of the weights' length, and vanishes far away",
        ),
    ),
    measure=measure,
    finding="The three derivatives are as the lecture states them; the length of the weights sets "
    "the slope, a quarter of it at the boundary.",
    stated=r"\sigma' = \sigma (1 - \sigma), \quad (\log \sigma)' = 1 - \sigma, \quad "
    r"(\log (1 - \sigma))' = -\sigma",
    figures=("F02",),
    components=(
        "suite.activations.sigmoid",
        "suite.models.LogisticRegression",
        "suite.losses.BinaryCrossentropy",
    ),
    limits="Derivatives are compared for logits between −6 and 6; further out σ rounds to 1 and "
    "differences of it hold no digits.",
)
