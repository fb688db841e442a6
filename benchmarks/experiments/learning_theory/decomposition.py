"""Test error at a point: bias, variance, and the noise that the slide leaves in the bias.

Lecture section "Learning theory", claim C55. Over training sets D, with m the mean prediction,

    E_D (y - f_D)^2 = (y - m)^2 + E_D (f_D - m)^2

for any y that D knows nothing of: the cross term is 2 (y - m) E_D (m - f_D) = 0. That is algebra,
and holds for a finite number of training sets with their own mean as well. Two readings go wrong:

* (y - m)^2 is not the squared bias if y is noisy. It is larger by the noise: bias is E[y | x] - m.
* y must not be a training target. For one that is, the cross term has the mean -2 sigma^2 H_ii,
  with H the matrix that takes targets to fits: on average -2 sigma^2 p / N for least squares.
"""

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
from benchmarks.experiments.learning_theory._patients import patients
from benchmarks.verdicts import Agreement, Identity

SIGMA = 0.5
SAMPLES, WEIGHTS = 20, 3  # N, and p of a quadratic
SETS = 400  # training sets a seed, on the same inputs
PEOPLE, RIDGE = 60, 20.0  # patients a training set, and a strength that biases the fit
FRESH, REUSED, TABLE = POINTS = ("independent", "training", "diabetes, independent")
GRID = np.linspace(-1, 1, 61)  # where fits are drawn


def cubic_fits(seed, reused):
    """Targets (sets or 1, points), predictions (sets, points), truth and mean prediction (points,).

    Least squares of the right degree would have no bias; a quadratic cannot follow the cubic.
    """
    from suite.datasets import cubic_truth
    from suite.theory import monomial_basis, ridge

    rng = np.random.default_rng([seed, int(reused)])
    x = rng.uniform(-1, 1, SAMPLES)
    basis = monomial_basis(x, WEIGHTS - 1)
    noise = SIGMA * rng.normal(size=(SETS, SAMPLES))
    targets = cubic_truth(x) + noise
    hat = ridge(basis, np.eye(SAMPLES), 0.0)  # row i: weights of the fit to the i-th unit target
    if reused:
        at, y = basis, targets
    else:
        x = rng.uniform(-1, 1, 101)
        at = monomial_basis(x, WEIGHTS - 1)
        y = (cubic_truth(x) + SIGMA * rng.normal(size=101))[None]
    predictions = targets @ hat @ at.T
    center = cubic_truth(basis[:, 1]) @ hat @ at.T
    return y, predictions, cubic_truth(at[:, 1]), center


def table_fits(seed):
    """Targets of patients that no training set has, and what ridge fits to others predict."""
    from suite.theory import ridge

    x, y = patients()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(y))
    out, rest = rows[:50], rows[50:]
    sets = np.array([rng.choice(rest, PEOPLE, replace=False) for _ in range(100)])
    weights = ridge(x[sets], y[sets], RIDGE)
    return y[out][None], weights @ x[out].T


def deviation(targets, predictions, center):
    """Both sides of the decomposition with this center, one against the other, relative."""
    error = ((targets - predictions) ** 2).mean(axis=0)
    parts = ((targets - center) ** 2).mean(axis=0) + ((predictions - center) ** 2).mean(axis=0)
    return np.max(np.abs(error - parts)) / np.max(error)


def repetition(point, seed):
    """All metrics of one seed."""
    if point == TABLE:
        targets, predictions = table_fits(seed)
        # Nothing tells a patient's noise apart: what y is, is taken for its mean.
        truth, center, sigma = targets[0], predictions.mean(axis=0), 0.0
    else:
        targets, predictions, truth, center = cubic_fits(seed, point == REUSED)
        sigma = SIGMA
    bias = ((truth - center) ** 2).mean()
    return {
        "label": ((targets - center) ** 2).mean(),
        "bias": bias,
        "bias_and_noise": bias + sigma**2,
        "cross": 2 * ((targets - center) * (center - predictions)).mean(),
        "cross_theory": -2 * SIGMA**2 * WEIGHTS / SAMPLES if point == REUSED else 0.0,
        "zero": 0.0,
        "deviation": deviation(targets, predictions, predictions.mean(axis=0)),
        "deviation_off_center": deviation(targets, predictions, predictions[0]),
        "deviation_median": deviation(targets, predictions, np.median(predictions, axis=0)),
    }


def fan(seed):
    """One fit to noisy targets, drawn over the whole interval."""
    from suite.datasets import cubic_truth
    from suite.theory import monomial_basis, ridge

    x = np.random.default_rng(SAMPLES).uniform(-1, 1, SAMPLES)  # the same inputs for all
    noise = SIGMA * np.random.default_rng([seed, 2]).normal(size=SAMPLES)
    weights = ridge(monomial_basis(x, WEIGHTS - 1), cubic_truth(x) + noise, 0.0)
    return monomial_basis(GRID, WEIGHTS - 1) @ weights


