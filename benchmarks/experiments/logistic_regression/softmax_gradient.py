"""The slope of the multiclass loss is prediction minus target, if the target sums to one.

Lecture section "Logistic regression", claim C09. For logits `z`, target `y` and `p = softmax(z)`

    L = -sum_c y_c log p_c        dL / dz_i = (sum_c y_c) p_i - y_i

The slide's result, `p_i - y_i`, is right for what it is meant for: one-hot labels. On the way it
drops the derivative in front of the log-sum-exp and uses, without a word, that the target sums to
one. Chained with `z = W x` it gives the gradient in the weights, summed over samples,

    dL / dW = X^T (P - Y)        in the layout (features, classes)
"""

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.verdicts import AtMost, Identity

ONE_HOT, SMOOTHED, COUNTS = "one-hot", "smoothed", "sum of two"
SYNTHETIC, DIGITS = "synthetic", "digits"
SAMPLES = {SYNTHETIC: 30, DIGITS: 20}
CLASSES = {SYNTHETIC: 4, DIGITS: 10}
LONGEST = 64  # pixels of a digit, the terms of the longest sum
SMOOTHING = 0.1
# Rounding of the loss, epsilon / h, and truncation, h^2, balance at the cube root of epsilon.
BEST = np.finfo(float).eps ** (1 / 3)
DIFFERENCES = np.geomspace(1e-9, 1, 37)
LOGITS = np.linspace(-6, 6, 61)  # of the right class, for the figure


def problem_of(data, targets, seed):
    """Features, targets and weights `(features, classes)`; targets of the kind named."""
    from suite.datasets import load_arrays

    rng = np.random.default_rng(int(seed))
    n, c = SAMPLES[data], CLASSES[data]
    if data == SYNTHETIC:
        x, label = rng.normal(0.3, 1, (n, 3)), rng.integers(0, c, n)
    else:
        split = load_arrays("digits", seed=0)
        rows = rng.choice(len(split.x_train), n, replace=False)
        x, label = split.x_train[rows].astype(float), split.y_train[rows]
    return x, target_of(np.eye(c)[label], targets), rng.normal(size=(x.shape[1], c)) / 4


def target_of(one_hot, targets):
    """The same labels: as they are, with a share for every class, or with a second label each."""
    if targets == SMOOTHED:
        return (1 - SMOOTHING) * one_hot + SMOOTHING / one_hot.shape[-1]
    return one_hot + np.roll(one_hot, 1, axis=-1) if targets == COUNTS else one_hot


def differenced(z, y, h):
    """Central differences of the loss of each sample, written anew, in each of its logits."""
    steps = h * np.eye(z.shape[1])
    ends = [
        -(y[:, None] * log_softmax(z[:, None] + sign * steps, axis=-1)).sum(axis=-1)
        for sign in (1, -1)
    ]
    return (ends[0] - ends[1]) / (2 * h)


def slopes(z, y):
    """The suite's slope of the summed loss in the logits, by TensorFlow's gradients."""
    import tensorflow as tf

    from suite.losses import CategoricalCrossentropy

    loss = CategoricalCrossentropy(from_logits=True, reduction="sum", dtype="float64")
    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(y, z)
    return np.asarray(tape.gradient(value, z))


def slopes_in_weights(x, y, weights):
    """The same in the kernel of the suite's softmax regression."""
    import tensorflow as tf

    from suite.losses import CategoricalCrossentropy
    from suite.models import SoftmaxRegression

    loss = CategoricalCrossentropy(from_logits=True, reduction="sum", dtype="float64")
    model = SoftmaxRegression(*weights.shape, dtype="float64")
    kernel, bias = model.trainable_variables
    kernel.assign(weights)
    with tf.GradientTape() as tape:
        value = loss(y, model(x))
    return np.asarray(tape.gradient(value, kernel.value))


def deviation(a, b):
    """Largest difference, relative to the largest entry of `b`."""
    return np.abs(a - b).max() / np.abs(b).max()


def right_class(targets, classes):
    """Slope in the logit of the right class, the others zero: the suite's, and both formulas."""
    z = np.zeros((len(LOGITS), classes))
    z[:, 0] = LOGITS
    y = np.tile(target_of(np.eye(classes)[0], targets), (len(LOGITS), 1))
    p = softmax(z, axis=1)
    return (g[:, 0] for g in (slopes(z, y), y.sum(axis=1, keepdims=True) * p - y, p - y))


def measure(cell, seeds):
    """Slopes of the suite's loss against finite differences and formulas, one value a seed."""
    rows = []
    v_shape = np.empty((len(seeds), len(DIFFERENCES)))
    for i, seed in enumerate(seeds):
        x, y, weights = problem_of(cell.data, cell.targets, seed)
        z = x @ weights
        p, total = softmax(z, axis=1), y.sum(axis=1, keepdims=True)
        ours, truth = slopes(z, y), differenced(z, y, BEST)
        in_weights = slopes_in_weights(x, y, weights)
        v_shape[i] = [deviation(ours, differenced(z, y, h)) for h in DIFFERENCES]
        rows.append(
            {
                "suite_error": deviation(ours, truth),
                "short_error": deviation(p - y, truth),
                "general_error": deviation(total * p - y, truth),
                "sign_error": deviation(y - p, truth),
                "undifferentiated": deviation(logsumexp(z, axis=1, keepdims=True) - y, truth),
                "sum": np.abs(ours.sum(axis=1)).max() / np.abs(ours).max(),
                "sum_short": np.abs((p - y).sum(axis=1)).max() / np.abs(p - y).max(),
                # Sums over the samples may nearly cancel: relative to their terms.
                "weight_error": np.abs(x.T @ (total * p - y) - in_weights).max()
                / (np.abs(x.T) @ np.abs(total * p - y)).max(),
                "weight_error_mean": np.abs(x.T @ (total * p - y) / len(x) - in_weights).max()
                / (np.abs(x.T) @ np.abs(total * p - y)).max(),
            }
        )
    shown, general, short = right_class(cell.targets, CLASSES[cell.data])
    return Measurements(
        metrics={name: np.array([row[name] for row in rows]) for name in rows[0]},
        curves={"deviation": v_shape, "slope": np.tile(shown, (len(seeds), 1))},
        axes={"deviation": DIFFERENCES, "slope": LOGITS},
        theory={"slope": general},
        # Where the target sums to one both formulas are one line.
        slide={"slope": short} if cell.targets == COUNTS else {},
    )


