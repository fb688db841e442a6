"""Whitening: PCA and ZCA are two of infinitely many ways, and ZCA moves the data least.

Lecture section "Activation normalization", claim C44. For data of covariance `Sigma` with
eigenvalues `lambda` and eigenvectors `U`, every whitener is a rotation of one of them:

    z = W (x - mean),   E[z z^T] = W Sigma W^T = I    iff    W = Q Sigma^(-1/2),   Q Q^T = I
    W = diag(lambda)^(-1/2) U^T          PCA          Q = U^T
    W = U diag(lambda)^(-1/2) U^T        ZCA          Q = I

The way that the data travel is, for D features,

    E||z - (x - mean)||^2 = D + tr Sigma - 2 tr(Q Sigma^(1/2))  >=  sum_i (sqrt(lambda_i) - 1)^2

with equality for Q = I alone (orthogonal Procrustes). The slide asks for V[(z - mean)(z - mean)^T]
= I. The entries of the outer product z z^T do have variances, but these add up to at least
D (D - 1), since E||z||^4 >= (E||z||^2)^2 = D^2, where those of I add up to D.
"""

import numpy as np
from scipy.linalg import eigh, inv

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.normalization_and_skip import _covariances
from benchmarks.experiments.normalization_and_skip._covariances import (
    DATA,
    LONGEST,
    MILD,
    PLANE,
    STEEP,
    covariance,
)
from benchmarks.verdicts import AtMost, Identity, every

RAW, STANDARDIZED, ROTATED = "as it is", "standardized", "rotated at random"
METHODS = (RAW, "pca", "zca", "cholesky", ROTATED, STANDARDIZED)
SLIDE = ("pca", "zca")
WHITENERS = (*SLIDE, "cholesky", ROTATED)
ROTATIONS = 200  # a seed: half of them anywhere, half of them close to none
ANGLES = np.linspace(-180, 180, 73)


def whitened(method, x, rng):
    """Matrix `(features, features)` and output `(samples, features)` of one level of `method`."""
    centered = x - x.mean(axis=0)
    if method == RAW:
        return np.eye(x.shape[1]), x
    if method == STANDARDIZED:
        return np.diag(1 / x.std(axis=0)), centered / x.std(axis=0)
    if method == ROTATED:
        w, z = _covariances.adapted("zca", x)
        q = _covariances.orthogonal(x.shape[1], rng)[0]
        return q @ w, z @ q.T
    return _covariances.adapted(method, x)


def outer_variances(z):
    """Variances of the entries of `(z - mean) (z - mean)^T`, `(features, features)`."""
    centered = z - z.mean(axis=0)
    squares = centered**2
    return squares.T @ squares / len(z) - covariance(z) ** 2


