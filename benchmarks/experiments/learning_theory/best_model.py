"""The best model has neither its bias nor its variance at a minimum.

Lecture section "Learning theory", claim C56. Squared bias and variance add up to what a model can
improve. With a prior of width s, variance is smallest for the tightest prior (zero, in the limit)
and squared bias at the training inputs for the loosest (least squares). Their sum is smallest in
between: some ridge penalty always beats least squares (Hoerl & Kennard 1970). The best model is the
one with the smallest expected error on new targets y,

    E (y - B y_D)^2 = E y^2 - 2 E[y] (B E y_D) + B E[y_D y_D^T] B^T

which is computed here from these moments, without cutting it into parts.
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
    Points,
)
from benchmarks.verdicts import EPSILON, AtMost, Sign, every

SIGMA = 0.3
SAMPLES, DEGREE = 15, 4
PRIOR_SDS = np.logspace(-3, 3, 61)
BIAS, VARIANCE, SUM = TERMS = ("squared bias", "variance", "their sum")
TRAINING, ELSEWHERE = PLACES = ("training inputs", "new inputs")
TEST_INPUTS = (np.arange(101) + 0.5) / 101 * 2 - 1
# A mean of squares of sums of at most 15 terms, computed twice: R-ID with k = 15.
ROUNDING = 64 * 15 * EPSILON["float64"]


@cache  # the cells of one place look at the same curves
def curves(place, seed):
    """Squared bias and variance at every width, exactly, for one draw of training inputs."""
    from suite.datasets import cubic_truth
    from suite.theory import exact_bias_variance, monomial_basis

    x = np.random.default_rng(seed).uniform(-1, 1, SAMPLES)
    at = x if place == TRAINING else TEST_INPUTS
    found = [
        exact_bias_variance(
            monomial_basis(x, DEGREE), cubic_truth(x), monomial_basis(at, DEGREE), cubic_truth(at),
            SIGMA, prior_sd,
        )
        for prior_sd in PRIOR_SDS
    ]  # fmt: skip
    return np.array([[f.bias_squared, f.variance] for f in found]).T


@cache
def expected_error(place, seed):
    """Expected squared error on new noisy targets at every width, for the inputs of `curves`."""
    from suite.datasets import cubic_truth
    from suite.theory import monomial_basis, ridge

    x = np.random.default_rng(seed).uniform(-1, 1, SAMPLES)
    at = x if place == TRAINING else TEST_INPUTS
    f, f_at = cubic_truth(x), cubic_truth(at)
    strengths = (SIGMA / PRIOR_SDS[:, None]) ** 2
    units = ridge(monomial_basis(x, DEGREE)[None, None], np.eye(SAMPLES)[None], strengths)
    b = monomial_basis(at, DEGREE) @ np.swapaxes(units, -1, -2)  # (widths, points, samples)
    second = np.outer(f, f) + SIGMA**2 * np.eye(SAMPLES)
    squares = ((b @ second) * b).sum(axis=-1)
    return (f_at**2 + SIGMA**2 - 2 * f_at * (b @ f) + squares).mean(axis=1)


def measure(cell, seeds):
    """Where one term is smallest, and how far the best model's parts are from their minima."""
    rows, drawn = {name: [] for name in METRICS}, []
    for seed in seeds:
        bias, variance = curves(cell.place, int(seed))
        total = bias + variance
        best = int(np.argmin(expected_error(cell.place, int(seed))))
        term = {BIAS: bias, VARIANCE: variance, SUM: total}[cell.minimized]
        at = int(np.argmin(term))
        drawn.append(term)
        rows["width"].append(np.log10(PRIOR_SDS[at]))
        rows["bias_above"].append((bias[best] - bias.min()) / total[best])
        rows["variance_above"].append((variance[best] - variance.min()) / total[best])
        rows["sum_there"].append(total[at])
        rows["sum_above"].append((total[best] - total.min()) / total[best])
    return Measurements(
        metrics={name: np.array(values) for name, values in rows.items()},
        curves={"term": np.array(drawn)},
        axes={"term": PRIOR_SDS},
    )


