"""In order: by hand, Keras, SciPy, the matrix, finite differences, stride and shifts, edges."""

import keras
import numpy as np
import pytest
from backends import WIDEST, layer_gradients, numpy
from scipy.signal import convolve2d, correlate2d
from traces import training_trace

import suite
from suite.layers import Conv2D
from suite.layers import _window as window

BATCH, CHANNELS, FILTERS = 2, 6, 4
# Relative to entries of size one to ten: rounding of sums of some hundred terms.
EXACT = 1e-12 if WIDEST == "float64" else 2e-5


def images(*size, channels=CHANNELS, dtype=WIDEST):
    return np.random.default_rng(0).normal(0.7, 1.0, (BATCH, *size, channels)).astype(dtype)


def with_weights(layer, shape):
    layer.build((None, *shape))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.2, 0.5, w.shape) for w in layer.get_weights()])
    return layer


def first(x, data_format):
    """The array with its channels where the format has them."""
    return np.moveaxis(x, -1, 1) if data_format == "channels_first" else x


# --- by hand -------------------------------------------------------------------------------------


def test_by_hand():
    layer = Conv2D(1, (1, 2))
    layer.build((None, 2, 3, 1))
    layer.set_weights([np.reshape([1.0, 10.0], (1, 2, 1, 1)), np.array([0.5])])
    y = layer(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])[None, ..., None])
    np.testing.assert_array_equal(y[0, :, :, 0], [[21.5, 32.5], [54.5, 65.5]])


# --- Keras ---------------------------------------------------------------------------------------

STEPS = [
    {},
    {"strides": 2},
    {"strides": (3, 2)},
    {"strides": (1, 4)},
    {"dilation_rate": 2},
    {"dilation_rate": (1, 2)},
]
EVEN_AND_ODD = [(7, 8), (10, 9)]


def assert_equals_keras(cls, kernel_size, size=(7, 8), data_format="channels_last", **arguments):
    """Output, and gradients by input, kernel and bias, with the same weights."""
    ours = cls(FILTERS, kernel_size, data_format=data_format, dtype=WIDEST, **arguments)
    # TensorFlow's own gradient for channels that come first exists on a GPU only.
    theirs = keras.layers.Conv2D(
        FILTERS, kernel_size, data_format="channels_last", dtype=WIDEST, **arguments
    )
    x = images(*size)
    with_weights(ours, first(x, data_format).shape[1:])
    with_weights(theirs, x.shape[1:])
    y, (dx, *dw) = layer_gradients(ours, first(x, data_format))
    reference, (reference_dx, *reference_dw) = layer_gradients(theirs, x)
    assert y.shape == ours.compute_output_shape(first(x, data_format).shape)
    np.testing.assert_allclose(y, first(reference, data_format), rtol=0, atol=10 * EXACT)
    np.testing.assert_allclose(dx, first(reference_dx, data_format), rtol=0, atol=100 * EXACT)
    for a, b in zip(dw, reference_dw, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=100 * EXACT)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("steps", STEPS, ids=str)
@pytest.mark.parametrize("kernel_size", [(2, 3), 3, (1, 4)], ids=str)
def test_equals_keras(kernel_size, steps, padding):
    for size in EVEN_AND_ODD:
        assert_equals_keras(Conv2D, kernel_size, size, padding=padding, **steps)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_equals_keras_with_the_channels_first(padding):
    assert_equals_keras(
        Conv2D, (2, 3), data_format="channels_first", padding=padding, strides=(1, 2)
    )


@pytest.mark.parametrize("groups", [2, 1])
def test_equals_keras_in_groups(groups):
    assert_equals_keras(Conv2D, (2, 3), groups=groups)


def test_equals_keras_where_the_kernel_is_larger_than_the_padded_image():
    assert_equals_keras(Conv2D, 5, (3, 2), padding="same")


