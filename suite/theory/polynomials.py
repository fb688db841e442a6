"""Polynomial features: one function space, two bases of very different quality.

Lecture section "Learning theory" (C50). Both bases span the polynomials of a given degree, so
without a prior they give the same fit. Monomials of high degree are almost parallel on [-1, 1],
and rounding drowns the fit; Legendre polynomials are orthogonal there. With a Gaussian prior on
the weights the bases are different models, because the prior is on different coordinates.
"""

from numbers import Integral

import numpy as np


def monomial_basis(x, degree):
    """The features `1, x, x^2, ..., x^degree`.

    Args:
        x: inputs, shape `(...)`.
        degree: highest power, at least 0.

    Returns:
        shape `(..., degree + 1)`, float64.

    Example:
        >>> monomial_basis([2.0, 3.0], degree=2).tolist()
        [[1.0, 2.0, 4.0], [1.0, 3.0, 9.0]]
    """
    _check(degree)
    return np.asarray(x, float)[..., None] ** np.arange(degree + 1)


def legendre_basis(x, degree):
    """The Legendre polynomials `P_0(x), ..., P_degree(x)`, from Bonnet's recurrence.

        P_0 = 1        P_1 = x        (n + 1) P_{n+1} = (2n + 1) x P_n - n P_{n-1}

    They are orthogonal on [-1, 1], with squared norm `2 / (2n + 1)`, and `P_n(1) = 1`.

    Args:
        x: inputs, shape `(...)`; meant for [-1, 1].
        degree: highest degree, at least 0.

    Returns:
        shape `(..., degree + 1)`, float64.

    Example:
        >>> legendre_basis([1.0, 0.0], degree=2).tolist()
        [[1.0, 1.0, 1.0], [1.0, 0.0, -0.5]]
    """
    _check(degree)
    x = np.asarray(x, float)
    p = [np.ones_like(x), x]
    for n in range(1, degree):
        p.append(((2 * n + 1) * x * p[n] - n * p[n - 1]) / (n + 1))
    return np.stack(p[: degree + 1], axis=-1)


def _check(degree):
    if not isinstance(degree, Integral) or degree < 0:
        raise ValueError(f"degree must be a whole number of at least 0, received {degree}")
