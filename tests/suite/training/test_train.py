"""Oracles: a NumPy loop and an eager Keras loop, fed with the same batch indices."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from backends import BACKEND

from suite.models import MultilayerPerceptron
from suite.training import PROBES, Training, batch_indices, streams, train

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="the program is TensorFlow's")
SAMPLES, FEATURES, CLASSES, BATCH, STEPS = 23, 4, 3, 5, 14  # 14 steps: three and a half epochs


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(0.5, 1.5, (SAMPLES, FEATURES)).astype("float32")
    return x, rng.integers(CLASSES, size=SAMPLES)


@pytest.fixture(scope="module")
def held_out():
    rng = np.random.default_rng(1)
    return rng.normal(0.5, 1.5, (9, FEATURES)).astype("float32"), rng.integers(CLASSES, size=9)


def linear():
    return keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES, name="dense")])


def normalized(rate=0.0):
    inputs = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(6, activation="tanh", name="hidden")(inputs)
    hidden = keras.layers.BatchNormalization(momentum=0.8, name="norm")(hidden)
    if rate:
        hidden = keras.layers.Dropout(rate, name="dropout")(hidden)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="top")(hidden))


@keras.saving.register_keras_serializable("test_train")
class Subclassed(keras.Model):
    def __init__(self, units=6, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = keras.layers.Dense(units, "relu", name="hidden")
        self.top = keras.layers.Dense(CLASSES, name="top")

    def call(self, x):
        return self.top(self.hidden(x))

    def get_config(self):
        return {"units": self.units}


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def run(model, data, optimizer=None, **arguments):
    arguments = {"steps": STEPS, "batch_size": BATCH, "record_every": 4, "probes": ()} | arguments
    return train(model, optimizer or keras.optimizers.SGD(0.3), LOGITS, *data, **arguments)


def initial(history, index=0):
    """Initial weights of a run: the final ones are NaN or moved, the builder's are fresh."""
    return history.build(int(history.seeds[index]))


# --- oracles ---------------------------------------------------------------------------------


def numpy_softmax_regression(w, b, x, y, batches, learning_rate):
    """Weights after each step, in float64; row 0 is the start."""
    w, b = w.astype(float), b.astype(float)
    path = [(w, b)]
    for rows in batches:
        z = x[rows] @ w + b
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        delta = (p - np.eye(CLASSES)[y[rows]]) / len(rows)
        w, b = w - learning_rate * x[rows].T @ delta, b - learning_rate * delta.sum(0)
        path.append((w, b))
    return path


def numpy_loss(w, b, x, y):
    z = x @ w + b
    return float(np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]))


def keras_loop(model, optimizer, x, y, batches):
    for rows in batches:
        with tf.GradientTape() as tape:
            loss = tf.add_n([LOGITS(y[rows], model(x[rows], training=True)), *model.losses])
        gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
        optimizer.apply(gradients, model.trainable_variables)
    return model.get_weights()


def test_softmax_regression_against_numpy(data, held_out):
    history = run(linear(), data, validation=held_out, seeds=(3,), probes=PROBES)
    batches = batch_indices(streams(3)["batches"], SAMPLES, BATCH, STEPS)
    path = numpy_softmax_regression(*initial(history).get_weights(), *data, batches, 0.3)
    np.testing.assert_array_equal(history.steps, [0, 4, 8, 12, 14])
    for found, expected in zip(history.final[0], path[-1], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)  # float32, 14 steps
    for name, (x, y) in {"train": data, "validation": held_out}.items():
        losses = [numpy_loss(*path[step], x, y) for step in history.steps]
        np.testing.assert_allclose(history[f"{name}_loss"][0], losses, rtol=1e-5)
        right = [((x @ path[s][0] + path[s][1]).argmax(1) == y).mean() for s in history.steps]
        np.testing.assert_allclose(history[f"{name}_score"][0], right, rtol=1e-6)
        np.testing.assert_allclose(history.scores[f"{name}_loss"], losses[-1:], rtol=1e-5)
    check_probes(history, path, *data)


