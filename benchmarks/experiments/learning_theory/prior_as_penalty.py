"""A penalty is a prior, if the units agree: next to a mean loss its strength is 1 / N.

Lecture section "Learning theory", claim C53. With C(w) = -log p(w) as the penalty,

    arg max_w p(D | w) p(w) = arg min_w  sum_n l_n(w) + C(w)          l_n = -log p(y_n | x_n, w)
                            = arg min_w  (1 / N) sum_n l_n(w) + (1 / N) C(w)

The slide adds lambda C to the empirical risk, which is a mean: then lambda = 1 stands for a prior
N times as strong. For a Gaussian likelihood and a Gaussian prior the maximum is ridge regression,

    w = (Phi^T Phi + (sigma / s)^2 I)^-1 Phi^T y
"""

import numpy as np
from scipy.optimize import minimize

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.learning_theory._patients import patients
from benchmarks.verdicts import AtMost, Identity

TWO, REAL = DATA = ("two weights", "diabetes")
SAMPLES = {TWO: 12, REAL: 60}  # N
SIGMA = {TWO: 0.5, REAL: 0.7}  # of the noise; what a line leaves of the diabetes scores is 0.7
PRIOR_SDS = (0.1, 0.3, 1.0)
LOOSE_SDS = (10.0, 100.0, 1000.0)  # on the way to no prior
LONGEST = max(SAMPLES.values())  # terms of a sum
# Lambda times N: from no prior to speak of to one that leaves nothing of the data. The middle is 1.
STRENGTHS = np.logspace(-4, 4, 81)
DRAWN_AT = 0.3
GRID = 50
# R-FD's bound. The maximum of a smooth function is found from its values to sqrt(epsilon) = 1e-8.
NUMERIC = 1e-6


def draw(data, seed):
    """Features (N, p) and targets (N,) of one repetition."""
    rng = np.random.default_rng(int(seed))
    if data == REAL:
        x, y = patients()
        rows = rng.choice(len(y), SAMPLES[REAL], replace=False)
        return x[rows], y[rows]
    # Correlated features of different width: the modes for all priors lie on a bent path.
    phi = rng.normal(size=(SAMPLES[TWO], 2)) @ np.array([[1.2, 0.5], [0.0, 0.4]])
    return phi, phi @ np.array([0.6, -0.8]) + SIGMA[TWO] * rng.normal(size=SAMPLES[TWO])


def log_normal(x, mean, sd):
    """Logarithm of the normal density."""
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))


def log_posterior(w, phi, y, sigma, prior_sd):
    """Log p(y | w) + log p(w): the evidence, which does not depend on w, is left out."""
    return log_normal(y, phi @ w, sigma).sum() + log_normal(w, 0, prior_sd).sum()


def numeric_mode(phi, y, sigma, prior_sd):
    """The maximum of the posterior by a general optimizer, which knows values only."""
    start = np.zeros(phi.shape[1])
    found = minimize(
        lambda w: -log_posterior(w, phi, y, sigma, prior_sd),
        start,
        method="BFGS",
        jac="3-point",
        # An unreachable tolerance: it stops where rounding lets it improve no more.
        options={"gtol": 1e-12},
    )
    return found.x


def completed_square(phi, y, sigma, prior_sd):
    """Mean, and so mode, of the Gaussian posterior; and the condition number of its precision."""
    precision = phi.T @ phi / sigma**2 + np.eye(phi.shape[1]) / prior_sd**2
    return np.linalg.solve(precision, phi.T @ y / sigma**2), np.linalg.cond(precision)


def penalized(phi, y, sigma, prior_sd, weight_of_loss, strength):
    """Arg min of `weight_of_loss * sum_n l_n + strength * C`, as one least-squares problem.

    Both terms are squares, so they are rows of one system; constants of l and C change nothing.
    """
    loss = np.sqrt(weight_of_loss) / sigma
    penalty = np.sqrt(strength) / prior_sd
    rows = np.concatenate([loss * phi, penalty * np.eye(phi.shape[1])])
    return np.linalg.lstsq(rows, np.append(loss * y, np.zeros(phi.shape[1])), rcond=None)[0]


def apart(w, reference):
    """Largest difference, over the largest weight."""
    return float(np.abs(w - reference).max() / np.abs(reference).max())


