"""A Gaussian prior is not conjugate to the logistic likelihood, but for fixed inputs one prior is.

Lecture section "Logistic regression", claim C03. With a Gaussian prior of unit variance,

    log p(w | X, y) = - ||w||^2 / 2 + sum_n [ y_n z_n - log(1 + exp(z_n)) ] + const,    z = X w

is no quadratic, so the posterior is no Gaussian and has to be approximated: by a Gaussian at its
mode (Laplace), by the Gaussian under Jaakkola and Jordan's quadratic lower bound

    log sigma(z) >= log sigma(xi) + (z - xi) / 2 - lambda(xi) (z^2 - xi^2)
    lambda(xi) = tanh(xi / 2) / (4 xi)

or by samples (Metropolis). In two dimensions a grid integrates it to rounding, which judges all
three. That *no* prior is conjugate goes too far: for fixed inputs the family of Diaconis and
Ylvisaker, exp(a_0 (y_0^T X w - sum_n log(1 + exp(z_n)))), is closed; labels y turn (a_0, y_0) into
(a_0 + 1, (a_0 y_0 + y) / (a_0 + 1)). It is tied to its inputs: labels at others leave it.

Reference: Jaakkola & Jordan 2000, Bayesian parameter estimation via variational methods;
Diaconis & Ylvisaker 1979, Conjugate priors for exponential families.
"""

import numpy as np
from scipy import stats
from scipy.linalg import eigvalsh
from scipy.special import expit, log_expit

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.logistic_regression import _planar
from benchmarks.verdicts import AtMost, Identity, Sign, Within, every

SAMPLES = (5, 50, 500)
# In standard deviations of the Laplace approximation. The log-density is concave, so the tails
# fall at least exponentially; where the prior dominates, as a Gaussian.
REACH = 8.0
# Nodes a side: the integrands are analytic, so that the error of the trapezoidal rule falls
# exponentially with their number. Every second node tells how large it is.
NODES = 49
CHAINS, WARM_UP = 4, 100
BATCHES = 20  # a chain: each is many autocorrelation times long (about 10 steps)
PROPOSAL = 2.38 / np.sqrt(2)  # optimal for a Gaussian target (Roberts, Gelman & Gilks 1997)
# Four-sigma level, for a standard error that is estimated from all batches.
DEVIATION = float(stats.t.isf(stats.norm.sf(4), CHAINS * BATCHES - 1))
ROUNDS = 500  # of the variational updates; the last change is checked
POINTS, PIXELS, DRAWN = 50, 41, 150
HALF = np.sqrt(2 * np.log(2))  # radius, in standard deviations, where a Gaussian is half its peak
TERMS = max(SAMPLES) + 2  # of the longest sum, and of the products before it
ROUNDING = 64 * TERMS * np.finfo(float).eps


def problem(data, samples, seed):
    """Features `(samples, 2)` in float64 and labels 0.0 and 1.0 `(samples,)`; no bias."""
    from suite.datasets import gaussian_classes, load_arrays

    if data == _planar.SYNTHETIC:
        drawn = gaussian_classes(samples, 2, int(seed))
        return drawn.x, drawn.y.astype(float)
    split = load_arrays("breast_cancer", seed=0, validation=0.0, test=0.0)
    rows = np.random.default_rng(int(seed)).choice(len(split.x_train), samples, replace=False)
    return split.x_train[rows][:, _planar.COLUMNS].astype(float), split.y_train[rows].astype(float)


def log_density(w, x, y):
    """Unnormalized log-posterior under a standard normal prior, `(..., 2)` to `(...)`."""
    z = w @ x.T
    # log(1 + exp(z)) without overflow, four times as fast as NumPy's logaddexp
    softplus = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    return z @ y - softplus.sum(axis=-1) - (w**2).sum(axis=-1) / 2


def least_squares(w, x, y):
    """Unnormalized log-posterior of linear regression with unit noise, under the same prior."""
    return w @ (x.T @ y) - ((w @ (x.T @ x + np.eye(x.shape[1]))) * w).sum(axis=-1) / 2


