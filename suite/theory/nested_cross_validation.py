"""The risk of a model that was chosen by its risk.

Lecture section "Learning theory" (C58). The best of many candidates looks better on the data that
chose it than it is. So the data that measures must have no part in the choice.
"""

from dataclasses import dataclass

import numpy as np

from suite import _arguments as check
from suite.theory.resampling import k_fold_indices
from suite.theory.validation import (
    checked_data,
    compare_risks,
    cross_validation,
    fit_quietly,
    risk,
)


@dataclass(frozen=True)
class NestedRisks:
    """What nested cross-validation found.

    Attributes:
        parameters: the parameter that the inner folds chose, one for each outer fold.
        inner_scores: held-out risks that it was chosen by, shape
            `(outer_folds, candidates, inner_folds)`.
        outer_scores: risk of the chosen model, fitted again, on the outer fold that had no part
            in the choice, shape `(outer_folds,)`. Their mean estimates the risk of the whole
            procedure, choice included, on training sets of that size.
    """

    parameters: tuple
    inner_scores: np.ndarray
    outer_scores: np.ndarray


def nested_cross_validation(
    build, parameters, x, y, *, outer_folds, inner_folds, seed, fit=fit_quietly, score=risk
) -> NestedRisks:
    """Estimates the risk of "choose by cross-validation, then fit", without the winner's luck.

    For each outer fold: choose by `cross_validation` on the other folds, fit the winner on all of
    them, and measure it on the outer fold.

    Args:
        build: see `compare_risks`.
        parameters: the candidates, at least one.
        x: inputs, shape `(samples, ...)`.
        y: targets, shape `(samples, ...)`.
        outer_folds: between 2 and `samples`.
        inner_folds: between 2 and the samples that an outer fold leaves.
        seed: of all folds; the inner ones are shuffled anew in each outer fold.
        fit: see `compare_risks`.
        score: see `compare_risks`.

    Raises:
        ValueError: as `compare_risks`, and folds out of their range.

    Example:
        >>> from sklearn.linear_model import Ridge
        >>> x = np.linspace(0, 1, 20)[:, None]
        >>> found = nested_cross_validation(
        ...     Ridge, [1e-3, 1e3], x, 2 * x[:, 0], outer_folds=3, inner_folds=4, seed=0
        ... )
        >>> found.parameters, found.inner_scores.shape
        ((0.001, 0.001, 0.001), (3, 2, 4))

    Reference:
        Stone 1974, "Cross-validatory choice and assessment of statistical predictions"; on the
        bias of the winner's score, Cawley & Talbot 2010.
    """
    x, y = checked_data(x, y)
    check.positive_integer("outer_folds", outer_folds)
    how = {"fit": fit, "score": score}
    outer_seed, *inner_seeds = np.random.SeedSequence(seed).spawn(outer_folds + 1)
    chosen, inner, outer = [], [], []
    splits = k_fold_indices(len(x), outer_folds, outer_seed)
    for split, inner_seed in zip(splits, inner_seeds, strict=True):
        rest = x[split[0]], y[split[0]]
        risks = cross_validation(
            build, parameters, *rest, folds=inner_folds, seed=inner_seed, **how
        )
        again = compare_risks(build, [risks.best], x, y, splits=[split], **how)
        chosen.append(risks.best)
        inner.append(risks.held_out)
        outer.append(again.held_out[0, 0])
    return NestedRisks(tuple(chosen), np.stack(inner), np.array(outer))
