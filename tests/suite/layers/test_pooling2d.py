"""Max, average and global pooling: by hand, Keras, invariance to shifts, edges."""

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, layer_gradients, numpy

import suite
from suite.layers import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from suite.layers import _window as window

BATCH, CHANNELS = 2, 3
EXACT = 1e-12 if WIDEST == "float64" else 1e-5  # relative to sums of some ten entries of size one
POOLS = [MaxPooling2D, AveragePooling2D]
GLOBAL_POOLS = [GlobalMaxPooling2D, GlobalAveragePooling2D]


def images(*size, channels=CHANNELS, dtype=WIDEST):
    """Mostly negative, so that a padding of zeros would win a maximum."""
    return np.random.default_rng(0).normal(-0.7, 1.0, (BATCH, *size, channels)).astype(dtype)


def theirs_of(cls):
    return getattr(keras.layers, cls.__name__)


def first(x, data_format):
    """The array with its channels where the format has them."""
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


def run(layer, x):
    return numpy(layer(x))


# --- by hand -------------------------------------------------------------------------------------


def test_by_hand():
    x = np.array([[1.0, 5.0, -2.0, -8.0], [3.0, 2.0, -4.0, -6.0]], "float32")[None, ..., None]
    assert run(MaxPooling2D(), x).reshape(-1).tolist() == [5.0, -2.0]
    assert run(AveragePooling2D(2), x).reshape(-1).tolist() == [2.75, -5.0]
    assert run(GlobalMaxPooling2D(), x).tolist() == [[5.0]]
    assert run(GlobalAveragePooling2D(), x).tolist() == [[-1.125]]


def test_padding_neither_wins_nor_is_averaged():
    x = np.array([[-1.0, -5.0, -3.0]], "float32")[None, ..., None]
    maxima = run(MaxPooling2D((1, 2), 1, "same"), x)
    means = run(AveragePooling2D((1, 2), 1, "same"), x)
    assert maxima.reshape(-1).tolist() == [-1.0, -3.0, -3.0]
    assert means.reshape(-1).tolist() == [-3.0, -4.0, -3.0]


# --- Keras ---------------------------------------------------------------------------------------

CASES = [
    {},
    {"strides": 1},
    {"strides": (1, 2)},
    {"pool_size": 3, "strides": 2},
    {"pool_size": (1, 4), "strides": (3, 1)},
    {"pool_size": 5, "strides": 3},
]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("arguments", CASES, ids=str)
@pytest.mark.parametrize("cls", POOLS)
def test_equals_keras(cls, arguments, padding):
    arguments = {"pool_size": (2, 3), "padding": padding} | arguments
    for size in [(7, 8), (10, 9)]:
        assert_equals_keras(cls, images(*size), **arguments)


def assert_equals_keras(cls, x, data_format="channels_last", **arguments):
    ours = cls(data_format=data_format, dtype=WIDEST, **arguments)
    theirs = theirs_of(cls)(data_format="channels_last", dtype=WIDEST, **arguments)
    y, (dx,) = layer_gradients(ours, first(x, data_format))
    reference, (reference_dx,) = layer_gradients(theirs, x)
    assert y.shape == ours.compute_output_shape(first(x, data_format).shape)
    np.testing.assert_allclose(y, first(reference, data_format), rtol=0, atol=EXACT)
    np.testing.assert_allclose(dx, first(reference_dx, data_format), rtol=0, atol=10 * EXACT)


@pytest.mark.parametrize("cls", POOLS)
def test_equals_keras_with_the_channels_first(cls):
    x = images(7, 8)
    assert_equals_keras(cls, x, "channels_first", pool_size=(2, 3), strides=2, padding="same")


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("cls", GLOBAL_POOLS)
def test_a_global_pool_equals_keras(cls, data_format, keepdims):
    x = first(images(7, 8), data_format)
    arguments = {"data_format": data_format, "keepdims": keepdims, "dtype": WIDEST}
    y, (dx,) = layer_gradients(cls(**arguments), x)
    reference, (reference_dx,) = layer_gradients(theirs_of(cls)(**arguments), x)
    assert y.shape == cls(**arguments).compute_output_shape(x.shape)
    np.testing.assert_allclose(y, reference, rtol=0, atol=EXACT)
    np.testing.assert_allclose(dx, reference_dx, rtol=0, atol=EXACT)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the others split the gradient")
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_of_equal_values_the_first_gets_the_gradient_as_with_keras(strides, padding):
    """After a ReLU many windows hold nothing but zeros."""
    x = np.random.default_rng(3).integers(0, 3, (BATCH, 7, 8, CHANNELS)).astype(WIDEST)
    assert_equals_keras(MaxPooling2D, x, pool_size=(2, 3), strides=strides, padding=padding)


def test_where_all_are_equal_the_gradient_is_a_subgradient():
    x = np.zeros((1, 3, 3, 1), WIDEST)
    _, (dx,) = layer_gradients(MaxPooling2D(3), x, loss=lambda y: keras.ops.sum(5 * y))
    assert (dx >= 0).all()
    assert dx.sum() == 5
    if BACKEND == "tensorflow":
        assert dx[0, 0, 0, 0] == 5


def test_a_nan_is_not_hidden():
    for place in range(4):
        x = np.ones((1, 2, 2, 1), "float32")
        x.reshape(-1)[place] = np.nan
        assert np.isnan(run(MaxPooling2D(), x)).all()


# --- shifts --------------------------------------------------------------------------------------


