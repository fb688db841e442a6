"""The empirical risk is unbiased for a function chosen beforehand, and flatters a fitted one.

Lecture section "Learning theory", claim C51. With a loss L, data from p* and a function f,

    R(f) = E[L(f(x), y)]        R_hat(f) = (1 / N) sum_n L(f(x_n), y_n)        E[R_hat(f)] = R(f)

for every f that the sample had no part in. For least squares with an intercept and d Gaussian
features, p = d + 1 parameters in all, both sides of the gap are known for the fitted f as well:

    E[R_hat(f_hat)] = sigma^2 (1 - p / N)
    E[R(f_hat)] = sigma^2 (1 + 1 / N) (N - 2) / (N - p - 1)

The expectation is an integral over what is continuous and a sum over what is not: with real inputs
and two labels it is both at once, which the slide's either-or leaves out.
"""

from functools import cache

import numpy as np
from scipy.stats import norm

from benchmarks.experiment import (
    Experiment,
    Histogram,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.experiments.learning_theory._patients import patients
from benchmarks.verdicts import Agreement

SQUARED = "Gaussian, squared error"
LIKELIHOOD = "Gaussian, negative log-likelihood"
ZERO_ONE = "two classes, 0-1 loss"
REAL = "diabetes, squared error"
LAWS = (SQUARED, LIKELIHOOD, ZERO_ONE, REAL)
GAUSSIAN = (SQUARED, LIKELIHOOD)
FIXED, FITTED, TRUE = RISKS = ("f fixed, sample", "f fitted, sample", "f fitted, true")
SIZES = (10, 20, 50, 200)
FEATURES = 3
PARAMETERS = FEATURES + 1  # p
SIGMA = 0.7
ASSUMED = 0.5  # standard deviation in the model's likelihood: it need not be the true one
SHARE = 0.3  # of the second class
# Non-zero means and a coupling that is not symmetric in the features, so that an exchanged index
# or a forgotten mean shows.
MEAN = np.array([0.5, -1.0, 0.2])
MIXING = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [-0.3, 0.5, 1.1]])  # covariance = M M^T
TRUTH = np.array([0.4, 1.0, -0.7, 0.5])  # intercept first
CHOSEN = np.array([0.2, 0.9, -0.5, 0.6])  # the fixed f: some other function
CHOSEN_FOR_PATIENTS = np.array([0.1, 0.2, 0.1, 0.3])
SHIFT = np.array([1.2, 0.3, -0.4])  # of the second class's mean
COLUMNS = (2, 3, 8)  # of the diabetes table: body mass index, blood pressure, a blood serum value


def fixed_function(law):
    """Weights of the function that no sample had a part in."""
    return CHOSEN_FOR_PATIENTS if law == REAL else CHOSEN


def with_intercept(x):
    """A column of ones in front."""
    return np.concatenate([np.ones((*x.shape[:-1], 1)), x], axis=-1)


@cache
def population():
    """The diabetes table as a whole distribution: 442 patients, three standardized features."""
    x, y = patients()
    return with_intercept(x[:, COLUMNS]), y


@cache  # the cells of one law look at the same samples
def samples(law, seeds):
    """The largest samples: features with intercept (seeds, N, p) and targets (seeds, N)."""
    most = SIZES[-1]
    drawn = []
    for seed in seeds:
        rng = np.random.default_rng(int(seed))
        if law == REAL:
            x, y = population()
            # One patient after another, each drawn from all of them: independent draws.
            rows = rng.integers(len(y), size=most)
            drawn.append((x[rows], y[rows]))
            continue
        x = MEAN + rng.normal(size=(most, FEATURES)) @ MIXING.T
        if law == ZERO_ONE:
            second = rng.random(most) < SHARE
            drawn.append((with_intercept(x + second[:, None] * SHIFT), np.where(second, 1.0, -1.0)))
        else:
            x = with_intercept(x)
            drawn.append((x, x @ TRUTH + SIGMA * rng.normal(size=most)))
    x, y = zip(*drawn, strict=True)
    return np.array(x), np.array(y)


def losses(law, prediction, y):
    """The loss of each sample."""
    if law == ZERO_ONE:
        return (np.sign(prediction) != y).astype(float)
    if law == LIKELIHOOD:
        return -norm.logpdf(y, loc=prediction, scale=ASSUMED)
    return (prediction - y) ** 2


