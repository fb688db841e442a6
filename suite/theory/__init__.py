"""Learning theory in NumPy: polynomial features, ridge as MAP, bias and variance, resampling.

Lecture section "Learning theory" (C50 to C59). Nothing here needs TensorFlow.
"""

from suite.theory.bias_variance import (
    BiasVariance,
    exact_bias_variance,
    monte_carlo_bias_variance,
)
from suite.theory.polynomials import legendre_basis, monomial_basis
from suite.theory.resampling import hold_out, k_fold_indices
from suite.theory.ridge import map_weights, ridge

__all__ = [
    "BiasVariance",
    "exact_bias_variance",
    "hold_out",
    "k_fold_indices",
    "legendre_basis",
    "map_weights",
    "monomial_basis",
    "monte_carlo_bias_variance",
    "ridge",
]