def check_probes(history, path, x, y):
    for point, step in enumerate(history.steps):
        w, b = path[step]
        z = x @ w + b
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        delta = (p - np.eye(CLASSES)[y]) / len(y)
        norms = np.linalg.norm(x.T @ delta), np.linalg.norm(delta.sum(0))
        close = {"rtol": 2e-5}
        found = {name: curve[0, point] for name, curve in history.curves.items()}
        np.testing.assert_allclose(found["gradient_norm/dense/kernel"], norms[0], **close)
        np.testing.assert_allclose(found["gradient_norm/dense/bias"], norms[1], **close)
        np.testing.assert_allclose(found["gradient_norm/dense"], np.hypot(*norms), **close)
        np.testing.assert_allclose(found["gradient_norm"], np.hypot(*norms), **close)
        np.testing.assert_allclose(found["activation_mean/dense"], z.mean(), atol=1e-5)
        np.testing.assert_allclose(found["activation_variance/dense"], z.var(), **close)
        if step == 0:
            assert np.isnan(found["update_ratio/dense/kernel"])
        else:
            before = path[step - 1][0]
            ratio = np.linalg.norm(w - before) / np.linalg.norm(before)
            # The difference of nearly equal float32 weights loses about two digits.
            np.testing.assert_allclose(found["update_ratio/dense/kernel"], ratio, rtol=1e-4)


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(0.02),
        keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.2, 3, 0.5), momentum=0.9, nesterov=True
        ),
        keras.optimizers.AdamW(0.02, weight_decay=0.1, global_clipnorm=0.3),
    ],
    ids=["adam", "schedule", "decay and clipping"],
)
def test_batch_normalization_against_an_eager_keras_loop(data, optimizer):
    model = normalized()
    history = run(model, data, optimizer, seeds=(2,))
    batches = batch_indices(streams(2)["batches"], SAMPLES, BATCH, STEPS)
    copy = type(optimizer).from_config(optimizer.get_config())
    expected = keras_loop(initial(history), copy, *data, batches)
    assert len(expected) == len(history.final[0]) == 8  # moving averages among them
    for found, weights in zip(history.final[0], expected, strict=True):
        np.testing.assert_allclose(found, weights, rtol=1e-4, atol=2e-5)  # float32, 14 steps
    assert not optimizer.built and optimizer.iterations == 0


def test_penalties_of_the_model_are_trained_but_not_recorded(data):
    def penalized(seed):
        top = keras.layers.Dense(CLASSES, kernel_regularizer=keras.regularizers.L2(0.5))
        return keras.Sequential([keras.Input((FEATURES,)), top])

    history = run(penalized, data)
    batches = batch_indices(streams(0)["batches"], SAMPLES, BATCH, STEPS)
    start = initial(history)
    np.testing.assert_allclose(
        history["train_loss"][0, 0], numpy_loss(*start.get_weights(), *data), rtol=1e-5
    )
    expected = keras_loop(start, keras.optimizers.SGD(0.3), *data, batches)
    np.testing.assert_allclose(history.final[0][0], expected[0], rtol=1e-4, atol=1e-5)


# --- properties of the loop ------------------------------------------------------------------


def test_five_seeds_trace_once_whatever_their_grouping(data):
    assert run(linear(), data, seeds=range(5)).traces == 1
    assert run(linear(), data, seeds=range(5), seeds_at_once=2).traces == 1


def test_a_seed_does_not_depend_on_its_company(data):
    model = normalized(rate=0.4)
    together = run(model, data, seeds=(1, 2, 3))
    alone = run(model, data, seeds=(3,))
    np.testing.assert_array_equal(together["train_loss"][2], alone["train_loss"][0])
    assert np.ptp(together["train_loss"][:, -1]) > 0