def likelihood_of(squared):
    """Mean negative log-likelihood of a mean squared error."""
    return np.log(ASSUMED * np.sqrt(2 * np.pi)) + squared / (2 * ASSUMED**2)


def label_risk(w, sign):
    """Probability that `sign(w x)` differs from the label, given the label."""
    mean = MEAN + (SHIFT if sign > 0 else 0)
    score = w[..., 0] + w[..., 1:] @ mean
    return norm.cdf(-sign * score / np.linalg.norm(w[..., 1:] @ MIXING, axis=-1))


def risk(law, w):
    """R(f) of the functions `w x` in closed form, shape (...) of the leading axes of `w`."""
    if law == REAL:
        x, y = population()
        return ((w @ x.T - y) ** 2).mean(axis=-1)  # the distribution is the table: a finite sum
    if law == ZERO_ONE:
        return SHARE * label_risk(w, +1) + (1 - SHARE) * label_risk(w, -1)
    error = w - TRUTH
    # E[(a + b x)^2] = (a + b mean)^2 + b covariance b
    squared = (
        SIGMA**2
        + (error[..., 0] + error[..., 1:] @ MEAN) ** 2
        + ((error[..., 1:] @ MIXING) ** 2).sum(axis=-1)
    )
    return likelihood_of(squared) if law == LIKELIHOOD else squared


def expected(law, which, size):
    """Mean over all samples, where it is known without drawing any; else None."""
    if which == FIXED:
        return float(risk(law, fixed_function(law)))
    if law not in GAUSSIAN:
        return None
    n, p = size, PARAMETERS
    factor = 1 - p / n if which == FITTED else (1 + 1 / n) * (n - 2) / (n - p - 1)
    squared = SIGMA**2 * factor
    return float(likelihood_of(squared) if law == LIKELIHOOD else squared)


def mirrored(law, size):
    """Risk of the fit if new inputs were the old ones: of squared error, or its likelihood."""
    squared = SIGMA**2 * (1 + PARAMETERS / size)
    return float(likelihood_of(squared) if law == LIKELIHOOD else squared)


@cache
def fitted(law, size, seeds):
    """Least squares on each sample, also for the labels -1 and 1."""
    from suite.theory import ridge

    x, y = samples(law, seeds)
    return ridge(x[:, :size], y[:, :size], strength=0)


def measure(cell, seeds):
    """One kind of risk, for each sample, beside its expectation and what wrong forms give."""
    seeds = tuple(int(s) for s in seeds)
    x, y = (part[:, : cell.samples] for part in samples(cell.law, seeds))
    w = fitted(cell.law, cell.samples, seeds)
    if cell.risk_of == FIXED:
        w = np.broadcast_to(fixed_function(cell.law), w.shape)
    true = risk(cell.law, w)
    total = losses(cell.law, np.einsum("snp,sp->sn", x, w), y).sum(axis=1)
    value = true if cell.risk_of == TRUE else total / cell.samples
    theory = expected(cell.law, cell.risk_of, cell.samples)
    zero_one = cell.law == ZERO_ONE
    return Measurements(
        metrics={
            "value": value,
            "theory": true if theory is None else np.full(len(seeds), theory),
            "risk": true,
            "sum": total,
            "one_label": label_risk(w, -1) if zero_one else true,
            "mirrored": np.full(len(seeds), mirrored(cell.law, cell.samples)),
            "gap": true - value,
        }
    )


