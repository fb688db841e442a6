"""In order: by hand, Keras and SciPy, far logits, the gradient, labels that do not exist."""

import keras
import numpy as np
import pytest
import scipy.special
from backends import gradients, numpy

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
        numpy(SparseCategoricalCrossentropy(**arguments)(y, prediction)),
        numpy(keras.losses.SparseCategoricalCrossentropy(**arguments)(y, prediction)),
        rtol=3e-6,  # float32: a few ulp
        atol=1e-6,
    )


def test_probabilities_that_do_not_sum_to_one_are_normalized():
    # As Keras does on TensorFlow: clipped, then normalized.
    p = np.array([[0.2, 0.9, 0.0], [1.0, 0.0, 0.0]])
    clipped = np.clip(p, 1e-7, 1 - np.float32(1e-7))
    normalized = clipped / clipped.sum(-1, keepdims=True)
    for labels in ([0, 1], [1, 2], [2, 0]):
        np.testing.assert_allclose(
            numpy(SparseCategoricalCrossentropy(reduction=None)(labels, p)),
            -np.log(normalized[[0, 1], labels]),
            rtol=1e-6,
            atol=2e-7,  # 1 - 1e-7 in float32
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("label", range(CLASSES))
def test_far_logits_equal_scipy_and_have_the_right_slope(label, dtype):
    z = np.float32([[800.0, -800.0, 0.0]])  # exact in every one of the dtypes
    loss, y = SparseCategoricalCrossentropy(True, dtype=dtype), np.array([label])
    value, (slope,) = gradients(lambda z: keras.ops.cast(loss(y, z), "float32"), z)
    np.testing.assert_allclose(value, -scipy.special.log_softmax(z)[0, label], rtol=1e-6)
    np.testing.assert_allclose(slope, scipy.special.softmax(z) - np.eye(CLASSES)[y], atol=1e-30)


def test_an_impossible_class_costs_nothing_where_it_is_not_the_label():
    z = np.array([[0.0, -np.inf, 0.0]])
    loss = SparseCategoricalCrossentropy(from_logits=True)(np.array([0]), z)
    assert float(loss) == pytest.approx(np.log(2), rel=1e-6)


def test_the_slope_is_softmax_minus_one_hot():
    loss = SparseCategoricalCrossentropy(True, reduction="sum")
    _, (slope,) = gradients(lambda z: loss(Y, z), Z)
    expected = scipy.special.softmax(Z.astype("float64"), -1) - np.eye(CLASSES)[Y]
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6)


def test_ignored_entries_have_no_slope():
    y = np.where(RNG.random(Y.shape) < 0.3, -1, Y)
    loss = SparseCategoricalCrossentropy(True, ignore_class=-1)
    _, (slope,) = gradients(lambda z: loss(y, z), Z)
    np.testing.assert_array_equal(np.any(slope != 0, axis=-1), y != -1)


def test_the_classes_may_lie_along_any_axis():
    last = SparseCategoricalCrossentropy(True, reduction=None)(Y, Z)
    middle = SparseCategoricalCrossentropy(True, reduction=None, axis=1)(Y, Z.swapaxes(1, 2))
    np.testing.assert_allclose(numpy(last), numpy(middle), rtol=1e-6)


@pytest.mark.parametrize("label", [-1, CLASSES])
def test_a_label_that_does_not_exist_is_not_silently_free(label):
    loss = SparseCategoricalCrossentropy(from_logits=True)(np.array([label]), Z[:1, 0])
    assert np.isnan(numpy(loss))


def test_refuses_labels_of_the_wrong_rank():
    with pytest.raises(ValueError, match=r"one axis less .* received shape \(6, 5, 3\)"):
        SparseCategoricalCrossentropy()(Z, Z)


def test_refuses_labels_that_would_broadcast():
    with pytest.raises(ValueError, match=r"the same sizes, received shape \(6, 1\)"):
        SparseCategoricalCrossentropy()(Y[:, :1], Z)


def test_refuses_a_dtype_that_rounds_labels():
    y, z = np.array([257]), np.zeros((1, 300), "float32")
    assert float(SparseCategoricalCrossentropy(True)(y, z)) == pytest.approx(np.log(300))
    with pytest.raises(ValueError, match="bfloat16 does so only up to 256, received 300 classes"):
        SparseCategoricalCrossentropy(True, dtype="bfloat16")(y, z)
