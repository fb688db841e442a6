"""Bias and variance: why the best model is neither the most flexible nor the most rigid.

Lecture section "Learning theory" (C55 to C57). For a test point that is independent of the
training data, with `y = f(x) + noise` and the mean prediction `m(x) = E_D[prediction_D(x)]`:

    E[(y - prediction)^2] = (f - m)^2 + E[(prediction - m)^2] + noise_sd^2
        test error            bias^2         variance            nobody's fault

The bias is measured against `f`, the mean of `y` given `x`: measured against a noisy `y` it would
contain the noise as well.
"""

from typing import NamedTuple

import numpy as np

from suite.theory.ridge import map_weights


class BiasVariance(NamedTuple):
    """Squared bias and variance, each averaged over the test points, in squared units of `y`."""

    bias_squared: float
    variance: float

    @property
    def total(self) -> float:
        """The part of the test error that a better model can lower: their sum."""
        return self.bias_squared + self.variance


def exact_bias_variance(basis_train, f_train, basis_test, f_test, noise_sd, prior_sd):
    """Bias and variance of the MAP fit (`map_weights`) on a fixed design, without sampling.

    The fit is linear in `y`: predictions are `B y`, with the rows of `B` below. Only the noise is
    random, the training inputs are the same in every repetition, so

        B = Phi_test (Phi^T Phi + noise_sd^2 / prior_sd^2 I)^-1 Phi^T
        bias^2 = mean (f_test - B f_train)^2        variance = noise_sd^2 mean_i ||B_i||^2

    A looser prior always raises this variance. It always lowers the bias at the training inputs,
    but not necessarily elsewhere (C57).

    Args:
        basis_train: `Phi`, shape `(samples, features)`.
        f_train: the truth at the training inputs, without noise, shape `(samples,)`.
        basis_test: `Phi_test`, shape `(points, features)`.
        f_test: the truth at the test inputs, shape `(points,)`.
        noise_sd: standard deviation of the noise, in units of `y`.
        prior_sd: standard deviation of each weight under the prior.
    """
    basis_test, f_test = np.asarray(basis_test, float), np.asarray(f_test, float)
    f_train = np.asarray(f_train, float)
    if f_test.shape != basis_test.shape[:1]:
        raise ValueError(
            f"f_test must have shape {basis_test.shape[:1]}, one value a row of basis_test, "
            f"received {f_test.shape}"
        )
    # The weights that each training target contributes: the fit to its unit vector.
    columns = map_weights(basis_train, np.eye(len(f_train)), noise_sd, prior_sd)
    b = basis_test @ columns.T
    bias = f_test - b @ f_train
    return BiasVariance(float((bias**2).mean()), float(noise_sd**2 * (b**2).sum(axis=1).mean()))


def monte_carlo_bias_variance(predictions, f_test):
    """Bias and variance estimated from fits to independent training sets; both are unbiased.

        variance = sum_r (p_r - mean p)^2 / (R - 1)        bias^2 = (f - mean p)^2 - variance / R

    The correction is needed because the mean of `R` predictions is itself uncertain, and its
    variance would be counted as squared bias. An estimate of a very small `bias^2` may therefore
    be slightly negative. Their sum is the plain average of `(p_r - f)^2`.

    Args:
        predictions: one row for each training set, shape `(repetitions, points)`.
        f_test: the truth at the test inputs, without noise, shape `(points,)`.
    """
    predictions, f_test = np.asarray(predictions, float), np.asarray(f_test, float)
    if predictions.ndim != 2 or len(predictions) < 2:
        raise ValueError(
            "predictions must have shape (repetitions, points) with at least 2 repetitions, "
            f"received {predictions.shape}"
        )
    if f_test.shape != predictions.shape[1:]:
        raise ValueError(f"f_test must have shape {predictions.shape[1:]}, received {f_test.shape}")
    for name, array in (("predictions", predictions), ("f_test", f_test)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, received {array[~np.isfinite(array)][0]}")
    variance = predictions.var(axis=0, ddof=1)
    bias_squared = (f_test - predictions.mean(axis=0)) ** 2 - variance / len(predictions)
    return BiasVariance(float(bias_squared.mean()), float(variance.mean()))
