"""The negative log-likelihood is the cross-entropy, once the sum has its brackets.

Lecture section "Logistic regression", claim C04. The labels are independent given the inputs, so
the likelihood is a product and its negative logarithm the sum

    L(w) = - sum_n [ y_n log p_n + (1 - y_n) log(1 - p_n) ]        p_n = sigma(w^T x_n)

The slide leaves the brackets out. Read as printed, the minus sign reaches the first term only, and
the second one rewards a sample of label 0 for a probability near 1: that loss has no lower bound.
If the sum reaches the first term only as well, the second has an index without a value, for which
the last sample stands in here. The number of errors, which the loss replaces, is a rival too: the
loss divided by log 2 is never smaller.
"""

import math

import numpy as np
from scipy.special import expit, log_expit

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.logistic_regression import _planar
from benchmarks.verdicts import AtMost, Identity

BRACKETS, PRINTED, SHORT_SUM, ERRORS = (
    "with brackets",
    "as printed",
    "short sum",
    "error count",
)
SHOWN = np.linspace(-5, 5, 101)  # logits
# Sums over the samples, and before them over two features and the bias.
TERMS = _planar.LONGEST + 3


def suite_loss(y, z):
    """The suite's binary cross-entropy of logits `(samples,)`, summed over the samples."""
    from suite.losses import BinaryCrossentropy

    loss = BinaryCrossentropy(from_logits=True, reduction="sum", dtype="float64")
    return float(loss(y[:, None], z[:, None]))


def keras_loss(y, z):
    """Keras's binary cross-entropy with its default reduction, the mean over samples."""
    import keras

    loss = keras.losses.BinaryCrossentropy(from_logits=True, dtype="float64")
    return float(loss(y[:, None], z[:, None]))


def loss_of(form, y, z):
    """A loss of all samples, by its form."""
    if form == BRACKETS:
        return suite_loss(y, z)
    first, second = y * log_expit(z), (1 - y) * log_expit(-z)
    if form == PRINTED:
        return (-first + second).sum()
    if form == SHORT_SUM:
        return (-first).sum() + second[-1]
    return float(((z > 0) != (y == 1)).sum())


def negative_log_of_product(y, z):
    """`-log prod_n p(y_n | x_n)`: the product itself, then one logarithm."""
    likelihood = np.prod(expit((2 * y - 1) * z))
    if likelihood < np.finfo(float).tiny:
        raise FloatingPointError("the likelihood underflows; its logarithm needs the sum")
    return -math.log(likelihood)


def measure(cell, seeds):
    """A loss at random weights, against the likelihood, one value a seed."""
    names = ("likelihood_error", "share_of_likelihood", "keras_error", "keras_error_without_n")
    values = {name: np.empty(len(seeds)) for name in names}
    for i, seed in enumerate(seeds):
        x, y = _planar.problem(cell.data, seed)
        # Logits of order one: the likelihood of 200 samples is then still a normal number.
        w = np.random.default_rng([int(seed), 1]).normal(size=3) / np.sqrt(3)
        z = _planar.augmented(x) @ w
        found, exact, mean = (
            loss_of(cell.loss, y, z),
            negative_log_of_product(y, z),
            keras_loss(y, z),
        )
        values["likelihood_error"][i] = abs(found - exact) / exact
        values["share_of_likelihood"][i] = found / exact
        values["keras_error"][i] = abs(found - len(y) * mean) / (len(y) * mean)
        values["keras_error_without_n"][i] = abs(found - mean) / mean
    # One sample of label 0, whose right logit is negative: nothing random.
    zero = np.zeros(1)
    curve = np.array([loss_of(cell.loss, zero, np.array([z])) for z in SHOWN])
    errors = (SHOWN > 0).astype(float)
    alone = {
        "reward": max(0.0, -curve.min()),
        "errors_above_loss_in_bits": (errors - curve / math.log(2)).max(),
        "errors_above_loss": (errors - curve).max(),
    }
    return Measurements(
        metrics=values | {name: np.full(len(seeds), value) for name, value in alone.items()},
        curves={"loss_of_a_zero": np.tile(curve, (len(seeds), 1))},
        axes={"loss_of_a_zero": SHOWN},
    )


