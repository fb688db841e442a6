"""How much a fit learns of the accidents of its sample: 2 sigma^2 p / N, whatever is true.

Lecture section "Learning theory", claim C52. Least squares with p features projects the targets
y = f + noise, by H = Phi (Phi^T Phi)^-1 Phi^T. On the sample, and on new targets y' at the same
inputs,

    E[mean (y - H y)^2] = mean (f - H f)^2 + sigma^2 (1 - p / N)
    E[mean (y' - H y)^2] = mean (f - H f)^2 + sigma^2 (1 + p / N)

The p accidental directions are counted twice, since they lower the one and raise the other. What
the model misses of f stands in both, so that the gap does not depend on the truth.
"""

from functools import cache

import numpy as np

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

SAMPLES = 40  # N
NOISE = 0.5  # sigma^2
SIZES = (2, 5, 10, 20)  # p, the intercept included
NOTHING, INSIDE, OUTSIDE = TRUTHS = ("nothing", "linear", "not in the model")
TRAINING, TEST, NEW_INPUTS = RISKS = ("training", "new targets", "new inputs")
DESIGNS = ("Gaussian", "diabetes")


@cache
def designs(name):
    """A fixed design and rows that it does not have: (N, 20) and (rows, 20), intercept first."""
    most = SIZES[-1]
    rng = np.random.default_rng(52)  # the design is one draw, for all repetitions
    if name == "Gaussian":
        x = rng.normal(loc=0.5, size=(10 * SAMPLES, most - 1))
    else:
        x, _ = patients()
        # Ten measurements, and the products of body mass index (column 2) with the others.
        x = np.concatenate([x, x[:, 2:3] * np.delete(x, 2, axis=1)], axis=1)
        x = x[rng.permutation(len(x))]
    phi = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    return phi[:SAMPLES], phi[SAMPLES:]


def truth(name, phi):
    """The mean of the targets, given the features."""
    if name == NOTHING:
        return np.zeros(len(phi))
    if name == INSIDE:
        return 1.0 + 0.5 * phi[:, 1]  # two features, which every model has
    return 1.0 + np.sin(2 * phi[:, 1]) * np.abs(phi[:, 3])


@cache  # the same noise for every design, truth and size
def noise(draws, seeds):
    """Noise of the sample's targets and of new ones, (seeds, 2, draws, N)."""
    return np.array(
        [
            np.random.default_rng(s).normal(scale=np.sqrt(NOISE), size=(2, draws, SAMPLES))
            for s in seeds
        ]
    )


@cache  # the cells of one design, truth and size look at the same fits
def risks(design, true, size, draws, seeds):
    """Mean squared errors, the mean of `draws` fits a seed: risk -> (seeds,)."""
    from suite.theory import ridge

    inside, outside = designs(design)
    phi, phi_new = inside[:, :size], outside[:, :size]
    f, f_new = truth(true, inside), truth(true, outside)
    drawn = noise(draws, seeds)
    y, again = f + drawn[:, 0], f + drawn[:, 1]
    w = ridge(phi, y, strength=0)
    fit = w @ phi.T
    # New inputs: error against the truth there, plus the noise that nobody can predict. As a
    # quadratic form of the weights, which are many fewer than rows.
    gram, mixed = phi_new.T @ phi_new / len(f_new), phi_new.T @ f_new / len(f_new)
    square = ((w @ gram) * w).sum(axis=-1)
    return {
        TRAINING: ((y - fit) ** 2).mean(axis=(1, 2)),
        TEST: ((again - fit) ** 2).mean(axis=(1, 2)),
        NEW_INPUTS: (square - 2 * w @ mixed).mean(axis=1) + (f_new**2).mean() + NOISE,
    }


def missed(design, true, size):
    """What the model cannot express of the truth, mean (f - H f)^2."""
    inside, _ = designs(design)
    f = truth(true, inside)
    q, _ = np.linalg.qr(inside[:, :size])
    return float(((f - q @ (q.T @ f)) ** 2).mean())


def measure(cell, seeds):
    """Both risks and their gap, beside the exact ones and wrong forms of the law."""
    found = risks(cell.design, cell.truth, cell.features, cell.draws, tuple(int(s) for s in seeds))
    p_over_n = cell.features / SAMPLES
    bias = missed(cell.design, cell.truth, cell.features)

    def constant(value):
        return np.full(len(seeds), value)

    sign = -1 if cell.risk == TRAINING else 1
    return Measurements(
        metrics={
            "value": found[cell.risk],
            "theory": constant(bias + NOISE * (1 + sign * p_over_n)),
            "noise": constant(NOISE),
            "gap": found[TEST] - found[TRAINING],
            "gap_at_new_inputs": found[NEW_INPUTS] - found[TRAINING],
            "law": constant(2 * NOISE * p_over_n),
            "half": constant(NOISE * p_over_n),
            "deviation_for_variance": constant(2 * np.sqrt(NOISE) * p_over_n),
            "per_feature": constant(2 * NOISE / SAMPLES),
        }
    )