def rotations(features, rng):
    """Orthogonal matrices `(ROTATIONS, features, features)`, half of them close to the identity."""
    skew = rng.normal(size=(ROTATIONS // 2, features, features))
    size = 10 ** rng.uniform(-3, 0, (ROTATIONS // 2, 1, 1))
    skew = size * (skew - np.swapaxes(skew, 1, 2)) / 2
    identity = np.eye(features)
    near = np.linalg.solve(identity - skew, identity + skew)  # Cayley
    return np.concatenate([_covariances.orthogonal(features, rng, ROTATIONS // 2), near])


def is_refused(x):
    """Whether the layer finds these samples too few to whiten."""
    try:
        _covariances.adapted("zca", x)
    except ValueError:
        return True
    return False


def sklearn_error(x, z):
    """Deviation from scikit-learn's PCA, signs aside, with N / (N - 1) and without."""
    from sklearn.decomposition import PCA

    theirs = np.abs(PCA(whiten=True).fit_transform(x))
    factor = np.sqrt(len(x) / (len(x) - 1))  # it divides by N - 1
    return [np.abs(np.abs(z) - f * theirs).max() / theirs.max() for f in (factor, 1.0)]


def measure(cell, seeds):
    """One whitener on one data set, one value a seed."""
    measured = [name for name, metric in EXPERIMENT.metrics.items() if not metric.partial]
    if cell.method == "zca":
        measured += ["accepted_too_few", "accepted_one_more"]
    compared = cell.method == "pca" and cell.data in (MILD, STEEP)
    if compared:
        measured += ["sklearn_error", "sklearn_error_plain"]
    values = {name: np.empty(len(seeds)) for name in measured}
    distances = np.empty((len(seeds), len(ANGLES)))
    for i, seed in enumerate(seeds):
        x, rng = _covariances.problem(cell.data, seed), np.random.default_rng([int(seed), 1])
        samples, features = x.shape
        w, z = whitened(cell.method, x, rng)
        centered, sigma, identity = x - x.mean(axis=0), covariance(x), np.eye(features)
        eigenvalues = eigh(sigma, eigvals_only=True)
        condition = eigenvalues[-1] / eigenvalues[0]
        if i == 0 and cell.data == PLANE:
            arrays = _covariances.picture(x, w, z)

        residual = covariance(z) - identity
        values["residual"][i] = np.linalg.norm(residual)
        values["white_error"][i] = max(np.abs(residual).max(), abs(z.mean(axis=0)).max())
        values["bessel_error"][i] = np.abs(np.cov(z.T) - identity).max()
        precision = inv(sigma)
        values["precision_error"][i] = np.abs(w.T @ w - precision).max() / np.abs(precision).max()

        variances = outer_variances(z)
        least = features * (features - 1)
        values["variance_error"][i] = np.abs(variances - identity).max()
        values["variance_shortfall"][i] = max(0.0, least - variances.sum()) / least
        values["variance_shortfall_slide"][i] = max(0.0, least - features) / least

        distance = ((z - centered) ** 2).sum(axis=1).mean()
        values["distance"][i] = distance
        closed = ((np.sqrt(eigenvalues) - 1) ** 2).sum()
        values["distance_error"][i] = abs(distance - closed) / (features + eigenvalues.sum())
        # D + tr(Sigma) - 2 tr(Q W Sigma) falls below the whitener's own distance.
        turned = np.einsum("nij,ji->n", rotations(features, rng), w @ sigma)
        values["closer_rotations"][i] = np.sum(turned > np.trace(w @ sigma))
        for name in ("white_error", "bessel_error", "precision_error", "distance_error"):
            values[name][i] /= condition

        if cell.method == "zca":
            accepted = [not is_refused(x[:n]) for n in (2, features, features + 1)]
            values["accepted_too_few"][i] = sum(accepted[:2])
            values["accepted_one_more"][i] = accepted[2]
        if compared:
            errors = np.array(sklearn_error(x, z)) / condition
            values["sklearn_error"][i], values["sklearn_error_plain"][i] = errors
        if cell.method == "zca" and cell.data == PLANE:
            for j, angle in enumerate(np.deg2rad(ANGLES)):
                moved = z @ _covariances.rotation(angle).T - centered
                distances[i, j] = (moved**2).sum(axis=1).mean()

    found = Measurements(metrics=values)
    if cell.data == PLANE:
        found.arrays = arrays
        if cell.method == "zca":
            trace, cosine = np.sqrt(eigenvalues).sum(), np.cos(np.deg2rad(ANGLES))
            found.curves, found.axes = {"distance": distances}, {"distance": ANGLES}
            found.theory = {"distance": features + eigenvalues.sum() - 2 * cosine * trace}
    return found


def method_mutants(*methods):
    """The same rule, looking at these levels of `method`."""
    return tuple(Mutant(f"data {m}", {"where": {"method": m}}) for m in methods)


EXPERIMENT = Experiment(
    claim="C44",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C44.white",
            "The PCA and the ZCA solution bring the data to mean 0 and covariance I.",
            # The metric is divided by the condition number of the covariance, as all below.
            Identity("white_error", terms=LONGEST, where={"method": SLIDE}),
            kind="as stated",
            formula=r"W = \Lambda^{-1/2} U^\top \;\text{or}\; U \Lambda^{-1/2} U^\top: "
            r"\quad W \Sigma W^\top = I",
            mutants=(
                *method_mutants(RAW, STANDARDIZED),
                Mutant("covariance that divides by N − 1", {"metric": "bessel_error"}),
            ),
        ),
        Hypothesis(
            "C44.variance",
            "After whitening the variance of (z\u00a0−\u00a0z̄)(z\u00a0−\u00a0z̄)ᵀ, entry by entry, "
            "is the identity.",
            Identity("variance_error", terms=LONGEST, where={"method": SLIDE}),
            kind="as stated",
            formula=r"\mathbb{V}\left[(z - \bar z)(z - \bar z)^\top\right] = I",
        ),
        Hypothesis(
            "C44.expectation",
            "The expectation of that matrix is I; its variances add up to at least "
            "D(D\u00a0−\u00a01), which is more than the identity's D for any data of more than "
            "two features.",
            every(
                Identity("white_error", terms=LONGEST, where={"method": SLIDE}),
                Identity("variance_shortfall", terms=LONGEST, where={"method": SLIDE}),
            ),
            formula=r"\mathbb{E}\left[(z - \bar z)(z - \bar z)^\top\right] = I, \quad "
            r"\sum_{ij} \mathbb{V}[z_i z_j] = \mathbb{E} \lVert z \rVert^4 - D \ge D (D - 1)",
            mutants=(
                Mutant("variances that are those of I", {"metric": "variance_error"}),
                Mutant("variances that add up to D", {"metric": "variance_shortfall_slide"}),
            ),
        ),
        Hypothesis(
            "C44.family",
            "A whitener turned at random is a whitener: they all share WᵀW\u00a0=\u00a0Σ⁻¹.",
            every(
                Identity("white_error", terms=LONGEST, where={"method": WHITENERS}),
                Identity("precision_error", terms=LONGEST, where={"method": WHITENERS}),
            ),
            formula=r"W \Sigma W^\top = I \iff W = Q \Sigma^{-1/2}, \; Q Q^\top = I "
            r"\iff W^\top W = \Sigma^{-1}",
            mutants=method_mutants(RAW, STANDARDIZED),
        ),
        Hypothesis(
            "C44.closest",
            "ZCA moves the data by Σᵢ(√λᵢ\u00a0−\u00a01)² on average; no whitener does less.",
            Identity("distance_error", terms=LONGEST, where={"method": "zca"}),
            formula=r"\min_W \mathbb{E} \lVert z - (x - \bar x) \rVert^2 = "
            r"D + \mathrm{tr}\, \Sigma - 2 \max_Q \mathrm{tr}(Q \Sigma^{1/2}) = "
            r"\sum_i \left(\sqrt{\lambda_i} - 1\right)^2",
            mutants=tuple(
                Mutant(name, {"where": {"method": name}}) for name in ("pca", "cholesky", ROTATED)
            ),
        ),
        Hypothesis(
            "C44.rotations",
            f"None of {ROTATIONS} rotations, near and far, brings ZCA's output closer to the data.",
            AtMost("closer_rotations", 0, where={"method": "zca"}),
            mutants=tuple(
                Mutant(name, {"where": {"method": name}}) for name in ("pca", "cholesky")
            ),
        ),
        Hypothesis(
            "C44.samples",
            "As many samples as features are too few: the covariance is singular and the layer "
            "refuses it.",
            AtMost("accepted_too_few", 0, where={"method": "zca"}),
            formula=r"\mathrm{rank}\, \Sigma \le \min(N - 1, D)",
            mutants=(Mutant("one sample more", {"metric": "accepted_one_more"}),),
        ),
        Hypothesis(
            "C44.principal",
            "The PCA solution is scikit-learn's, up to signs and a factor √(N/(N\u00a0−\u00a01)).",
            # Real data may have two equal eigenvalues, whose axes nobody can tell apart.
            Identity(
                "sklearn_error", terms=LONGEST, where={"method": "pca", "data": (MILD, STEEP)}
            ),
            mutants=(Mutant("without the factor", {"metric": "sklearn_error_plain"}),),
        ),
    ),
    factors={"data": DATA, "method": METHODS},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data",),
    metrics={
        "residual": Metric("Frobenius norm of the covariance minus I", "1", "lower"),
        "white_error": Metric(
            "deviation of mean and covariance from 0 and I, per condition number", "1", "lower"
        ),
        "bessel_error": Metric("the same for the covariance that divides by N − 1", "1"),
        "precision_error": Metric("deviation of WᵀW from Σ⁻¹, per condition number", "1", "lower"),
        "variance_error": Metric("deviation of the outer product's variances from I", "1", "lower"),
        "variance_shortfall": Metric("what their sum lacks to D(D − 1), relative", "1", "lower"),
        "variance_shortfall_slide": Metric("what the sum of I lacks to D(D − 1), relative", "1"),
        "distance": Metric("mean squared distance from the centered data", "1", "lower"),
        "distance_error": Metric(
            "its deviation from the least, relative, per condition number", "1", "lower"
        ),
        "closer_rotations": Metric("rotations that come closer", "rotation", "lower"),
        "accepted_too_few": Metric(
            "times that N = 2 or N = D was accepted", "1", "lower", partial=True
        ),
        "accepted_one_more": Metric("times that N = D + 1 was accepted", "1", partial=True),
        "sklearn_error": Metric(
            "deviation from scikit-learn, per condition number", "1", "lower", partial=True
        ),
        "sklearn_error_plain": Metric("the same without the factor", "1", partial=True),
    },
    figure=(
        Plane(
            points=("samples",),
            paths=("x1_axis", "x2_axis"),
            by="method",
            where={"data": PLANE, "method": (RAW, "pca", "zca", "cholesky")},
            x_label="first coordinate",
            y_label="second coordinate",
            title="Before and after whitening",
        ),
        Curves(
            y="distance",
            where={"data": PLANE, "method": "zca"},
            x_label="further rotation of ZCA's output, degrees",
            y_label="mean squared distance from the data",
            title="Every rotation is white; the one that moves the data least is none",
        ),
    ),
    measure=measure,
    finding="Both solutions whiten, as does every rotation of them, and ZCA moves the data least; "
    "the slide's variance of an outer product has to be an expectation.",
    stated=r"\mathbb{V}\left[(z - \bar z)(z - \bar z)^\top\right] = I",
    corrected=r"\mathbb{E}\left[(z - \bar z)(z - \bar z)^\top\right] = I",
    figures=("F20",),
    components=("suite.layers.Whitening",),
    limits="Errors are counted per condition number of the covariance: for data as correlated as "
    "the measurements of tumors several digits are lost. Whether white inputs train faster is not "
    "asked here.",
)
