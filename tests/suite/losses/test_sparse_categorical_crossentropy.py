"""In order: by hand, Keras and SciPy, far logits, the gradient, labels that do not exist."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from suite.losses import SparseCategoricalCrossentropy

BATCH, TIME, CLASSES = 6, 5, 3
RNG = np.random.default_rng(0)
Y = RNG.integers(0, CLASSES, (BATCH, TIME))
Z = RNG.normal(0.7, 2.0, (BATCH, TIME, CLASSES)).astype("float32")
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]


def test_three_equal_logits_cost_log_three():
    loss = SparseCategoricalCrossentropy(from_logits=True)([1], [[4.0, 4.0, 4.0]])
    assert float(loss) == pytest.approx(np.log(3), rel=1e-6)


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignored", [None, -1, 2])
def test_matches_keras(from_logits, reduction, ignored):
    prediction = Z if from_logits else scipy.special.softmax(Z, -1)
    y = np.where(RNG.random(Y.shape) < 0.3, -1, Y) if ignored == -1 else Y
    arguments = {"from_logits": from_logits, "reduction": reduction, "ignore_class": ignored}
    np.testing.assert_allclose(
        SparseCategoricalCrossentropy(**arguments)(y, prediction),
        keras.losses.SparseCategoricalCrossentropy(**arguments)(y, prediction),
        rtol=3e-6,  # float32: a few ulp
        atol=1e-6,
    )


def test_probabilities_that_do_not_sum_to_one_are_treated_as_in_keras():
    p = np.array([[0.2, 0.9, 0.0], [1.0, 0.0, 0.0]], "float32")
    for labels in ([0, 1], [1, 2], [2, 0]):
        np.testing.assert_allclose(
            SparseCategoricalCrossentropy()(np.array(labels), p),
            keras.losses.SparseCategoricalCrossentropy()(np.array(labels), p),
            rtol=1e-6,
        )


@pytest.mark.parametrize("label", range(CLASSES))
def test_far_logits_equal_scipy(label):
    z = np.array([[800.0, -800.0, 0.0]])
    loss = SparseCategoricalCrossentropy(from_logits=True)(np.array([label]), z)
    np.testing.assert_allclose(loss, -scipy.special.log_softmax(z)[0, label], rtol=1e-6)


def test_an_impossible_class_costs_nothing_where_it_is_not_the_label():
    z = np.array([[0.0, -np.inf, 0.0]])
    loss = SparseCategoricalCrossentropy(from_logits=True)(np.array([0]), z)
    assert float(loss) == pytest.approx(np.log(2), rel=1e-6)


def test_the_slope_is_softmax_minus_one_hot():
    z = tf.constant(Z, "float64")
    loss_function = SparseCategoricalCrossentropy(True, reduction="sum", dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = loss_function(Y, z)
    expected = scipy.special.softmax(Z.astype("float64"), -1) - np.eye(CLASSES)[Y]
    np.testing.assert_allclose(tape.gradient(loss, z), expected, rtol=1e-10, atol=1e-14)


def test_the_classes_may_lie_along_any_axis():
    last = SparseCategoricalCrossentropy(True, reduction=None)(Y, Z)
    middle = SparseCategoricalCrossentropy(True, reduction=None, axis=1)(Y, Z.swapaxes(1, 2))
    np.testing.assert_allclose(last, middle, rtol=1e-6)


@pytest.mark.parametrize("label", [-1, CLASSES])
def test_a_label_that_does_not_exist_is_not_silently_free(label):
    loss = SparseCategoricalCrossentropy(from_logits=True)(np.array([label]), Z[:1, 0])
    assert np.isnan(loss)


def test_refuses_labels_of_the_wrong_rank():
    with pytest.raises(ValueError, match=r"one axis less .* received shape \(6, 5, 3\)"):
        SparseCategoricalCrossentropy()(Z, Z)