EXPERIMENT = Experiment(
    claim="C09",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C09.stated",
            "For one-hot labels the slope of the loss in a logit is prediction minus label.",
            # Differences are good to epsilon^(2/3) = 4e-11; 1e-6 leaves room for the ratio of
            # the third derivative to the slope, none for a wrong term.
            AtMost("short_error", 1e-6, where={"targets": ONE_HOT}),
            kind="as stated",
            formula=r"\frac{\partial \mathcal{L}}{\partial z_i} = \mathrm{softmax}(z)_i - y_i",
            mutants=(
                Mutant("any target", {"where": {"targets": COUNTS}}),
                Mutant("label minus prediction", {"metric": "sign_error"}),
                Mutant("the log-sum-exp not differentiated", {"metric": "undifferentiated"}),
            ),
        ),
        Hypothesis(
            "C09.general",
            "For any target the prediction is multiplied by the sum of the target.",
            AtMost("general_error", 1e-6),
            formula=r"\frac{\partial \mathcal{L}}{\partial z_i} = "
            r"\left(\sum_c y_c\right) \mathrm{softmax}(z)_i - y_i",
            mutants=(Mutant("without the sum", {"metric": "short_error"}),),
        ),
        Hypothesis(
            "C09.suite",
            "The suite's cross-entropy has the slope that finite differences of the loss have.",
            AtMost("suite_error", 1e-6),
            mutants=(Mutant("label minus prediction", {"metric": "sign_error"}),),
        ),
        Hypothesis(
            "C09.sum",
            "The slopes in the logits of a sample sum to zero, whatever the target.",
            Identity("sum", terms=max(CLASSES.values())),
            formula=r"\sum_i \frac{\partial \mathcal{L}}{\partial z_i} = 0",
            mutants=(Mutant("the slide's form for any target", {"metric": "sum_short"}),),
        ),
        Hypothesis(
            "C09.weights",
            "In the weights the gradient is the sum over samples of error times input.",
            # A product over the pixels for the logits, a sum over the samples for the gradient.
            Identity("weight_error", terms=LONGEST),
            formula=r"\nabla_W \mathcal{L} = X^\top (\mathrm{diag}(Y \mathbf{1})\, P - Y)",
            mutants=(Mutant("the mean over samples", {"metric": "weight_error_mean"}),),
        ),
    ),
    factors={"data": (SYNTHETIC, DIGITS), "targets": (ONE_HOT, SMOOTHED, COUNTS)},
    # Derivatives are identities: 20 random states leave no room for a term that vanishes.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "suite_error": Metric("suite against finite differences, relative", "1", "lower"),
        "short_error": Metric("p − y against finite differences, relative", "1", "lower"),
        "general_error": Metric("(Σy) p − y against finite differences", "1", "lower"),
        "sign_error": Metric("y − p against finite differences", "1"),
        "undifferentiated": Metric("log-sum-exp − y against finite differences", "1"),
        "sum": Metric("sum of a sample's slopes, relative to the largest", "1", "lower"),
        "sum_short": Metric("the same for p − y", "1"),
        "weight_error": Metric("gradient in the weights, relative deviation", "1", "lower"),
        "weight_error_mean": Metric("the same for the mean over samples", "1"),
    },
    figure=(
        Curves(
            y="slope",
            where={"data": SYNTHETIC, "targets": COUNTS},
            x_label="logit of the right class, the others zero",
            y_label="slope of the loss in it",
            title="A target that sums to two: prediction minus target stops short of the slope",
        ),
        Curves(
            y="slope",
            by="targets",
            where={"data": SYNTHETIC, "targets": (ONE_HOT, SMOOTHED)},
            x_label="logit of the right class, the others zero",
            y_label="slope of the loss in it",
            title="One that sums to one: the pull fades as the prediction nears the target",
        ),
        Curves(
            y="deviation",
            by="targets",
            where={"data": SYNTHETIC},
            log="xy",
            x_label="step of the finite difference",
            y_label="relative deviation from the suite",
            title="The deviation is least where rounding and truncation balance",
        ),
    ),
    measure=measure,
    finding="Prediction minus label is the slope of the multiclass loss for labels that sum to "
    "one; for other targets the prediction has to be multiplied by their sum.",
    stated=r"\frac{\partial \mathcal{L}}{\partial z_i} = \mathrm{softmax}(z)_i - y_i",
    corrected=r"\frac{\partial \mathcal{L}}{\partial z_i} = "
    r"\left(\sum_c y_c\right) \mathrm{softmax}(z)_i - y_i",
    components=("suite.losses.CategoricalCrossentropy", "suite.models.SoftmaxRegression"),
    limits="Logits of moderate size, where no probability underflows. Targets that do not sum to "
    "one are no distribution; they stand for counts, or for weights of samples.",
)
