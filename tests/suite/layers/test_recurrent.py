"""What the three recurrent layers share, against Keras's with the same weights and flags."""

import inspect

import keras
import numpy as np
import pytest
from backends import compiled, gradients, layer_gradients, numpy
from traces import training_trace

import suite

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4
KINDS = [
    ("SimpleRNN", {}),
    ("LSTM", {}),
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
]
KINDS = [pytest.param(*kind, id=kind[0] + "-before" * bool(kind[1])) for kind in KINDS]
# Not a prefix of the sequence alone: gaps, a start that is masked, a sample that is masked whole.
MASK = np.array(
    [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [1] * 5],
    bool,
)
CLOSE = {"rtol": 2e-5, "atol": 2e-6}  # float32, five steps


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.4, 1.0, (BATCH, TIME, FEATURES)).astype("float32")


def pair(name, **arguments):
    """Our layer and Keras's with the same random weights."""
    layers = (
        getattr(suite.layers, name)(UNITS, **arguments),
        getattr(keras.layers, name)(UNITS, **arguments),
    )
    for layer in layers:
        layer.build((BATCH, TIME, FEATURES))
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(0.1, 0.7, w.shape) for w in layer.get_weights()])
    return layers


def assert_same(ours, theirs):
    ours, theirs = keras.tree.flatten(ours), keras.tree.flatten(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(numpy(a), numpy(b), **CLOSE)


# --- Keras ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, kind", KINDS)
def test_weights_have_the_names_shapes_and_order_of_keras(name, kind):
    ours, theirs = pair(name, **kind)

    def described(layer):
        return [(w.path.split("/")[1:], w.name, w.shape, w.dtype) for w in layer.weights]

    assert described(ours) == described(theirs)
    assert ours.count_params() == theirs.count_params()


@pytest.mark.parametrize("name, kind", KINDS)
@pytest.mark.parametrize("kind_of_class", ["", "Cell"])
def test_arguments_come_in_the_order_of_keras(name, kind, kind_of_class):
    ours = inspect.signature(getattr(suite.layers, name + kind_of_class)).parameters
    theirs = dict(inspect.signature(getattr(keras.layers, name + kind_of_class)).parameters)
    theirs.pop("use_cudnn", None)  # the last one
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


@pytest.mark.parametrize("name, kind", KINDS)
def test_starts_as_keras(name, kind):
    started = []
    for module in (suite.layers, keras.layers):
        keras.utils.set_random_seed(3)
        # With a seed for the dropout: Keras's `SimpleRNN` draws that one before the initializers'.
        layer = getattr(module, name)(UNITS, bias_initializer="random_normal", seed=5, **kind)
        layer.build((None, TIME, FEATURES))
        started.append(layer.get_weights())
    for a, b in zip(*started, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "masked, flags",
    [
        (False, {}),
        (False, {"use_bias": False, "activation": "relu"}),
        (True, {"return_sequences": True, "return_state": True}),
        (True, {"go_backwards": True, "return_sequences": True}),
        (True, {"unroll": True, "return_state": True}),
        (True, {"return_sequences": True, "zero_output_for_mask": True}),
    ],
)
@pytest.mark.parametrize("name, kind", KINDS)
def test_outputs_and_gradients_equal_those_of_keras(name, kind, flags, masked, x):
    call = {"mask": MASK} if masked else {}
    results = []
    for layer in pair(name, **kind, **flags):

        def loss(x, layer=layer):  # takes the output and, if there are any, the states
            outputs = keras.tree.flatten(layer(x, **call))
            return sum(keras.ops.sum(keras.ops.sin(y)) for y in outputs)

        results.append((layer(x, **call), gradients(loss, x)[1]))
    assert_same(*results)


@pytest.mark.parametrize("name, kind", KINDS)
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_regularizer": "l2", "recurrent_constraint": "unit_norm", "bias_regularizer": "l1"},
        {
            "recurrent_regularizer": "l1",
            "bias_constraint": "non_neg",
            "kernel_constraint": "max_norm",
        },
    ],
)
def test_trains_as_keras(name, kind, arguments, x):
    ours = training_trace(getattr(suite.layers, name)(UNITS, **arguments, **kind), x)
    theirs = training_trace(getattr(keras.layers, name)(UNITS, **arguments, **kind), x)
    assert_same(ours, theirs)