EXPERIMENT = Experiment(
    claim="C04",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C04.stated",
            "The formula as printed, without brackets, is the negative log-likelihood.",
            Identity("likelihood_error", terms=TERMS, where={"loss": PRINTED}),
            kind="as stated",
            formula=r"-\sum_n y_n \log \sigma(w^\top x_n) "
            r"+ (1 - y_n) \log \left(1 - \sigma(w^\top x_n)\right)",
        ),
        Hypothesis(
            "C04.brackets",
            "With the sum over both terms it is the negative logarithm of the likelihood.",
            Identity("likelihood_error", terms=TERMS, where={"loss": BRACKETS}),
            formula=r"-\log \prod_n p(y_n \mid x_n, w) = -\sum_n \left[ y_n \log \pi_n "
            r"+ (1 - y_n) \log (1 - \pi_n) \right]",
            mutants=(
                Mutant(PRINTED, {"where": {"loss": PRINTED}}),
                Mutant(SHORT_SUM, {"where": {"loss": SHORT_SUM}}),
                Mutant(ERRORS, {"where": {"loss": ERRORS}}),
            ),
        ),
        Hypothesis(
            "C04.mean",
            "Keras's binary cross-entropy is its mean over the samples: N times that is the sum.",
            Identity("keras_error", terms=TERMS, where={"loss": BRACKETS}),
            formula=r"\mathcal{L}(w) = N \cdot \mathrm{BinaryCrossentropy}",
            mutants=(Mutant("without the factor N", {"metric": "keras_error_without_n"}),),
        ),
        Hypothesis(
            "C04.bounded",
            "No sample has a negative loss.",
            AtMost("reward", 0, where={"loss": BRACKETS}),
            formula=r"-\log p(y \mid x, w) \ge 0",
            mutants=(Mutant(PRINTED, {"where": {"loss": PRINTED}}),),
        ),
        Hypothesis(
            "C04.errors",
            "In bits, the loss of a sample is at least 1 if the sample is classified wrongly.",
            # Equality only in the limits of logits of 0 and of minus infinity: not on the grid.
            AtMost("errors_above_loss_in_bits", 0, where={"loss": BRACKETS}),
            formula=r"[\, \hat y \ne y \,] \le -\log_2 p(y \mid x, w)",
            mutants=(Mutant("in natural units", {"metric": "errors_above_loss"}),),
        ),
    ),
    factors={"data": _planar.DATA, "loss": (BRACKETS, PRINTED, SHORT_SUM, ERRORS)},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "likelihood_error": Metric("deviation from −log of the likelihood, relative", "1", "lower"),
        "share_of_likelihood": Metric("loss over −log of the likelihood", "1"),
        "keras_error": Metric("deviation from N times Keras's loss, relative", "1", "lower"),
        "keras_error_without_n": Metric("deviation from Keras's loss, relative", "1"),
        "reward": Metric("how far the loss of a sample falls below 0", "nat", "lower"),
        "errors_above_loss_in_bits": Metric("largest excess of 0–1 loss over loss", "bit", "lower"),
        "errors_above_loss": Metric("the same in natural units", "nat"),
    },
    figure=(
        Curves(
            y="loss_of_a_zero",
            by="loss",
            where={"data": _planar.SYNTHETIC, "loss": (BRACKETS, PRINTED, ERRORS)},
            x_label="logit of a sample of label 0",
            y_label="loss",
            title="Without brackets the loss rewards a confident mistake",
        ),
        Points(
            x="loss",
            y="share_of_likelihood",
            by="data",
            reference=1.0,
            reference_label="equal",
            x_label="form of the loss",
            y_label="loss over −log of the likelihood",
            title="Only the form with brackets is the negative log-likelihood",
        ),
    ),
    measure=measure,
    finding="The negative log-likelihood is the summed binary cross-entropy; without the brackets "
    "that the slide leaves out, confident mistakes would be rewarded without bound.",
    stated=r"-\sum_n y_n \log \sigma(w^\top x_n) "
    r"+ (1 - y_n) \log \left(1 - \sigma(w^\top x_n)\right)",
    corrected=r"-\sum_n \left[ y_n \log \sigma(w^\top x_n) "
    r"+ (1 - y_n) \log \left(1 - \sigma(w^\top x_n)\right) \right]",
    components=("suite.losses.BinaryCrossentropy",),
    limits="The slide's author certainly meant the brackets; what is refuted is the formula as "
    "it stands. The product of the probabilities serves as the likelihood, which underflows for "
    "larger data sets: one reason to use the logarithm.",
)
