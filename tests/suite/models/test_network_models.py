"""The deep models against NumPy, and against the same network from Keras's parts."""

import keras
import numpy as np
import pytest
from backends import layer_gradients, numpy

import suite
from suite.models import ConvolutionalNetwork, GraphNetwork, RecurrentNetwork, ResidualNetwork

BATCH, HEIGHT, WIDTH, CHANNELS, TIME, FEATURES, OUTPUTS = 6, 12, 15, 2, 5, 4, 3
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(0.5, 1.0, (BATCH, FEATURES)).astype("float32")
IMAGES = RNG.normal(0.5, 1.0, (BATCH, HEIGHT, WIDTH, CHANNELS)).astype("float32")
SEQUENCES = RNG.normal(0.5, 1.0, (BATCH, TIME, FEATURES)).astype("float32")


@pytest.mark.parametrize(("scaled", "mutant"), [(True, False), (False, False), (True, True)])
def test_residual_network_is_the_recursion(scaled, mutant):
    """The mutant activates after the weights."""
    model = ResidualNetwork(7, 3, OUTPUTS, "tanh", scaled=scaled, seed=1)
    found = numpy(model(VECTORS))
    w = model.get_weights()
    x = VECTORS @ w[0] + w[1]
    for kernel, bias in zip(w[2:-2:2], w[3:-2:2], strict=True):
        branch = np.tanh(x @ kernel + bias) if mutant else np.tanh(x) @ kernel + bias
        x = x + (3**-0.5 if scaled else 1) * branch
    close = np.allclose(found, np.tanh(x) @ w[-2] + w[-1], rtol=1e-4, atol=1e-5)
    assert close == (not mutant)


def test_a_scaled_residual_network_keeps_its_size_at_any_depth():
    """Claim C49: (1 + 1 / L)^L < e with the scale, 2^L without."""
    wide = np.random.default_rng(1).normal(size=(20, 100)).astype("float32")

    def growth(scaled):
        model = ResidualNetwork(
            100, 30, 100, None, scaled=scaled, kernel_initializer="lecun_normal", seed=2
        )
        return np.log(np.mean(numpy(model(wide)) ** 2))

    # A sum of 32 logs, each with variance about 2 / 100: standard deviation 0.8, times four.
    assert abs(growth(True) - 1) < 3.2
    assert abs(growth(False) - 30 * np.log(2)) < 3.2


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("shrink", ["max", "average", "stride", "none"])
def test_convolutional_network_equals_kerass_layers(shrink, padding):
    model = ConvolutionalNetwork((4, 5), OUTPUTS, (2, 3), "tanh", padding, shrink, seed=1)
    layers = [keras.Input(IMAGES.shape[1:])]
    for filters in (4, 5):
        strides = 2 if shrink == "stride" else 1
        layers.append(keras.layers.Conv2D(filters, (2, 3), strides, padding, activation="tanh"))
        if shrink in ("max", "average"):
            pool = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
            layers.append(pool[shrink](2))
    reference = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(OUTPUTS)])
    assert_equal(model, reference, IMAGES)


@pytest.mark.parametrize("readout", ["global_max", "global_average"])
def test_a_circular_network_with_global_readout_is_blind_to_shifts(readout):
    model = ConvolutionalNetwork(
        (4, 5), OUTPUTS, padding="circular", shrink="none", readout=readout, seed=1
    )
    shifted = np.roll(IMAGES, (3, 2), (1, 2))
    np.testing.assert_allclose(numpy(model(shifted)), numpy(model(IMAGES)), rtol=1e-5, atol=1e-6)
    flat = ConvolutionalNetwork((4, 5), OUTPUTS, padding="circular", shrink="none", seed=1)
    assert not np.allclose(numpy(flat(shifted)), numpy(flat(IMAGES)), rtol=1e-2)


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_recurrent_network_equals_kerass_layers(cell, bidirectional, return_sequences):
    model = RecurrentNetwork((4, 7), OUTPUTS, cell, bidirectional, return_sequences, seed=1)
    kind = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}
    kind = kind.get(cell, keras.layers.GRU)
    layers = [keras.Input(SEQUENCES.shape[1:])]
    for size, sequences in ((4, True), (7, return_sequences)):
        layer = kind(size, return_sequences=sequences)
        layers.append(keras.layers.Bidirectional(layer) if bidirectional else layer)
    reference = keras.Sequential([*layers, keras.layers.Dense(OUTPUTS)])
    assert_equal(model, reference, SEQUENCES)