@pytest.mark.parametrize("name, kind", KINDS)
def test_the_activity_regularizer_takes_the_output(name, kind, x):
    """Keras's `SimpleRNN` takes this argument and forgets it, so Keras is no oracle."""
    layer, _ = pair(name, activity_regularizer=keras.regularizers.L2(0.3), **kind)
    y = numpy(layer(x))
    penalty = 0.3 * np.sum(y.astype("float64") ** 2) / BATCH
    assert float(sum(layer.losses)) == pytest.approx(penalty, rel=1e-5)


@pytest.mark.parametrize("name, kind", KINDS)
def test_starts_from_a_given_state(name, kind, x):
    ours, theirs = pair(name, return_state=True, **kind)
    rng = np.random.default_rng(2)
    state = [rng.normal(0.5, 1.0, (BATCH, n)).astype("float32") for n in ours.state_size]
    assert_same(ours(x, initial_state=state), theirs(x, initial_state=state))
    assert np.abs(numpy(ours(x, initial_state=state)[0]) - numpy(ours(x)[0])).max() > 0.01


@pytest.mark.parametrize("name, kind", KINDS)
def test_stateful_halves_are_the_whole(name, kind, x):
    ours, theirs = pair(name, stateful=True, **kind)
    for layer in (ours, theirs):
        layer(x[:, :2])
    halves = ours(x[:, 2:])
    assert_same(halves, theirs(x[:, 2:]))
    ours.reset_state()
    assert_same(halves, ours(x))


# --- dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.4)])
@pytest.mark.parametrize("name, kind", KINDS)
def test_drops_what_keras_drops_for_the_same_seed(name, kind, rates, x):
    dropout, recurrent_dropout = rates
    ours, theirs = pair(name, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=7, **kind)
    first = ours(x, training=True)
    assert_same(first, theirs(x, training=True))
    second = ours(x, training=True)
    assert_same(second, theirs(x, training=True))
    assert np.abs(numpy(first) - numpy(second)).max() > 1e-3  # new masks for each call
    assert_same(ours(x), pair(name, **kind)[0](x))  # and none at inference
    again = type(ours).from_config(ours.get_config())
    again.build(x.shape)
    again.set_weights(ours.get_weights())
    np.testing.assert_array_equal(numpy(again(x, training=True)), numpy(first))


def test_drops_the_same_entries_at_all_time_steps():
    layer = suite.layers.SimpleRNN(
        1, None, kernel_initializer="ones", recurrent_initializer="zeros", dropout=0.5, seed=1,
        return_sequences=True,
    )  # fmt: skip
    y = numpy(layer(np.ones((64, 5, 1), "float32"), training=True))[..., 0]
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, axis=1))
    assert set(np.unique(y)) == {0.0, 2.0}  # inverted dropout: what stays is scaled by 1 / 0.5


@pytest.mark.parametrize("name, kind", KINDS)
def test_dropout_compiles(name, kind, x):
    layer, _ = pair(name, dropout=0.3, recurrent_dropout=0.4, seed=7, **kind)
    trainable = [v.value for v in layer.trainable_variables]

    def step(x, *state):
        return layer.stateless_call(trainable, list(state), x, training=True)

    state = [numpy(v) for v in layer.non_trainable_variables]
    first, moved = compiled(step)(x, *state)
    second, _ = compiled(step)(x, *moved)
    # XLA has a random stream of its own, so that eager numbers are not these.
    assert np.abs(numpy(first) - numpy(second)).max() > 1e-3
    assert_same(first, compiled(step)(x, *state)[0])


# --- the library's own promises ------------------------------------------------------------------


@pytest.mark.parametrize("name, kind", KINDS)
def test_the_config_is_that_of_keras(name, kind):
    arguments = dict(activation="relu", dropout=0.2, recurrent_regularizer="l2", name="r", **kind)
    ours = getattr(suite.layers, name)(UNITS, **arguments).get_config()
    theirs = getattr(keras.layers, name)(UNITS, **arguments).get_config()
    ours.pop("seed"), theirs.pop("seed", None)  # Keras's `SimpleRNN` forgets it
    assert ours == theirs
    assert getattr(suite.layers, name).from_config(ours).get_config() == ours | {"seed": None}


