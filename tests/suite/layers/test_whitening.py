"""In order: by hand, scikit-learn and SciPy, the theory (and its wrong forms), edges."""

import keras
import numpy as np
import pytest
import scipy.linalg
import sklearn.decomposition
from backends import BACKEND, WIDEST, gradients, layer_gradients, numpy

from suite.layers import Whitening

SAMPLES, FEATURES = 50, 4
METHODS = ["pca", "zca", "cholesky"]
# float32: 64 units in the last place times the condition number of the covariance, below 100.
ROUNDING = {"float64": 1e-11, "float32": 1e-3}[WIDEST]


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(FEATURES, FEATURES)) + np.diag([3.0, 1.0, 2.0, 4.0])
    return rng.normal(size=(SAMPLES, FEATURES)) @ mixing + [5.0, -2.0, 0.5, 1.0]


def adapted(x, **arguments):
    layer = Whitening(dtype=WIDEST, **arguments)
    layer.adapt(x)
    return layer


def covariance(z):
    return np.cov(np.asarray(z, "float64").T, ddof=0)


def test_a_diagonal_covariance_by_hand():
    """Deviations 2 and 1 of uncorrelated features: divide by them."""
    x = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [4.0, 2.0]])
    for method in METHODS:
        layer = adapted(x, method=method, epsilon=0)
        np.testing.assert_allclose(numpy(layer.matrix), np.diag([0.5, 1.0]), atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_the_output_is_white(x, method):
    z = numpy(adapted(x, method=method, epsilon=0)(x))
    np.testing.assert_allclose(z.mean(0), 0, atol=ROUNDING)
    np.testing.assert_allclose(covariance(z), np.eye(FEATURES), atol=ROUNDING)


def test_pca_equals_scikit_learn(x):
    """Which divides by n - 1."""
    reference = sklearn.decomposition.PCA(whiten=True).fit_transform(x)
    z = numpy(adapted(x, method="pca", epsilon=0)(x)) * np.sqrt((SAMPLES - 1) / SAMPLES)
    np.testing.assert_allclose(np.abs(z), np.abs(reference), atol=10 * ROUNDING)


def test_zca_equals_scipy(x):
    reference = scipy.linalg.inv(scipy.linalg.sqrtm(covariance(x)))
    layer = adapted(x, method="zca", epsilon=0)
    np.testing.assert_allclose(numpy(layer.matrix), reference, atol=ROUNDING)


def test_cholesky_equals_scipy(x):
    lower = scipy.linalg.cholesky(covariance(x), lower=True)
    reference = scipy.linalg.solve_triangular(lower, np.eye(FEATURES), lower=True)
    layer = adapted(x, method="cholesky", epsilon=0)
    np.testing.assert_allclose(numpy(layer.matrix), reference, atol=ROUNDING)
    assert np.all(np.triu(numpy(layer.matrix), 1) == 0)


@pytest.mark.parametrize("mutant", ["square root", "cholesky factor", "its transpose"])
def test_the_forms_of_the_slide_color_instead(x, mutant):
    """Claim C45: the same check that the layer passes rejects them by orders of magnitude."""
    sigma = covariance(x)
    lower = np.linalg.cholesky(sigma)
    w = {
        "square root": scipy.linalg.sqrtm(sigma),
        "cholesky factor": lower,
        "its transpose": lower.T,
    }[mutant]
    assert np.linalg.norm(w @ sigma @ w.T - np.eye(FEATURES)) > 10


def test_zca_moves_the_data_least(x):
    w = numpy(adapted(x, method="zca", epsilon=0).matrix)
    centered = x - x.mean(0)
    rng = np.random.default_rng(1)
    best = np.mean((centered @ w.T - centered) ** 2)
    for _ in range(200):
        rotation, _ = np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))
        assert np.mean((centered @ (rotation @ w).T - centered) ** 2) > best


def test_epsilon_shrinks_each_direction(x):
    z = numpy(adapted(x, method="pca", epsilon=2.0)(x))
    variances = np.sort(np.linalg.eigvalsh(covariance(x)))[::-1]
    np.testing.assert_allclose(z.var(0), variances / (variances + 2.0), rtol=10 * ROUNDING)


def test_batches_add_up_even_far_from_zero(x):
    far = x + 1e4
    whole, parts = adapted(far), adapted(np.split(far, [7, 20]).__iter__())
    np.testing.assert_allclose(numpy(parts.covariance), covariance(x), rtol=1e-6)
    np.testing.assert_allclose(numpy(parts.covariance), numpy(whole.covariance), rtol=1e-6)


def test_adapting_again_forgets(x):
    layer = adapted(2 * x + 1)
    layer.adapt(x)
    np.testing.assert_allclose(numpy(layer.mean), x.mean(0), rtol=1e-6)