def test_side_by_side_equals_one_by_one(data, held_out):
    """Three seeds, two at a time: the last group is padded."""
    arguments = {
        "optimizer": keras.optimizers.Adam(0.02),
        "seeds": (4, 0, 9),
        "validation": held_out,
        "test": held_out,
        "probes": PROBES,
    }
    alone = run(normalized(), data, **arguments)
    stacked = run(normalized(), data, **arguments, seeds_at_once=2)
    assert alone.curves.keys() == stacked.curves.keys()
    for name, curve in alone.curves.items():
        # Update ratios are differences of nearly equal weights: two digits fewer than float32 has.
        np.testing.assert_allclose(stacked[name], curve, rtol=2e-3, atol=1e-4, err_msg=name)
    for name, score in alone.scores.items():
        np.testing.assert_allclose(stacked.scores[name], score, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("lanes", [1, 3])
def test_uncompiled_agrees(data, lanes):
    arguments = {"steps": 5, "seeds": range(lanes), "seeds_at_once": lanes, "probes": PROBES}
    fast = run(normalized(), data, **arguments)
    slow = run(normalized(), data, **arguments, compiled=False)
    assert slow.compile_seconds == 0
    np.testing.assert_allclose(slow["train_loss"], fast["train_loss"], rtol=1e-5)
    np.testing.assert_allclose(slow["gradient_norm"], fast["gradient_norm"], rtol=1e-4)


def test_subclassed_and_unbuilt_models(data):
    model = Subclassed(units=7)
    history = run(model, data, seeds=(0, 1), probes=("activation_mean",))
    assert not model.built and history.layers == ["hidden", "top"]
    unbuilt = run(keras.Sequential([keras.layers.Dense(CLASSES)]), data, seeds=(0, 1))
    for found in (history, unbuilt):
        assert (found["train_loss"][:, -1] < found["train_loss"][:, 0]).all()


def test_the_final_model_predicts_what_was_scored(data, held_out):
    history = run(normalized(), data, seeds=(0, 5), test=held_out)
    for index in range(2):
        outputs = history.final_model(index)(held_out[0], training=False)
        np.testing.assert_allclose(
            LOGITS(held_out[1], outputs), history.scores["test_loss"][index], rtol=1e-5
        )


@pytest.mark.parametrize("lanes", [1, 2])
def test_each_seed_its_own_data(data, lanes):
    x, y = data
    ours = np.stack([x, 2 * x + 1]), np.stack([y, y[::-1]])
    pair = run(
        linear(), ours, seeds=(6, 8), data_axis_per_seed=True, validation=ours, seeds_at_once=lanes
    )
    for index, seed in enumerate((6, 8)):
        one = run(linear(), (ours[0][index], ours[1][index]), seeds=(seed,))
        np.testing.assert_allclose(pair["train_loss"][index], one["train_loss"][0], rtol=1e-5)
    np.testing.assert_allclose(pair["validation_loss"], pair["train_loss"], rtol=1e-6)


def test_more_samples_than_a_chunk_are_scored_exactly():
    """2500 samples: two chunks of 1024 and a rest, against one call of the model."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(2500, FEATURES)).astype("float32")
    y = rng.integers(CLASSES, size=2500)
    for lanes in (1, 2):
        history = run(normalized(), (x, y), seeds=(0, 1), test=(x, y), seeds_at_once=lanes)
        expected = LOGITS(y, history.final_model(1)(x, training=False))
        for name in ("train_loss", "test_loss"):
            np.testing.assert_allclose(history.scores[name][1], expected, rtol=1e-5)


def test_a_last_layer_of_another_dtype_than_the_model_is_chunked_too():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1100, FEATURES)).astype("float32")  # a chunk of 1024 and a rest
    y = rng.integers(CLASSES, size=1100)
    top = keras.layers.Dense(CLASSES, dtype="float64")
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(6), top])
    history = run(model, (x, y), steps=3)
    expected = LOGITS(y, history.final_model()(x, training=False))
    np.testing.assert_allclose(history.scores["train_loss"], [expected], rtol=1e-5)


def test_shared_streams_are_those_of_the_first_seed(data):
    history = run(linear(), data, seeds=(5, 6), share=("initial weights",), steps=3)
    assert history["train_loss"][0, 0] == history["train_loss"][1, 0]
    assert history["train_loss"][0, -1] != history["train_loss"][1, -1]


def test_whole_batches_need_no_stream(data):
    history = run(
        linear(), data, seeds=(5, 6), share=("initial weights",), batch_size=SAMPLES, steps=3
    )
    np.testing.assert_array_equal(history["train_loss"][0], history["train_loss"][1])


@pytest.mark.parametrize(("lanes", "shape"), [(1, (7, 0)), (2, (7, 2, 0))])
def test_whole_batches_carry_no_indices(data, lanes, shape):
    training = Training(
        linear(), "sgd", LOGITS, *data, steps=7, batch_size=SAMPLES, seeds=(0, 1),
        seeds_at_once=lanes,
    )  # fmt: skip
    _, _, batches, _ = training._arguments((0, 1), list(range(lanes)))
    assert batches.shape == shape


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_prepared_training_runs_again_without_tracing(data, lanes):
    x, y = data
    arguments = {"steps": 6, "batch_size": BATCH, "probes": (), "seeds_at_once": lanes}
    training = Training(linear(), keras.optimizers.Adam(), LOGITS, x, y, seeds=(0, 1), **arguments)
    first = training()
    other = training(seeds=(4, 5, 6), learning_rate=0.05)
    again = training()
    assert again.traces == 1 and again.compile_seconds == 0
    for name in first.curves:  # nothing is left over: neither weights, moments nor learning rate
        np.testing.assert_array_equal(again[name], first[name])
    fresh = train(linear(), keras.optimizers.Adam(0.05), LOGITS, x, y, seeds=(4, 5, 6), **arguments)
    np.testing.assert_allclose(other["train_loss"], fresh["train_loss"], rtol=1e-6)


def test_a_schedule_is_not_replaced_silently(data):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.2, 3, 0.5)
    training = Training(
        linear(), keras.optimizers.SGD(schedule), LOGITS, *data, steps=2, batch_size=3
    )
    with pytest.raises(ValueError, match="learning_rate: 0.1"):
        training(learning_rate=0.1)
    assert training.program.learning_rate is None  # what was refused is not kept


@pytest.mark.parametrize("rate", [-0.5, float("nan"), "0.1"])
def test_a_bad_learning_rate_is_refused_and_not_kept(data, rate):
    training = Training(linear(), "sgd", LOGITS, *data, steps=2, batch_size=3)
    training.program.set_learning_rate(0.25)
    with pytest.raises(ValueError, match=f"learning_rate must be zero or positive.*{rate!r}"):
        training(learning_rate=rate)
    assert training.program.learning_rate == 0.25


# --- divergence ------------------------------------------------------------------------------


@pytest.mark.parametrize("lanes", [1, 2])
def test_one_run_diverges_and_the_other_goes_on(lanes):
    """Least squares on one feature: w <- (1 - 2 lr x^2) w, a factor of -7 for x = 2, 0 at x = 0.5.

    With lr = 1 the loss grows 49-fold a step from about 1 and passes float32's 3.4e38 after
    38.5 / log10(49) = 22.8 steps, give or take one for the start.
    """
    x = np.stack([np.full((4, 1), 0.5), np.full((4, 1), 2.0)]).astype("float32")
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    history = train(
        model,
        keras.optimizers.SGD(1.0),
        "mse",
        x,
        np.zeros_like(x),
        steps=60,
        batch_size=4,
        record_every=10,
        seeds=(0, 1),
        data_axis_per_seed=True,
        seeds_at_once=lanes,
    )
    np.testing.assert_array_equal(history.diverged, [False, True])
    assert history.diverged_at[0] == -1 and 22 <= history.diverged_at[1] <= 25
    assert np.isfinite(history["train_loss"][0]).all()
    np.testing.assert_array_equal(
        np.isfinite(history["train_loss"][1]), history.steps < history.diverged_at[1]
    )
    assert np.isnan(history.scores["train_loss"][1]) and np.isnan(history.final[1][0]).all()
    assert history.scores["train_loss"][0] < 1


def doubling(steps, record_every, x, batch_size=4, lanes=1, **arguments):
    """Least squares at learning rate 1, w <- (1 - 2 mean(x^2)) w from w = 1."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    x = np.array(x, "float32")[:, None]
    optimizer = keras.optimizers.SGD(1.0)
    arguments = {"steps": steps, "batch_size": batch_size, "record_every": record_every} | arguments
    arguments |= {"seeds": range(lanes), "seeds_at_once": lanes}
    return train(model, optimizer, "mse", x, np.zeros_like(x), **arguments)


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize(("record_every", "probes"), [(1, ()), (7, ("update_ratio",)), (60, ())])
def test_the_step_of_divergence_does_not_depend_on_the_record(record_every, probes, lanes):
    """After k updates the loss is 4 * 49^k, beyond 3.4e38 for k > 37.93 / 1.69 = 22.4."""
    history = doubling(60, record_every, [2, 2, 2, 2], lanes=lanes, probes=probes)
    np.testing.assert_array_equal(history.diverged_at, [23] * lanes)


@pytest.mark.parametrize(("steps", "expected"), [(22, -1), (23, 23)])
def test_the_last_step_may_diverge(steps, expected):
    assert doubling(steps, 60, [2, 2, 2, 2]).diverged_at[0] == expected


def test_divergence_of_minibatches_does_not_depend_on_the_record():
    """The loss of all samples overflows sooner than that of most batches: x = 30 is in one of 5."""
    x = [2, 1.5, 30, 2.5, 1.2]
    found = {every: doubling(60, every, x, batch_size=1).diverged_at[0] for every in (1, 4, 60)}
    assert len(set(found.values())) == 1 and found[1] > 0


# --- options of the optimizer ----------------------------------------------------------------


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_loss_scale_factor_changes_nothing(data, lanes):
    arguments = {"seeds": (3, 1), "seeds_at_once": lanes, "probes": ("gradient_norm",)}
    plain = run(normalized(), data, keras.optimizers.SGD(0.3), **arguments)
    factor = keras.optimizers.SGD(0.3, loss_scale_factor=1000.0)
    scaled = run(normalized(), data, factor, **arguments)
    for name, curve in plain.curves.items():
        # Float32, 14 steps; 1000 is no power of two, so every gradient is rounded once more.
        np.testing.assert_allclose(scaled[name], curve, rtol=1e-4, err_msg=name)


def test_a_dynamic_loss_scale_changes_nothing(data):
    arguments = {"seeds": (3, 1), "probes": ("gradient_norm",)}
    plain = run(linear(), data, keras.optimizers.SGD(0.3), **arguments)
    # Doubles after 5 steps, twice in 14; a new seed begins at 64 again.
    wrapped = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.3), initial_scale=64.0, dynamic_growth_steps=5
    )
    scaled = run(linear(), data, wrapped, **arguments)
    for name, curve in plain.curves.items():
        np.testing.assert_allclose(scaled[name], curve, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("lanes", [1, 2])
def test_averaged_weights_are_returned_and_scored(data, held_out, lanes):
    optimizer = keras.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.9)
    history = run(normalized(), data, optimizer, seeds=(2, 6), seeds_at_once=lanes, test=held_out)
    for index, seed in enumerate((2, 6)):
        batches = batch_indices(streams(seed)["batches"], SAMPLES, BATCH, STEPS)
        copy = keras.optimizers.SGD.from_config(optimizer.get_config())
        model = history.build(seed)
        last = keras_loop(model, copy, *data, batches)
        copy.finalize_variable_values(model.trainable_variables)
        for found, expected in zip(history.final[index], model.get_weights(), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)
        assert not np.allclose(history.final[index][0], last[0], atol=1e-3)
        for name, (x, y) in {"train": data, "test": held_out}.items():
            loss = LOGITS(y, history.final_model(index)(x, training=False))
            np.testing.assert_allclose(history.scores[f"{name}_loss"][index], loss, rtol=1e-5)