METRICS = {
    "width": Metric("log₁₀ of the prior width at the minimum", "decade"),
    "bias_above": Metric("squared bias of the best model above its minimum, share of the sum", "1"),
    "variance_above": Metric("variance of the best model above its minimum, share of the sum", "1"),
    "sum_above": Metric("sum of the best model above its minimum, share of the sum", "1"),
    "sum_there": Metric("sum of both at the minimum", "y²", better="lower"),
}
HERE = {"place": TRAINING}

EXPERIMENT = Experiment(
    claim="C56",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C56.both",
            "The best model has both its squared bias and its variance at their minima.",
            rule=every(
                AtMost("bias_above", bound=ROUNDING, where=HERE),
                AtMost("variance_above", bound=ROUNDING, where=HERE),
            ),
            kind="as stated",
        ),
        Hypothesis(
            "C56.sum",
            "The best model, that with the smallest expected test error, has the sum of the two at "
            "its minimum.",
            rule=AtMost("sum_above", bound=ROUNDING),
            mutants=(
                Mutant("its squared bias", {"metric": "bias_above"}),
                Mutant("its variance", {"metric": "variance_above"}),
            ),
        ),
        Hypothesis(
            "C56.three_places",
            "At the training inputs the sum is smallest at a wider prior than the variance, and at "
            "a tighter one than the squared bias.",
            rule=every(
                Sign("width", "minimized", SUM, VARIANCE, where=HERE),
                Sign("width", "minimized", BIAS, SUM, where=HERE),
            ),
            formula=r"\arg\min \text{variance} < \arg\min(\text{bias}^2 + \text{variance}) "
            r"< \arg\min \text{bias}^2",
            mutants=(Mutant("a tighter prior has less bias", {"first": VARIANCE, "second": BIAS}),),
        ),
        Hypothesis(
            "C56.price",
            "Minimizing either part alone costs more in the sum, at new inputs as well.",
            rule=every(
                *(
                    Sign("sum_there", "minimized", part, SUM, where={"place": place})
                    for place in PLACES
                    for part in (BIAS, VARIANCE)
                )
            ),
            mutants=(
                Mutant("the least bias is best", {"first": SUM, "second": BIAS}),
                Mutant("the least variance is best", {"first": SUM, "second": VARIANCE}),
            ),
        ),
    ),
    factors={"minimized": TERMS, "place": PLACES},
    # Curves are exact; designs differ. With 40 of them a direction may fail in three and still
    # have p below 2^-14.
    seeds=40,
    paired=("data",),
    metrics=METRICS,
    figure=(
        Curves(
            y="term",
            by="minimized",
            where=HERE,
            x_label="prior standard deviation of a weight",
            y_label="at the training inputs (y²)",
            title="Each has its minimum elsewhere",
            log="x",
            center="mean",
        ),
        Points(
            x="minimized",
            y="width",
            where=HERE,
            x_label="what is minimized",
            y_label="best prior width (log₁₀)",
            title="Three quantities, three best models",
        ),
    ),
    finding="At the training inputs the variance is smallest for the tightest prior, the squared "
    "bias for the loosest, and their sum in between.",
    stated=r"f^* \text{ minimizes } \text{bias}^2 \text{ and variance}",
    corrected=r"f^* \text{ minimizes } \text{bias}^2 + \text{variance}",
    figures=("F23",),
    components=(
        "suite.datasets.cubic_truth",
        "suite.theory.exact_bias_variance",
        "suite.theory.monomial_basis",
    ),
    limits="One truth, one model and one knob, the width of the prior. Elsewhere a change of model "
    "may lower both parts at once; then the first model was not the best one.",
    measure=measure,
)