def test_axes_before_the_last_count_samples(x):
    images = x.reshape(5, 2, 5, FEATURES)
    np.testing.assert_allclose(
        numpy(adapted(images)(images)).reshape(x.shape), numpy(adapted(x)(x)), atol=ROUNDING
    )


# --- statistics of the batch ---------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_training_batch_comes_out_white(x, method):
    layer = Whitening(method, statistics="batch", epsilon=0, dtype=WIDEST)
    z = layer(x, training=True)
    np.testing.assert_allclose(covariance(numpy(z)), np.eye(FEATURES), atol=10 * ROUNDING)


def test_moving_averages_follow_the_recursion(x):
    layer = Whitening(statistics="batch", momentum=0.8, dtype=WIDEST)
    mean, sigma = np.zeros(FEATURES), np.eye(FEATURES)
    for batch in np.split(x, 5):
        layer(batch, training=True)
        mean = 0.8 * mean + 0.2 * batch.mean(0)
        sigma = 0.8 * sigma + 0.2 * covariance(batch)
    np.testing.assert_allclose(numpy(layer.mean), mean, rtol=1e-5)
    np.testing.assert_allclose(numpy(layer.covariance), sigma, rtol=1e-4, atol=1e-5)
    w = scipy.linalg.inv(scipy.linalg.sqrtm(sigma + 1e-5 * np.eye(FEATURES)))
    np.testing.assert_allclose(numpy(layer(x)), (x - mean) @ w.T, atol=1e-3)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras has no float64 on this backend")
@pytest.mark.parametrize("method", METHODS)
def test_gradient_equals_finite_differences(x, method):
    layer = Whitening(method, statistics="batch", dtype="float64")
    rng = np.random.default_rng(2)
    weights, direction = rng.normal(size=(2, *x.shape))

    def loss(x):
        return keras.ops.sum(weights * layer(x, training=True) ** 3)

    step = 1e-5  # near the cube root of float64's epsilon
    slope = float(loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
    _, (gradient,) = gradients(loss, x)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6)


def test_the_gradient_of_zca_is_finite_where_eigenvalues_meet():
    x = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], "float32")  # covariance I / 2
    layer = Whitening("zca", statistics="batch")
    _, (slope,) = layer_gradients(layer, x, training=True)
    assert np.isfinite(slope).all()


def test_what_the_mask_hides_has_no_influence(x):
    x = x.reshape(5, 10, FEATURES)
    mask = np.arange(10) < np.array([[4], [7], [10], [8], [9]])
    layer = Whitening(statistics="batch", momentum=0.0)
    layer(np.where(mask[..., None], x, 1e6), training=True, mask=mask)
    np.testing.assert_allclose(numpy(layer.covariance), covariance(x[mask]), rtol=1e-3, atol=1e-4)


def test_a_frozen_layer_keeps_its_statistics(x):
    layer = Whitening(statistics="batch", trainable=False)
    layer(x, training=True)
    np.testing.assert_array_equal(numpy(layer.mean), 0)


def test_fit_with_a_smaller_last_batch(x):
    model = keras.Sequential([keras.Input((FEATURES,)), Whitening(statistics="batch")])
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], batch_size=32, verbose=0)  # 50 samples
    assert np.abs(numpy(model.layers[0].mean)).max() > 0


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "svd"}, "method.*received 'svd'"),
        ({"statistics": "none"}, "statistics.*received 'none'"),
        ({"epsilon": -1e-3}, "epsilon must be zero or positive, received -0.001"),
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\), received 1.0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Whitening(**arguments)


def test_adapt_refuses(x):
    broken = x.copy()
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match="data must be finite, received nan in row 3, column 1"):
        adapted(broken)
    with pytest.raises(ValueError, match=r"data must be numbers, received \['text'\]"):
        adapted(["text"])
    with pytest.raises(ValueError, match="batches of x alone, received a tuple of 2"):
        adapted(iter([(x, x)]))
    with pytest.raises(ValueError, match="at least 2 samples, received 0"):
        adapted(x[:0])
    with pytest.raises(ValueError, match="at least 2 samples, received 1"):
        adapted(x[:1])
    with pytest.raises(ValueError, match="full rank 4, received rank 2 from 3 samples"):
        adapted(x[:3], epsilon=0)
    layer = adapted(x)
    with pytest.raises(ValueError, match=r"shape \(samples, ..., 4\), received \(50, 3\)"):
        layer.adapt(x[:, :3])


def test_too_few_samples_are_whitened_with_an_epsilon(x):
    assert np.isfinite(numpy(adapted(x[:3])(x))).all()