def assert_equal(model, reference, x):
    model(x)
    reference.set_weights(model.get_weights())
    (y, slopes), (expected, expected_slopes) = (layer_gradients(m, x) for m in (model, reference))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)  # float32, other order of sums
    for a, b in zip(slopes, expected_slopes, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


GRAPH = np.array(  # asymmetric, with a node of no edges
    [
        [0, 1, 0, 2, 0, 0],
        [1, 0, 0, 0, 1, 0],
        [0, 3, 0, 1, 0, 0],
        [0, 0, 1, 0, 1, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ],
    "float32",
)


@pytest.mark.parametrize("convolution", ["gcn", "gat", "gin"])
def test_graph_network_does_not_care_how_nodes_are_numbered(convolution):
    order = np.random.default_rng(3).permutation(BATCH)
    permuted = [VECTORS[order], GRAPH[order][:, order]]
    nodes = GraphNetwork((7, 5), OUTPUTS, convolution, seed=1)
    np.testing.assert_allclose(
        numpy(nodes(permuted)), numpy(nodes([VECTORS, GRAPH]))[order], rtol=1e-4, atol=1e-5
    )
    whole = GraphNetwork((7, 5), OUTPUTS, convolution, readout="sum", seed=1)
    np.testing.assert_allclose(
        numpy(whole(permuted)), numpy(whole([VECTORS, GRAPH])), rtol=1e-4, atol=1e-5
    )


def test_graph_network_is_the_formula():
    model = GraphNetwork((7, 5), OUTPUTS, activation="tanh", seed=1)
    found = numpy(model([VECTORS, GRAPH]))
    w = model.get_weights()
    x = np.tanh(GRAPH @ VECTORS @ w[0] + w[1])
    x = np.tanh(GRAPH @ x @ w[2] + w[3])
    np.testing.assert_allclose(found, x @ w[4] + w[5], rtol=1e-4, atol=1e-5)


def test_graphs_in_one_batch_are_kept_apart():
    model = GraphNetwork((7,), OUTPUTS, "gin", readout="sum", seed=1)
    blocks = np.zeros_like(GRAPH)
    blocks[:2, :2], blocks[2:, 2:] = GRAPH[:2, :2], GRAPH[2:, 2:]
    together = numpy(model([VECTORS, blocks, np.array([0, 0, 1, 1, 1, 1])]))
    for row, part in enumerate((slice(0, 2), slice(2, None))):
        alone = numpy(model([VECTORS[part], blocks[part, part]]))
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-4, atol=1e-5)


def test_chrono_bias_reaches_the_forget_gate():
    model = RecurrentNetwork((4,), cell="lstm", bias_initializer=suite.initializers.ChronoBias(50))
    model(SEQUENCES)
    forget = model.get_weights()[2][4:8]
    assert np.all(forget > 0) and len(set(forget)) == 4


@pytest.mark.parametrize("cls", [ResidualNetwork, ConvolutionalNetwork, RecurrentNetwork])
def test_one_seed_gives_one_model_and_each_layer_its_own_weights(cls):
    x = {ResidualNetwork: VECTORS, ConvolutionalNetwork: IMAGES}.get(cls, SEQUENCES)
    first, second, other = cls(seed=1), cls(seed=1), cls(seed=2)
    np.testing.assert_array_equal(numpy(first(x)), numpy(second(x)))
    assert not np.array_equal(numpy(first(x)), numpy(other(x)))
    drawn = [w for w in first.get_weights() if w.ndim > 1]
    starts = {float(w.ravel()[0]) for w in drawn}
    assert len(starts) == len(drawn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResidualNetwork(units=0), "units must be a positive integer, received 0"),
        (lambda: ResidualNetwork(depth=-1), "depth must be a positive integer, received -1"),
        (lambda: ResidualNetwork(scaled=1), "scaled must be True or False, received 1"),
        (lambda: ConvolutionalNetwork(8), "filters must be a sequence .*, received 8"),
        (lambda: ConvolutionalNetwork(shrink="pool"), "shrink.* received 'pool'"),
        (lambda: ConvolutionalNetwork(padding="zero"), "padding.* received 'zero'"),
        (lambda: GraphNetwork(convolution="cheb"), "convolution.* received 'cheb'"),
        (lambda: GraphNetwork(readout="mean"), "readout.* received 'mean'"),
        (lambda: GraphNetwork()(VECTORS), r"inputs must be \[x, a\] or \[x, a, i\]"),
        (lambda: RecurrentNetwork(()), r"units must have at least one size, received \(\)"),
        (lambda: RecurrentNetwork(cell="rnn"), "cell.* received 'rnn'"),
        (lambda: RecurrentNetwork(bidirectional="yes"), "bidirectional must be .* 'yes'"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_refuses_an_image_smaller_than_the_kernel():
    with pytest.raises(ValueError, match="kernel_size"):
        ConvolutionalNetwork(padding="valid", kernel_size=5)(IMAGES[:, :3])


@pytest.mark.parametrize("cls", [ResidualNetwork, ConvolutionalNetwork, RecurrentNetwork])
def test_random_biases_have_seeds_too(cls):
    x = {ResidualNetwork: VECTORS, ConvolutionalNetwork: IMAGES}.get(cls, SEQUENCES)
    first, second = (cls(seed=1, bias_initializer="random_normal") for _ in range(2))
    np.testing.assert_array_equal(numpy(first(x)), numpy(second(x)))
    drawn = [float(w.ravel()[0]) for w in first.get_weights()]
    assert len({round(w, 7) for w in drawn}) >= len(drawn) - 1  # the readout of a recurrence: zeros
