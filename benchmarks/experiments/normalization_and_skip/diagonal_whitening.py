"""Batch normalization standardizes each feature, which whitens only what was uncorrelated.

Lecture section "Activation normalization", claim C46. Over a batch of B samples

    z_i = (x_i - mean_i) / sqrt(sigma_i^2 + epsilon)        y_i = gamma_i z_i + beta_i

The slide calls it whitening with a diagonal W. No diagonal matrix can change a correlation:

    corr(z) = corr(x)      V[z_i] = sigma_i^2 / (sigma_i^2 + epsilon) < 1

so that for two features of correlation rho the covariance misses I by `sqrt(2) rho`, as epsilon
goes to 0. From the formula follow four facts that the slide leaves to the reader: a bias in front
of the layer has no effect, hence no gradient; a batch of one sample becomes beta, whatever it
was; |z| < sqrt(B - 1); and gamma = sqrt(sigma^2 + epsilon), beta = mean undo the layer.
"""

from functools import cache

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.normalization_and_skip import _covariances
from benchmarks.experiments.normalization_and_skip._covariances import (
    LONGEST,
    PATCHES,
    TUMORS,
    covariance,
)
from benchmarks.verdicts import AtMost, Identity, every

CORRELATIONS = {"ρ = 0": 0.0, "ρ = 0.5": 0.5, "ρ = 0.9": 0.9, "ρ = 0.99": 0.99}
DEVIATIONS, MEAN = np.array([1.0, 0.25]), np.array([3.0, -1.0])  # of the two features
SAMPLES = 150
EPSILON = 1e-3  # the layer's default
BATCHES = (2, 7, 40)  # sizes of the batches in which one sample is far from the others
SPREAD = 8  # standard deviations of a random bias
FAR = 1e3  # how far away that sample is: |z| is largest where the others count for nothing
RHO = np.linspace(0, 1, 41)[:-1]
VARIANCES = np.geomspace(1e-5, 1e1, 25)  # around epsilon


def correlated(rho, deviations, rng, samples=SAMPLES):
    """Two features `(samples, 2)` of exactly this correlation and these deviations."""
    root = deviations[:, None] * np.array([[1.0, 0.0], [rho, np.sqrt(1 - rho**2)]])
    return _covariances.exact_sample(root, MEAN, samples, rng)


@cache
def measurements():
    """What was measured of the tumors `(rows, 30)`, of variances far above epsilon and below."""
    from suite.datasets import load_arrays

    return load_arrays("breast_cancer", standardize=False).x_train.astype(float)


def problem(data, seed):
    """Samples of one data set, `(samples, features)`; the tumors in the units of the file."""
    if data in CORRELATIONS:
        return correlated(CORRELATIONS[data], DEVIATIONS, np.random.default_rng(int(seed)))
    if data == PATCHES:
        return _covariances.problem(data, seed)
    x = measurements()
    return x[np.random.default_rng(int(seed)).permutation(len(x))[: _covariances.ROWS[TUMORS]]]


def normalized(x, gamma=1.0, beta=0.0, training=True):
    """The layer's output on one batch `(samples, features)`; its moving averages are (0, 1)."""
    return np.asarray(built(x.shape[1], gamma, beta)(x, training=training))


def built(features, gamma=1.0, beta=0.0):
    """The layer with this affine map in its weights."""
    from suite.layers import BatchNormalization

    layer = BatchNormalization(epsilon=EPSILON, dtype="float64")
    layer.build((None, features))
    weights = [np.broadcast_to(value, features) for value in (gamma, beta)]
    layer.set_weights([*weights, np.zeros(features), np.ones(features)])
    return layer


def bias_gradient(x, bias, targets, training=True):
    """Gradient to a bias in front of the layer, and per sample, for `sum (y - targets)^2 / 2`."""
    import tensorflow as tf

    layer = built(x.shape[1], gamma=1.5, beta=0.3)
    x, bias = tf.constant(x), tf.constant(bias)
    with tf.GradientTape() as tape:
        tape.watch([x, bias])
        y = layer(x + bias, training=training)
        loss = tf.reduce_sum((y - targets) ** 2) / 2
    return [np.asarray(g) for g in tape.gradient(loss, [bias, x])]