# --- history ---------------------------------------------------------------------------------


def test_first_step_below_and_above(data):
    history = run(linear(), data, seeds=(0, 1), steps=12)
    history["train_loss"][:] = [[4, 3, 2, 1], [4, 4, 4, 4]]
    np.testing.assert_array_equal(history.first_below("train_loss", 2.5), [8, 13])
    np.testing.assert_array_equal(history.first_above("train_loss", 4), [0, 0])
    with pytest.raises(ValueError, match="unknown name 'loss'; recorded: train_loss"):
        history["loss"]


def test_probes_not_asked_for_are_not_there(data):
    assert set(run(linear(), data).curves) == {"train_loss", "train_score"}


def test_regression_has_no_score_unless_asked(data):
    x, _ = data
    arguments = {"steps": 2, "batch_size": BATCH, "probes": ()}
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1)])
    plain = train(model, "sgd", "mse", x, x[:, :1], **arguments)
    assert list(plain.curves) == ["train_loss"]
    scored = train(
        model, "sgd", "mse", x, x[:, :1], metric=lambda y, p: -tf.abs(y - p), **arguments
    )
    assert (scored["train_score"] < 0).all()


# --- bad arguments ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps: .*0"),
        ({"steps": 2.5}, "steps: .*2.5"),
        ({"batch_size": 24}, "batch_size: 24 .*23 samples"),
        ({"record_every": -1}, "record_every: .*-1"),
        ({"seeds_at_once": 0}, "seeds_at_once: .*0"),
        ({"seeds": ()}, r"seeds: .*\[\]"),
        ({"seeds": 3}, "seeds: .*3"),
        ({"seeds": (-2,)}, "seeds: .*-2"),
        ({"probes": ("norm",)}, "probes: unknown 'norm'; known: gradient_norm"),
        ({"share": ("weights",)}, "share: unknown 'weights'; known: initial weights"),
        ({"metric": "f1"}, "metric: .*'f1'"),
        ({"validation": 3}, "validation: .*int"),
        ({"data_axis_per_seed": True}, r"x: .*1 seeds, received \(23, 4\)"),
        ({"optimizer": 0.1}, "optimizer: .*0.1"),
        (
            {"optimizer": keras.optimizers.SGD(clipnorm=2.0), "seeds": (0, 1), "seeds_at_once": 2},
            "optimizer: clipnorm=2.0",
        ),
        (
            {"optimizer": keras.optimizers.Lamb(), "seeds": (0, 1), "seeds_at_once": 2},
            "optimizer: Lamb",
        ),
    ],
)
def test_bad_arguments_are_named(data, change, message):
    with pytest.raises(ValueError, match=message):
        run(linear(), data, **change)


