"""Logistic regression is a linear score read as log-odds, and its bias is one weight more.

Lecture section "Logistic regression", claim C01. For a label `y` in {0, 1},

    p(y | x, w) = p^y (1 - p)^(1 - y),    p = sigma(w^T x)        predict 1 iff p > 1/2

with a constant 1 appended to `x`, whose weight is the bias. Three things are measured. A bias and
an appended constant are the same model, and stay the same under training, until a penalty treats
them differently. The rule p > 1/2 errs least often, if the probabilities are right. And they are
exactly right for two Gaussian classes of equal covariance: Bayes' rule then gives

    w = S^-1 (m_1 - m_0)    b = (m_0^T S^-1 m_0 - m_1^T S^-1 m_1) / 2 + log(P_1 / P_0)

A logistic model describes p(y | x) alone, so many pairs of densities share it; this is one.
"""

from functools import cache

import numpy as np
from scipy.special import log_softmax
from scipy.stats import multivariate_normal

from benchmarks.experiment import Experiment, Hypothesis, Measurements, Metric, Mutant, Plane
from benchmarks.experiments.logistic_regression import _planar
from benchmarks.verdicts import Identity

STEPS = 50
# Below 2 / beta for the mean loss on both data sets, where gradient descent on a convex loss brings
# two paths no further apart: rounding adds up over the steps and is not magnified.
LEARNING_RATE = 0.5
PENALTY = 0.1  # of the penalized pair: of the size of the mean loss's curvature
BIAS, CONSTANT, PENALIZED_BIAS, PENALIZED_CONSTANT = (
    "bias", "appended constant", "bias, kernel penalized", "constant, kernel penalized",
)  # fmt: skip


def gaussians(x, y):
    """Means `(2, features)`, pooled covariance, covariance of each class, shares of the classes."""
    groups = [x[y == label] for label in (0, 1)]
    shares = np.array([len(group) for group in groups]) / len(x)
    covariances = np.array([np.cov(group.T, bias=True) for group in groups])
    means = np.array([group.mean(axis=0) for group in groups])
    return means, np.tensordot(shares, covariances, 1), covariances, shares


def linear_weights(means, covariance, shares):
    """Weights `(features + 1,)` of the posterior of two Gaussians, the bias last."""
    solved = np.linalg.solve(covariance, means.T).T
    bias = ((means[0] * solved[0]).sum() - (means[1] * solved[1]).sum()) / 2
    return np.append(solved[1] - solved[0], bias + np.log(shares[1] / shares[0]))


def bayes(x, means, covariances, shares):
    """`p(y = 1 | x)` from SciPy's densities by Bayes' rule, shape `(samples,)`."""
    joint = [
        np.log(share) + multivariate_normal(mean, covariance).logpdf(x)
        for mean, covariance, share in zip(means, covariances, shares, strict=True)
    ]
    return np.exp(log_softmax(joint, axis=0))[1]


def risk(predictions, p):
    """Expected share of errors of predictions (bool), if `p` are the probabilities of label 1."""
    return np.where(predictions, 1 - p, p).mean()


@cache
def trainer(form):
    """A function `(start, x, y)`: output, gradient at the start, weights after `STEPS` steps.

    `start` holds the weights, the bias last; so does whatever comes back. It is compiled once for
    both data sets.
    """
    import tensorflow as tf

    from suite.layers import Dense
    from suite.losses import BinaryCrossentropy
    from suite.optimizers import SGD

    has_bias = form in (BIAS, PENALIZED_BIAS)
    penalty = {"kernel_regularizer": {"class_name": "L2", "config": {"l2": PENALTY}}}
    layer = Dense(
        1,
        use_bias=has_bias,
        dtype="float64",
        **(penalty if form in (PENALIZED_BIAS, PENALIZED_CONSTANT) else {}),
    )
    layer.build((None, 2 if has_bias else 3))
    optimizer = SGD(LEARNING_RATE)
    optimizer.build(layer.trainable_variables)
    loss = BinaryCrossentropy(from_logits=True, dtype="float64")
    shapes = [(3,), (None, 2 if has_bias else 3), (None, 1)]

    def gradients(x, y):
        with tf.GradientTape() as tape:
            z = layer(x)
            value = loss(y, z) + tf.add_n([tf.zeros([], tf.float64), *layer.losses])
        return z, tape.gradient(value, [v.value for v in layer.trainable_variables])

    def joined(parts):
        return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float64) for shape in shapes])
    def train(start, x, y):
        layer.kernel.assign(start[: layer.kernel.shape[0], None])
        if has_bias:
            layer.bias.assign(start[-1:])
        z, first = gradients(x, y)
        for _ in tf.range(STEPS):
            optimizer.apply(gradients(x, y)[1], layer.trainable_variables)
        return z[:, 0], joined(first), joined(v.value for v in layer.trainable_variables)

    def run(start, x, y):
        inputs = x if has_bias else _planar.augmented(x)
        return [np.asarray(part) for part in train(start, inputs, y[:, None])]

    return run


