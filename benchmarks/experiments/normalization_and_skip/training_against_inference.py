"""Batch normalization in training and at inference: two different functions, and how different.

Lecture section "Activation normalization", claim C47. Training standardizes by the mean m and the
biased variance v of the mini-batch, inference by their exponential averages. For B samples from a
distribution of mean mu and variance sigma^2, with the right averages,

    E[v] = (B - 1) / B sigma^2        E(z_training - z_inference)^2 = 2 (1 - E[sqrt(v)] / sigma)

exactly; for normal numbers that is 3 / (2 B) and terms of 1 / B^2. The averages start from (0, 1)
and are not debiased, so that after t steps the share momentum^t of that start is left in them.
"""

from functools import cache

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import Agreement, Difference, Identity, Slope, every

BATCHES = (4, 8, 16, 32, 64, 128)
LAST = 0.0  # this momentum keeps the statistics of the last mini-batch only, those of training
MOMENTA = (LAST, 0.9, 0.99)
STEPS, FEATURES = 25, 32  # mini-batches a seed, and features that each see their own numbers
MEAN, DEVIATION = 3.0, 2.0  # far from the (0, 1) that the averages start with
EPSILON = 1e-12  # the laws are for epsilon -> 0
TRAINED = 64  # the batch size of the networks, of the lecture's other experiments
UNITS = (64, 64, 64)
SHORT = 40  # steps: the share 0.99^40 = 0.67 of the start is left


def standardized(x, mean, variance):
    """What the layer computes with gamma = 1, beta = 0."""
    return (x - mean) / np.sqrt(variance + EPSILON)


def averages(momentum, values, start):
    """The recursion from `start` through all the mini-batches, `(features,)`."""
    for value in values:
        start = momentum * start + (1 - momentum) * value
    return start


def expected_deviation(n):
    """E[sqrt(v)] / sigma of n normal numbers, v their biased variance."""
    from scipy.special import gammaln

    return np.sqrt(2 / n) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2))


def layer_for(momentum):
    """The layer in float64, at epsilon -> 0."""
    from suite.layers import BatchNormalization

    return BatchNormalization(momentum=momentum, epsilon=EPSILON, dtype="float64")


def through(layer, batches):
    """The outputs in training for `(steps, samples, features)`, one mini-batch after the other."""
    return np.stack([layer(batch, training=True).numpy() for batch in batches])


def gap(momentum, batches, mean, variance):
    """Mean squared difference of training and inference, the averages being right, `(features,)`.

    Those are the mean and the variance of the distribution that `(steps, samples, features)` were
    drawn from.
    """
    layer = layer_for(momentum)
    z = through(layer, batches)
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    flat = batches.reshape(-1, batches.shape[-1])
    wanted = layer(flat, training=False).numpy().reshape(batches.shape)
    return np.mean((z - wanted) ** 2, axis=(0, 1))


def deviation(found, wanted):
    """Largest, over samples, relative to the largest of each feature."""
    axes = tuple(range(found.ndim - 1))
    return np.max(np.abs(found - wanted), axes) / np.max(np.abs(wanted), axes)


def two_functions(momentum, batches):
    """How far the layer is from its two definitions, and from wrong ones, `(features,)` by name."""
    layer = layer_for(momentum)
    samples = batches.shape[1]
    z = through(layer, batches)
    x = batches[-1]
    y = layer(x, training=False).numpy()
    m, v = batches.mean(axis=1), batches.var(axis=1)
    bessel = samples / (samples - 1)
    features = batches.shape[-1]
    zero, one = np.zeros(features), np.ones(features)
    mean, variance = averages(momentum, m, zero), averages(momentum, v, one)
    debias = 1 - momentum ** len(batches)
    at_inference = {
        "inference": (mean, variance),
        "inference_batch": (m[-1], v[-1]),
        "inference_unbiased": (mean, averages(momentum, v * bessel, one)),
        "inference_debiased": (mean / debias, averages(momentum, v, zero) / debias),
        "inference_first": (averages(momentum, m[1:], m[0]), averages(momentum, v[1:], v[0])),
    }
    in_training = {
        "training": (m[:, None], v[:, None]),
        "training_unbiased": (m[:, None], v[:, None] * bessel),
        "training_averages": (mean, variance),
    }
    found = {name: deviation(y, standardized(x, *s)) for name, s in at_inference.items()}
    found |= {name: deviation(z, standardized(batches, *s)) for name, s in in_training.items()}
    moved = layer.moving_mean.numpy()
    # The start of the mean is 0, so what is missing to the distribution's is the start's share.
    return found, 1 - moved / MEAN, v.mean(axis=0) / DEVIATION**2


