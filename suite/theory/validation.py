"""Choosing a model by its risk on data that it was not fitted to.

Lecture section "Learning theory" (C54, C58, C59). The training risk always prefers the most
flexible model, and the gap between the two risks the most rigid one; the held-out risk is the one
to minimize. Its minimum is too good, as the winner was picked for it; nested folds repair that.
"""

import inspect
from dataclasses import dataclass

import numpy as np

from suite.theory.resampling import k_fold_indices


@dataclass(frozen=True)
class Risks:
    """Risks of the candidates, measured in two places.

    Attributes:
        parameters: the candidates, in the order of the rows.
        training: risk on the data that the model was fitted to, shape `(candidates, splits)`.
        held_out: risk on the rest, the same shape.
    """

    parameters: tuple
    training: np.ndarray
    held_out: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Held-out minus training risk, mean over the splits, shape `(candidates,)`."""
        return (self.held_out - self.training).mean(axis=1)

    @property
    def best(self):
        """The parameter with the smallest mean held-out risk, the first one of equals."""
        return self.parameters[int(self.held_out.mean(axis=1).argmin())]


def fit_quietly(model, x, y):
    """Calls `model.fit`, without the progress bar where there is one."""
    quiet = {"verbose": 0} if "verbose" in inspect.signature(model.fit).parameters else {}
    model.fit(x, y, **quiet)


def risk(model, x, y) -> float:
    """The mean loss of a compiled Keras model; of other estimators `1 - model.score(x, y)`.

    The loss is taken from the predictions: Keras's `evaluate` adds the penalties on the weights,
    which are no part of the risk. scikit-learn's scores are the accuracy or the share of explained
    variance, so the risk is the error rate or the share that is left.
    """
    if not hasattr(model, "compute_loss"):
        return 1 - float(model.score(x, y))
    import keras

    prediction = model.predict(x, verbose=0)
    loss = keras.losses.get(model.loss)(keras.ops.convert_to_tensor(y), prediction)
    return float(np.mean(keras.ops.convert_to_numpy(loss)))


def compare_risks(build, parameters, x, y, *, splits, fit=fit_quietly, score=risk) -> Risks:
    """Fits every candidate on every split and measures it on both sides.

    One split by `hold_out` is hold-out validation; those of `k_fold_indices` are cross-validation.
    All candidates see the same splits, so that they differ by nothing else.

    Args:
        build: function of a parameter that returns a new model: a compiled `keras.Model`, or
            anything that `fit` and `score` can handle. Give initializers their seeds here.
        parameters: the candidates, any objects, at least one.
        x: inputs, an array, shape `(samples, ...)`.
        y: targets, an array, shape `(samples, ...)`.
        splits: pairs of index arrays `(training, held_out)`.
        fit: function of `(model, x, y)`.
        score: function of `(model, x, y)` that returns the risk, a number; less is better.

    Raises:
        ValueError: `x` and `y` differ in length or contain NaN, there are no `parameters` or no
            `splits`, a risk is NaN.

    Example:
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> x, y = np.arange(12.0)[:, None], np.repeat([0, 1], 6)
        >>> splits = k_fold_indices(12, folds=4, seed=0)
        >>> compare_risks(KNeighborsClassifier, [1, 9], x, y, splits=splits).best
        1
    """
    x, y = checked_data(x, y)
    parameters, splits = _not_empty("parameters", parameters), _not_empty("splits", splits)
    risks = np.empty((2, len(parameters), len(splits)))
    for row, parameter in enumerate(parameters):
        for column, (training, held_out) in enumerate(splits):
            model = build(parameter)
            fit(model, x[training], y[training])
            for side, part in enumerate((training, held_out)):
                risks[side, row, column] = _number(score(model, x[part], y[part]), parameter)
    return Risks(parameters, *risks)


def cross_validation(build, parameters, x, y, *, folds, seed, fit=fit_quietly, score=risk) -> Risks:
    """`compare_risks` on the shuffled folds of `k_fold_indices`.

    Args:
        build: see `compare_risks`.
        parameters: the candidates, at least one.
        x: inputs, shape `(samples, ...)`.
        y: targets, shape `(samples, ...)`.
        folds: how many, between 2 and `samples`.
        seed: of the folds.
        fit: see `compare_risks`.
        score: see `compare_risks`.
    """
    splits = k_fold_indices(len(checked_data(x, y)[0]), folds, seed)
    return compare_risks(build, parameters, x, y, splits=splits, fit=fit, score=score)


def checked_data(x, y):
    """Both as arrays of equal length without NaN."""
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim < 1 or y.ndim < 1 or len(x) != len(y):
        raise ValueError(f"y must have one target a row of x {x.shape}, received shape {y.shape}")
    for name, array in (("x", x), ("y", y)):
        if np.issubdtype(array.dtype, np.inexact) and np.isnan(array).any():
            raise ValueError(
                f"{name} must not contain NaN, received {np.isnan(array).sum()} of them"
            )
    return x, y


def _not_empty(name, values):
    values = tuple(values)
    if not values:
        raise ValueError(f"{name} must have at least one entry, received {values}")
    return values


def _number(value, parameter):
    if np.isnan(value):
        raise ValueError(
            f"score must return a number, received {value} for parameter {parameter!r}"
        )
    return float(value)
