"""The mini-batch gradient, scaled by N/M, is right on average, whatever the batch size.

Lecture section "Stochastic gradients", claim C31. For a *summed* loss and a batch of M of the N
per-sample gradients `g_n`, drawn uniformly,

    estimate = (N / M) sum_m g_m        E[estimate] = g = sum_n g_n
    Var[estimate] = N^2 / M S^2         with replacement, S^2 = mean ||g_n - g / N||^2
                    x (N - M) / (N - 1) without

No sampling is needed to check an expectation: all batches of a small data set are enumerated, and
the gradient of the suite's logistic loss is taken on each of them; the full gradient beside it is
summed over samples by code written here. A pass over the data whose last batch is short is
enumerated too, over all orders of the samples; there, each batch has to be scaled by its own size.
"""

import itertools
import math
from functools import cache

import numpy as np
from scipy.special import expit

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.verdicts import Identity

SAMPLES, FEATURES = 8, 3
SYNTHETIC, REAL = "synthetic", "breast cancer"
COLUMNS = [0, 1, 4]  # of the real data: mean radius, texture and smoothness
DRAWN = (1, 2, 4, 7)  # batch sizes
REPLACED, DISTINCT = "with replacement", "without replacement"
# The longest sums: the multisets of a full batch, C(15, 8), and all orders of the samples.
BATCHES = math.comb(2 * SAMPLES - 1, SAMPLES)
ORDERS = math.factorial(SAMPLES)


@cache
def batches(size, sampling):
    """Every batch as indices of its samples `(batches, size)`, with its probability.

    With replacement, batches that differ in order alone are one row that weighs as many times.
    """
    if sampling == DISTINCT:
        chosen = list(itertools.combinations(range(SAMPLES), size))
        weights = np.full(len(chosen), 1 / len(chosen))
    else:
        chosen = list(itertools.combinations_with_replacement(range(SAMPLES), size))
        weights = np.array(
            [
                math.factorial(size) / math.prod(math.factorial(c.count(n)) for n in set(c))
                for c in chosen
            ]
        ) / float(SAMPLES**size)
    return np.array(chosen), weights


@cache
def orders():
    """All orders of the samples, shape `(ORDERS, SAMPLES)`."""
    return np.array(list(itertools.permutations(range(SAMPLES))))


def epoch_means(gradients, size):
    """Average estimate of an epoch, over all orders: own scale of each batch, and N/M for all."""
    starts = np.arange(0, SAMPLES, size)
    sums = np.add.reduceat(gradients[orders()], starts, axis=1)  # (ORDERS, batches, FEATURES)
    mean = sums.mean(axis=0)
    own = np.diff(np.append(starts, SAMPLES))[:, None]
    return (SAMPLES / own * mean).mean(axis=0), (SAMPLES / size * mean).mean(axis=0)


def problem_of(data, seed):
    """Random weights `(FEATURES,)`, features `(SAMPLES, FEATURES)` and labels `(SAMPLES,)`."""
    from suite.datasets import gaussian_classes, load_arrays

    w = np.random.default_rng([int(seed), 1]).normal(size=FEATURES)
    if data == SYNTHETIC:
        drawn = gaussian_classes(SAMPLES, FEATURES, int(seed))
        return w, drawn.x, drawn.y
    split = load_arrays("breast_cancer", seed=0, validation=0.2, test=0.2)
    rng = np.random.default_rng([int(seed), 2])
    rows = rng.choice(len(split.x_train), SAMPLES, replace=False)
    return w, split.x_train[rows][:, COLUMNS].astype(float), split.y_train[rows]


def sample_gradients(w, x, y):
    """`(sigma(z_n) - y_n) x_n`, one row a sample: the oracle for sums over a batch."""
    return (expit(x @ w) - y)[:, None] * x


def cross(at, estimates):
    """A cross at the first two numbers of `at`, a line each way, NaN between: `(5, 2)`."""
    arm = np.ptp(estimates[:, :2], axis=0).max() / 15
    arms = [[-arm, 0], [arm, 0], [np.nan, np.nan], [0, -arm], [0, arm]]
    return at[:2] + np.array(arms)


@cache
def epoch_means_of(data, seed, size):
    """`epoch_means` of one problem, which is the same with and without replacement."""
    return epoch_means(sample_gradients(*problem_of(data, seed)), size)


def measure(cell, seeds):
    """Mean and variance of the estimate over every batch there is, one value a seed."""
    from suite.training.newton import logistic_gradient

    size = cell.batch_size
    chosen, weights = batches(size, cell.sampling)
    scale = SAMPLES / size
    finite = (SAMPLES - size) / (SAMPLES - 1)  # what drawing without replacement takes away
    factor, other = (1.0, finite) if cell.sampling == REPLACED else (finite, 1.0)
    names = (
        "bias", "bias_without_factor", "share_without_factor", "epoch_bias", "epoch_bias_fixed",
        "noise", "variance_error", "variance_error_rival",
    )  # fmt: skip
    values = {name: np.empty(len(seeds)) for name in names}
    for i, seed in enumerate(seeds):
        w, x, y = problem_of(cell.data, seed)
        g = sample_gradients(w, x, y)
        full = g.sum(axis=0)
        # Deviations are relative to the terms that are summed: the sum itself may nearly vanish.
        terms = np.abs(g).sum(axis=0).max()

        def off(estimate, full=full, terms=terms):
            return np.abs(estimate - full).max() / terms

        estimates = scale * np.array([logistic_gradient(w, x[c], y[c]) for c in chosen])
        mean = weights @ estimates
        if i == 0:
            picture = {"estimates": estimates[:, :2], "full gradient": cross(full, estimates)}
        values["bias"][i] = off(mean)
        values["bias_without_factor"][i] = off(mean / scale)
        values["share_without_factor"][i] = (mean / scale) @ full / (full @ full)
        own, fixed = epoch_means_of(cell.data, int(seed), size)
        values["epoch_bias"][i], values["epoch_bias_fixed"][i] = off(own), off(fixed)

        variance = weights @ ((estimates - mean) ** 2).sum(axis=1)
        spread = SAMPLES * ((g - full / SAMPLES) ** 2).sum()  # N^2 S^2
        values["noise"][i] = variance / spread
        values["variance_error"][i] = abs(variance / spread - factor / size)
        values["variance_error_rival"][i] = abs(variance / spread - other / size)
    return Measurements(
        metrics=values
        | {
            "noise_theory": np.full(len(seeds), factor / size),
            "share_theory": np.full(len(seeds), size / SAMPLES),
        },
        arrays=picture if cell.sampling == DISTINCT and size in DRAWN else {},
    )