@pytest.mark.parametrize("name, kind", KINDS)
def test_an_activation_of_the_library_comes_back(name, kind):
    layer = getattr(suite.layers, name)(UNITS, suite.activations.relu, **kind)
    again = type(layer).from_config(layer.get_config())
    assert again.activation is again.cell.activation is suite.activations.relu


@pytest.mark.parametrize("name, kind", KINDS)
def test_a_layer_is_its_cell_in_the_loop_of_keras(name, kind, x):
    layer, _ = pair(name, **kind)
    loop = keras.layers.RNN(getattr(suite.layers, name + "Cell")(UNITS, **kind))
    loop.build(x.shape)
    loop.set_weights(layer.get_weights())
    np.testing.assert_array_equal(numpy(loop(x)), numpy(layer(x)))


@pytest.mark.parametrize("name, kind", KINDS)
def test_cells_stack(name, kind, x):
    def stack(module):
        cell = getattr(module, name + "Cell")
        loop = keras.layers.RNN([cell(UNITS, dropout=0.3, seed=1, **kind), cell(2, **kind)])
        loop.build(x.shape)
        rng = np.random.default_rng(3)
        loop.set_weights([rng.normal(0.1, 0.7, w.shape) for w in loop.get_weights()])
        return loop

    assert_same(stack(suite.layers)(x, training=True), stack(keras.layers)(x, training=True))


@pytest.mark.parametrize("name, kind", KINDS)
def test_a_users_subclass_keeps_the_cell(name, kind, x):
    base = getattr(suite.layers, name)

    class Doubled(base):
        def call(self, *args, **kwargs):
            return 2 * super().call(*args, **kwargs)

    layer, _ = pair(name, **kind)
    doubled = Doubled.from_config(layer.get_config())
    doubled.build(x.shape)
    doubled.set_weights(layer.get_weights())
    np.testing.assert_array_equal(numpy(doubled(x)), 2 * numpy(layer(x)))


@pytest.mark.parametrize("name, kind", KINDS)
def test_the_future_does_not_change_the_past(name, kind, x):
    layer, _ = pair(name, return_sequences=True, **kind)
    later = x.copy()
    later[:, 3:] += 1.0
    y, z = numpy(layer(x)), numpy(layer(later))
    np.testing.assert_array_equal(y[:, :3], z[:, :3])
    assert np.abs(y[:, 3:] - z[:, 3:]).min(axis=(0, 2)).max() > 0


@pytest.mark.parametrize("name, kind", KINDS)
def test_a_masked_step_has_no_gradient(name, kind, x):
    layer, _ = pair(name, **kind)
    _, (dx, *_) = layer_gradients(layer, x, mask=MASK)
    assert (dx[~MASK] == 0).all()
    assert (np.abs(dx[MASK]).max(axis=-1) > 0).all()


@pytest.mark.parametrize("units", [0, -3, 2.5, "64", None, True])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "LSTMCell"])
def test_refuses_units(name, units):
    with pytest.raises(ValueError, match=f"units must be a positive integer, received {units!r}"):
        getattr(suite.layers, name)(units)


@pytest.mark.parametrize(
    "name, argument, value",
    [
        ("LSTM", "use_cudnn", True),
        ("GRU", "implementation", 3),
        ("SimpleRNN", "dropout", 1.5),
        ("GRU", "recurrent_dropout", -0.1),
        ("LSTM", "return_state", 1),
        ("GRUCell", "reset_after", "before"),
        ("LSTMCell", "seed", 0.5),
    ],
)
def test_refuses_with_name_and_value(name, argument, value):
    with pytest.raises(ValueError, match=f"{argument}.*{value!r}"):
        getattr(suite.layers, name)(UNITS, **{argument: value})


@pytest.mark.parametrize("name, kind", KINDS)
def test_accepts_what_means_not_used(name, kind):
    if name != "SimpleRNN":
        getattr(suite.layers, name)(UNITS, use_cudnn=False, implementation=1, **kind)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_refuses_a_wrong_shape(name, x):
    layer = getattr(suite.layers, name)(UNITS)
    with pytest.raises(ValueError, match="expected ndim=3"):
        layer(x[0])
    with pytest.raises(ValueError, match="last axis of the input must be .*, received None"):
        layer.build((None, TIME, None))