# The gap is the same whichever risk a cell shows: one cell of each counts.
ONCE = {"risk": TRAINING}

EXPERIMENT = Experiment(
    claim="C52",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C52.accidents",
            "A fit takes up accidents of its sample: with nothing to learn, its training risk is "
            "below the noise by σ² p / N, and its risk on new targets above by as much.",
            rule=Agreement(
                "value",
                "theory",
                rival="noise",
                where={"truth": NOTHING, "risk": (TRAINING, TEST)},
            ),
            kind="as stated",
            formula=r"\mathbb{E}\,\hat{\mathcal R} = \sigma^2\Bigl(1 - \frac pN\Bigr),\quad "
            r"\mathbb{E}\,\mathcal R = \sigma^2\Bigl(1 + \frac pN\Bigr)",
            mutants=(Mutant("nothing is taken up", {"expected": "noise"}),),
        ),
        Hypothesis(
            "C52.gap",
            "Whatever the truth, the gap of the two risks is 2 σ² p / N.",
            rule=Agreement("gap", "law", where=ONCE),
            formula=r"\mathbb{E}[\mathcal R - \hat{\mathcal R}] = \frac{2\sigma^2 p}{N}",
            mutants=(
                Mutant("σ² p / N: the training side forgotten", {"expected": "half"}),
                Mutant("σ for σ²", {"expected": "deviation_for_variance"}),
                Mutant("2 σ² / N: the features forgotten", {"expected": "per_feature"}),
                Mutant("at new inputs as well", {"metric": "gap_at_new_inputs"}),
            ),
        ),
        Hypothesis(
            "C52.both_sides",
            "Both risks are what the model misses of the truth, plus and minus σ² p / N around the "
            "noise.",
            rule=Agreement("value", "theory", where={"risk": (TRAINING, TEST)}),
            formula=r"\overline{(f - Hf)^2} + \sigma^2\Bigl(1 \mp \frac pN\Bigr)",
            mutants=(Mutant("new inputs instead of new targets", {"where": {"risk": NEW_INPUTS}}),),
        ),
    ),
    factors={"design": DESIGNS, "truth": TRUTHS, "features": SIZES, "risk": RISKS},
    # 200 seeds of 100 fits: 20,000 draws, a standard error of 0.0012 for the gap. The smallest
    # law, 0.05, is 20 of them from its half and from zero.
    seeds=200,
    paired=("data", "noise"),
    budget={"draws": 100},
    metrics={
        "value": Metric("mean squared error, the mean of the draws of a seed", "y²", "lower"),
        "theory": Metric("its expectation (at the sample's inputs)", "y²"),
        "noise": Metric("noise variance", "y²"),
        "gap": Metric("risk on new targets minus training risk", "y²"),
        "gap_at_new_inputs": Metric("risk at new inputs minus training risk", "y²"),
        "law": Metric("2 σ² p / N", "y²"),
        "half": Metric("σ² p / N", "y²"),
        "deviation_for_variance": Metric("2 σ p / N", "y²"),
        "per_feature": Metric("2 σ² / N", "y²"),
    },
    figure=(
        Lines(
            x="features",
            y="gap",
            by="truth",
            where={"design": "diabetes", "risk": TRAINING},
            theory="law",
            x_label="features p, of N = 40 samples",
            y_label="gap of the risks (y²)",
            title="The gap is 2 σ² p / N, whatever there is to learn",
        ),
        Lines(
            x="features",
            y="value",
            by="risk",
            where={"design": "Gaussian", "truth": NOTHING},
            x_label="features p, of N = 40 samples",
            y_label="mean squared error (y²)",
            title="Nothing to learn: the training risk sinks below the noise all the same",
        ),
        Histogram(
            x="gap",
            by="features",
            where={"design": "diabetes", "truth": NOTHING, "risk": TRAINING},
            x_label="gap of the risks, mean of a seed's draws (y²)",
            title="The gap grows with the number of features",
        ),
    ),
    finding=(
        "Each feature lowers the training risk by σ² / N and raises the risk on new targets by as "
        "much, with nothing to learn as with a truth the model cannot express. At new inputs the "
        "price is higher still."
    ),
    stated=r"\text{fitting accidents of the sample rather than of } p_*",
    corrected=r"\mathbb{E}[\mathcal R - \hat{\mathcal R}] = \frac{2\sigma^2 p}{N}"
    r"\quad\text{(least squares, same inputs)}",
    components=("suite.theory.ridge",),
    limits=(
        "The law is for least squares with given features and independent noise of one variance. "
        "For other models p becomes the effective number of parameters, sum of cov(fit, y) over "
        "σ². The targets are synthetic in both designs, because the law speaks of the noise, which "
        "real targets do not tell."
    ),
    measure=measure,
)
