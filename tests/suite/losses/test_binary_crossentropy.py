"""In order: by hand, Keras and SciPy, far logits, the gradient, edges."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
from backends import gradients, numpy

from suite.losses import BinaryCrossentropy

BATCH, OUTPUTS = 6, 3
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, (BATCH, OUTPUTS)).astype("float32")
Z = RNG.normal(0.7, 2.0, (BATCH, OUTPUTS)).astype("float32")
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]


def exact(y, z):
    y, z = np.asarray(y, "float64"), np.asarray(z, "float64")
    return -y * scipy.special.log_expit(z) - (1 - y) * scipy.special.log_expit(-z)


def test_a_fair_coin_costs_log_two():
    assert float(BinaryCrossentropy()([1.0], [0.5])) == pytest.approx(np.log(2), rel=1e-6)


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_matches_keras(from_logits, reduction, smoothing):
    prediction = Z if from_logits else scipy.special.expit(Z)
    arguments = {
        "from_logits": from_logits,
        "reduction": reduction,
        "label_smoothing": smoothing,
    }
    weight = np.linspace(0.5, 2.0, BATCH)
    for given in ({}, {"sample_weight": weight}):
        np.testing.assert_allclose(
            numpy(BinaryCrossentropy(**arguments)(Y, prediction, **given)),
            numpy(keras.losses.BinaryCrossentropy(**arguments)(Y, prediction, **given)),
            rtol=2e-6,  # float32: a few ulp
        )


@pytest.mark.parametrize("size", [20.0, 90.0, 800.0])
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_keeps_its_digits_far_out(size, label, sign):
    loss = BinaryCrossentropy(from_logits=True)([[label]], [[sign * size]])
    expected = exact(label, sign * size)
    np.testing.assert_allclose(numpy(loss), expected, rtol=1e-6, atol=1e-38)  # least float32


def short_form(y, z):
    """A mutant: softplus(z) - y z in float32 loses all digits where the loss is small."""
    return np.log1p(np.exp(np.float32(z))) - np.float32(y) * np.float32(z)


def test_the_short_form_fails_the_same_check():
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(short_form(1, 20), exact(1, 20), rtol=1e-6, atol=1e-38)


def test_probabilities_are_clipped_as_in_keras():
    # -log(1e-7) = 16.118; the float32 nearest 1 - 1e-7 gives 15.942 on the other side.
    assert float(BinaryCrossentropy()([[1.0]], [[0.0]])) == pytest.approx(16.118, abs=1e-3)
    for label, p in [(0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]:
        np.testing.assert_allclose(
            numpy(BinaryCrossentropy()([[label]], [[p]])),
            numpy(keras.losses.BinaryCrossentropy()([[label]], [[p]])),
            rtol=1e-6,
        )


@pytest.mark.parametrize(("dtype", "largest"), [("float16", 9.71), ("bfloat16", 16.118)])
def test_probabilities_stay_finite_in_half_precision(dtype, largest):
    # float16 starts at 2^-14, with -log(2^-14) = 9.70; bfloat16 has the exponents of float32.
    loss = BinaryCrossentropy(dtype=dtype)
    for label, p in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]:
        value = float(keras.ops.cast(loss([[label]], [[p]]), "float32"))
        assert 0 <= value <= largest * 1.01
        assert (value > 5) == (label != p)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("z", [-800.0, 800.0])
def test_far_logits_have_a_finite_value_and_slope(label, z, dtype):
    loss = BinaryCrossentropy(True, dtype=dtype)
    y, z = np.float32([[label]]), np.float32([[z]])
    value, (slope,) = gradients(lambda z: keras.ops.cast(loss(y, z), "float32"), z)
    np.testing.assert_allclose(value, exact(y, z)[0, 0], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(slope, scipy.special.expit(z) - y, atol=1e-30)


def test_the_sum_is_the_likelihood_of_the_lecture_and_not_its_printed_form():
    """Claim C04, erratum E6: without brackets the sign and the sum reach the first term only."""
    y, z = Y[:, 0], Z[:, 0]
    first, second = y * scipy.special.log_expit(z), (1 - y) * scipy.special.log_expit(-z)
    ours = float(BinaryCrossentropy(True, reduction="sum")(y[:, None], z[:, None]))
    likelihood = scipy.stats.bernoulli.logpmf(y, scipy.special.expit(z)).sum()
    assert ours == pytest.approx(-likelihood, rel=1e-6)
    assert ours == pytest.approx(-np.sum(first + second), rel=1e-6)
    literal = -np.sum(first) + second[-1]
    assert ours != pytest.approx(literal, rel=0.01)


def test_the_slope_is_probability_minus_label():
    z, y = np.float32([[0.0, -800.0, 3.0, 800.0]]), np.float32([[1.0, 1.0, 0.0, 0.0]])
    loss = BinaryCrossentropy(from_logits=True, reduction="sum")
    _, (slope,) = gradients(lambda z: 4 * loss(y, z), z)  # 4 outputs are averaged
    np.testing.assert_allclose(slope, scipy.special.expit(z) - y, rtol=1e-6, atol=1e-7)


def test_the_slope_by_the_weights_is_input_times_error():
    """Claim C05, with a mutant of the wrong sign of the error."""
    x = RNG.normal(0.4, 1.0, (BATCH, 4)).astype("float32")
    w, y = np.float32([[0.5], [-1.0], [2.0], [0.3]]), Y[:, :1]
    loss = BinaryCrossentropy(from_logits=True, reduction="sum")
    _, (slope,) = gradients(lambda w: loss(y, keras.ops.matmul(x, w)), w)
    error = scipy.special.expit(x @ w) - y
    np.testing.assert_allclose(slope, x.T @ error, rtol=1e-4, atol=1e-5)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(slope, -x.T @ error, rtol=1e-4, atol=1e-5)


def test_a_missing_axis_of_one_does_not_broadcast():
    loss = BinaryCrossentropy(from_logits=True)
    np.testing.assert_allclose(numpy(loss(Y[:, 0], Z[:, :1])), numpy(loss(Y[:, :1], Z[:, :1])))


def test_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"same shape, received \(6, 1\) and \(6, 3\)"):
        BinaryCrossentropy()(Y[:, :1], Z)


def test_refuses_a_smoothing_above_one():
    with pytest.raises(ValueError, match=r"label_smoothing .* \[0, 1\], received 2"):
        BinaryCrossentropy(label_smoothing=2)