@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "tanh", "use_bias": False},
        {"kernel_regularizer": "l2", "bias_regularizer": "l1"},
        {"activity_regularizer": "l2", "kernel_constraint": "non_neg"},
    ],
    ids=str,
)
def test_trains_as_keras(arguments):
    x = images(5, 7, dtype="float32")
    classes = (Conv2D, keras.layers.Conv2D)
    traces = [training_trace(cls(FILTERS, (2, 3), **arguments), x) for cls in classes]
    for a, b in zip(*traces, strict=True):
        np.testing.assert_allclose(numpy(a), numpy(b), rtol=2e-5, atol=5e-5)  # float32


def test_starts_as_keras():
    layers = []
    for cls in (Conv2D, keras.layers.Conv2D):
        keras.utils.set_random_seed(3)
        layers.append(cls(FILTERS, (2, 3)))
        layers[-1].build((None, 5, 7, CHANNELS))
    ours, theirs = layers
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class MoreInFront(window.Window):
    """Mutant: of an odd margin, the extra cell comes before the image instead of after it."""

    def margins(self, length):
        return super().margins(length)[::-1]


def test_a_margin_on_the_wrong_side_is_caught(monkeypatch):
    monkeypatch.setattr(window, "Window", MoreInFront)
    assert_equals_keras(Conv2D, 3, padding="same")  # symmetric margins hide it
    for case in ({"kernel_size": 2}, {"kernel_size": 3, "strides": 2, "size": (8, 8)}):
        with pytest.raises(AssertionError):
            assert_equals_keras(Conv2D, padding="same", **case)


# --- SciPy ---------------------------------------------------------------------------------------


def assert_is_correlation(cls):
    x = images(7, 8)
    layer = with_weights(cls(FILTERS, (2, 3), dtype=WIDEST), x.shape[1:])
    kernel, bias = layer.get_weights()
    for f in range(FILTERS):
        terms = [correlate2d(x[0, ..., c], kernel[..., c, f], "valid") for c in range(CHANNELS)]
        expected = sum(terms) + bias[f]
        np.testing.assert_allclose(layer(x)[0, ..., f], expected, rtol=0, atol=10 * EXACT)


class TrueConvolution(Conv2D):
    """Mutant: the mathematical convolution, whose kernel is turned by 180 degrees."""

    def call(self, x):
        straight = self.kernel.value
        self.kernel.assign(keras.ops.flip(straight, (0, 1)))
        y = super().call(x)
        self.kernel.assign(straight)
        return y


def test_is_a_correlation_and_a_convolution_is_caught():
    assert_is_correlation(Conv2D)
    with pytest.raises(AssertionError):
        assert_is_correlation(TrueConvolution)


def test_only_a_convolution_commutes():
    a, b = np.random.default_rng(4).normal(0.5, 1.0, (2, 5, 5))
    b[3:], b[:, 3:] = 0, 0  # of another size
    layers = {}
    for name, kernel in {"a": a, "b": b}.items():
        layers[name] = Conv2D(1, 5, padding="circular", use_bias=False, dtype=WIDEST)
        layers[name].build((None, 5, 5, 1))
        layers[name].set_weights([kernel[..., None, None]])
    a_with_b = numpy(layers["b"](a[None, ..., None].astype(WIDEST)))[0, ..., 0]
    b_with_a = numpy(layers["a"](b[None, ..., None].astype(WIDEST)))[0, ..., 0]
    assert np.abs(a_with_b - b_with_a).max() > 1
    # One is the other's reversal, which on a torus is a mirror about the center.
    np.testing.assert_allclose(a_with_b, b_with_a[::-1, ::-1], rtol=0, atol=10 * EXACT)
    np.testing.assert_allclose(convolve2d(a, b), convolve2d(b, a), rtol=0, atol=1e-12)


# --- the matrix ----------------------------------------------------------------------------------