def deviation(first, second):
    """Largest difference of any of several arrays, relative to the array's largest entry."""
    return max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(first, second, strict=True))


def measure(cell, seeds):
    """Two forms of the bias side by side, and Gaussians fitted to the classes, one value a seed."""
    from suite.activations import sigmoid

    names = (
        "normalization_error", "odds_error", "augmentation_error", "penalized_error",
        "dropped_error", "excess_risk", "excess_risk_prior", "posterior_error",
        "posterior_no_prior", "posterior_unequal",
    )  # fmt: skip
    values = {name: np.empty(len(seeds)) for name in names}
    for i, seed in enumerate(seeds):
        x, y = _planar.problem(cell.data, seed)
        start = np.random.default_rng([int(seed), 1]).normal(size=3)
        z = _planar.augmented(x) @ start
        # The two labels' probabilities, each computed by itself.
        one, zero = np.asarray(sigmoid(z)), np.asarray(sigmoid(-z))
        values["normalization_error"][i] = np.abs(one + zero - 1).max()
        values["odds_error"][i] = np.abs(one + np.asarray(sigmoid(1 - z)) - 1).max()

        bias = trainer(BIAS)(start, x, y)
        values["augmentation_error"][i] = deviation(trainer(CONSTANT)(start, x, y), bias)
        values["penalized_error"][i] = deviation(
            trainer(PENALIZED_CONSTANT)(start, x, y), trainer(PENALIZED_BIAS)(start, x, y)
        )
        no_bias = np.append(start[:2], 0.0)
        values["dropped_error"][i] = deviation(trainer(CONSTANT)(no_bias, x, y), bias)

        means, pooled, covariances, shares = gaussians(x, y)
        truth = bayes(x, means, [pooled, pooled], shares)
        weights = linear_weights(means, pooled, shares)
        model = np.asarray(_planar.classifier(weights)(x))[:, 0]
        least = np.minimum(truth, 1 - truth).mean()  # of all 2^n ways to predict
        values["excess_risk"][i] = risk(model > 0.5, truth) - least
        values["excess_risk_prior"][i] = risk(model > shares[1], truth) - least

        condition = np.linalg.cond(pooled)

        def off(probabilities, truth, condition=condition):
            return np.abs(probabilities - truth).max() / truth.max() / condition

        values["posterior_error"][i] = off(model, truth)
        equal = linear_weights(means, pooled, np.array([0.5, 0.5]))
        values["posterior_no_prior"][i] = off(np.asarray(_planar.classifier(equal)(x))[:, 0], truth)
        values["posterior_unequal"][i] = off(model, bayes(x, means, covariances, shares))

    x, y = _planar.problem(cell.data, seeds[0])
    columns, rows = _planar.grid(x)
    weights = _planar.maximum_likelihood(x, y)
    return Measurements(
        metrics=values,
        arrays={
            "probability": _planar.field(weights, columns, rows),
            "probability.x": columns,
            "probability.y": rows,
            "samples": x,
            "samples.label": y,
        },
    )


