"""Products of matrices: of one, again and again, and of fresh ones; their growth and its laws.

With W = V diag(lambda) V^-1 and v = V a, the logarithm of |W^t v| / rho^t never leaves an interval
of length

    E = log(kappa(V) |a| / |a_1|)        a_1 belongs to an eigenvalue of modulus rho

and the slope of a regression over L steps, of a function within such an interval, is at most
1.5 E / L. Products of fresh matrices have the mean of a sum of independent logarithms.
"""

import math
from functools import cache

import numpy as np
from scipy.integrate import quad

GAUSSIAN, SYMMETRIC, ORTHOGONAL, NON_NORMAL = "Gaussian", "symmetric", "orthogonal", "non-normal"
MATRICES = (GAUSSIAN, SYMMETRIC, ORTHOGONAL, NON_NORMAL)
UNIT_VARIANCE = "n τ² = 1"  # the feed-forward network's critical point
RADII = {f"ρ = {rho:g}": rho for rho in (0.8, 0.95, 1.0, 1.05, 1.2, 3.0)}
UNITS = 16
FIRST, LAST = 100, 500  # lags of the regression, after the transient
FRESH = 100  # layers of the network whose weights are not tied
POWERS = 60  # of W, whose norms are looked at


def draw(matrix, rng, count):
    """Matrices of one kind, `(count, units, units)`, n tau^2 near 1."""
    g = rng.normal(size=(count, UNITS, UNITS)) / math.sqrt(UNITS)
    if matrix == GAUSSIAN:
        return g
    if matrix == SYMMETRIC:  # twice the variance on the diagonal, so that no direction is special
        return (g + g.transpose(0, 2, 1)) / math.sqrt(2)
    if matrix == ORTHOGONAL:
        q, r = np.linalg.qr(g)
        return q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    # Eigenvalues from 1/2 to 1 on the diagonal, and above it what makes their vectors lean.
    signs = rng.choice([-1.0, 1.0], (count, UNITS))
    values = signs * np.linspace(1, 0.5, UNITS)
    return values[:, :, None] * np.eye(UNITS) + np.triu(g, 1) * 0.3 * math.sqrt(UNITS)


def spectral_radius(matrices):
    """Largest modulus of an eigenvalue, `(count,)`."""
    return np.abs(np.linalg.eigvals(matrices)).max(axis=-1)


def size(matrices):
    """`sqrt(n tau^2)`: root of the mean square of the entries, times n; `(count,)`."""
    return np.sqrt(UNITS * (matrices**2).mean(axis=(-2, -1)))


def unit_vectors(rng, count):
    """Random directions `(count, units)`."""
    v = rng.normal(size=(count, UNITS))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


@cache  # the same for every scale
def drawn(matrix, seeds):
    """Matrices `(seeds, units, units)` before scaling, and directions `(seeds, units)`."""
    rngs = [np.random.default_rng([seed, MATRICES.index(matrix)]) for seed in seeds]
    w = np.concatenate([draw(matrix, rng, 1) for rng in rngs])
    return w, np.concatenate([unit_vectors(rng, 1) for rng in rngs])


def expected_size(matrix, seeds):
    """`sqrt(n tau^2)` of the kind: exactly, where entries are random; else of each matrix."""
    if matrix == GAUSSIAN:
        return np.ones(len(seeds))
    if matrix == SYMMETRIC:  # n (n + 1) / n^2 of the variance, with the diagonal's
        return np.full(len(seeds), math.sqrt((UNITS + 1) / UNITS))
    return size(drawn(matrix, seeds)[0])


def factors_of(matrix, scale, seeds):
    """What each seed's matrix is multiplied by, `(seeds,)`."""
    if scale == UNIT_VARIANCE:
        return 1 / expected_size(matrix, seeds)
    return RADII[scale] / spectral_radius(drawn(matrix, seeds)[0])


# --- growth -----------------------------------------------------------------------------------


def log_norms(steps, v):
    """Logarithm of the norm after 0, 1, ... steps `(seeds, steps + 1)`; each step is a matrix."""
    logs = [np.zeros(len(v))]
    for w in steps:
        v = np.einsum("sij,sj->si", w, v)
        length = np.linalg.norm(v, axis=1)
        logs.append(logs[-1] + np.log(length))
        v = v / length[:, None]
    return np.stack(logs, axis=1)


@cache
def tied(matrix, seeds):
    """Logarithm of `|(W^T)^t v|` before scaling, `(seeds, LAST + 1)`."""
    w, v = drawn(matrix, seeds)
    return log_norms([w.transpose(0, 2, 1)] * LAST, v)


@cache
def untied(matrix, seeds):
    """The same with a fresh matrix in each of `FRESH` steps."""
    rngs = [np.random.default_rng([seed, MATRICES.index(matrix), 1]) for seed in seeds]
    fresh = np.stack([draw(matrix, rng, FRESH) for rng in rngs], axis=1)
    return log_norms(fresh, drawn(matrix, seeds)[1])


@cache
def longest_transient(matrix, seeds):
    """`E` above, `(seeds,)`."""
    w, v = drawn(matrix, seeds)
    bounds = []
    for one, direction in zip(w.transpose(0, 2, 1), v, strict=True):
        values, vectors = np.linalg.eig(one)
        parts = np.abs(np.linalg.solve(vectors, direction.astype(complex)))
        modulus = np.abs(values)
        dominant = parts[modulus >= modulus.max() * (1 - 1e-9)].max()  # 1e-9: all that are equal
        bounds.append(np.log(np.linalg.cond(vectors) * np.linalg.norm(parts) / dominant))
    return np.array(bounds)


@cache
def powers(matrix, seeds):
    """Logarithm of the spectral norm of W, W^2, ... before scaling, `(seeds, POWERS)`."""
    w = drawn(matrix, seeds)[0]
    power, logs = np.broadcast_to(np.eye(UNITS), w.shape), [np.zeros(len(w))]
    for _ in range(POWERS):
        power = power @ w
        norm = np.linalg.norm(power, 2, axis=(1, 2))
        logs.append(logs[-1] + np.log(norm))
        power = power / norm[:, None, None]
    return np.stack(logs[1:], axis=1)


@cache
def typical_log(matrix):
    """Mean of `log |W v|` for a fresh matrix before scaling, where it has a law; else None.

    With `|W v|^2 = X / n`: `E log X` is the integral of `(exp(-s) - E exp(-s X)) / s`, and X is a
    chi-square of n degrees, or for symmetric matrices twice one of 1 degree plus one of n - 1.
    """
    transforms = {
        GAUSSIAN: lambda s: (1 + 2 * s) ** (-UNITS / 2),
        SYMMETRIC: lambda s: (1 + 4 * s) ** -0.5 * (1 + 2 * s) ** (-(UNITS - 1) / 2),
    }
    if matrix not in transforms:
        return None
    transform = transforms[matrix]
    # From u = log s, where the integrand is smooth; beyond +-40 nothing is left of it.
    mean = quad(lambda u: np.exp(-np.exp(u)) - transform(np.exp(u)), -40, 40, limit=400)[0]
    return 0.5 * (mean - math.log(UNITS))