def test_matrix_of_an_eight_by_eight_image():
    layer = with_weights(Conv2D(1, 3), (8, 8, 1))
    matrix = layer.as_matrix((8, 8, 1))
    assert matrix.shape == (6 * 6, 8 * 8)
    assert matrix.nnz == 6**2 * 3**2 == 324
    assert np.unique(matrix.data).size == 9
    # The row of the output at (1, 2) is the kernel laid over the image there.
    row = matrix.toarray()[1 * 6 + 2].reshape(8, 8)
    np.testing.assert_array_equal(row[1:4, 2:5], layer.get_weights()[0][..., 0, 0])
    assert np.count_nonzero(row) == 9


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", "strides": (1, 3)},
        {"padding": "circular", "strides": 2},
        {"dilation_rate": (2, 1), "strides": 2},
        {"groups": 2, "padding": "same"},
    ],
    ids=str,
)
def test_the_matrix_is_the_layer(arguments, data_format):
    x = first(images(7, 8), data_format)
    shape = x.shape[1:]
    layer = Conv2D(FILTERS, (2, 3), data_format=data_format, dtype=WIDEST, **arguments)
    with_weights(layer, shape)
    matrix = layer.as_matrix(shape)
    layer.bias.assign(np.zeros(FILTERS))
    y, (dx, *_) = layer_gradients(layer, x, loss=lambda y: keras.ops.sum(y * y) / 2)
    for image, output, gradient in zip(x, y, dx, strict=True):
        np.testing.assert_allclose(
            matrix @ image.reshape(-1), output.reshape(-1), rtol=0, atol=10 * EXACT
        )
        # Backpropagation is the transposed matrix, here applied to the slope y of y^2 / 2.
        np.testing.assert_allclose(
            matrix.T @ output.reshape(-1), gradient.reshape(-1), rtol=0, atol=100 * EXACT
        )


def test_the_transposed_matrix_is_the_transposed_convolution():
    y = images(5, 6, channels=FILTERS)
    layer = with_weights(Conv2D(FILTERS, (3, 2), dtype=WIDEST), (7, 7, CHANNELS))
    transposed = keras.layers.Conv2DTranspose(CHANNELS, (3, 2), use_bias=False, dtype=WIDEST)
    transposed.build(y.shape)
    transposed.set_weights(layer.get_weights()[:1])
    expected = numpy(transposed(y))[0].reshape(-1)
    matrix = layer.as_matrix((7, 7, CHANNELS))
    np.testing.assert_allclose(matrix.T @ y[0].reshape(-1), expected, rtol=0, atol=10 * EXACT)


def test_an_unbuilt_layer_is_built_for_its_matrix():
    layer = Conv2D(FILTERS, 2)
    assert layer.as_matrix((3, 4, CHANNELS)).shape == (2 * 3 * FILTERS, 3 * 4 * CHANNELS)
    assert layer.built


@pytest.mark.parametrize("side", [8, 32])
def test_weights_do_not_grow_with_the_image(side):
    """For C channels, K filters, kernel side d: C K d^2 + K; the dense layer has C K D^4."""
    layer = Conv2D(16, 3)
    layer.build((None, side, side, 3))
    assert layer.count_params() == 3 * 16 * 3**2 + 16 == 448
    as_large_as_the_image = Conv2D(16, side)
    as_large_as_the_image.build((None, side, side, 3))
    assert as_large_as_the_image.count_params() == 3 * 16 * side**2 + 16
    dense = keras.layers.Dense(16 * side**2, use_bias=False)
    pixels = 3 * side**2
    assert dense.compute_output_shape((None, pixels)) == (None, 16 * side**2)
    with_dense_bias = {8: 197_632, 32: 50_348_032}
    assert pixels * 16 * side**2 + 16 * side**2 == with_dense_bias[side]


# --- finite differences --------------------------------------------------------------------------


@pytest.mark.skipif(WIDEST != "float64", reason="differences need float64")
@pytest.mark.parametrize("padding", ["valid", "same", "circular"])
def test_gradients_equal_finite_differences(padding):
    layer = Conv2D(
        FILTERS, (2, 3), (1, 2), padding, dilation_rate=(2, 1), activation="tanh", dtype="float64"
    )
    x = images(7, 8)
    with_weights(layer, x.shape[1:])
    arrays = [x, *layer.get_weights()]
    rng = np.random.default_rng(5)
    directions = [rng.normal(size=array.shape) for array in arrays]

    def loss(step):
        moved, *weights = (a + step * d for a, d in zip(arrays, directions, strict=True))
        layer.set_weights(weights)
        return np.sin(numpy(layer(moved))).sum()

    step = 1e-5  # near the cube root of float64's epsilon, where the central difference is best
    slope = (loss(step) - loss(-step)) / (2 * step)
    loss(0)
    _, found = layer_gradients(layer, x)
    total = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    assert total == pytest.approx(slope, rel=1e-7)