def laplace(x, y):
    """Mode `(2,)` and inverse Hessian `(2, 2)` of the negative log-posterior."""
    from suite.training.newton import logistic_gradient, logistic_hessian

    w, eye = np.zeros(x.shape[1]), np.eye(x.shape[1])
    for _ in range(100):
        inverse = np.linalg.inv(logistic_hessian(w, x) + eye)
        step = inverse @ (logistic_gradient(w, x, y) + w)
        w = w - step
        if np.abs(step).max() <= 1e-10:  # the digits double: far less is left
            return w, inverse
    raise RuntimeError("Newton's method did not find the posterior's mode")


def bend(xi):
    """`lambda(xi) = tanh(xi / 2) / (4 xi)`, half the curvature of the bound."""
    return np.tanh(xi / 2) / (4 * xi)


def tangent_bend(xi):
    """Half the curvature of `-log sigma` itself at `xi`, which is too little for a bound."""
    return expit(xi) * expit(-xi) / 2


def parabola(z, xi, curvature):
    """`log sigma(xi) + (z - xi) / 2 - c (z^2 - xi^2)`: a bound if `c = lambda(xi)`."""
    return log_expit(xi) + (z - xi) / 2 - curvature * (z**2 - xi**2)


def gaussian_under(curvature, xi, x, y):
    """Mean, covariance and log-integral of prior times bound, for coefficients `(samples,)`."""
    covariance = np.linalg.inv(np.eye(x.shape[1]) + 2 * x.T @ (curvature[:, None] * x))
    mean = covariance @ (x.T @ (y - 0.5))
    constant = (log_expit(xi) - xi / 2 + curvature * xi**2).sum()
    integral = np.linalg.slogdet(covariance)[1] / 2 + mean @ np.linalg.solve(covariance, mean) / 2
    return mean, covariance, constant + integral


def variational(x, y):
    """`xi (samples,)` that maximize the lower bound on the evidence: expectation-maximization."""
    xi = np.ones(len(x))
    for _ in range(ROUNDS):
        mean, covariance, _ = gaussian_under(bend(xi), xi, x, y)
        before, xi = xi, np.sqrt(((x @ (covariance + np.outer(mean, mean))) * x).sum(axis=1))
        if np.abs(xi - before).max() <= 1e-10 * xi.max():
            return xi
    raise RuntimeError(f"the variational bound was not maximized in {ROUNDS} rounds")


class Grid:
    """A density on nodes that follow a Gaussian's axes.

    Attributes:
        nodes: shape `(NODES, NODES, 2)`.
        log_evidence: logarithm of the integral of `exp(log_values)`.
    """

    def __init__(self, center, covariance, density):
        u = np.linspace(-REACH, REACH, NODES)
        factor = np.linalg.cholesky(covariance)
        nodes = center + np.stack(np.meshgrid(u, u), axis=-1) @ factor.T
        self._fill(nodes, density(nodes), (u[1] - u[0]) ** 2 * np.prod(np.diag(factor)))

    def _fill(self, nodes, logs, cell):
        top = logs.max()
        self.nodes, self.cell = nodes, cell
        self.log_evidence = top + np.log(np.exp(logs - top).sum() * cell)
        self.logs = logs - self.log_evidence
        self.mass = np.exp(self.logs) * cell

    def every_second(self):
        """The same density on a quarter of the nodes."""
        coarse = object.__new__(Grid)
        coarse._fill(self.nodes[::2, ::2], (self.logs + self.log_evidence)[::2, ::2], 4 * self.cell)
        return coarse

    def mean(self, values):
        """Expectation of values on the nodes, `(NODES, NODES, ...)` to `(...)`."""
        return np.tensordot(self.mass, values, axes=2)

    def distance(self, mean, covariance):
        """Total variation between the density and a Gaussian: half the integral of |p - q|."""
        other = np.exp(gaussian_log(self.nodes, mean, covariance)) * self.cell
        return np.abs(self.mass - other).sum() / 2

    def moments(self):
        """Mean `(2,)` and covariance `(2, 2)`."""
        mean = self.mean(self.nodes)
        off = self.nodes - mean
        return mean, self.mean(off[..., :, None] * off[..., None, :])

    def divergence(self):
        """Kullback-Leibler divergence from the Gaussian of the same mean and covariance."""
        return self.mean(self.logs - gaussian_log(self.nodes, *self.moments()))