def test_average_pooling_is_a_convolution_with_equal_weights():
    x = images(7, 8, channels=1)
    conv = suite.layers.Conv2D(
        1, (2, 3), 2, use_bias=False, kernel_initializer="ones", dtype=WIDEST
    )
    pool = AveragePooling2D((2, 3), 2, dtype=WIDEST)
    np.testing.assert_allclose(run(pool, x), run(conv, x) / 6, rtol=0, atol=EXACT)


@pytest.mark.parametrize("cls", POOLS)
def test_commutes_with_shifts_by_the_stride_only(cls):
    x = images(8, 6)
    pool = cls(2, dtype=WIDEST)
    shifted = np.roll(run(pool, x), 1, 1)
    np.testing.assert_allclose(run(pool, np.roll(x, 2, 1)), shifted, rtol=0, atol=EXACT)
    by_one = run(pool, np.roll(x, 1, 1))
    assert min(np.abs(by_one - np.roll(run(pool, x), k, 1)).max() for k in range(4)) > 0.5


@pytest.mark.parametrize("cls", POOLS)
def test_circular_windows_commute_with_shifts(cls):
    x = images(8, 6)
    pool = cls((3, 2), 1, "circular", dtype=WIDEST)
    expected = np.roll(run(pool, x), (3, -1), (1, 2))
    np.testing.assert_allclose(run(pool, np.roll(x, (3, -1), (1, 2))), expected, atol=EXACT)


@pytest.mark.parametrize("cls", GLOBAL_POOLS)
def test_a_global_pool_does_not_see_shifts(cls):
    x = images(7, 8)
    pool = cls(dtype=WIDEST)
    np.testing.assert_allclose(run(pool, np.roll(x, (2, 3), (1, 2))), run(pool, x), atol=EXACT)


@pytest.mark.parametrize("p", [2, 4, 8])
def test_a_bright_pixel_survives_a_shift_by_one_with_probability_one_minus_one_over_p(p):
    pixels = np.eye(16, dtype="float32")[:, None, :, None]  # an image for each place of it
    pool = MaxPooling2D((1, p))
    same = (run(pool, pixels) == run(pool, np.roll(pixels, 1, 2))).all((1, 2, 3))
    assert same.mean() == (p - 1) / p


def test_max_pooling_is_a_contraction_in_the_largest_entry():
    x, more = images(7, 8), np.random.default_rng(1).normal(size=(BATCH, 7, 8, CHANNELS))
    pool = MaxPooling2D((2, 3), 1, "same", dtype=WIDEST)
    change = np.abs(run(pool, (x + more).astype(WIDEST)) - run(pool, x)).max()
    assert change <= np.abs(more).max() + EXACT


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("strides", [2, 3])  # of 3, windows tile the image
@pytest.mark.parametrize("padding", window.PADDINGS)
@pytest.mark.parametrize("cls", POOLS)
def test_images_of_any_size(cls, padding, strides):
    layer = cls(3, strides, padding)
    inputs = keras.Input((None, None, CHANNELS))
    model = keras.Model(inputs, layer(inputs))
    assert model.output.shape == (None, None, None, CHANNELS)
    for size in [(7, 8), (10, 9)]:
        x = images(*size, dtype="float32")
        np.testing.assert_allclose(model.predict(x, verbose=0), run(layer, x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("cls", GLOBAL_POOLS)
def test_a_global_pool_takes_images_of_any_size(cls):
    model = keras.Sequential([keras.Input((None, None, CHANNELS)), cls()])
    assert model.output_shape == (None, CHANNELS)
    for size in [(7, 8), (10, 9)]:
        assert model.predict(images(*size, dtype="float32"), verbose=0).shape == (BATCH, CHANNELS)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"pool_size": 0}, "pool_size must be a positive integer or two of them, received 0"),
        ({"pool_size": (2, 2, 2)}, "pool_size must .*, received"),
        ({"strides": 0}, "strides must .*, received 0"),
        ({"padding": "reflect"}, "padding.* must be one of valid, same, circular, received"),
        ({"data_format": "nhwc"}, "data_format.*received 'nhwc'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("cls", POOLS)
def test_refuses(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**{"pool_size": 2} | arguments)


@pytest.mark.parametrize("cls", POOLS)
def test_refuses_a_window_larger_than_the_image(cls):
    message = "pool_size must fit into the image, received 5"
    with pytest.raises(ValueError, match=message):
        cls((2, 5)).compute_output_shape((None, 3, 4, CHANNELS))
    with pytest.raises(ValueError, match=message):
        cls((2, 5))(images(3, 4))
    with pytest.raises(ValueError, match=message):
        cls((2, 5), strides=1)(images(3, 4))


@pytest.mark.parametrize("cls", GLOBAL_POOLS)
def test_a_global_pool_refuses(cls):
    with pytest.raises(ValueError, match="keepdims must be True or False, received 1"):
        cls(keepdims=1)
    with pytest.raises(ValueError, match="data_format"):
        cls("nhwc")


@pytest.mark.parametrize("cls", POOLS + GLOBAL_POOLS)
def test_refuses_another_rank(cls):
    layer = cls() if cls is not AveragePooling2D else cls(2)
    with pytest.raises(ValueError, match="ndim=4"):
        layer(np.ones((4, 5, 3), "float32"))


def test_maxima_of_integers():
    x = np.arange(-12, 0, dtype="int32").reshape(1, 3, 2, 2)
    y = numpy(MaxPooling2D(2, padding="same")(x))
    np.testing.assert_array_equal(y[0, :, 0], [[-6, -5], [-2, -1]])