# --- stride, shifts ------------------------------------------------------------------------------


def output(x, kernel_size=3, **arguments):
    layer = Conv2D(FILTERS, kernel_size, use_bias=False, dtype=WIDEST, **arguments)
    return numpy(with_weights(layer, x.shape[1:])(x))


@pytest.mark.parametrize("padding", ["valid", "circular"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_stride_takes_every_nth_output(stride, padding):
    x = images(8, 9)
    every = output(x, padding=padding)
    strided = output(x, padding=padding, strides=stride)
    np.testing.assert_allclose(strided, every[:, ::stride, ::stride], rtol=0, atol=EXACT)


def test_same_padding_with_a_stride_starts_where_the_parity_of_the_size_says():
    x = images(8, 9)
    every = output(x, padding="same")
    strided = output(x, padding="same", strides=2)
    np.testing.assert_allclose(strided, every[:, 1::2, 0::2], rtol=0, atol=EXACT)
    assert np.abs(strided[:, :, :4] - every[:, ::2, :8:2]).max() > 1


def test_sizes_by_formula():
    for draw in np.random.default_rng(6).integers((1, 1, 1, 1), (40, 8, 6, 4), (200, 4)):
        size, d, stride, dilation = map(int, draw)
        reach = (d - 1) * dilation + 1
        valid, same, circular = (
            window.Window("kernel_size", d, stride, padding, dilation)
            for padding in window.PADDINGS
        )
        assert same.outputs(size) == -(-size // stride)
        if reach <= size:
            assert valid.outputs(size) == (size - reach) // stride + 1
            assert circular.outputs(size) == -(-size // stride)
        else:
            with pytest.raises(ValueError, match="kernel_size must fit"):
                valid.outputs(size)


def test_circular_padding_is_a_sum_of_rolled_images():
    x = images(7, 8)
    layer = Conv2D(FILTERS, 3, padding="circular", use_bias=False, dtype=WIDEST)
    with_weights(layer, x.shape[1:])
    (kernel,) = layer.get_weights()
    expected = sum(
        np.roll(x, (1 - a, 1 - b), (1, 2)) @ kernel[a, b] for a in range(3) for b in range(3)
    )
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=10 * EXACT)


@pytest.mark.parametrize("kernel_size", [3, (2, 5), (7, 8)], ids=str)
def test_commutes_with_shifts_on_a_torus(kernel_size):
    x = images(7, 8)
    shifted = np.roll(x, (3, -2), (1, 2))
    arguments = {"kernel_size": kernel_size, "padding": "circular"}
    expected = np.roll(output(x, **arguments), (3, -2), (1, 2))
    np.testing.assert_allclose(output(shifted, **arguments), expected, rtol=0, atol=10 * EXACT)


def test_commutes_with_shifts_away_from_the_border_only_where_zeros_are_added():
    x = images(9, 10)
    shifted = np.roll(x, 1, 1)
    defect = np.abs(output(shifted, padding="same") - np.roll(output(x, padding="same"), 1, 1))
    assert defect[:, 2:-1].max() < EXACT
    assert defect[:, :2].max() > 0.5


def test_a_stride_commutes_with_its_multiples_only():
    x = images(8, 6)
    arguments = {"padding": "circular", "strides": 2}
    y = output(x, **arguments)
    by_two = output(np.roll(x, 2, 1), **arguments)
    np.testing.assert_allclose(by_two, np.roll(y, 1, 1), rtol=0, atol=EXACT)
    by_one = output(np.roll(x, 1, 1), **arguments)
    assert min(np.abs(by_one - np.roll(y, k, 1)).max() for k in range(4)) > 1


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", ["valid", "same", "circular"])
def test_images_of_any_size(padding):
    layer = Conv2D(FILTERS, 3, 2, padding)
    inputs = keras.Input((None, None, CHANNELS))
    model = keras.Model(inputs, layer(inputs))
    assert model.output.shape == (None, None, None, FILTERS)
    for size in EVEN_AND_ODD:
        x = images(*size, dtype="float32")
        np.testing.assert_allclose(model.predict(x, verbose=0), numpy(layer(x)), rtol=0, atol=2e-5)


def test_stacks_as_keras_in_a_model():
    def network(layers):
        return keras.Sequential(
            [
                keras.Input((9, 8, 1)),
                layers.Conv2D(3, 3, padding="same", activation="relu"),
                layers.Conv2D(FILTERS, (2, 3), strides=2),
            ]
        )

    ours, theirs = network(suite.layers), network(keras.layers)
    ours.set_weights(theirs.get_weights())
    x = images(9, 8, channels=1, dtype="float32")
    np.testing.assert_allclose(numpy(ours(x)), numpy(theirs(x)), rtol=0, atol=2e-5)
    assert ours.count_params() == theirs.count_params()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": 0}, "filters must be a positive integer, received 0"),
        ({"kernel_size": (3, 0)}, r"kernel_size must .*, received \(3, 0\)"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be a positive integer or two of them"),
        ({"kernel_size": 2.5}, "kernel_size must .*, received 2.5"),
        ({"strides": -1}, "strides must .*, received -1"),
        ({"dilation_rate": (1, None)}, r"dilation_rate must .*, received \(1, None\)"),
        ({"padding": "causal"}, "padding.* must be one of valid, same, circular, received"),
        ({"data_format": "nchw"}, "data_format.*received 'nchw'"),
        ({"groups": 3}, "groups must divide filters=4, received 3"),
        ({"lora_rank": 2}, "lora_rank is left out"),
    ],
    ids=str,
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Conv2D(**{"filters": FILTERS, "kernel_size": 3} | arguments)


@pytest.mark.parametrize("padding", ["valid", "circular"])
def test_refuses_a_kernel_larger_than_the_image(padding):
    layer = Conv2D(FILTERS, (2, 5), padding=padding)
    message = "kernel_size must fit into the image, received 5, .* 5 cells of an axis of 4"
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape((None, 3, 4, CHANNELS))
    with pytest.raises(ValueError, match=message):
        layer.build((None, 3, 4, CHANNELS))
    with pytest.raises(ValueError, match=message):
        layer(images(3, 4))
    of_any_size = Conv2D(FILTERS, (2, 5), padding=padding)
    of_any_size.build((None, None, None, CHANNELS))
    with pytest.raises(ValueError, match=message):
        of_any_size(images(3, 4))
    with pytest.raises(ValueError, match="received 3, which reaches over 5 cells"):
        Conv2D(FILTERS, 3, dilation_rate=2, padding=padding).build((None, 3, 4, CHANNELS))


def test_refuses_channels_it_cannot_use():
    with pytest.raises(ValueError, match="channel axis of the input must be .*, received None"):
        Conv2D(FILTERS, 2).build((None, 3, 4, None))
    with pytest.raises(ValueError, match="groups must divide 3 channels, received 2"):
        Conv2D(FILTERS, 2, groups=2).build((None, 3, 4, 3))
    layer = Conv2D(FILTERS, 2)
    layer(images(3, 4))
    with pytest.raises(ValueError, match="incompatible"):
        layer(images(3, 4, channels=CHANNELS + 1))


def test_padding_is_read_in_any_case():
    assert Conv2D(FILTERS, 2, padding="SAME").padding == "same"


def test_a_dilation_with_a_stride_is_every_nth_output_too():
    """Keras refuses the two together."""
    x = images(9, 8)
    every, strided = output(x, dilation_rate=2), output(x, dilation_rate=2, strides=(3, 2))
    np.testing.assert_allclose(strided, every[:, ::3, ::2], rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((5, 5, 4), "3 channels"), ((5, 5), "three sizes"), ((None, 5, 3), "positive integer")],
)
def test_as_matrix_refuses(shape, message):
    layer = Conv2D(2, 3)
    layer.build((None, 5, 5, 3))
    with pytest.raises(ValueError, match=f"input_shape must.*{message}"):
        layer.as_matrix(shape)