def approach(phi, y, sigma, to, w):
    """Distance of `w` from maximum likelihood, over the largest that a prior of width `to` allows.

    With mu the smallest eigenvalue of Phi^T Phi, each component of the likelihood's weights shrinks
    by (sigma / to)^2 / (mu + ...) at most.
    """
    likely = np.linalg.lstsq(phi, y, rcond=None)[0]
    smallest = np.linalg.svd(phi, compute_uv=False)[-1] ** 2
    return np.linalg.norm(w - likely) / ((sigma / to) ** 2 / smallest * np.linalg.norm(likely))


def measure(cell, seeds):
    """How far minimizers of penalized losses are from the mode of the posterior."""
    from suite.theory import map_weights

    sigma, prior_sd = SIGMA[cell.data], cell.prior_sd
    names = ("ridge", "numeric", "sum_lambda_1", "mean_lambda_1_n", "mean_lambda_1", "likelihood",
             "loosened", "not_loosened")  # fmt: skip
    values = {name: np.empty(len(seeds)) for name in names}
    paths = np.empty((len(seeds), len(STRENGTHS)))
    for i, seed in enumerate(seeds):
        phi, y = draw(cell.data, seed)
        n = len(y)
        mode, condition = completed_square(phi, y, sigma, prior_sd)
        ridge = map_weights(phi, y, sigma, prior_sd)
        maximum_likelihood = np.linalg.lstsq(phi, y, rcond=None)[0]

        def minimizer(weight_of_loss, strength, phi=phi, y=y):
            return penalized(phi, y, sigma, prior_sd, weight_of_loss, strength)

        # Solving a system multiplies rounding by its condition number.
        for name, w in {
            "ridge": ridge,
            "sum_lambda_1": minimizer(1.0, 1.0),
            "mean_lambda_1_n": minimizer(1 / n, 1 / n),
            "mean_lambda_1": minimizer(1 / n, 1.0),
            "likelihood": maximum_likelihood,
        }.items():
            values[name][i] = apart(w, mode) / condition
        values["numeric"][i] = apart(numeric_mode(phi, y, sigma, prior_sd), mode)
        values["loosened"][i] = max(
            approach(phi, y, sigma, sd, map_weights(phi, y, sigma, sd)) for sd in LOOSE_SDS
        )
        values["not_loosened"][i] = approach(phi, y, sigma, LOOSE_SDS[-1], ridge)
        paths[i] = [apart(minimizer(1 / n, s / n), mode) for s in STRENGTHS]
    return Measurements(
        metrics=values,
        curves={"distance": paths} if cell.prior_sd == DRAWN_AT else {},
        axes={"distance": STRENGTHS},
        arrays=picture(int(seeds[0]), prior_sd) if cell.data == TWO else {},
    )


def picture(seed, prior_sd):
    """Posterior over two weights, over its largest value, and the modes of all strengths."""
    from suite.theory import map_weights

    phi, y = draw(TWO, seed)
    sigma, n = SIGMA[TWO], SAMPLES[TWO]
    likely = np.linalg.lstsq(phi, y, rcond=None)[0]
    mode = map_weights(phi, y, sigma, prior_sd)
    # A frame that shows the prior's mode, at zero, and that of the likelihood.
    low, high = np.minimum(likely, 0) - 0.4, np.maximum(likely, 0) + 0.4
    first, second = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
    surface = np.array(
        [[log_posterior(np.array([a, b]), phi, y, sigma, prior_sd) for a in first] for b in second]
    )
    best = log_posterior(mode, phi, y, sigma, prior_sd)
    return {
        "posterior": np.exp(surface - best),
        "posterior.x": first,
        "posterior.y": second,
        "prior": np.zeros((1, 2)),
        "maximum likelihood": likely[None],
        "MAP": mode[None],
        "mean loss with λ = 1": penalized(phi, y, sigma, prior_sd, 1 / n, 1.0)[None],
        "all strengths": np.array(
            [penalized(phi, y, sigma, prior_sd, 1.0, s) for s in STRENGTHS[::2]]
        ),
    }