EXPERIMENT = Experiment(
    claim="C01",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C01.distribution",
            "σ(z) and σ(−z) are the probabilities of the two labels: they sum to 1.",
            Identity("normalization_error", terms=1),
            kind="as stated",
            formula=r"p(y \mid x, w) = \pi^{y} (1 - \pi)^{1 - y}, \quad \pi = \sigma(w^\top x)",
            mutants=(Mutant("σ(1 − z) for the other label", {"metric": "odds_error"}),),
        ),
        Hypothesis(
            "C01.augmentation",
            "A bias and the weight of an appended 1 are the same model: outputs, gradients and the "
            f"weights after {STEPS} steps of training agree.",
            # Each step adds the rounding of a sum over the samples.
            Identity("augmentation_error", terms=STEPS * _planar.LONGEST),
            kind="as stated",
            formula=r"w^\top x + b = \begin{pmatrix} w \\ b \end{pmatrix}^\top "
            r"\begin{pmatrix} x \\ 1 \end{pmatrix}",
            mutants=(
                Mutant("with a penalty on the kernel", {"metric": "penalized_error"}),
                Mutant("started without the bias", {"metric": "dropped_error"}),
            ),
        ),
        Hypothesis(
            "C01.decision",
            "If the probabilities are right, no predictions err less often on average than "
            "those of the rule p\u00a0>\u00a0½.",
            Identity("excess_risk", terms=_planar.LONGEST),
            formula=r"\hat y = [\, p(y = 1 \mid x) > \tfrac12 \,] = "
            r"\arg\min_{\hat y} \mathbb{E}\,[\hat y \ne y]",
            mutants=(Mutant("share of the class as threshold", {"metric": "excess_risk_prior"}),),
        ),
        Hypothesis(
            "C01.generative",
            "For two Gaussian classes of equal covariance Bayes' rule gives exactly this model.",
            # Beside products of three terms, a quadratic form of both means: nine each.
            Identity("posterior_error", terms=9),
            formula=r"w = \Sigma^{-1} (\mu_1 - \mu_0), \quad b = \tfrac12 \left( \mu_0^\top "
            r"\Sigma^{-1} \mu_0 - \mu_1^\top \Sigma^{-1} \mu_1 \right) + \log \tfrac{P_1}{P_0}",
            mutants=(
                Mutant("without the shares of the classes", {"metric": "posterior_no_prior"}),
                Mutant("a covariance for each class", {"metric": "posterior_unequal"}),
            ),
        ),
    ),
    factors={"data": _planar.DATA},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "normalization_error": Metric("|σ(z) + σ(−z) − 1|, largest", "1", "lower"),
        "odds_error": Metric("|σ(z) + σ(1 − z) − 1|, largest", "1"),
        "augmentation_error": Metric("relative deviation of the two forms", "1", "lower"),
        "penalized_error": Metric("the same with a penalty on the kernel", "1"),
        "dropped_error": Metric("the same if the appended weight starts at 0", "1"),
        "excess_risk": Metric("errors above the fewest possible, share", "1", "lower"),
        "excess_risk_prior": Metric("the same for the share of label 1 as threshold", "1"),
        "posterior_error": Metric(
            "deviation from Bayes' rule, per condition number of the covariance", "1", "lower"
        ),
        "posterior_no_prior": Metric("the same with the shares of the classes left out", "1"),
        "posterior_unequal": Metric("the same if each class has its own covariance", "1"),
    },
    figure=(
        Plane(
            surface="probability",
            probability=True,
            points=("samples",),
            by="data",
            x_label="first feature",
            y_label="second feature",
            title="The probability of label 1 changes along one direction only",
        ),
    ),
    measure=measure,
    finding="Logistic regression reads a linear score as log-odds; a bias is the weight of an "
    "appended 1, as long as no penalty tells the two apart.",
    stated=r"p(y \mid x, w) = \pi^{y} (1 - \pi)^{1 - y}, \quad \pi = \sigma(w^\top x)",
    figures=("F01",),
    components=(
        "suite.models.LogisticRegression",
        "suite.layers.Dense",
        "suite.activations.sigmoid",
    ),
    limits="The Gaussians are fitted to the data and then taken as the truth; whether tumors are "
    "Gaussian is not asked. Two features, so that the field can be drawn.",
)
