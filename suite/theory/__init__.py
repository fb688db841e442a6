"""Learning theory: polynomial features, ridge as MAP, bias and variance, resampling, validation.

Lecture section "Learning theory" (C50 to C59), in NumPy. Validation fits any model that has `fit`.
"""

from suite.theory.bias_variance import (
    BiasVariance,
    exact_bias_variance,
    monte_carlo_bias_variance,
)
from suite.theory.nested_cross_validation import NestedRisks, nested_cross_validation
from suite.theory.polynomials import legendre_basis, monomial_basis
from suite.theory.resampled_interval import Interval, corrected_resampled_t_interval
from suite.theory.resampling import hold_out, k_fold_indices
from suite.theory.ridge import map_weights, ridge
from suite.theory.validation import (
    Risks,
    compare_risks,
    cross_validation,
)

__all__ = [
    "BiasVariance",
    "Interval",
    "NestedRisks",
    "Risks",
    "compare_risks",
    "corrected_resampled_t_interval",
    "cross_validation",
    "exact_bias_variance",
    "hold_out",
    "k_fold_indices",
    "legendre_basis",
    "map_weights",
    "monomial_basis",
    "monte_carlo_bias_variance",
    "nested_cross_validation",
    "ridge",
]