def bias_difference(x, bias, targets, training=True):
    """The same gradient to the bias `(features,)`, by a central difference.

    Features do not meet in this layer, so one step moves the biases of all.
    """
    h = np.cbrt(np.finfo(float).eps) * x.std(axis=0)

    def losses(b):
        y = normalized(x + b, gamma=1.5, beta=0.3, training=training)
        return (y - targets) ** 2 / 2

    return (losses(bias + h) - losses(bias - h)).sum(axis=0) / (2 * h)


def of_features(x, z):
    """Metrics of the batches `x` that need the layer alone, each `(columns,)`."""
    mean, variance = x.mean(axis=0), x.var(axis=0)
    law, after = variance / (variance + EPSILON), z.var(axis=0)
    size, span = np.abs(z).max(axis=0), np.abs(x).max(axis=0)
    gamma = np.sqrt(variance + EPSILON)

    def off(y, expected, scale):
        return np.abs(y - expected).max(axis=0) / scale

    return {
        "formula_error": off(z, (x - mean) / gamma, size),
        "formula_unbiased": off(z, (x - mean) / np.sqrt(x.var(axis=0, ddof=1) + EPSILON), size),
        "formula_outside": off(z, (x - mean) / (np.sqrt(variance) + EPSILON), size),
        "variance_error": np.abs(after - law),
        "variance_one": np.abs(after - 1),
        "variance_deviation": np.abs(after - variance / (np.sqrt(variance) + EPSILON) ** 2),
        "single_error": off(normalized(x[:1], gamma, mean), mean, span),
        "pair_error": off(normalized(x[:2], gamma, mean), mean, span),
        "restored_error": off(normalized(x, gamma, mean), x, span),
        "restored_no_epsilon": off(normalized(x, np.sqrt(variance), mean), x, span),
    }


def of_bias(x, bias, targets):
    """Metrics of a bias in front of the layer, with batch statistics and without."""
    found = {}
    for name, training in (("", True), ("_inference", False)):
        y = normalized(x, training=training)
        shifted = normalized(x + bias, training=training)
        found[f"bias_effect{name}"] = np.abs(shifted - y).max(axis=0) / np.abs(y).max(axis=0)
        slope, per_sample = bias_gradient(x, bias, targets, training)
        terms = np.abs(per_sample).sum(axis=0)  # what is summed to the slope, and has to cancel
        found[f"bias_gradient{name}"] = np.abs(slope) / terms
        difference = bias_difference(x, bias, targets, training)
        found[f"bias_difference{name}"] = np.abs(difference) / terms
    return found


def of_pairs(x, z):
    """Metrics of one batch `(samples, features)` in which features meet."""
    after, law = covariance(z), x.var(axis=0) / (x.var(axis=0) + EPSILON)
    before, identity = np.corrcoef(x.T), np.eye(x.shape[1])
    off_diagonal = np.linalg.norm(after - np.diag(np.diag(after)))
    theory = np.linalg.norm(np.sqrt(np.outer(law, law)) * (before - identity))
    return {
        "residual": np.linalg.norm(after - identity),
        "off_diagonal": off_diagonal,
        "off_diagonal_error": abs(off_diagonal - theory),
        "off_diagonal_rho": abs(off_diagonal - theory / np.sqrt(2)),
        "correlation_error": np.abs(np.corrcoef(z.T) - before).max(),
        "correlation_removed": np.abs(before - identity).max(),
    }


def of_outliers(generators):
    """Largest |z| of batches with one sample far away, over two bounds, `(seeds,)` each."""
    shares = {"largest_share": [], "largest_share_unbiased": []}
    for size in BATCHES:
        batch = np.concatenate([rng.normal(size=(size, 3)) for rng in generators], axis=1)
        batch[0] += FAR
        largest = np.abs(normalized(batch)).reshape(size, len(generators), 3).max(axis=(0, 2))
        shares["largest_share"].append(largest / np.sqrt(size - 1))
        shares["largest_share_unbiased"].append(largest * np.sqrt(size) / (size - 1))
    return {name: np.max(values, axis=0) for name, values in shares.items()}


