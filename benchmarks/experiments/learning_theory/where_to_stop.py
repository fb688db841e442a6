"""Stop adding bias at the smallest validation risk, not at the smallest gap.

Lecture section "Learning theory", claim C59. The recipe: overfit first, then add bias, and stop
where the generalization gap is smallest. But

    gap(lambda) = validation risk - training risk  ->  0  in the mean, as lambda -> infinity

for the constant model, which is useless: a fixed function has the same risk everywhere. What one
wants to be small is the risk itself, and the validation risk is its unbiased estimate.
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
    Points,
)
from benchmarks.experiments.learning_theory._patients import patients, standardized
from benchmarks.verdicts import Agreement, Ratio, Sign, every

POLYNOMIAL, TABLE = DATA = ("polynomial", "diabetes")
GAP, RISK, ORACLE = RULES = ("smallest gap", "smallest validation risk", "smallest true risk")
SAMPLES = {POLYNOMIAL: 20, TABLE: 60}  # to train on, and as many to validate
SIGMA, DEGREE = 0.2, 9
# From least squares to a model that predicts zero, the mean of either target: six a decade.
STRENGTHS = np.logspace(-8, 6, 85)
FINE = np.linspace(-1, 1, 401)


@cache
def table():
    """Standardized measurements and their products in pairs, and the standardized score."""
    x, y = patients()
    first, second = np.triu_indices(x.shape[1])
    return standardized(np.concatenate([x, x[:, first] * x[:, second]], axis=1)), y


def draw(data, seed):
    """Training, validation and test pairs (features, targets), and the noise in a test target."""
    rng, n = np.random.default_rng(seed), SAMPLES[data]
    if data == TABLE:
        x, y = table()
        rows = rng.permutation(len(y))
        parts = rows[:n], rows[n : 2 * n], rows[2 * n :]
        return [(x[part], y[part]) for part in parts], 0.0
    from suite.datasets import cubic_truth
    from suite.theory import legendre_basis

    pairs = []
    for _ in range(2):
        x = rng.uniform(-1, 1, n)
        pairs.append((legendre_basis(x, DEGREE), cubic_truth(x) + SIGMA * rng.normal(size=n)))
    # The risk is known: distance from the truth, and the noise on top.
    return [*pairs, (legendre_basis(FINE, DEGREE), cubic_truth(FINE))], SIGMA**2


def risk_curves(data, seed):
    """Training, validation and true risk at every strength; the first two of the zero model."""
    from suite.theory import ridge

    pairs, noise = draw(data, seed)
    x, y = pairs[0]
    weights = ridge(x[None], y[None], STRENGTHS)
    risks = np.array([((weights @ x.T - y) ** 2).mean(axis=1) for x, y in pairs])
    risks[2] += noise
    return risks, [float((y**2).mean()) for _, y in pairs[:2]]


@cache  # every rule looks at the same fits
def runs(data, seeds):
    """Risks (seeds, 3, strengths) and those of the zero model (seeds, 2)."""
    found = [risk_curves(data, seed) for seed in seeds]
    return np.array([risks for risks, _ in found]), np.array([zero for _, zero in found])


def measure(cell, seeds):
    """Where a rule stops, and what the model there is worth."""
    risks, zero = runs(cell.data, tuple(int(seed) for seed in seeds))
    train, validation, true = risks.swapaxes(0, 1)
    minimized = {GAP: np.abs(validation - train), RISK: validation, ORACLE: true}[cell.rule]
    at = minimized.argmin(axis=1)
    each = np.arange(len(seeds))
    curve = {GAP: validation - train, RISK: validation, ORACLE: true}[cell.rule]
    return Measurements(
        metrics={
            "risk": true[each, at],
            "strength": np.log10(STRENGTHS[at]),
            "gap": (validation - train)[each, at],
            "gap_of_constant": zero[:, 1] - zero[:, 0],
            "gap_of_flexible": (validation - train)[:, 0],
            "no_gap": np.zeros(len(seeds)),
        },
        curves={"seen": curve},
        axes={"seen": STRENGTHS},
        arrays=one_run(train[0], validation[0]) if cell.rule == RISK else {},
    )


def one_run(train, validation):
    """Risks and gap of one seed over log10 strength, (points, 2), and where two rules stop."""
    gap, x = validation - train, np.log10(STRENGTHS)
    # Least squares may err by thousands; beyond twice the constant's risk nothing is learned.
    shown = np.maximum(np.abs(gap), validation) <= 2 * validation[-1]
    found = {
        name: np.stack([x, np.where(shown, values, np.nan)], axis=1)[shown.argmax() :]
        for name, values in (("training", train), ("validation", validation), ("gap", gap))
    }
    for name, at in (
        ("smallest gap", np.abs(gap).argmin()),
        ("smallest risk", validation.argmin()),
    ):
        found[name] = np.array([[x[at], validation[at]]])
    return found


EXPERIMENT = Experiment(
    claim="C59",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C59.gap",
            "The model at the smallest generalization gap has a lower risk than the one at the "
            "smallest validation risk.",
            rule=every(*(Sign("risk", "rule", RISK, GAP, where={"data": d}) for d in DATA)),
            kind="as stated",
            formula=r"\hat\lambda = \arg\min_\lambda |\hat{R}_{\text{val}}(\lambda) - "
            r"\hat{R}_{\text{train}}(\lambda)|",
        ),
        Hypothesis(
            "C59.risk",
            "Stopping at the smallest validation risk gives the lower risk on most data sets.",
            rule=every(*(Sign("risk", "rule", GAP, RISK, where={"data": d}) for d in DATA)),
            formula=r"\hat\lambda = \arg\min_\lambda \hat{R}_{\text{val}}(\lambda)",
            mutants=(Mutant("the gap stops better", {"first": RISK, "second": GAP}),),
        ),
        Hypothesis(
            "C59.factor",
            "The median risk at the smallest gap is above that at the smallest validation risk.",
            # A first version compared means: on polynomials a few fits of high risk, where both
            # rules stop, leave their ratio undecided.
            rule=every(
                *(Ratio("risk", "rule", GAP, RISK, of="median", where={"data": d}) for d in DATA)
            ),
            mutants=(Mutant("no price", {"first": RISK, "second": GAP}),),
        ),
        Hypothesis(
            "C59.constant",
            "A constant model has no gap in the mean, however bad it is.",
            rule=Agreement("gap_of_constant", "no_gap", where={"rule": GAP}),
            formula=r"\lambda \to \infty: \quad \mathbb{E}\left[\hat{R}_{\text{val}} - "
            r"\hat{R}_{\text{train}}\right] \to 0",
            mutants=(Mutant("any model", {"metric": "gap_of_flexible"}),),
        ),
    ),
    factors={"rule": RULES, "data": DATA},
    # On a fifth of the samples both rules stop at the same place or the gap wins by luck; with
    # 200 pairs a true share of 0.7 reaches 2^-14 with probability above 0.99.
    seeds=200,
    paired=("data", "noise"),
    metrics={
        "risk": Metric("risk where the rule stops", "y²", better="lower"),
        "strength": Metric("strength where the rule stops, log10", "decade"),
        "gap": Metric("gap where the rule stops", "y²"),
        "gap_of_constant": Metric("gap of the constant model", "y²"),
        "gap_of_flexible": Metric("gap of least squares", "y²"),
        "no_gap": Metric("no gap", "y²"),
    },
    figure=(
        Curves(
            y="seen",
            by="rule",
            where={"data": POLYNOMIAL},
            x_label="strength of the penalty",
            y_label="what a rule looks at (y²)",
            title="The gap shrinks to nothing where the model knows nothing",
            log="x",
        ),
        Plane(
            x_label="strength of the penalty (log₁₀)",
            y_label="risk (y²)",
            title="One run, and where two rules stop",
            points=("smallest gap", "smallest risk"),
            lines=("training", "validation", "gap"),
            by="data",
            where={"rule": RISK},
        ),
        Points(
            x="rule",
            y="risk",
            where={"data": POLYNOMIAL},
            x_label="stopping rule",
            y_label="true risk (y²)",
            title="What the chosen models are worth",
            log="y",
        ),
    ),
    finding="In the median, stopping at the smallest gap gives {factor:.2f} times the risk of "
    "stopping at the smallest validation risk, on the data where it costs least.",
    stated=r"\text{stop where } |\hat{R}_{\text{val}} - \hat{R}_{\text{train}}| "
    r"\text{ is smallest}",
    corrected=r"\text{stop where } \hat{R}_{\text{val}} \text{ is smallest}",
    figures=("F24",),
    components=(
        "suite.datasets.cubic_truth",
        "suite.theory.legendre_basis",
        "suite.theory.ridge",
    ),
    limits="Bias is added by a ridge penalty on one model. The validation set is as large as the "
    "training set; the risk it chose by flatters the choice a little (C58).",
    measure=measure,
)