EXPERIMENT = Experiment(
    claim="C51",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C51.unbiased",
            "The empirical risk of a fixed function is the risk on average: for squared error, "
            "negative log-likelihood and 0-1 loss, synthetic data and real.",
            rule=Agreement("value", "risk", where={"risk_of": FIXED}),
            kind="as stated",
            formula=r"\mathbb{E}\Bigl[\frac{1}{N}\sum_{n=1}^{N} L(f(x_n), y_n)\Bigr] = "
            r"\int L(f(x), y)\, dp_*(x, y)",
            mutants=(
                Mutant("the sum of the losses", {"metric": "sum"}),
                Mutant("of the fitted function", {"where": {"risk_of": FITTED}}),
                Mutant(
                    "an integral over x without the sum over labels",
                    {"expected": "one_label", "where": {"risk_of": FIXED, "law": ZERO_ONE}},
                ),
            ),
        ),
        Hypothesis(
            "C51.optimistic",
            "Of the fitted function the empirical risk is too small by a known factor.",
            rule=Agreement(
                "value", "theory", rival="risk", where={"risk_of": FITTED, "law": GAUSSIAN}
            ),
            formula=r"\mathbb{E}[\hat{\mathcal R}(\hat f)] = \sigma^2\Bigl(1 - \frac{p}{N}\Bigr)",
            mutants=(Mutant("unbiased after fitting", {"expected": "risk"}),),
        ),
        Hypothesis(
            "C51.price",
            "And its risk is above that of the best function, by more than the empirical risk is "
            "below.",
            rule=Agreement("value", "theory", where={"risk_of": TRUE, "law": GAUSSIAN}),
            formula=r"\mathbb{E}[\mathcal R(\hat f)] = "
            r"\sigma^2\Bigl(1 + \frac1N\Bigr)\frac{N - 2}{N - p - 1}",
            mutants=(
                Mutant("as far above as the empirical risk is below", {"expected": "mirrored"}),
            ),
        ),
    ),
    factors={"law": LAWS, "risk_of": RISKS, "samples": SIZES},
    # At N = 200 sample and truth differ by 2 p / N = 4 % of sigma^2, and one sample scatters by
    # sqrt(2 / N) = 10 %: four standard errors are half of that difference with 400 seeds. At
    # N = 10 the risk of the fit itself scatters as much as it is large, for which 2000 are used.
    seeds=2000,
    paired=("data", "noise"),
    metrics={
        "value": Metric("the risk that is looked at", "1"),
        "theory": Metric("its expectation, where known in closed form", "1"),
        "risk": Metric("true risk of that very function", "1"),
        "sum": Metric("the losses added up, without 1/N", "1"),
        "one_label": Metric("risk given the first label only", "1"),
        "mirrored": Metric("risk of the fit at the sample's own inputs, squared error", "1"),
        "gap": Metric("true minus looked-at risk", "1"),
    },
    figure=(
        Lines(
            x="samples",
            y="value",
            by="risk_of",
            where={"law": SQUARED},
            theory="theory",
            log="x",
            x_label="samples N",
            y_label="squared error (y²)",
            title="A fixed function's risk is met at every N; a fitted one's is flattered",
        ),
        Lines(
            x="samples",
            y="value",
            by="risk_of",
            where={"law": REAL},
            log="x",
            x_label="samples N",
            y_label="squared error (variances of y)",
            title="Diabetes, patients drawn from the table: the same picture",
        ),
        Histogram(
            x="gap",
            by="risk_of",
            where={"law": SQUARED, "samples": SIZES[1], "risk_of": (FIXED, FITTED)},
            x_label="true minus empirical risk (y²)",
            title="Twenty samples: the gap scatters about zero only for the fixed function",
            reference=0.0,
        ),
    ),
    finding=(
        "For a function chosen beforehand the empirical risk scatters about the risk, whatever the "
        "loss and the law. For the fitted one it is too small: in least squares it is on average "
        "σ² p / N below the noise, while the true risk is above. The mean has this property, not "
        "the sum of the losses."
    ),
    stated=r"\hat{\mathcal R} = \frac{1}{|D|}\sum L,\quad "
    r"-\frac{1}{N}\sum\log p(y\mid x,\theta)",
    corrected=r"\hat{\mathcal R}(f) = \frac{1}{N}\sum_{n} L(f(x_n), y_n),\quad "
    r"-\frac{1}{N}\sum_{n}\log p(y_n\mid x_n,\theta),\quad "
    r"\mathbb{E}\hat{\mathcal R}(f) = \mathcal R(f)\ \text{for fixed } f",
    components=("suite.theory.ridge",),
    limits=(
        "The table of patients is taken for the whole distribution, so that its risk is known; for "
        "the patients it was drawn from it is itself a sample. The 0-1 loss is measured for a "
        "least-squares fit to the labels, which does not minimize it."
    ),
    measure=measure,
)