def measure(cell, seeds):
    """Decompose the error over training sets, at points of one kind."""
    from suite.datasets import cubic_truth

    rows = [repetition(cell.point, int(seed)) for seed in seeds]
    drawn = cell.point == FRESH
    return Measurements(
        metrics={name: np.array([row[name] for row in rows]) for name in METRICS},
        curves={"fit": np.array([fan(int(seed)) for seed in seeds])} if drawn else {},
        axes={"fit": GRID} if drawn else {},
        theory={"fit": cubic_truth(GRID)} if drawn else {},
    )


METRICS = {
    "deviation": Metric("error against its parts, relative", "1"),
    "deviation_off_center": Metric("error against its parts around one of the fits, relative", "1"),
    "deviation_median": Metric("error against its parts around the median fit, relative", "1"),
    "label": Metric("mean of (y - m)²", "y²"),
    "bias": Metric("squared bias", "y²"),
    "bias_and_noise": Metric("squared bias plus noise", "y²"),
    "cross": Metric("cross term", "y²"),
    "cross_theory": Metric("cross term by theory", "y²"),
    "zero": Metric("no cross term", "y²"),
}

EXPERIMENT = Experiment(
    claim="C55",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C55.identity",
            "The mean squared error over training sets is the squared distance of y from the mean "
            "prediction plus the variance around it.",
            rule=Identity("deviation", terms=SETS, where={"point": (FRESH, TABLE)}),
            kind="as stated",
            formula=r"\mathbb{E}_D (y - f_D)^2 = (y - \bar f)^2 + \mathbb{E}_D (f_D - \bar f)^2",
            mutants=(
                Mutant("around one of the fits", {"metric": "deviation_off_center"}),
                Mutant("around the median fit", {"metric": "deviation_median"}),
            ),
        ),
        Hypothesis(
            "C55.label",
            "The first part, averaged over noisy y, is the squared bias.",
            rule=Agreement("label", "bias", where={"point": FRESH}),
            kind="as stated",
            formula=r"\mathbb{E}_y (y - \bar f)^2 = \text{bias}^2",
        ),
        Hypothesis(
            "C55.noise",
            "The first part is squared bias plus noise: the bias is that of the mean of y.",
            rule=Agreement("label", "bias_and_noise", "bias", where={"point": FRESH}),
            formula=r"\mathbb{E}_y (y - \bar f)^2 = (\mathbb{E}[y \mid x] - \bar f)^2 + \sigma^2",
            mutants=(Mutant("the noise forgotten", {"expected": "bias", "rival": None}),),
        ),
        Hypothesis(
            "C55.independent",
            "At points that the training set knows nothing of, the cross term has mean zero.",
            rule=Agreement("cross", "zero", where={"point": FRESH}),
            mutants=(Mutant("at training points as well", {"where": {"point": REUSED}}),),
        ),
        Hypothesis(
            "C55.training_point",
            "At the training points it does not vanish: its mean is minus twice the noise times "
            "parameters over samples.",
            rule=Agreement("cross", "cross_theory", "zero", where={"point": REUSED}),
            formula=r"2\,\mathbb{E}\left[(y_i - \bar f_i)(\bar f_i - f_i)\right] = "
            r"-2\sigma^2 H_{ii}, \quad \tfrac1N \sum_i H_{ii} = \tfrac pN",
            mutants=(Mutant("no cross term", {"expected": "zero", "rival": None}),),
        ),
    ),
    factors={"point": POINTS},
    # The cross term of one seed, a mean over 400 x 20 products, scatters by less than a tenth of
    # its value; 40 seeds tell it from zero at 4 standard errors many times over.
    seeds=40,
    paired=("data", "noise"),
    metrics=METRICS,
    figure=(
        Curves(
            y="fit",
            where={"point": FRESH},
            x_label="x",
            y_label="prediction",
            title="Quadratics miss the cubic together (bias), and each by itself (variance)",
            center="mean",
            runs=True,
            theory_label="truth",
        ),
        Points(
            x="point",
            y="cross",
            where={"point": (FRESH, REUSED)},
            x_label="point",
            y_label="cross term (y²)",
            title="Only a target that the fit has not seen leaves no cross term",
            reference=0.0,
            reference_label="independent",
        ),
    ),
    finding="The decomposition is exact around the mean prediction. The part that the slide calls "
    "bias contains the noise as well, and at training points the cross term is "
    "{training_point:.3f}, not 0.",
    stated=r"\text{bias}^2 = (y - \bar f)^2",
    corrected=r"\text{bias}^2 = (\mathbb{E}[y \mid x] - \bar f)^2, "
    r"\quad y \text{ independent of } D",
    components=(
        "suite.datasets.cubic_truth",
        "suite.theory.monomial_basis",
        "suite.theory.ridge",
    ),
    limits="The expectation over training sets is one over their noise: in the sets of the cubic "
    "the inputs are the same. On the table of patients the truth is not known, so that the "
    "identity alone can be tested there.",
    measure=measure,
)