EXPERIMENT = Experiment(
    claim="C31",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C31.unbiased",
            "The average of the scaled mini-batch gradient over all batches is the full gradient, "
            "with and without replacement.",
            Identity("bias", terms=BATCHES),
            kind="as stated",
            formula=r"\mathbb{E}\left[\frac{N}{M} \sum_{m=1}^M g_m\right] = \sum_{n=1}^N g_n",
            mutants=(Mutant("without the factor N/M", {"metric": "bias_without_factor"}),),
        ),
        Hypothesis(
            "C31.last_batch",
            "Over an epoch with a short last batch the average is unbiased if each batch is "
            "scaled by its own size.",
            Identity("epoch_bias", terms=ORDERS),
            formula=r"\mathbb{E}\left[\frac{1}{B} \sum_{b=1}^B \frac{N}{M_b} "
            r"\sum_{m=1}^{M_b} g_m\right] = \sum_{n=1}^N g_n",
            mutants=(Mutant("N/M for the short batch too", {"metric": "epoch_bias_fixed"}),),
        ),
        Hypothesis(
            "C31.variance",
            "The variance falls as 1/M with replacement; without, it is smaller by a further "
            "(N\u00a0−\u00a0M)/(N\u00a0−\u00a01) and vanishes for the full batch.",
            Identity("variance_error", terms=BATCHES),
            formula=r"\mathrm{Var} = \frac{N^2}{M} S^2 "
            r"\;\left(\times \frac{N - M}{N - 1} \text{ without replacement}\right)",
            mutants=(Mutant("the two laws exchanged", {"metric": "variance_error_rival"}),),
        ),
    ),
    factors={
        "data": (SYNTHETIC, REAL),
        "sampling": (REPLACED, DISTINCT),
        "batch_size": tuple(range(1, SAMPLES + 1)),
    },
    # Identities: enumeration leaves no noise, and 20 draws of gradients no lucky coincidence.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "bias": Metric("largest deviation of the mean, relative to the summed terms", "1", "lower"),
        "bias_without_factor": Metric("the same without the factor N/M", "1"),
        "share_without_factor": Metric("mean without the factor, over the full gradient", "1"),
        "share_theory": Metric("M/N", "1"),
        "epoch_bias": Metric("the same over an epoch, own scale for each batch", "1", "lower"),
        "epoch_bias_fixed": Metric("the same over an epoch, N/M for each batch", "1"),
        "noise": Metric("variance over N² S²", "1", "lower"),
        "noise_theory": Metric("variance over N² S², in theory", "1"),
        "variance_error": Metric("deviation of that from its law", "1", "lower"),
        "variance_error_rival": Metric("deviation from the other sampling's law", "1"),
    },
    figure=(
        Plane(
            points=("estimates",),
            lines=("full gradient",),
            by="batch_size",
            where={"data": REAL, "sampling": DISTINCT, "batch_size": DRAWN},
            x_label="first entry",
            y_label="second entry",
            title="All batches there are: their gradients lie around the full one",
        ),
        Lines(
            x="batch_size",
            y="noise",
            by="sampling",
            where={"data": SYNTHETIC},
            theory="noise_theory",
            x_label="batch size M",
            y_label="variance over N² S²",
            title="Noise falls as 1/M, and to zero only without replacement",
        ),
        Lines(
            x="batch_size",
            y="share_without_factor",
            by="sampling",
            where={"data": SYNTHETIC},
            theory="share_theory",
            x_label="batch size M",
            y_label="mean over the full gradient",
            title="Without the factor N/M the mean is only M/N of the gradient",
        ),
    ),
    measure=measure,
    finding="Scaled by N/M, the mini-batch gradient is exactly unbiased for every batch size; a "
    "short last batch has to be scaled by its own size.",
    stated=r"\tilde{g} = \frac{N}{M} \sum_{m=1}^M g_m",
    corrected=r"\tilde{g} = \frac{N}{M} \sum_{m=1}^M g_m \;\text{for a summed loss}, \quad "
    r"\frac{1}{M} \sum_{m=1}^M g_m \;\text{for a mean}",
    figures=("F15",),
    components=("suite.training.newton.logistic_gradient",),
    limits="Eight samples a seed, of synthetic or of real data, so that all batches can be listed. "
    "Unbiased says nothing about the path that training takes: it is a statement about one step "
    "at fixed weights.",
)