def residual_curves(generators):
    """Frobenius norm of cov(z) - I for each of `RHO`, where epsilon is nothing to the variances."""
    wide = 1e6 * DEVIATIONS
    x = [[correlated(rho, wide, rng) for rho in RHO] for rng in generators]
    shape = np.shape(x)  # (seeds, correlations, samples, 2)
    z = normalized(np.moveaxis(x, 2, 0).reshape(SAMPLES, -1)).reshape(SAMPLES, -1, 2)
    missed = [np.linalg.norm(covariance(z[:, i]) - np.eye(2)) for i in range(z.shape[1])]
    return np.reshape(missed, shape[:2])


def variance_curves(generators):
    """Variance after the layer for each of `VARIANCES` before it, `(seeds, variances)`."""
    size = (SAMPLES, len(VARIANCES))
    x = np.stack([rng.normal(size=size) for rng in generators], axis=1)
    x = (x - x.mean(axis=0)) / x.std(axis=0) * np.sqrt(VARIANCES) + MEAN[0]
    return normalized(x.reshape(SAMPLES, -1)).var(axis=0).reshape(len(generators), -1)


def measure(cell, seeds):
    """One data set, one batch a seed; since no features meet, the layer takes all seeds at once."""
    batches = [problem(cell.data, seed) for seed in seeds]
    features = batches[0].shape[1]
    generators = [np.random.default_rng([int(seed), 1]) for seed in seeds]
    x = np.concatenate(batches, axis=1)
    z = normalized(x)
    bias = np.concatenate([rng.normal(size=features) for rng in generators])
    targets = np.concatenate([rng.normal(size=batches[0].shape) for rng in generators], axis=1)

    columns = of_features(x, z) | of_bias(x, SPREAD * x.std(axis=0) * bias, targets)
    largest = {n: v.reshape(len(seeds), features).max(axis=1) for n, v in columns.items()}
    outputs = np.split(z, len(seeds), axis=1)
    pairs = [of_pairs(*both) for both in zip(batches, outputs, strict=True)]
    found = Measurements(
        metrics=largest
        | {name: np.array([pair[name] for pair in pairs]) for name in pairs[0]}
        | of_outliers(generators)
    )
    if cell.data == "ρ = 0.9":
        found.curves = {
            "missed": residual_curves(generators),
            "variance_after": variance_curves(generators),
        }
        found.axes = {"missed": RHO, "variance_after": VARIANCES}
        found.theory = {
            "missed": np.sqrt(2) * RHO,
            "variance_after": VARIANCES / (VARIANCES + EPSILON),
        }
        found.slide = {"missed": np.zeros(len(RHO)), "variance_after": np.ones(len(VARIANCES))}
    if cell.data in CORRELATIONS:
        x = problem(cell.data, seeds[0])
        found.arrays = {
            "batch_normalization": normalized(x),
            "whitening": _covariances.adapted("zca", x)[1],
        }
    return found


