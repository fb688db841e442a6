"""In order: by hand, Keras, the gradient, claim C51 on risk and empirical risk, edges."""

import keras
import numpy as np
import pytest
import scipy.stats
from backends import gradients, numpy

from suite.losses import MeanSquaredError

BATCH, TIME, OUTPUTS = 6, 5, 3
RNG = np.random.default_rng(0)
Y = RNG.normal(0.7, 2.0, (BATCH, TIME, OUTPUTS)).astype("float32")
P = RNG.normal(-0.3, 1.0, (BATCH, TIME, OUTPUTS)).astype("float32")
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]


@pytest.mark.parametrize(("reduction", "expected"), [("mean", 3.5), ("sum", 7.0)])
def test_by_hand(reduction, expected):
    loss = MeanSquaredError(reduction)([[1.0, 2.0], [0.0, 0.0]], [[4.0, 3.0], [0.0, 2.0]])
    assert float(loss) == expected  # (9 + 1) / 2 = 5 and (0 + 4) / 2 = 2


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_matches_keras(reduction):
    weight = np.linspace(0.5, 2.0, BATCH, dtype="float32")[:, None]
    for given in ({}, {"sample_weight": weight}):
        np.testing.assert_allclose(
            numpy(MeanSquaredError(reduction)(Y, P, **given)),
            numpy(keras.losses.MeanSquaredError(reduction)(Y, P, **given)),
            rtol=1e-6,
        )


def test_the_slope_is_twice_the_difference_over_the_outputs():
    _, (slope,) = gradients(lambda p: MeanSquaredError("sum")(Y, p), P)
    np.testing.assert_allclose(slope, 2 * (P - Y) / OUTPUTS, rtol=1e-5, atol=1e-7)


def test_differs_from_the_negative_log_likelihood_of_a_normal_by_a_constant():
    nll = -scipy.stats.norm.logpdf(Y, loc=P, scale=np.sqrt(0.5)).mean()
    assert nll - float(MeanSquaredError()(Y, P)) == pytest.approx(np.log(np.pi) / 2, rel=1e-5)


def test_the_empirical_risk_of_a_fixed_predictor_is_unbiased():
    """Claim C51: y = 2 x + noise of deviation 0.5, x normal; the predictor is 1.5 x + 0.2."""
    rng, repetitions, n = np.random.default_rng(1), 4000, 25
    x = rng.normal(size=(repetitions, n))
    y = 2 * x + 0.5 * rng.normal(size=x.shape)
    empirical = numpy(MeanSquaredError(None)(y.astype("float32"), (1.5 * x + 0.2).astype("f")))
    # The error 0.5 x - 0.2 + noise is normal with mean -0.2 and variance 0.5^2 + 0.5^2.
    risk = 0.2**2 + 0.5**2 + 0.5**2
    z = (empirical.mean() - risk) / (empirical.std(ddof=1) / np.sqrt(repetitions))
    assert abs(z) < 4
    # A mutant, n - 1 in place of n: that is for fitted predictors, this one is fixed.
    mutant = empirical * n / (n - 1)
    assert (mutant.mean() - risk) / (mutant.std(ddof=1) / np.sqrt(repetitions)) > 4


def test_a_missing_axis_of_one_does_not_broadcast():
    y, p = Y[:, 0, 0], P[:, 0, :1]
    np.testing.assert_allclose(
        numpy(MeanSquaredError()(y, p)), np.mean((y - p[:, 0]) ** 2), rtol=1e-6
    )


def test_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"same shape, received \(6, 1\) and \(6, 3\)"):
        MeanSquaredError()(Y[:, 0, :1], P[:, 0])


def test_half_precision_is_exact_for_small_whole_numbers():
    assert float(MeanSquaredError(dtype="float16")([[200.0, 3.0]], [[0.0, 3.0]])) == 20_000


def test_refuses_an_unknown_reduction():
    with pytest.raises(ValueError, match="median"):
        MeanSquaredError("median")