@cache
def projections(seeds):
    """3000 images under a random layer for each seed, `(3000, features)` each."""
    from suite.datasets import load_arrays

    x = load_arrays("mnist_5000", seed=0, validation=0.2, test=0.2).x_train
    found = []
    for seed in seeds:
        kernel = np.random.default_rng(seed).normal(size=(x.shape[1], FEATURES)).astype("float32")
        found.append((x @ kernel).astype("float64"))
    return tuple(found)


def network(momentum):
    """Three hidden ReLU layers, normalized."""
    import keras

    from suite.initializers import HeNormal
    from suite.layers import BatchNormalization, Dense

    blocks = []
    for units in UNITS:
        blocks += [
            Dense(units, use_bias=False, kernel_initializer=HeNormal()),
            BatchNormalization(momentum=momentum),
            keras.layers.Activation("relu"),
        ]
    return keras.Sequential([keras.Input((784,)), *blocks, Dense(10)])


def trained(cell, seeds):
    """The network trained on handwritten digits; its weights do not depend on the momentum."""
    import keras

    from suite.datasets import load_arrays
    from suite.optimizers import SGD
    from suite.training import train

    data = load_arrays("mnist_5000", seed=0, validation=0.2, test=0.2)
    return train(
        lambda seed: network(cell.momentum),
        SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        data.x_train,
        data.y_train,
        steps=cell.steps,
        batch_size=TRAINED,
        seeds=seeds,
        validation=(data.x_test, data.y_test),
        record_every=cell.record_every,
        probes=(),
        train_probe=TRAINED,
        compiled=cell.compiled,
    )


def measure(cell, seeds):
    """The layer on normal numbers and on projected images; at one batch size a network as well."""
    seeds = tuple(int(seed) for seed in seeds)
    n = cell.batch
    normal, images, moments = [], [], []
    for seed, projected in zip(seeds, projections(seeds), strict=True):
        rng = np.random.default_rng((seed, n))
        normal.append(rng.normal(MEAN, DEVIATION, (STEPS, n, FEATURES)))
        images.append(projected[rng.integers(len(projected), size=(STEPS, n))])
        moments.append((projected.mean(axis=0), projected.var(axis=0)))
    # A feature is a layer of its own, so all seeds go side by side.
    normal, images = np.concatenate(normal, axis=2), np.concatenate(images, axis=2)
    mean, variance = (np.concatenate(parts) for parts in zip(*moments, strict=True))
    whole = np.ones(normal.shape[-1])

    def per_seed(values, reduce=np.mean):
        return reduce(np.reshape(values, (len(seeds), FEATURES)), axis=1)

    def every_seed(value):
        return np.full(len(seeds), float(value))

    errors, left, ratio = two_functions(cell.momentum, normal)
    gaps = per_seed(gap(cell.momentum, normal, MEAN * whole, DEVIATION**2 * whole))
    s, shrink = expected_deviation(n), np.sqrt(1 - 1 / n)
    found = Measurements(
        metrics={
            **{f"{name}_error": per_seed(values, np.max) for name, values in errors.items()},
            "gap": gaps,
            "gap_theory": every_seed(2 * (1 - s)),
            "gap_of_mean": every_seed(1 / n),
            "gap_unbiased": every_seed(1 + shrink**2 - 2 * shrink * s),
            "gap_images": per_seed(gap(cell.momentum, images, mean, variance)),
            "gap_root": np.sqrt(gaps),
            "variance_ratio": per_seed(ratio),
            "variance_theory": every_seed(1 - 1 / n),
            "one": every_seed(1),
            "start_left": per_seed(left),
            "start_theory": every_seed(cell.momentum**STEPS),
            "zero": every_seed(0),
        }
    )
    if n != TRAINED:  # the network has one batch size only
        return found
    history = trained(cell, seeds)
    accuracy = history["validation_score"]
    short = int(np.argmax(history.steps >= min(SHORT, cell.steps)))
    found.metrics |= {"short_accuracy": accuracy[:, short], "last_accuracy": accuracy[:, -1]}
    found.curves, found.axes = {"accuracy": accuracy}, {"accuracy": history.steps.astype(float)}
    found.diverged, found.diverged_at = history.diverged, history.diverged_at
    found.compile_seconds, found.run_seconds = history.compile_seconds, history.run_seconds
    return found