def gaussian_log(w, mean, covariance):
    """Log-density of a Gaussian, `(..., 2)` to `(...)`."""
    off = w - mean
    quadratic = (off * np.linalg.solve(covariance, off[..., None])[..., 0]).sum(axis=-1)
    return -quadratic / 2 - np.linalg.slogdet(2 * np.pi * covariance)[1] / 2


def error_share(grid):
    """Quadrature error over divergence: 1 if nothing tells a density from a Gaussian."""
    divergence = grid.divergence()
    error = abs(divergence - grid.every_second().divergence())
    return max(error, ROUNDING) / max(divergence, ROUNDING)


def metropolis(x, y, mode, covariance, steps, rng):
    """Random walk, `(CHAINS, steps, 2)`, its log-densities, and which steps were accepted."""
    factor = np.linalg.cholesky(covariance)
    w = mode + rng.normal(size=(CHAINS, 2)) @ factor.T
    moves = PROPOSAL * rng.normal(size=(WARM_UP + steps, CHAINS, 2)) @ factor.T
    thresholds = np.log(rng.random((WARM_UP + steps, CHAINS)))
    logs = log_density(w, x, y)
    chain, values = np.empty((WARM_UP + steps, CHAINS, 2)), np.empty((WARM_UP + steps, CHAINS))
    accepted = np.empty((WARM_UP + steps, CHAINS), bool)
    for t in range(WARM_UP + steps):
        proposed = w + moves[t]
        theirs = log_density(proposed, x, y)
        accepted[t] = thresholds[t] < theirs - logs
        w = np.where(accepted[t][:, None], proposed, w)
        logs = np.where(accepted[t], theirs, logs)
        chain[t], values[t] = w, logs
    kept = slice(WARM_UP, None)
    return chain[kept].swapaxes(0, 1), values[kept].T, accepted[kept].T


