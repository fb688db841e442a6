"""The square root of the covariance colors; the inverse of its Cholesky factor whitens.

Lecture section "Activation normalization", claim C45. The slide obtains `W = Sigma^(1/2)` from a
Cholesky decomposition. That map sends white data to data of covariance Sigma, and data of
covariance Sigma to Sigma^2: what was long becomes longer, and the condition number is squared.

    Sigma = L L^T               W = L^(-1)      lower triangular, one whitener
    Sigma^(-1) = M M^T          W = M^T         upper triangular, another
    W = Sigma^(-1/2)            symmetric: a whitener (ZCA), but of no Cholesky decomposition

with L and M lower triangular of positive diagonal. For both E||z - (x - mean)||^2 is
D + tr Sigma - 2 tr(W Sigma), where tr(W Sigma) is tr L for the one and tr M^(-1) for the other.
"""

import numpy as np
from scipy.linalg import cholesky, eigh, inv, solve_triangular

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
)
from benchmarks.experiments.normalization_and_skip import _covariances
from benchmarks.experiments.normalization_and_skip._covariances import (
    DATA,
    LONGEST,
    PLANE,
    covariance,
)
from benchmarks.verdicts import Identity

RAW, ROOT, LOWER, UPPER, INVERSE, PRECISION, SYMMETRIC = (
    "none",
    "√Σ",
    "L",
    "Lᵀ",
    "L⁻¹",
    "Mᵀ",
    "√Σ⁻¹",
)
FORMS = (RAW, ROOT, LOWER, UPPER, INVERSE, PRECISION, SYMMETRIC)
CHOLESKY = (INVERSE, PRECISION)
IN_THE_SUITE = {INVERSE: "cholesky", SYMMETRIC: "zca"}


def mapped(form, x):
    """Matrix `(features, features)` and output `(samples, features)` of one level of `form`."""
    if form in IN_THE_SUITE:
        return _covariances.adapted(IN_THE_SUITE[form], x)
    sigma = covariance(x)
    if form == RAW:
        w = np.eye(len(sigma))
    elif form == ROOT:
        eigenvalues, vectors = eigh(sigma)
        w = (vectors * np.sqrt(eigenvalues)) @ vectors.T
    elif form == PRECISION:
        w = cholesky(inv(sigma), lower=True).T
    else:
        w = cholesky(sigma, lower=form == LOWER)
    return w, (x - x.mean(axis=0)) @ w.T


def off_triangle(w):
    """Largest entry on the emptier side of the diagonal, relative to the largest of all."""
    return min(np.abs(np.triu(w, 1)).max(), np.abs(np.tril(w, -1)).max()) / np.abs(w).max()


def measure(cell, seeds):
    """One map on one data set, one value a seed."""
    values = {name: np.zeros(len(seeds)) for name in EXPERIMENT.metrics}
    arrays = {}
    for i, seed in enumerate(seeds):
        x = _covariances.problem(cell.data, seed)
        features = x.shape[1]
        w, z = mapped(cell.form, x)
        centered, sigma, identity = x - x.mean(axis=0), covariance(x), np.eye(features)
        if i == 0 and cell.data == PLANE:
            arrays = _covariances.picture(x, w, z)
        spread = eigh(sigma, eigvals_only=True)
        condition = spread[-1] / spread[0]
        after = covariance(z)
        white, squared = np.abs(after - identity).max(), np.abs(after - sigma @ sigma).max()
        values["residual"][i] = np.linalg.norm(after - identity)
        values["white_error"][i] = white / max(1.0, np.abs(after).max()) / condition
        values["square_error"][i] = squared / spread[-1] ** 2
        values["condition"][i] = condition
        values["condition_after"][i] = np.linalg.cond(after)
        # An eigenvalue is found to epsilon of the largest: relative to the least, times cond^2.
        ratio = np.log(values["condition_after"][i] / condition**2)
        values["condition_error"][i] = abs(ratio) / condition**2

        values["off_triangle"][i] = off_triangle(w) / condition
        reference = solve_triangular(cholesky(sigma, lower=True), identity, lower=True)
        off = np.abs(w - reference).max() / np.abs(reference).max()
        values["scipy_error"][i] = off / condition

        distance = ((z - centered) ** 2).sum(axis=1).mean()
        values["distance"][i] = distance
        traces = np.trace(cholesky(sigma, lower=True)), np.trace(inv(cholesky(inv(sigma)).T))
        own, other = traces if cell.form == INVERSE else traces[::-1]
        for name, trace in (("distance_error", own), ("distance_exchanged", other)):
            law = features + spread.sum() - 2 * trace
            values[name][i] = abs(distance - law) / (features + spread.sum()) / condition
    return Measurements(metrics=values, arrays=arrays)


def forms(*names):
    """Mutants: the same rule, looking at these levels of `form`."""
    return tuple(Mutant(name, {"where": {"form": name}}) for name in names)


