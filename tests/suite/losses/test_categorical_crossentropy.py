"""In order: by hand, Keras and SciPy, far logits, the gradient with its mutants, edges."""

import keras
import numpy as np
import pytest
import scipy.special
from backends import gradients, numpy

from suite.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy

BATCH, TIME, CLASSES, FEATURES = 6, 5, 3, 4
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, CLASSES, (BATCH, TIME))
ONE_HOT = np.eye(CLASSES, dtype="float32")[LABELS]
SMOOTHED = (0.7 * ONE_HOT + 0.1).astype("float32")
# Claim C09: the derivation uses that the labels of a sample sum to one. These sum to two.
UNNORMALIZED = (ONE_HOT + np.eye(CLASSES, dtype="float32")[(LABELS + 1) % CLASSES]).astype(
    "float32"
)
Z = RNG.normal(0.7, 2.0, (BATCH, TIME, CLASSES)).astype("float32")
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]


def test_three_equal_logits_cost_log_three():
    loss = CategoricalCrossentropy(from_logits=True)([[0.0, 1.0, 0.0]], [[4.0, 4.0, 4.0]])
    assert float(loss) == pytest.approx(np.log(3), rel=1e-6)


def test_a_probability_of_one_quarter_costs_log_four():
    loss = CategoricalCrossentropy()([[0.0, 1.0]], [[0.75, 0.25]])
    assert float(loss) == pytest.approx(np.log(4), rel=1e-6)


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_matches_keras(from_logits, reduction, smoothing):
    # Not normalized, which Keras does itself.
    prediction = Z if from_logits else 2 * scipy.special.softmax(Z, -1)
    arguments = {
        "from_logits": from_logits,
        "reduction": reduction,
        "label_smoothing": smoothing,
    }
    weight = np.linspace(0.5, 2.0, BATCH * TIME, dtype="float32").reshape(BATCH, TIME)
    for given in ({}, {"sample_weight": weight}):
        np.testing.assert_allclose(
            numpy(CategoricalCrossentropy(**arguments)(ONE_HOT, prediction, **given)),
            numpy(keras.losses.CategoricalCrossentropy(**arguments)(ONE_HOT, prediction, **given)),
            rtol=3e-6,  # float32: a few ulp
            atol=1e-6,
        )


@pytest.mark.parametrize("from_logits", [True, False])
def test_one_hot_labels_cost_what_integers_cost(from_logits):
    prediction = Z if from_logits else scipy.special.softmax(Z, -1)
    np.testing.assert_allclose(
        numpy(CategoricalCrossentropy(from_logits, reduction=None)(ONE_HOT, prediction)),
        numpy(SparseCategoricalCrossentropy(from_logits, reduction=None)(LABELS, prediction)),
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("label", range(CLASSES))
def test_far_logits_equal_scipy_and_have_the_right_slope(label, smoothing, dtype):
    y = np.eye(CLASSES, dtype="float32")[[label]]
    z = np.float32([[800.0, -800.0, 0.0]])  # exact in every one of the dtypes
    loss = CategoricalCrossentropy(True, label_smoothing=smoothing, dtype=dtype)
    value, (slope,) = gradients(lambda z: keras.ops.cast(loss(y, z), "float32"), z)
    y = (1 - smoothing) * y + smoothing / CLASSES
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6}[dtype]  # 2 to 3 ulp
    expected = -np.sum(y * scipy.special.log_softmax(z, -1))
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(slope, scipy.special.softmax(z, -1) - y, atol=tolerance)


def naive(y, z):
    """A mutant: the logarithm of a softmax that was computed first, here with the maximum off."""
    with np.errstate(divide="ignore", invalid="ignore"):
        e = np.exp(z - z.max(-1, keepdims=True))
        return -np.sum(y * np.log(e / e.sum(-1, keepdims=True)))


def test_the_logarithm_of_a_softmax_fails_the_same_check():
    assert not np.isfinite(naive(np.eye(3, dtype="float32")[1], np.float32([800, -800, 0])))


def short_slope(y, z):
    """What claim C09 writes; right where the labels of a sample sum to one."""
    return scipy.special.softmax(z, -1) - y


def full_slope(y, z):
    return y.sum(-1, keepdims=True) * scipy.special.softmax(z, -1) - y


@pytest.mark.parametrize("y", [ONE_HOT, SMOOTHED, UNNORMALIZED])
def test_the_slope_is_softmax_minus_label_where_the_labels_sum_to_one(y):
    loss = CategoricalCrossentropy(True, reduction="sum")
    _, (slope,) = gradients(lambda z: loss(y, z), Z)
    np.testing.assert_allclose(slope, full_slope(y, Z), rtol=1e-4, atol=1e-6)
    if y is UNNORMALIZED:  # off by exactly the softmax
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(slope, short_slope(y, Z), rtol=1e-4, atol=1e-6)
        difference = slope - short_slope(y, Z)
        np.testing.assert_allclose(difference, scipy.special.softmax(Z, -1), rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_allclose(slope, short_slope(y, Z), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slope.sum(-1), 0, atol=1e-6)


def test_the_slope_by_the_weights_is_input_times_error():
    x = RNG.normal(0.4, 1.0, (BATCH, FEATURES)).astype("float32")
    w = RNG.normal(0.1, 1.0, (FEATURES, CLASSES)).astype("float32")
    y, loss = ONE_HOT[:, 0], CategoricalCrossentropy(True, reduction="sum")
    _, (slope,) = gradients(lambda w: loss(y, keras.ops.matmul(x, w)), w)
    expected = x.T @ (scipy.special.softmax(x @ w, -1) - y)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)


def test_an_impossible_class_costs_nothing_where_its_label_is_zero():
    y, z = np.float32([[1.0, 0.0, 0.0]]), np.float32([[0.0, -np.inf, 0.0]])
    loss = CategoricalCrossentropy(from_logits=True)
    value, (slope,) = gradients(lambda z: loss(y, z), z)
    assert float(value) == pytest.approx(np.log(2), rel=1e-6)
    np.testing.assert_allclose(slope, [[-0.5, 0.0, 0.5]], atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_classes_may_lie_along_any_axis(smoothing):
    last = CategoricalCrossentropy(True, smoothing, reduction=None)(SMOOTHED, Z)
    middle = CategoricalCrossentropy(True, smoothing, axis=1, reduction=None)(
        SMOOTHED.swapaxes(1, 2), Z.swapaxes(1, 2)
    )
    np.testing.assert_allclose(numpy(last), numpy(middle), rtol=1e-5)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"two classes or more .* received shape \(6, 1\)"):
        CategoricalCrossentropy()(np.ones((6, 1)), np.ones((6, 1)))


def test_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"same shape, received \(1, 5, 3\) and \(6, 5, 3\)"):
        CategoricalCrossentropy()(ONE_HOT[:1], Z)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_smoothing": -0.1}, r"label_smoothing .* \[0, 1\], received -0.1"),
        ({"from_logits": 1}, "from_logits must be True or False, received 1"),
        ({"axis": 1.5}, "axis must be an integer, received 1.5"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        CategoricalCrossentropy(**arguments)
