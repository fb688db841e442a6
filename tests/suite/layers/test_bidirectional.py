"""In order: by hand, two NumPy-reversed passes, Keras with every mode and flag, symmetry, edges."""

import keras
import numpy as np
import pytest
from backends import compiled, gradients, numpy
from traces import training_trace

import suite
from suite.layers import GRU, LSTM, Bidirectional, SimpleRNN

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4
MODES = pytest.mark.parametrize("mode", ["concat", "sum", "ave", "mul", None])
MASK = np.array(
    [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1] * 5],
    bool,
)
CLOSE = {"rtol": 2e-5, "atol": 2e-6}  # float32, five steps


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.4, 1.0, (BATCH, TIME, FEATURES)).astype("float32")


def drawn(layer, shape=(BATCH, TIME, FEATURES)):
    """The layer, built, with random weights that depend on their shapes alone."""
    layer.build(shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.1, 0.7, w.shape) for w in layer.get_weights()])
    return layer


def assert_same(ours, theirs):
    ours, theirs = keras.tree.flatten(ours), keras.tree.flatten(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(numpy(a), numpy(b), **CLOSE)


def running_sum(**arguments):
    return SimpleRNN(1, None, kernel_initializer="ones", recurrent_initializer="ones", **arguments)


@pytest.mark.parametrize(
    "mode, expected",
    [
        ("concat", [[1, 6], [3, 5], [6, 3]]),
        ("sum", [[7], [8], [9]]),
        ("ave", [[3.5], [4], [4.5]]),
        ("mul", [[6], [15], [18]]),
    ],
)
def test_running_sums_by_hand(mode, expected):
    layer = Bidirectional(running_sum(return_sequences=True), mode)
    y = layer(np.array([[[1.0], [2.0], [3.0]]], "float32"))
    assert numpy(y)[0].tolist() == expected


def test_the_last_output_has_seen_everything_from_both_ends():
    y = Bidirectional(running_sum())(np.array([[[1.0], [2.0], [3.0]]], "float32"))
    assert numpy(y).tolist() == [[6.0, 6.0]]


@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_equals_two_layers_and_numpy_reversals(cls, x):
    layer = drawn(Bidirectional(cls(UNITS, return_sequences=True)))
    forward, backward = cls(UNITS, return_sequences=True), cls(UNITS, return_sequences=True)
    for part, weights in ((forward, layer.get_weights()[:3]), (backward, layer.get_weights()[3:])):
        part.build(x.shape)
        part.set_weights(weights)
    y_rev = numpy(backward(x[:, ::-1].copy()))
    expected = np.concatenate([numpy(forward(x)), y_rev[:, ::-1]], axis=-1)
    np.testing.assert_allclose(numpy(layer(x)), expected, **CLOSE)
    not_reversed_again = np.concatenate([numpy(forward(x)), y_rev], axis=-1)  # the mutant
    assert np.abs(numpy(layer(x)) - not_reversed_again).max() > 0.1


# --- Keras ---------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(
    "masked, flags",
    [
        (False, {}),
        (True, {"return_sequences": True}),
        (True, {"return_sequences": True, "return_state": True}),
    ],
)
def test_outputs_and_gradients_equal_those_of_keras(mode, flags, masked, x):
    call = {"mask": MASK} if masked else {}
    results = []
    for module in (suite.layers, keras.layers):
        layer = drawn(module.Bidirectional(module.LSTM(UNITS, **flags), mode))
        direct = layer(x, **call)
        shapes = layer.compute_output_shape(x.shape)
        assert keras.tree.map_structure(lambda y: tuple(y.shape), direct) == shapes

        def loss(x, layer=layer):
            return sum(
                keras.ops.sum(keras.ops.sin(y)) for y in keras.tree.flatten(layer(x, **call))
            )

        results.append((direct, gradients(loss, x)[1]))
    assert_same(*results)


@pytest.mark.parametrize("cls", ["SimpleRNN", "GRU"])
def test_wraps_layers_of_keras_as_well(cls, x):
    layer = getattr(keras.layers, cls)(UNITS, return_sequences=True)
    ours, theirs = drawn(Bidirectional(layer)), drawn(keras.layers.Bidirectional(layer))
    assert [w.path.split("/")[1:] for w in ours.weights] == [
        w.path.split("/")[1:] for w in theirs.weights
    ]
    assert_same(ours(x, mask=MASK), theirs(x, mask=MASK))


def test_trains_as_keras(x):
    penalties = {"kernel_regularizer": "l2", "bias_constraint": "non_neg"}
    traces = [
        training_trace(module.Bidirectional(module.GRU(UNITS, **penalties)), x)
        for module in (suite.layers, keras.layers)
    ]
    assert_same(*traces)


def test_starts_from_given_states(x):
    rng = np.random.default_rng(2)
    states = [rng.normal(0.5, 1.0, (BATCH, UNITS)).astype("float32") for _ in range(4)]
    outputs = [
        drawn(module.Bidirectional(module.LSTM(UNITS, return_state=True)))(x, initial_state=states)
        for module in (suite.layers, keras.layers)
    ]
    assert_same(*outputs)


def test_another_layer_for_the_way_back(x):
    outputs = [
        drawn(
            module.Bidirectional(
                module.GRU(UNITS), "sum", backward_layer=module.LSTM(UNITS, go_backwards=True)
            )
        )(x)
        for module in (suite.layers, keras.layers)
    ]
    assert_same(*outputs)


def test_stateful(x):
    layers = [
        drawn(module.Bidirectional(module.GRU(UNITS, stateful=True)))
        for module in (suite.layers, keras.layers)
    ]
    first, again = [[layer(x) for layer in layers] for _ in range(2)]
    assert_same(*first)
    assert_same(*again)
    assert np.abs(numpy(first[0]) - numpy(again[0])).max() > 0.01
    assert len(layers[0].states) == 2
    layers[0].reset_state()
    assert_same(layers[0](x), first[0])