EXPERIMENT = Experiment(
    claim="C45",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C45.stated",
            "W\u00a0=\u00a0√Σ whitens.",
            # The metric is divided by the condition number of Σ, as all below.
            Identity("white_error", terms=LONGEST, where={"form": ROOT}),
            kind="as stated",
            formula=r"W = \Sigma^{1/2}: \quad W \Sigma W^\top = I",
        ),
        Hypothesis(
            "C45.cholesky",
            "Both L⁻¹, from Σ\u00a0=\u00a0LLᵀ, and Mᵀ, from Σ⁻¹\u00a0=\u00a0MMᵀ, whiten.",
            Identity("white_error", terms=LONGEST, where={"form": CHOLESKY}),
            formula=r"L^{-1} \Sigma L^{-\top} = I = M^\top \Sigma M",
            mutants=forms(ROOT, LOWER, UPPER),
        ),
        Hypothesis(
            "C45.squared",
            "Under √Σ the covariance becomes Σ².",
            Identity("square_error", terms=LONGEST, where={"form": ROOT}),
            formula=r"\Sigma^{1/2}\, \Sigma\, \Sigma^{1/2} = \Sigma^2",
            mutants=forms(RAW, INVERSE),
        ),
        Hypothesis(
            "C45.condition",
            "Under √Σ the condition number of the covariance is squared.",
            Identity("condition_error", terms=LONGEST, where={"form": ROOT}),
            formula=r"\kappa(\Sigma^2) = \kappa(\Sigma)^2",
            mutants=forms(RAW, INVERSE),
        ),
        Hypothesis(
            "C45.triangular",
            "The Cholesky whiteners are triangular; √Σ⁻¹, which whitens too, is not.",
            Identity("off_triangle", terms=LONGEST, where={"form": CHOLESKY}),
            formula=r"(L^{-1})_{ij} = 0 \;\text{for}\; j > i, \quad "
            r"(M^\top)_{ij} = 0 \;\text{for}\; j < i",
            mutants=forms(SYMMETRIC),
        ),
        Hypothesis(
            "C45.scipy",
            "The layer's matrix is the one that forward substitution finds.",
            Identity("scipy_error", terms=LONGEST, where={"form": INVERSE}),
            formula=r"L W = I",
            mutants=forms(PRECISION, SYMMETRIC, LOWER),
        ),
        Hypothesis(
            "C45.two",
            "The two are different maps: tr\u00a0L decides how far one moves the data, "
            "tr\u00a0M⁻¹ how far the other.",
            Identity("distance_error", terms=LONGEST, where={"form": CHOLESKY}),
            formula=r"\mathbb{E} \lVert z - (x - \bar x) \rVert^2 = D + \mathrm{tr}\, \Sigma "
            r"- 2\, \mathrm{tr}\, L \;\text{or}\; - 2\, \mathrm{tr}\, M^{-1}",
            mutants=(Mutant("the two exchanged", {"metric": "distance_exchanged"}),),
        ),
    ),
    factors={"data": DATA, "form": FORMS},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data",),
    metrics={
        "residual": Metric("Frobenius norm of the covariance minus I", "1", "lower"),
        "white_error": Metric(
            "deviation of the covariance from I, relative, per condition number", "1", "lower"
        ),
        "square_error": Metric("deviation of the covariance from Σ², relative", "1", "lower"),
        "condition": Metric("condition number of Σ", "1"),
        "condition_after": Metric("condition number of the covariance after the map", "1", "lower"),
        "condition_error": Metric("|log of it over κ(Σ)²|, per κ(Σ)²", "1", "lower"),
        "off_triangle": Metric(
            "largest entry off the triangle, relative, per condition number", "1", "lower"
        ),
        "scipy_error": Metric("deviation from SciPy, per condition number", "1", "lower"),
        "distance": Metric("mean squared distance from the centered data", "1", "lower"),
        "distance_error": Metric(
            "its deviation from theory, relative, per condition number", "1", "lower"
        ),
        "distance_exchanged": Metric("the same with the other factor's trace", "1"),
    },
    figure=(
        Plane(
            points=("samples",),
            paths=("x1_axis", "x2_axis"),
            by="form",
            where={"data": PLANE, "form": (RAW, ROOT, *CHOLESKY)},
            x_label="first coordinate",
            y_label="second coordinate",
            title="The ellipse under each map",
        ),
        Points(
            x="form",
            y="condition_after",
            by="data",
            log="y",
            x_label="map",
            y_label="condition number after it",
            title="√Σ squares the condition number, whitening makes it 1",
            reference=1.0,
            reference_label="white",
        ),
    ),
    measure=measure,
    finding="The slide's square root of the covariance squares the condition number; the "
    "inverse of the Cholesky factor makes it 1.",
    stated=r"W = \Sigma^{1/2}",
    corrected=r"W = L^{-1} \;\text{with}\; \Sigma = L L^\top, \quad \text{or } W = M^\top "
    r"\;\text{with}\; \Sigma^{-1} = M M^\top",
    figures=("F20",),
    components=("suite.layers.Whitening",),
    limits="The suite's layer knows L⁻¹ only; Mᵀ and the wrong forms are computed here. Both "
    "Cholesky whiteners depend on the order of the features, PCA and ZCA do not.",
)