EXPERIMENT = Experiment(
    claim="C46",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C46.formula",
            "The layer subtracts the batch's mean and divides by the root of its variance plus ε.",
            Identity("formula_error", terms=LONGEST),
            kind="as stated",
            formula=r"z_i = \frac{x_i - \bar x_i}{\sqrt{\sigma_i^2 + \epsilon}}",
            mutants=(
                Mutant("variance that divides by B − 1", {"metric": "formula_unbiased"}),
                Mutant("ε outside the root", {"metric": "formula_outside"}),
            ),
        ),
        Hypothesis(
            "C46.whitens",
            "That is whitening with a diagonal W: no covariance is left between features.",
            # Off the diagonal only: that epsilon shortens the variances the slide may well imply.
            Identity("off_diagonal", terms=LONGEST),
            kind="as stated",
            formula=r"W = \mathrm{diag}(\sigma_i^2 + \epsilon)^{-1/2}: \quad W \Sigma W^\top = I",
        ),
        Hypothesis(
            "C46.uncorrelated",
            "It does whiten features that were uncorrelated, up to ε.",
            Identity("off_diagonal", terms=LONGEST, where={"data": "ρ = 0"}),
            formula=r"W \Sigma W^\top \text{ diagonal} \iff \Sigma \text{ diagonal}",
            mutants=tuple(
                Mutant(data, {"where": {"data": data}}) for data in ("ρ = 0.5", TUMORS, PATCHES)
            ),
        ),
        Hypothesis(
            "C46.correlation",
            "Every correlation stays what it was.",
            Identity("correlation_error", terms=LONGEST),
            formula=r"\mathrm{corr}(z_i, z_j) = \mathrm{corr}(x_i, x_j)",
            mutants=(Mutant("correlations removed", {"metric": "correlation_removed"}),),
        ),
        Hypothesis(
            "C46.residual",
            "Two features of correlation ρ miss the identity by √2\u00a0ρ off the diagonal, up to "
            "the factor that ε takes.",
            Identity("off_diagonal_error", terms=LONGEST, where={"data": tuple(CORRELATIONS)}),
            formula=r"\lVert W \Sigma W^\top - I \rVert_F \to \sqrt{2}\, |\rho| "
            r"\quad (\epsilon \to 0)",
            mutants=(
                Mutant("nothing missed", {"metric": "off_diagonal"}),
                Mutant("ρ in place of √2 ρ", {"metric": "off_diagonal_rho"}),
            ),
        ),
        Hypothesis(
            "C46.variance",
            "Each variance becomes σ²/(σ²\u00a0+\u00a0ε), less than 1.",
            Identity("variance_error", terms=LONGEST),
            formula=r"\mathbb{V}[z_i] = \frac{\sigma_i^2}{\sigma_i^2 + \epsilon}",
            mutants=(
                Mutant("variance 1", {"metric": "variance_one"}),
                Mutant("ε added to σ", {"metric": "variance_deviation"}),
            ),
        ),
        Hypothesis(
            "C46.bias",
            "A bias in front of the layer is redundant: it changes no output and has gradient 0.",
            every(
                Identity("bias_effect", terms=LONGEST),
                Identity("bias_gradient", terms=LONGEST),
            ),
            formula=r"\frac{\partial \mathcal{L}}{\partial b_i} = "
            r"\sum_n \frac{\partial \mathcal{L}}{\partial x_{ni}} = 0",
            mutants=(
                Mutant("moving averages: effect", {"metric": "bias_effect_inference"}),
                Mutant("moving averages: gradient", {"metric": "bias_gradient_inference"}),
            ),
        ),
        Hypothesis(
            "C46.difference",
            "Finite differences of the loss find no slope along that bias either.",
            # Rounding of the loss over the step leaves epsilon^(2/3) = 4e-11.
            AtMost("bias_difference", 1e-6),
            mutants=(Mutant("moving averages", {"metric": "bias_difference_inference"}),),
        ),
        Hypothesis(
            "C46.single",
            "A batch of one sample gives β, whatever the sample.",
            Identity("single_error", terms=1),
            formula=r"B = 1: \quad y = \beta",
            mutants=(Mutant("a batch of two", {"metric": "pair_error"}),),
        ),
        Hypothesis(
            "C46.bound",
            "However far one sample lies from the others, |z| stays below √(B\u00a0−\u00a01).",
            AtMost("largest_share", 1.0),
            formula=r"|z_{ni}| < \sqrt{B - 1}",
            mutants=(
                Mutant("(B − 1)/√B, as if dividing by B − 1", {"metric": "largest_share_unbiased"}),
            ),
        ),
        Hypothesis(
            "C46.restore",
            "γ\u00a0=\u00a0√(σ²\u00a0+\u00a0ε) and β\u00a0=\u00a0x̄ undo the layer.",
            Identity("restored_error", terms=LONGEST),
            formula=r"\gamma_i = \sqrt{\sigma_i^2 + \epsilon}, \; \beta_i = \bar x_i: \quad y = x",
            mutants=(Mutant("γ = σ", {"metric": "restored_no_epsilon"}),),
        ),
    ),
    factors={"data": (*CORRELATIONS, TUMORS, PATCHES)},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data",),
    metrics={
        "formula_error": Metric("relative deviation from the formula", "1", "lower"),
        "formula_unbiased": Metric("the same if the variance divides by B − 1", "1"),
        "formula_outside": Metric("the same with ε outside the root", "1"),
        "residual": Metric("Frobenius norm of the covariance minus I", "1", "lower"),
        "correlation_error": Metric("largest change of a correlation", "1"),
        "correlation_removed": Metric("largest correlation", "1", "lower"),
        "variance_error": Metric("deviation of a variance from σ²/(σ² + ε)", "1", "lower"),
        "variance_one": Metric("deviation of a variance from 1", "1", "lower"),
        "variance_deviation": Metric("deviation of a variance from σ²/(σ + ε)²", "1"),
        "off_diagonal": Metric("Frobenius norm off the diagonal", "1", "lower"),
        "off_diagonal_error": Metric("its deviation from theory", "1", "lower"),
        "off_diagonal_rho": Metric("its deviation from theory over √2", "1"),
        "bias_effect": Metric("relative change of the output by a bias", "1", "lower"),
        "bias_effect_inference": Metric("the same with moving averages", "1"),
        "bias_gradient": Metric("gradient of a bias, relative to the summed terms", "1", "lower"),
        "bias_gradient_inference": Metric("the same with moving averages", "1"),
        "bias_difference": Metric("the same by finite differences", "1", "lower"),
        "bias_difference_inference": Metric("the same, with moving averages", "1"),
        "single_error": Metric("deviation from β of a batch of one, relative", "1", "lower"),
        "pair_error": Metric("the same for a batch of two", "1"),
        "largest_share": Metric("largest |z| over √(B − 1)", "1"),
        "largest_share_unbiased": Metric("largest |z| over (B − 1)/√B", "1"),
        "restored_error": Metric("relative deviation of y from x", "1", "lower"),
        "restored_no_epsilon": Metric("the same for γ = σ", "1"),
    },
    figure=(
        Plane(
            points=("batch_normalization", "whitening"),
            by="data",
            where={"data": ("ρ = 0.5", "ρ = 0.99")},
            x_label="first feature",
            y_label="second feature",
            title="Standardized is not white",
        ),
        Curves(
            y="missed",
            where={"data": "ρ = 0.9"},
            x_label="correlation of the two features",
            y_label="Frobenius norm of cov(z) − I",
            title="Batch normalization misses the identity by √2 ρ",
        ),
        Curves(
            y="variance_after",
            where={"data": "ρ = 0.9"},
            log="x",
            x_label="variance of the feature",
            y_label="variance after the layer",
            title="A feature of variance below ε hardly comes through",
        ),
    ),
    measure=measure,
    finding="Batch normalization standardizes each feature and leaves every correlation as it is: "
    "whitening only of features that were uncorrelated, and of variance far above ε.",
    stated=r"z = W (x - \bar x), \quad W = \mathrm{diag}(\sigma_i^2 + \epsilon)^{-1/2}, \quad "
    r"W \Sigma W^\top = I",
    corrected=r"(W \Sigma W^\top)_{ij} = \rho_{ij} "
    r"\frac{\sigma_i \sigma_j}{\sqrt{(\sigma_i^2 + \epsilon)(\sigma_j^2 + \epsilon)}}",
    figures=("F20",),
    components=("suite.layers.BatchNormalization", "suite.layers.Whitening"),
    limits="Statements about one batch. What moving averages change at inference is C47, whether "
    "and why the layer helps training is C48.",
)
