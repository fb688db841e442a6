"""In order: a case worked by hand, Keras and a float64 oracle, the theory, the edges."""

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, gradients, numpy
from traces import training_trace

from suite.layers import BatchNormalization

BATCH, TIME, FEATURES = 6, 5, 3  # pairwise distinct, so that a swapped axis cannot pass
ROUNDING = {"float64": 1e-12, "float32": 1e-5}[WIDEST]


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(4.0, 2.0, (BATCH, TIME, FEATURES)).astype("float32")


def test_two_points_become_plus_and_minus_one():
    y = BatchNormalization(epsilon=1e-12)(np.array([[0.0], [2.0]], "float32"), training=True)
    np.testing.assert_allclose(y, [[-1.0], [1.0]], rtol=1e-6)  # mean 1, variance 1


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"axis": 1},
        {"center": False, "momentum": 0.7},
        {"scale": False, "epsilon": 0.1},
        {"gamma_regularizer": "l2", "beta_regularizer": "l1", "gamma_constraint": "non_neg"},
    ],
)
def test_trains_as_keras(x, training, arguments):
    ours = training_trace(BatchNormalization(**arguments), x, training=training)
    theirs = training_trace(keras.layers.BatchNormalization(**arguments), x, training=training)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=3e-6)  # float32: sums in another order


def test_a_mask_works_as_in_keras(x):
    mask = np.random.default_rng(2).random((BATCH, TIME)) < 0.6
    ours = training_trace(BatchNormalization(), x, training=True, mask=mask)
    theirs = training_trace(keras.layers.BatchNormalization(), x, training=True, mask=mask)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=3e-6)


def test_what_the_mask_hides_has_no_influence(x):
    mask = np.arange(TIME) < np.array([[1], [2], [3], [4], [5], [5]])
    first, second = BatchNormalization(momentum=0.0), BatchNormalization(momentum=0.0)
    first(x, training=True, mask=mask)
    second(np.where(mask[..., None], x, np.nan), training=True, mask=mask)
    np.testing.assert_allclose(first.moving_mean, x[mask].mean(0), rtol=1e-6)
    np.testing.assert_allclose(first.moving_variance, x[mask].var(0), rtol=1e-5)
    np.testing.assert_array_equal(first.moving_variance, second.moving_variance)


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_averages_follow_the_biased_variance(ddof):
    """`ddof=1` is the mutant: the unbiased variance of the paper's inference."""
    batches = np.random.default_rng(3).normal(2.0, 3.0, (7, BATCH, FEATURES))
    layer = BatchNormalization(momentum=0.8, dtype=WIDEST)
    mean, variance = np.zeros(FEATURES), np.ones(FEATURES)
    for batch in batches:
        layer(batch, training=True)
        mean = 0.8 * mean + 0.2 * batch.mean(0)
        variance = 0.8 * variance + 0.2 * batch.var(0, ddof=ddof)
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=ROUNDING)
    close = np.allclose(layer.moving_variance, variance, rtol=ROUNDING)
    assert close == (ddof == 0)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras has no float64 on this backend")
def test_gradient_equals_finite_differences(x):
    layer = BatchNormalization(dtype="float64")
    rng = np.random.default_rng(4)
    weights, direction = rng.normal(size=(2, *x.shape))
    x = x.astype("float64")

    def loss(x):
        return keras.ops.sum(weights * layer(x, training=True))

    step = 1e-4  # x is of size 4; error of the central difference about step^2 = 1e-8
    slope = float(loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
    _, (gradient,) = gradients(loss, x)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6)


def test_output_does_not_change_when_the_input_is_rescaled(x):
    """BN(a x + b) = BN(x) as epsilon -> 0: the invariance that frees the previous layer's scale."""
    y = BatchNormalization(epsilon=1e-12)(x, training=True)
    rescaled = BatchNormalization(epsilon=1e-12)(7 * x - 3, training=True)
    np.testing.assert_allclose(y, rescaled, atol=1e-5)


@pytest.mark.parametrize("variance", [1.0, 1e-2, 1e-4])
def test_epsilon_shrinks_the_output_variance(variance):
    """Claim C46: var(z) = s^2 / (s^2 + epsilon), not 1."""
    x = np.sqrt(variance) * np.array([[-1.0], [1.0]])
    z = BatchNormalization(epsilon=1e-3, dtype=WIDEST)(x, training=True)
    assert np.var(numpy(z)) == pytest.approx(variance / (variance + 1e-3), rel=ROUNDING)


def test_a_batch_of_one_gives_beta(x):
    layer = BatchNormalization(beta_initializer=keras.initializers.Constant(0.3))
    np.testing.assert_allclose(layer(x[:1, 0], training=True), np.full((1, FEATURES), 0.3))


def test_a_constant_feature_stays_finite():
    y = BatchNormalization()(np.ones((BATCH, FEATURES), "float32"), training=True)
    assert np.isfinite(y).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_large_values_survive_half_precision(policy):
    x = np.array([[-300.0, 1000.0], [300.0, 3000.0]])  # 1000^2 is beyond float16
    layer = BatchNormalization(dtype=policy)
    y = layer(x, training=True)
    np.testing.assert_allclose(np.asarray(y, "float32"), [[-1.0, -1.0], [1.0, 1.0]], rtol=1e-2)
    assert np.isfinite(np.asarray(layer.moving_variance, "float32")).all()


def test_a_frozen_layer_keeps_its_statistics(x):
    layer = BatchNormalization()
    layer.trainable = False
    np.testing.assert_allclose(layer(x, training=True), layer(x, training=False))
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(FEATURES))


def test_names_of_the_weights():
    layer = BatchNormalization()
    layer.build((None, FEATURES))
    assert [w.name for w in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"momentum": 1}, r"momentum must lie in \[0, 1\), received 1"),
        ({"epsilon": 0}, "epsilon must be positive, received 0"),
        ({"axis": 1.5}, "axis must be an integer, received 1.5"),
        ({"synchronized": True}, "synchronized is left out .*, received True"),
        ({"renorm": True}, "renorm"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchNormalization(**arguments)


def test_refuses_an_axis_the_input_does_not_have():
    with pytest.raises(ValueError, match=r"axis must be an axis of \(6, 3\), received 2"):
        BatchNormalization(axis=2).build((BATCH, FEATURES))


def test_refuses_a_mask_of_the_wrong_rank(x):
    with pytest.raises(ValueError, match=r"one axis less than the input \(6, 5, 3\)"):
        BatchNormalization()(x, training=True, mask=np.ones(x.shape, bool))