ONE = {"momentum": 0.99}
# The longest sum: over the largest mini-batch. The recursion is shorter.
TERMS = max(BATCHES)


EXPERIMENT = Experiment(
    claim="C47",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C47.training",
            "Training standardizes by the mean and the biased variance of the mini-batch.",
            Identity("training_error", terms=TERMS, where=ONE),
            kind="as stated",
            formula=r"z = (x - \bar x_B) / \sqrt{v_B + \epsilon}",
            mutants=(
                Mutant("by the moving averages", {"metric": "training_averages_error"}),
                Mutant("by the unbiased variance", {"metric": "training_unbiased_error"}),
            ),
        ),
        Hypothesis(
            "C47.inference",
            "Inference standardizes by exponential moving averages of them; these start from "
            "(0, 1) and are not debiased.",
            Identity("inference_error", terms=TERMS, where=ONE),
            kind="as stated",
            formula=r"\bar v_t = \alpha \bar v_{t-1} + (1 - \alpha) v_t, \quad \bar v_0 = 1",
            mutants=(
                Mutant("by the last mini-batch", {"metric": "inference_batch_error"}),
                Mutant("debiased averages", {"metric": "inference_debiased_error"}),
                Mutant("averages of unbiased variances", {"metric": "inference_unbiased_error"}),
                Mutant("starting from the first batch", {"metric": "inference_first_error"}),
            ),
        ),
        Hypothesis(
            "C47.variance",
            "The variance of a mini-batch is too small by the factor (B\u00a0−\u00a01)/B on "
            "average.",
            Agreement("variance_ratio", "variance_theory", rival="one", where=ONE),
            formula=r"\mathbb{E}[v_B] = \frac{B - 1}{B} \sigma^2",
            mutants=(Mutant("the variance itself", {"expected": "one"}),),
        ),
        Hypothesis(
            "C47.start",
            "After t steps the share αᵗ of the start is left in the averages.",
            every(
                *(
                    Agreement("start_left", "start_theory", rival="zero", where={"momentum": m})
                    for m in MOMENTA[1:]
                )
            ),
            formula=r"\mathbb{E}[\bar x_t] = (1 - \alpha^t) \mu",
            mutants=(Mutant("nothing left, as if debiased", {"expected": "zero"}),),
        ),
        Hypothesis(
            "C47.gap",
            "For normal numbers the mean squared difference of the two outputs follows from the "
            "mean of the batch's deviation, a χ variable.",
            Agreement("gap", "gap_theory", where=ONE),
            formula=r"\mathbb{E}(z_B - z)^2 = 2 \left(1 - \mathbb{E} \sqrt{v_B} / \sigma\right) "
            r"= \frac{3}{2 B} + O(B^{-2})",
            mutants=(
                Mutant("the mean alone varies", {"expected": "gap_of_mean"}),
                Mutant("unbiased variance", {"expected": "gap_unbiased"}),
            ),
        ),
        Hypothesis(
            "C47.rate",
            "That difference falls as 1/B, for normal numbers and for images of digits under a "
            "random layer.",
            # A quarter is half the way to −1/2, the exponent of its root.
            every(
                Slope("gap", against="batch", expected=-1.0, within=0.25, where=ONE),
                Slope("gap_images", against="batch", expected=-1.0, within=0.25, where=ONE),
            ),
            mutants=(Mutant("as one over the root of B", {"metric": "gap_root"}),),
        ),
        Hypothesis(
            "C47.short",
            f"A network trained for {SHORT} steps loses accuracy on new images by averages of "
            "momentum 0.99, against the statistics of its last mini-batch.",
            Difference("short_accuracy", "momentum", LAST, 0.99, where={"batch": TRAINED}),
            mutants=(Mutant("it gains", {"first": 0.99, "second": LAST}),),
        ),
        Hypothesis(
            "C47.late",
            "At the end, with less than one percent of the start left, the averages lose less than "
            "the standard error of an accuracy on 1000 images, if they lose at all.",
            # A first version asked for no difference either way, which was left undecided: smooth
            # averages may well be the better ones, and the claim is about being late.
            Difference(
                "last_accuracy",
                "momentum",
                LAST,
                0.99,
                low=None,
                high=0.016,  # the largest, at one half: sqrt(1 / 4 / 1000)
                where={"batch": TRAINED},
            ),
            mutants=(Mutant("so they do after the short training", {"metric": "short_accuracy"}),),
        ),
    ),
    factors={"momentum": MOMENTA, "batch": BATCHES},
    # Identities take 20. So do the laws: 20 seeds x 25 mini-batches x 32 features tell the gap from
    # its form with the unbiased variance, 8 % away at B = 4, by more than ten standard errors.
    seeds=20,
    paired=("initial weights", "data", "batches"),
    budget={"steps": 480, "record_every": 20, "compiled": True},
    smoke={"steps": 4, "record_every": 2, "compiled": False},  # done before the compiler is
    metrics={
        "training_error": Metric("deviation in training from the definition, relative", "1"),
        "training_averages_error": Metric("from moving averages", "1"),
        "training_unbiased_error": Metric("from the unbiased variance", "1"),
        "inference_error": Metric("deviation at inference from the definition, relative", "1"),
        "inference_batch_error": Metric("from the last mini-batch's statistics", "1"),
        "inference_debiased_error": Metric("from debiased averages", "1"),
        "inference_unbiased_error": Metric("from averages of unbiased variances", "1"),
        "inference_first_error": Metric("from averages that start at the first batch", "1"),
        "gap": Metric("mean squared difference of the outputs, normal numbers", "1", "lower"),
        "gap_theory": Metric("the same in theory", "1"),
        "gap_of_mean": Metric("the same if the mean alone varied", "1"),
        "gap_unbiased": Metric("the same with the unbiased variance", "1"),
        "gap_images": Metric("mean squared difference of the outputs, images", "1", "lower"),
        "gap_root": Metric("root of the mean squared difference", "1", "lower"),
        "variance_ratio": Metric("variance of a mini-batch, relative", "1"),
        "variance_theory": Metric("its expectation", "1"),
        "one": Metric("the variance of the distribution, relative", "1"),
        "start_left": Metric("share of the start left in the average", "1", "lower"),
        "start_theory": Metric("momentum to the number of steps", "1"),
        "zero": Metric("nothing", "1"),
        "short_accuracy": Metric(f"test accuracy at {SHORT} steps", "1", "higher", partial=True),
        "last_accuracy": Metric("test accuracy after the last step", "1", "higher", partial=True),
    },
    figure=(
        Lines(
            x="batch",
            y="gap",
            where=ONE,
            x_label="batch size",
            y_label="mean squared difference",
            title="Training and inference agree as the batch grows",
            log="xy",
            theory="gap_theory",
        ),
        Lines(
            x="batch",
            y="gap_images",
            where=ONE,
            x_label="batch size",
            y_label="mean squared difference",
            title="Images of digits under a random layer, beside the law of normal numbers",
            log="xy",
            theory="gap_theory",
        ),
        Curves(
            y="accuracy",
            by="momentum",
            where={"batch": TRAINED},
            x_label="step",
            y_label="test accuracy",
            title="The same weights, by the last batch and by averages that are late",
            center="mean",
        ),
    ),
    finding=(
        "The two outputs differ by 3/(2B) in mean square, and averages of momentum 0.99 cost "
        "{short:.2f} of test accuracy after a short training."
    ),
    stated=r"\text{training: mini-batch statistics}, \quad \text{testing: moving averages}",
    corrected=r"\mathbb{E}[v_B] = \frac{B - 1}{B} \sigma^2, \quad "
    r"\mathbb{E}(z_B - z)^2 \approx \frac{3}{2 B}, \quad \alpha^t \text{ of the start left}",
    components=("suite.layers.BatchNormalization", "suite.training.train"),
    limits=(
        "Momentum 0 stands for training's statistics: it keeps those of the last mini-batch, for "
        "images that were not in it. The network has one batch size, 64, and the laws are for "
        "ε → 0 and independent samples."
    ),
    measure=measure,
)