def standard_error(values):
    """Of the mean of chains `(CHAINS, steps, quantities)`, from the means of their batches."""
    steps = values.shape[1] // BATCHES * BATCHES
    means = values[:, :steps].reshape(CHAINS * BATCHES, steps // BATCHES, -1).mean(axis=1)
    return means.std(axis=0, ddof=1) / np.sqrt(len(means))


def sampler_against_grid(grid, chain, logs, accepted):
    """Largest deviation in standard errors, of all states and of those moved to; sample size.

    Compared are the means of both weights and of the log-density. The last one sees a sampler
    whose spread is wrong, which the means of the weights may forgive.
    """
    values = np.concatenate([chain, logs[..., None]], axis=-1)
    there = np.concatenate([grid.nodes, (grid.logs + grid.log_evidence)[..., None]], axis=-1)
    exact = grid.mean(there)
    error = standard_error(values)
    states = np.abs(values.mean(axis=(0, 1)) - exact) / error
    moves = np.abs(values[accepted].mean(axis=0) - exact) / error
    variances = grid.mean((there - exact) ** 2)
    return states.max(), moves.max(), (variances / error**2).min()


def family_energy(w, x, strength, pseudo_labels):
    """`a (y^T X w - sum_n log(1 + exp(z_n)))` at weights `(points, 2)`."""
    z = w @ x.T
    return strength * (z @ pseudo_labels - np.logaddexp(0, z).sum(axis=1))


def conjugacy(x, y, rng):
    """Deviation of prior times likelihood from the family: right update, and two wrong ones.

    Relative to the largest of the terms that are added.
    """
    from suite.training.newton import logistic_loss

    w, strength = rng.normal(size=(POINTS, 2)), rng.uniform(0.5, 3)
    before = rng.uniform(size=len(y))
    after = (strength * before + y) / (strength + 1)
    other = x + rng.normal(size=x.shape)
    prior = family_energy(w, x, strength, before)
    posterior = family_energy(w, x, strength + 1, after)

    def off(inputs, claimed):
        likelihood = -np.array([logistic_loss(v, inputs, y) for v in w])
        return np.abs(prior + likelihood - claimed).max() / np.abs(prior).max()

    plain_sum = family_energy(w, x, strength + 1, before + y)
    return off(x, posterior), off(other, posterior), off(x, plain_sum)


def ellipse(mean, covariance):
    """Where a Gaussian has half the density of its peak, `(61, 2)`."""
    angles = np.linspace(0, 2 * np.pi, 61)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return mean + HALF * circle @ np.linalg.cholesky(covariance).T


def picture(x, y, mode, covariance, xi, chain):
    """Posterior relative to its peak on a grid, half-peak ellipses and thinned samples."""
    reach = 3.5 * np.sqrt(np.diag(covariance))
    columns, rows = (np.linspace(m - r, m + r, PIXELS) for m, r in zip(mode, reach, strict=True))
    nodes = np.stack(np.meshgrid(columns, rows), axis=-1)
    logs = log_density(nodes, x, y) - log_density(mode, x, y)
    draws = chain.reshape(-1, 2)
    return {
        "posterior": np.exp(logs),
        "posterior.x": columns,
        "posterior.y": rows,
        "Laplace": ellipse(mode, covariance),
        "variational": ellipse(*gaussian_under(bend(xi), xi, x, y)[:2]),
        "Metropolis": draws[:: len(draws) // DRAWN][:DRAWN],
    }


def measure(cell, seeds):
    """Three approximations against a grid, and the conjugate family, one value a seed."""
    names = (
        "error_share", "error_share_linear", "divergence", "laplace_distance",
        "variational_distance", "distance_ratio", "widest_share", "widest_share_tangent",
        "bound_violation", "tangent_violation", "evidence_excess", "evidence_excess_tangent",
        "sampler_deviation", "moves_only_deviation", "effective_samples", "conjugacy_error",
        "conjugacy_other_inputs", "conjugacy_plain_sum",
    )  # fmt: skip
    values = {name: np.empty(len(seeds)) for name in names}
    arrays = {}
    z = np.linspace(-10, 10, 101)[:, None]
    for i, seed in enumerate(seeds):
        x, y = problem(cell.data, cell.samples, seed)
        rng = np.random.default_rng([int(seed), 1])
        mode, covariance = laplace(x, y)
        grid = Grid(mode, covariance, lambda w, x=x, y=y: log_density(w, x, y))
        # The prior's normalization belongs to the evidence.
        evidence = grid.log_evidence - np.log(2 * np.pi)

        values["laplace_distance"][i] = grid.distance(mode, covariance)
        values["divergence"][i], values["error_share"][i] = grid.divergence(), error_share(grid)
        # Least squares with unit noise: there the Gaussian prior is conjugate.
        ridge = np.linalg.inv(x.T @ x + np.eye(2))
        values["error_share_linear"][i] = error_share(
            Grid(ridge @ x.T @ y, ridge, lambda w, x=x, y=y: least_squares(w, x, y))
        )

        xi = variational(x, y)
        mean, spread, bound = gaussian_under(bend(xi), xi, x, y)
        values["variational_distance"][i] = grid.distance(mean, spread)
        values["distance_ratio"][i] = (
            values["laplace_distance"][i] / values["variational_distance"][i]
        )
        exact = grid.moments()[1]
        _, tangent_spread, tangent_bound = gaussian_under(tangent_bend(xi), xi, x, y)
        values["widest_share"][i] = eigvalsh(spread, exact)[-1]
        values["widest_share_tangent"][i] = eigvalsh(tangent_spread, exact)[-1]
        values["evidence_excess"][i] = bound - evidence
        values["evidence_excess_tangent"][i] = tangent_bound - evidence
        for name, curvature in (("bound", bend(xi)), ("tangent", tangent_bend(xi))):
            excess = parabola(z, xi, curvature) - log_expit(z)
            values[f"{name}_violation"][i] = max(0.0, excess.max() / -log_expit(z).min())

        chain, logs, accepted = metropolis(x, y, mode, covariance, cell.steps, rng)
        (
            values["sampler_deviation"][i],
            values["moves_only_deviation"][i],
            values["effective_samples"][i],
        ) = sampler_against_grid(grid, chain, logs, accepted)
        (
            values["conjugacy_error"][i],
            values["conjugacy_other_inputs"][i],
            values["conjugacy_plain_sum"][i],
        ) = conjugacy(x, y, rng)
        if i == 0:
            arrays = picture(x, y, mode, covariance, xi, chain)
    return Measurements(metrics=values, arrays=arrays)


def on_both(rule, **kwargs):
    """A rule for each data set and each number of samples, which must not be pooled."""
    return every(
        *(
            rule(**kwargs, where={"data": data, "samples": samples})
            for data in _planar.DATA
            for samples in SAMPLES
        )
    )


EXPERIMENT = Experiment(
    claim="C03",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C03.stated",
            "The logistic likelihood has no conjugate prior: a prior times the likelihood always "
            "leaves the prior's family.",
            # One family that is closed, to the rounding of its sums, refutes this.
            on_both(Within, metric="conjugacy_error", low=ROUNDING, high=None),
            kind="as stated",
        ),
        Hypothesis(
            "C03.gaussian",
            "A Gaussian prior is not conjugate: the posterior differs from the Gaussian with its "
            "mean and covariance by far more than the error of integration.",
            AtMost("error_share", 0.1),  # an order of magnitude
            formula=r"\mathrm{KL}\left(p \,\middle\|\, \mathcal N(\mathbb E_p w, "
            r"\mathrm{Cov}_p w)\right) > 0",
            mutants=(Mutant("least squares, where it is", {"metric": "error_share_linear"}),),
        ),
        Hypothesis(
            "C03.conjugate",
            "For fixed inputs there is a conjugate prior, that of Diaconis and Ylvisaker: labels "
            "add one to its strength and are averaged into its pseudo-labels.",
            Identity("conjugacy_error", terms=TERMS),
            formula=r"p(w) \propto e^{a_0 \left(y_0^\top X w - \sum_n \log(1 + "
            r"e^{w^\top x_n})\right)}, \quad a_0 \to a_0 + 1, \quad "
            r"y_0 \to \frac{a_0 y_0 + y}{a_0 + 1}",
            mutants=(
                Mutant("labels at other inputs", {"metric": "conjugacy_other_inputs"}),
                Mutant("labels added, not averaged", {"metric": "conjugacy_plain_sum"}),
            ),
        ),
        Hypothesis(
            "C03.laplace",
            "From 50 samples to 500 the Laplace approximation comes closer to the posterior.",
            every(
                *(
                    Sign("laplace_distance", "samples", 50, 500, where={"data": data})
                    for data in _planar.DATA
                )
            ),
            formula=r"\mathrm{TV}_{500} < \mathrm{TV}_{50}",
            mutants=(
                Mutant("so does the variational Gaussian", {"metric": "variational_distance"}),
            ),
        ),
        Hypothesis(
            "C03.bound",
            "Jaakkola and Jordan's parabola lies below log\u00a0σ everywhere.",
            # Four terms; they touch at ξ and −ξ, where only rounding separates them.
            Identity("bound_violation", terms=4),
            formula=r"\log \sigma(z) \ge \log \sigma(\xi) + \frac{z - \xi}{2} - "
            r"\frac{\tanh(\xi / 2)}{4 \xi} (z^2 - \xi^2)",
            mutants=(Mutant("with the curvature of log σ", {"metric": "tangent_violation"}),),
        ),
        Hypothesis(
            "C03.evidence",
            "What it integrates to is a lower bound on the evidence.",
            AtMost("evidence_excess", 0),
            formula=r"\log \int p(w) \prod_n b(z_n, \xi_n)\, dw \le \log p(y \mid X)",
            mutants=(Mutant("with the curvature of log σ", {"metric": "evidence_excess_tangent"}),),
        ),
        Hypothesis(
            "C03.narrow",
            "The variational Gaussian is narrower than the posterior in every direction.",
            AtMost("widest_share", 1),
            formula=r"\max_v \frac{v^\top S v}{v^\top \mathrm{Cov}_p(w)\, v} \le 1",
            mutants=(Mutant("with the curvature of log σ", {"metric": "widest_share_tangent"}),),
        ),
        Hypothesis(
            "C03.overconfident",
            "More data does not mend that: with 500 samples it is further from the posterior than "
            "the Laplace approximation.",
            AtMost("distance_ratio", 1, where={"samples": 500}),
            # The bound's curvature exceeds that of log sigma by a factor that N does not change.
            formula=r"\lambda(\xi) > \tfrac12 \sigma(\xi) (1 - \sigma(\xi)), \quad \xi \ne 0",
            mutants=(Mutant("with 5 samples too", {"where": {"samples": 5}}),),
        ),
        Hypothesis(
            "C03.metropolis",
            "Samples of a Metropolis chain have the posterior's means, within the error that "
            "their effective number allows.",
            # Student's t of the batch means, at the level of four sigma, for each comparison.
            AtMost("sampler_deviation", DEVIATION),
            formula=r"\left| \bar f - \mathbb E_p f \right| \le 4 \sqrt{\mathrm{Var}_p f / "
            r"N_{\mathrm{eff}}}",
            mutants=(Mutant("rejected steps left out", {"metric": "moves_only_deviation"}),),
        ),
    ),
    factors={"data": _planar.DATA, "samples": SAMPLES},
    # Directions need 14 unanimous pairs; identities are decided by one.
    seeds=14,
    paired=("data", "noise"),
    budget={"steps": 2000},
    smoke={"steps": 1000},
    metrics={
        "error_share": Metric("error of integration over divergence from a Gaussian", "1", "lower"),
        "error_share_linear": Metric("the same for least squares", "1"),
        "divergence": Metric("divergence from the Gaussian of equal moments", "nat"),
        "laplace_distance": Metric("total variation to the Laplace approximation", "1", "lower"),
        "variational_distance": Metric("total variation to the variational Gaussian", "1", "lower"),
        "distance_ratio": Metric("the former over the latter", "1"),
        "widest_share": Metric("variational over exact variance, largest direction", "1"),
        "widest_share_tangent": Metric("the same with the curvature of log σ", "1"),
        "bound_violation": Metric("excess of the parabola over log σ, relative", "1", "lower"),
        "tangent_violation": Metric("the same with the curvature of log σ", "1"),
        "evidence_excess": Metric("variational bound minus log-evidence", "nat"),
        "evidence_excess_tangent": Metric("the same with the curvature of log σ", "nat"),
        "sampler_deviation": Metric("largest deviation of chain means", "standard error", "lower"),
        "moves_only_deviation": Metric("the same without rejected steps", "standard error"),
        "effective_samples": Metric("effective number of samples", "1", "higher"),
        "conjugacy_error": Metric("prior times likelihood against the family", "1", "lower"),
        "conjugacy_other_inputs": Metric("the same with labels at other inputs", "1"),
        "conjugacy_plain_sum": Metric("the same with labels added, not averaged", "1"),
    },
    figure=(
        Plane(
            surface="posterior",
            points=("Metropolis",),
            lines=("Laplace", "variational"),
            by="samples",
            where={"data": _planar.SYNTHETIC},
            x_label="first weight",
            y_label="second weight",
            title="Posterior relative to its peak, and where two Gaussians have half of theirs",
        ),
        Lines(
            x="samples",
            y="laplace_distance",
            by="data",
            log="xy",
            x_label="samples",
            y_label="total variation to the posterior",
            title="Laplace comes closer once there is data to speak of",
        ),
        Lines(
            x="samples",
            y="variational_distance",
            by="data",
            log="xy",
            x_label="samples",
            y_label="total variation to the posterior",
            title="The variational Gaussian does not: it stays too narrow",
        ),
    ),
    measure=measure,
    finding="With a Gaussian prior the posterior is no Gaussian and has to be approximated; but "
    "for fixed inputs a conjugate prior exists.",
    stated=r"\text{no conjugate prior}",
    corrected=r"\text{no Gaussian one; for fixed } X: \quad p(w) \propto "
    r"e^{a_0 \left(y_0^\top X w - \sum_n \log(1 + e^{w^\top x_n})\right)}",
    components=(
        "suite.training.newton.logistic_gradient",
        "suite.training.newton.logistic_hessian",
        "suite.training.newton.logistic_loss",
    ),
    limits="Two weights, no bias, and a prior of unit variance, so that a grid can integrate. The "
    "conjugate prior has no normalization in closed form and says nothing about other inputs: it "
    "does not spare the approximation. The bound is one variational method; a Gaussian that "
    "minimizes the divergence itself is wider. Auxiliary Pólya-Gamma variables, which make the "
    "Gaussian prior conditionally conjugate, are not tested.",
)