def test_dropout_of_the_wrapped_layers(x):
    layer = drawn(Bidirectional(LSTM(UNITS, dropout=0.4, seed=3)))
    plain = drawn(Bidirectional(LSTM(UNITS)))
    assert_same(layer(x, training=False), plain(x))
    assert np.abs(numpy(layer(x, training=True)) - numpy(plain(x))).max() > 0.01


# --- theory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_reversed_time_and_swapped_directions_reverse_the_output(cls, x):
    layer = drawn(Bidirectional(cls(UNITS, return_sequences=True)))
    swapped = drawn(Bidirectional(cls(UNITS, return_sequences=True)))
    weights = layer.get_weights()
    swapped.set_weights(weights[3:] + weights[:3])
    y = numpy(swapped(x[:, ::-1].copy()))[:, ::-1]
    exchanged = np.concatenate([y[..., UNITS:], y[..., :UNITS]], axis=-1)
    np.testing.assert_allclose(numpy(layer(x)), exchanged, **CLOSE)


@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_the_future_changes_the_past(cls, x):
    """C68: of the wrapper's outputs alone; the causal layer is tested for the opposite."""
    later = x.copy()
    later[:, -1] += 1.0
    both = drawn(Bidirectional(cls(UNITS, return_sequences=True)))
    change = np.abs(numpy(both(x)) - numpy(both(later)))[:, 0]
    assert (change[:, :UNITS] == 0).all()
    assert (change[:, UNITS:] > 0).any(axis=1).all()


def test_padding_under_the_mask_does_not_matter(x):
    layer = drawn(Bidirectional(GRU(UNITS, return_sequences=True)))
    padded = np.where(MASK[..., None], x, 7.0).astype("float32")
    y = numpy(layer(padded, mask=MASK))
    np.testing.assert_array_equal(y, numpy(layer(x, mask=MASK)))
    assert (y[~MASK] == 0).all()
    short = numpy(layer(x[1:2, :3]))  # the second sample has three steps, then padding
    np.testing.assert_allclose(y[1:2, :3], short, **CLOSE)


# --- in a model ----------------------------------------------------------------------------------


@MODES
def test_masks_go_through_a_model(mode):
    tokens = np.array([[1, 2, 3, 0, 0], [4, 5, 1, 2, 0]])
    inputs = keras.Input((None,), dtype="int32")
    y = keras.layers.Embedding(6, FEATURES, mask_zero=True)(inputs)
    y = Bidirectional(LSTM(UNITS, return_sequences=True), mode)(y)
    first, *_ = y if mode is None else (y,)
    model = keras.Model(inputs, Bidirectional(GRU(2))(first))
    shorter = numpy(model(tokens[:, :4]))
    np.testing.assert_allclose(numpy(model(tokens)), shorter, **CLOSE)


def test_nested_serialization(x, tmp_path):
    inner = GRU(UNITS, suite.activations.relu, return_sequences=True, dropout=0.2, seed=4)
    model = keras.Sequential(
        [keras.Input((TIME, FEATURES)), Bidirectional(inner), Bidirectional(LSTM(2), "sum")]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(again(x)), numpy(model(x)))
    direction = again.layers[0].backward_layer
    assert type(direction) is GRU and direction.activation is suite.activations.relu
    assert (direction.dropout, direction.cell.seed, direction.go_backwards) == (0.2, 4, True)


def test_mixed_precision(x):
    layer = Bidirectional(LSTM(UNITS, dtype="mixed_float16"), dtype="mixed_float16")
    y = layer(x)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert all(w.dtype == "float32" for w in layer.weights)


def test_compiles(x):
    layer = drawn(Bidirectional(LSTM(UNITS, return_sequences=True), "mul"))
    weights = [w.value for w in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    y, _ = compiled(lambda x: layer.stateless_call(weights, fixed, x))(x)
    assert_same(y, layer(x))


# --- edges ---------------------------------------------------------------------------------------


def test_takes_the_configuration_but_not_the_weights(x):
    inner = drawn(GRU(UNITS, name="inner"))
    layer = Bidirectional(inner)
    layer(x)
    assert layer.forward_layer is not inner
    assert (layer.forward_layer.name, layer.backward_layer.name) == (
        "forward_inner",
        "backward_inner",
    )


def test_starts_from_given_weights(x):
    """Which Keras 3 accepts and ignores."""
    start = drawn(Bidirectional(GRU(UNITS)))
    layer = Bidirectional(GRU(UNITS), weights=start.get_weights())
    np.testing.assert_array_equal(numpy(layer(x)), numpy(start(x)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"layer": "lstm"}, "Please initialize `Bidirectional` layer .* layer must .* 'lstm'"),
        ({"layer": keras.layers.Dense(3)}, "layer must be a recurrent layer, received <Dense"),
        ({"backward_layer": 3}, "backward_layer must be a recurrent layer, received 3"),
        ({"backward_layer": GRU(4)}, "have different `go_backwards`, received False and False"),
        (
            {"backward_layer": GRU(4, go_backwards=True, return_state=True)},
            "have the same value of `return_state`, received False and True",
        ),
        ({"merge_mode": "max"}, "Invalid merge mode. .* received 'max'"),
        ({"merge_mode": ["sum"]}, "Invalid merge mode. .* received \\['sum'\\]"),
        ({"weights": 3}, "weights must be None or a list of arrays, received 3"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Bidirectional(**{"layer": GRU(UNITS)} | arguments)


def test_a_layer_without_state_has_none_to_reset():
    with pytest.raises(AttributeError, match="stateful"):
        Bidirectional(GRU(UNITS)).reset_state()