def test_side_by_side_refuses_dropout_and_constraints(data):
    with pytest.raises(ValueError, match="model: .*draws random numbers"):
        run(normalized(rate=0.4), data, seeds=(0, 1), seeds_at_once=2)
    top = keras.layers.Dense(CLASSES, kernel_constraint="max_norm")
    with pytest.raises(ValueError, match="model: .*kernel has a constraint"):
        run(keras.Sequential([top]), data, seeds=(0, 1), seeds_at_once=2)


def test_an_operation_that_cannot_be_stacked_is_reported_so():
    """TensorFlow's convolution takes one filter for the whole batch."""
    images = np.ones((6, 5, 4, 1), "float32")
    layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(CLASSES)]
    with pytest.raises(ValueError, match="seeds_at_once: 2 of .*Conv2D.*use seeds_at_once=1"):
        run(
            keras.Sequential([keras.Input((5, 4, 1)), *layers]),
            (images, np.arange(6) % CLASSES),
            seeds=(0, 1),
            seeds_at_once=2,
        )


def test_recurrence_and_integer_inputs():
    """A loop inside the model, and tokens instead of numbers; both have to learn."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(9, size=(40, 7))
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            keras.layers.Embedding(9, 6),
            keras.layers.LSTM(5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    history = train(
        model,
        "adam",
        "binary_crossentropy",
        tokens,
        (tokens[:, -1] > 4).astype(int),
        steps=60,
        batch_size=8,
        record_every=30,
    )
    assert history["train_loss"][0, -1] < history["train_loss"][0, 0]


def test_bad_data_is_named(data):
    x, y = data
    with pytest.raises(ValueError, match=r"y: .*\(23, 4\), received \(22,\)"):
        run(linear(), (x, y[1:]))
    broken = np.where(np.arange(FEATURES) == 2, np.nan, x)
    with pytest.raises(ValueError, match="x: 23 of 92 values are not finite"):
        run(linear(), (broken, y))
    with pytest.raises(ValueError, match="model: .*'dense'"):
        run("dense", data)
    with pytest.raises(ValueError, match="loss: .*7"):
        train(linear(), "sgd", 7, x, y, steps=1, batch_size=2)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"seeds": [3, 5, 3]}, "seeds: expected each once, received 3 again"),
        ({"seeds": [-1]}, "seeds: expected integers from 0 on, received -1"),
        ({"y": np.array([0, 1, 2, 3, 4, 5])}, "y: expected labels from 0 to 1, received 2"),
        (
            {"validation": (np.ones((2, 3)), np.array([0, -4]))},
            "validation y: expected labels from 0 to 1, received -4",
        ),
    ],
)
@pytest.mark.parametrize("ours", [False, True])
def test_labels_and_seeds_that_would_spoil_the_run_in_silence(changes, message, ours):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model = MultilayerPerceptron((4,), outputs=2) if ours else model
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    arguments = {"x": np.ones((6, 3)), "y": np.array([0, 1] * 3), "steps": 2, "batch_size": 2}
    with pytest.raises(ValueError, match=message):
        train(model, "sgd", loss, **arguments | changes)