EXPERIMENT = Experiment(
    claim="C53",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C53.argmax",
            "MAP weights are where likelihood times prior is largest: the evidence changes "
            "nothing.",
            rule=AtMost("numeric", bound=NUMERIC),
            kind="as stated",
            formula=r"\arg\max_w p(\mathcal D\mid w)\, p(w\mid\sigma_0^2)",
            mutants=(Mutant("where the likelihood alone is largest", {"metric": "likelihood"}),),
        ),
        Hypothesis(
            "C53.mean",
            "MAP weights are where the empirical risk, a mean, minus the log prior is smallest.",
            rule=Identity("mean_lambda_1", terms=LONGEST),
            kind="as stated",
            formula=r"\arg\min_w \hat{\mathcal R}(w) - \log p(w)",
        ),
        Hypothesis(
            "C53.one_over_n",
            "The mean loss plus λ times minus the log prior gives the MAP weights with λ = 1/N.",
            rule=Identity("mean_lambda_1_n", terms=LONGEST),
            formula=r"\arg\min_w \frac1N\sum_n \ell_n(w) - \frac1N \log p(w)",
            mutants=(
                Mutant("λ = 1 with the mean loss", {"metric": "mean_lambda_1"}),
                Mutant("maximum likelihood", {"metric": "likelihood"}),
            ),
        ),
        Hypothesis(
            "C53.sum",
            "The sum of the losses gives them with λ = 1.",
            rule=Identity("sum_lambda_1", terms=LONGEST),
            formula=r"\arg\min_w \sum_n \ell_n(w) - \log p(w)",
            mutants=(Mutant("the mean loss", {"metric": "mean_lambda_1"}),),
        ),
        Hypothesis(
            "C53.ridge",
            "For Gaussian noise and a Gaussian prior the mode is ridge regression.",
            rule=Identity("ridge", terms=LONGEST),
            formula=r"\hat w = \Bigl(\Phi^\top\Phi + \frac{\sigma^2}{\sigma_0^2} I\Bigr)^{-1}"
            r"\Phi^\top y",
            mutants=(Mutant("maximum likelihood", {"metric": "likelihood"}),),
        ),
        Hypothesis(
            "C53.limit",
            "As the prior loosens, the mode approaches maximum likelihood: at 10, 100 and 1000 it "
            "is within what 1/σ₀² allows.",
            # A theorem, so the bound is 1; μ is the smallest eigenvalue of ΦᵀΦ.
            rule=AtMost("loosened", bound=1.0),
            formula=r"\lVert \hat w - w_{\text{ML}}\rVert \le "
            r"\frac{\sigma^2}{\sigma_0^2\,\mu}\lVert w_{\text{ML}}\rVert",
            mutants=(Mutant("the width does not matter", {"metric": "not_loosened"}),),
        ),
    ),
    factors={"data": DATA, "prior_sd": PRIOR_SDS},
    seeds=20,  # identities
    paired=("data", "noise"),
    metrics={
        "ridge": Metric("distance of ridge weights from the mode, over the condition number", "1"),
        "numeric": Metric("distance of a general optimizer's result from the mode", "1"),
        "sum_lambda_1": Metric(
            "distance with summed loss and λ = 1, over the condition number", "1"
        ),
        "mean_lambda_1_n": Metric(
            "distance with mean loss and λ = 1/N, over the condition number", "1"
        ),
        "mean_lambda_1": Metric(
            "distance with mean loss and λ = 1, over the condition number", "1"
        ),
        "likelihood": Metric(
            "distance of maximum likelihood from the mode, over the condition number", "1"
        ),
        "loosened": Metric("distance from maximum likelihood over what a loose prior allows", "1"),
        "not_loosened": Metric("distance of the tight prior's mode from it, over the same", "1"),
    },
    figure=(
        Plane(
            x_label="weight w₁",
            y_label="weight w₂",
            title="Posterior over its largest value",
            surface="posterior",
            points=("prior", "maximum likelihood", "MAP", "mean loss with λ = 1"),
            paths=("all strengths",),
            by="prior_sd",
            where={"data": TWO},
        ),
        Curves(
            y="distance",
            by="data",
            where={"prior_sd": DRAWN_AT},
            x_label="λ N, next to the mean loss",
            y_label="distance from the MAP weights, relative",
            title="The penalized mean loss meets the mode of the posterior at λ = 1/N alone",
            log="x",
        ),
    ),
    finding=(
        "The mode of the posterior is ridge regression, and the minimum of the summed loss plus "
        "minus the log prior. Next to a mean loss, as in the empirical risk, that penalty needs "
        "λ = 1/N: with λ = 1 the prior counts N times."
    ),
    stated=r"\min_f \hat{\mathcal R}(f) + \lambda\, C(f),\quad C = -\log p(f)"
    r"\ \Rightarrow\ \text{MAP}",
    corrected=r"\min_w \frac1N\sum_n \ell_n(w) + \frac1N C(w) \iff "
    r"\max_w p(\mathcal D\mid w)\,p(w)",
    components=("suite.theory.map_weights",),
    limits=(
        "Gaussian noise of known variance and a Gaussian prior, where every minimum is known. The "
        "factor N is the same for any likelihood. The mode is one point of the posterior: it says "
        "nothing of its width (C03)."
    ),
    measure=measure,
)
