"""In order: by hand, Keras and SciPy, far logits, the gradient, edges."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

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
            BinaryCrossentropy(**arguments)(Y, prediction, **given),
            keras.losses.BinaryCrossentropy(**arguments)(Y, prediction, **given),
            rtol=2e-6,  # float32: a few ulp
        )


@pytest.mark.parametrize("size", [20.0, 90.0, 800.0])
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_keeps_its_digits_far_out(size, label, sign):
    loss = BinaryCrossentropy(from_logits=True)([[label]], [[sign * size]])
    expected = exact(label, sign * size)
    np.testing.assert_allclose(loss, expected, rtol=1e-6, atol=1e-38)  # 1e-38: least float32


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
            BinaryCrossentropy()([[label]], [[p]]),
            keras.losses.BinaryCrossentropy()([[label]], [[p]]),
        )


def test_the_slope_is_probability_minus_label():
    z = tf.constant([[0.0, -800.0, 3.0, 800.0]], "float64")
    y = tf.constant([[1.0, 1.0, 0.0, 0.0]], "float64")
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = 4 * BinaryCrossentropy(from_logits=True, reduction="sum", dtype="float64")(y, z)
    np.testing.assert_allclose(
        tape.gradient(loss, z), scipy.special.expit(z) - y, rtol=1e-12, atol=1e-15
    )


def test_a_missing_axis_of_one_does_not_broadcast():
    loss = BinaryCrossentropy(from_logits=True)
    np.testing.assert_allclose(loss(Y[:, 0], Z[:, :1]), loss(Y[:, :1], Z[:, :1]))


def test_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"same shape, received \(6, 1\) and \(6, 3\)"):
        BinaryCrossentropy()(Y[:, :1], Z)


def test_refuses_a_smoothing_above_one():
    with pytest.raises(ValueError, match=r"label_smoothing .* \[0, 1\], received 2"):
        BinaryCrossentropy(label_smoothing=2)
