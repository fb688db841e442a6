"""Bias and variance of 1000 fits to a cubic: what the width of the prior trades.

Lecture section "Learning theory", claim C57. The truth is a cubic, the model a quartic with a
Gaussian prior of standard deviation s on each weight, fitted by MAP. For given inputs the fit is
linear in the targets, so squared bias and variance are known without sampling, and a thousand
noisy training sets have to agree with them at five values of s, each judged by itself.

Squared bias falls with s at the training inputs, always. At new inputs it need not: there the
slide's picture is a habit, not a theorem. The variance rises with s everywhere.
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
from benchmarks.verdicts import EPSILON, Agreement, AtMost, Within, every

SIGMA = 0.3  # noise, as on the slide's scale: the truth itself moves within +-0.5
DEGREE = 4
# A quarter of a decade apart. Below 1e-3 the fit is zero, above 1e3 it is least squares.
PRIOR_SDS = np.logspace(-3, 3, 25)
# Where the Monte-Carlo terms are judged: nearly no fit, the minimum in between, least squares.
JUDGED = (0.01, 0.1, 1.0, 10.0, 100.0)
FANNED = JUDGED[0], JUDGED[2], JUDGED[4]
DRAWN_AT = JUDGED[2]  # curves hold every width, so one cell of the five brings them
TEST_INPUTS = (np.arange(101) + 0.5) / 101 * 2 - 1  # midpoint rule for uniform inputs on [-1, 1]
DRAWN_INPUTS, FAN = np.linspace(-1, 1, 25), 20  # where fits are drawn, and how many of them
DESIGNS = {  # name -> (training points, whether every training set has its own inputs)
    "15, the same": (15, False),
    "15, new": (15, True),
    "8, new": (8, True),
}
# Monotone in exact arithmetic. A value is a mean of squares of sums of at most 15 terms, computed
# twice, and the change is divided by the largest value: R-ID with k = 15.
ROUNDING = 64 * 15 * EPSILON["float64"]


def draw(design, seed):
    """Training inputs, training noise and test noise of one repetition."""
    from suite.training.streams import streams

    samples, new = DESIGNS[design]
    own = streams(int(seed))
    # The inputs that all repetitions share are one draw like any other.
    inputs = np.random.default_rng(own["data"] if new else samples)
    noise = np.random.default_rng(own["noise"])
    return (
        inputs.uniform(-1, 1, samples),
        SIGMA * noise.normal(size=samples),
        SIGMA * noise.normal(size=len(TEST_INPUTS)),
    )


def fits(x, noise, prior_sd):
    """Predictions of the MAP fit, their mean over the noise, and how each target enters.

    Args:
        x: training inputs, (repetitions, samples).
        noise: of the training targets, likewise.
        prior_sd: standard deviation of each weight under the prior.

    Returns:
        a dictionary for test and training inputs, each with predictions (repetitions, points),
        their mean over the noise, and the variance around it (repetitions,), averaged over points.
    """
    from suite.datasets import cubic_truth
    from suite.theory import map_weights, monomial_basis

    truth = cubic_truth(x)
    samples = x.shape[1]
    units = np.broadcast_to(np.eye(samples), (len(x), samples, samples))
    targets = np.concatenate([(truth + noise)[:, None], truth[:, None], units], axis=1)
    train = monomial_basis(x, DEGREE)
    # One call: the fit to noisy targets, to noise-free ones, and to each target alone.
    weights = map_weights(train[:, None], targets, SIGMA, prior_sd)
    found = {}
    for name, basis in (
        ("test", monomial_basis(TEST_INPUTS, DEGREE)[None]),
        ("train", train),
    ):
        predictions = weights @ np.swapaxes(basis, -1, -2)  # (repetitions, 2 + samples, points)
        variance = SIGMA**2 * (predictions[:, 2:] ** 2).sum(axis=1).mean(axis=-1)
        found[name] = predictions[:, 0], predictions[:, 1], variance
    return found


@cache  # the cells of one design look at the same fits
def repetitions(design, seeds):
    """Everything at every width: name -> (repetitions, widths)."""
    from suite.datasets import cubic_truth

    x, noise, test_noise = (
        np.array(part) for part in zip(*(draw(design, s) for s in seeds), strict=True)
    )
    f = cubic_truth(TEST_INPUTS)
    rows: dict[str, list] = {}
    for prior_sd in PRIOR_SDS:
        found = fits(x, noise, prior_sd)
        prediction, center, variance = found["test"]
        _, train_center, _ = found["train"]
        bias = ((center - f) ** 2).mean(axis=1)
        error = ((prediction - f) ** 2).mean(axis=1)
        spread = ((prediction - center) ** 2).mean(axis=1)
        for name, value in {
            "bias": bias,
            "variance": variance,
            "bias_in_sample": ((train_center - cubic_truth(x)) ** 2).mean(axis=1),
            "error": error,
            "spread": spread,
            "test error": ((prediction - f - test_noise) ** 2).mean(axis=1),
        }.items():
            rows.setdefault(name, []).append(value)
    return {name: np.array(values).T for name, values in rows.items()}


@cache
def fan(prior_sd, seeds):
    """The truth, a few fits to the same inputs, one after another, and their mean, (points, 2)."""
    from suite.datasets import cubic_truth
    from suite.theory import map_weights, monomial_basis

    draws = [draw("15, the same", seed) for seed in seeds]
    x, noise = (np.array([found[i] for found in draws]) for i in (0, 1))
    weights = map_weights(monomial_basis(x, DEGREE), cubic_truth(x) + noise, SIGMA, prior_sd)
    fits = weights @ monomial_basis(DRAWN_INPUTS, DEGREE).T
    gap = np.full((len(fits), 1), np.nan)  # lifts the pen between two fits
    return {
        "fits": np.stack(
            [np.tile(np.append(DRAWN_INPUTS, np.nan), len(fits)), np.hstack([fits, gap]).ravel()], 1
        ),
        "their mean": np.stack([DRAWN_INPUTS, fits.mean(axis=0)], axis=1),
        "truth": np.stack([DRAWN_INPUTS, cubic_truth(DRAWN_INPUTS)], axis=1),
    }


def largest_step(values, sign):
    """Largest step in that direction along the widths, over the largest value, (repetitions,)."""
    return np.maximum(sign * np.diff(values, axis=1), 0).max(axis=1) / values.max(axis=1)


def measure(cell, seeds):
    """Fit one training set for each seed, at all the widths, and look at one term of the error."""
    runs = repetitions(cell.inputs, tuple(int(s) for s in seeds))
    total = runs["bias"] + runs["variance"]
    value, theory, wrong = {
        # The cross term of error and spread has mean zero, so their difference averages to the
        # squared bias. Against noisy targets it would be larger by the noise.
        "squared bias": (runs["error"] - runs["spread"], runs["bias"], runs["bias"] + SIGMA**2),
        # Least squares has variance sigma^2 p / N at its training inputs: forgets prior and place.
        "variance": (
            runs["spread"],
            runs["variance"],
            np.full_like(total, SIGMA**2 * (DEGREE + 1) / DESIGNS[cell.inputs][0]),
        ),
        "their sum": (runs["error"], total, runs["bias"]),  # forgets the variance
        "test error": (runs["test error"], total + SIGMA**2, total),  # forgets the noise
    }[cell.term]
    # In units of the test error expected for these inputs and this width: a few badly placed sets
    # of inputs would otherwise outweigh all the rest by their variance.
    at = int(np.argmin(np.abs(np.log(PRIOR_SDS / cell.prior_sd))))
    unit = (total + SIGMA**2)[:, at]

    def above(minimized):
        """Test error here above that at the width where a term, exactly, is smallest."""
        best = minimized.argmin(axis=1)
        return runs["test error"][:, at] - runs["test error"][np.arange(len(seeds)), best]

    drawn = cell.prior_sd == DRAWN_AT
    # The inputs that are the same for all leave nothing to compare.
    fanned = cell.term == "their sum" and not DESIGNS[cell.inputs][1]
    single = drawn and cell.term == "squared bias" and DESIGNS[cell.inputs][1]
    return Measurements(
        metrics={
            "share": value[:, at] / unit,
            "exact": theory[:, at] / unit,
            "wrong": wrong[:, at] / unit,
            "above_least_sum": above(total),
            "above_least_bias": above(runs["bias"]),
            "above_least_variance": above(runs["variance"]),
            "rise_of_bias": largest_step(runs["bias"], +1),
            "rise_of_bias_in_sample": largest_step(runs["bias_in_sample"], +1),
            "fall_of_variance": largest_step(runs["variance"], -1),
            "rise_of_variance": largest_step(runs["variance"], +1),
        },
        curves=({"value": value} if drawn else {}) | ({"exact_bias": theory} if single else {}),
        axes={"value": PRIOR_SDS, "exact_bias": PRIOR_SDS},
        theory={"value": theory.mean(axis=0)},  # over the inputs that were drawn
        arrays=fan(cell.prior_sd, tuple(int(s) for s in seeds[:FAN])) if fanned else {},
    )


# These do not depend on term or width: one cell of each design that is drawn anew, so that every
# design is counted once.
NEW_INPUTS = {"term": "squared bias", "prior_sd": DRAWN_AT, "inputs": ("15, new", "8, new")}
SAME_INPUTS = {"term": "test error", "inputs": "15, the same"}

EXPERIMENT = Experiment(
    claim="C57",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C57.bias_falls",
            "Squared bias falls as the prior loosens, read as a law for any training inputs.",
            rule=AtMost("rise_of_bias", bound=ROUNDING, where=NEW_INPUTS),
            kind="as stated",
        ),
        Hypothesis(
            "C57.variance_rises",
            "Variance rises as the prior loosens.",
            rule=AtMost("fall_of_variance", bound=ROUNDING, where=NEW_INPUTS),
            kind="as stated",
            mutants=(Mutant("variance falls", {"metric": "rise_of_variance"}),),
        ),
        Hypothesis(
            "C57.sum",
            "At five prior widths from 0.01 to 100 the mean squared error against the truth is "
            "squared bias plus variance, and against noisy targets σ² more.",
            rule=Agreement("share", "exact", where={"term": ("their sum", "test error")}),
            kind="as stated",
            formula=r"\mathbb{E}(y-f_D)^2 = \text{bias}^2 + \text{variance} + \sigma^2",
            mutants=(Mutant("variance or noise forgotten", {"expected": "wrong"}),),
        ),
        Hypothesis(
            "C57.minimum",
            "The test error is smallest where the sum is: measured there, it is below that at "
            "0.01, 0.1, 10 and 100.",
            rule=every(
                *(
                    Within("above_least_sum", 0.0, None, where=SAME_INPUTS | {"prior_sd": prior_sd})
                    for prior_sd in JUDGED
                    if prior_sd != DRAWN_AT  # so near the minimum that nothing is to be told
                )
            ),
            kind="as stated",
            formula=r"\arg\min(\text{bias}^2+\text{variance}) = \arg\min \mathbb{E}(y-f_D)^2",
            mutants=(
                Mutant("where squared bias is", {"metric": "above_least_bias"}),
                Mutant("where the variance is", {"metric": "above_least_variance"}),
            ),
        ),
        Hypothesis(
            "C57.bias_falls_in_sample",
            "Squared bias at the training inputs falls as the prior loosens.",
            rule=AtMost("rise_of_bias_in_sample", bound=ROUNDING, where=NEW_INPUTS),
            mutants=(Mutant("at new inputs as well", {"metric": "rise_of_bias"}),),
        ),
        Hypothesis(
            "C57.exact_bias",
            "Squared bias over the fits is that of the fit to noise-free targets.",
            rule=Agreement("share", "exact", where={"term": "squared bias"}),
            formula=r"\text{bias}^2 = \overline{(f_* - B f)^2},\quad "
            r"B = \Phi_*(\Phi^\top\Phi + \tfrac{\sigma^2}{s^2} I)^{-1}\Phi^\top",
            mutants=(Mutant("measured against noisy targets", {"expected": "wrong"}),),
        ),
        Hypothesis(
            "C57.exact_variance",
            "Variance over the fits is the noise passed through the linear fit.",
            rule=Agreement("share", "exact", where={"term": "variance"}),
            formula=r"\text{variance} = \sigma^2\, \overline{\lVert B_i \rVert^2}",
            mutants=(Mutant("least squares, σ² p / N", {"expected": "wrong"}),),
        ),
    ),
    factors={
        "term": ("squared bias", "variance", "their sum", "test error"),
        "inputs": tuple(DESIGNS),
        "prior_sd": JUDGED,
    },
    # The slide's number, and enough: a run's share scatters by less than 1 about its mean, which
    # 1000 runs show within 4 / sqrt(1000) = 0.13; the noise is half of the test error or more.
    seeds=1000,
    paired=("data", "noise"),
    metrics={
        "share": Metric("the term over the expected test error", "1"),
        "exact": Metric("its expectation given the inputs", "1"),
        "wrong": Metric("what a wrong form predicts", "1"),
        "above_least_sum": Metric("test error above that of the smallest sum", "y²"),
        "above_least_bias": Metric("test error above that of the least squared bias", "y²"),
        "above_least_variance": Metric("test error above that of the least variance", "y²"),
        "rise_of_bias": Metric("relative rise of squared bias", "1"),
        "rise_of_bias_in_sample": Metric(
            "relative rise of squared bias at the training inputs", "1"
        ),
        "fall_of_variance": Metric("relative fall of the variance", "1"),
        "rise_of_variance": Metric("relative rise of the variance", "1"),
    },
    figure=(
        Curves(
            y="value",
            by="term",
            where={"inputs": "15, the same", "prior_sd": DRAWN_AT},
            x_label="prior standard deviation of a weight",
            y_label="error (y²)",
            title="The test error is the sum plus a constant, so both are smallest together",
            log="x",
            center="mean",
        ),
        Plane(
            x_label="x",
            y_label="y",
            title="Twenty fits to the same inputs",
            lines=("fits", "their mean", "truth"),
            by="prior_sd",
            where={"inputs": "15, the same", "term": "their sum", "prior_sd": FANNED},
        ),
        Curves(
            y="exact_bias",
            by="inputs",
            x_label="prior standard deviation of a weight",
            y_label="squared bias (y²)",
            title="Squared bias of single designs: for some it rises before it falls",
            log="x",
            center="mean",
            runs=True,
        ),
    ),
    finding=(
        "Squared bias, variance and their sum follow the exact curves, and the test error is the "
        "sum plus the noise. Bias falls at the training inputs always. At new inputs it falls on "
        "average over designs of 15 points, the lecture's picture, and not for every design."
    ),
    stated=r"\text{bias}^2\downarrow,\ \text{variance}\uparrow\ \text{as the prior loosens}",
    corrected=r"\text{bias}^2\downarrow\ \text{at the training inputs},\quad "
    r"\text{variance}\uparrow,\quad "
    r"\arg\min(\text{bias}^2+\text{variance}) = \arg\min \mathbb{E}(y-f_D)^2",
    figures=("F23",),
    components=(
        "suite.datasets.cubic_truth",
        "suite.theory.map_weights",
        "suite.theory.monomial_basis",
    ),
    limits=(
        "Variance here is that of the noise at given inputs. Where each training set has inputs of "
        "its own, the part of the variance that comes from them is counted as squared bias. That "
        "squared bias falls is read as a law for any inputs; averaged over designs of 15 points, "
        "the lecture's setting, it does fall. How many designs show a rise depends on the basis in "
        "which the prior is Gaussian: with 8 points most do for weights of monomials, few for "
        "those of Legendre polynomials."
    ),
    measure=measure,
)
