"""Splitting data to estimate the risk: hold-out and K-fold cross-validation.

Lecture section "Learning theory" (C58). *Hold-out* sets one part aside. *Cross-validation* lets
every sample be held out once and averages, which costs K fits and steadies the estimate. In both,
the score of the winner of a comparison is too good; a third part, or nested folds, repairs that.
"""

import numpy as np

from suite import _arguments as check


def hold_out(samples, fraction, seed):
    """Set a random part of the indices `0 ... samples - 1` aside.

    Args:
        samples: how many there are, at least 2.
        fraction: share that is held out, in (0, 1); rounded, and at least one sample on each side.
        seed: of the permutation.

    Returns:
        `(training, held_out)`, two arrays of indices, each in random order.

    Example:
        >>> training, held_out = hold_out(10, fraction=0.3, seed=0)
        >>> len(training), len(held_out)
        (7, 3)
    """
    if check.integer("samples", samples) < 2:
        raise ValueError(f"samples must be at least 2, received {samples}")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie in (0, 1), received {fraction}")
    size = min(max(round(fraction * samples), 1), samples - 1)
    order = np.random.default_rng(seed).permutation(samples)
    return order[size:], order[:size]


def k_fold_indices(samples, folds, seed=None):
    """Cut the indices into `folds` parts; each part is held out once.

    The parts differ in size by one at most, the first ones being the larger, as in scikit-learn.

    Args:
        samples: how many there are.
        folds: K, between 2 and `samples` (leave-one-out).
        seed: of the permutation made before cutting; `None` cuts in the given order.

    Returns:
        a list of K pairs `(training, held_out)` of sorted index arrays.

    Example:
        >>> [held_out.tolist() for _, held_out in k_fold_indices(5, folds=2)]
        [[0, 1, 2], [3, 4]]
    """
    check.positive_integer("samples", samples)
    if not 2 <= check.integer("folds", folds) <= samples:
        raise ValueError(f"folds must lie between 2 and {samples} samples, received {folds}")
    order = np.arange(samples)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(samples)
    parts = [np.sort(part) for part in np.array_split(order, folds)]
    return [(np.setdiff1d(order, part), part) for part in parts]
