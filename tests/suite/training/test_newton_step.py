"""`fit` with Newton's method: closed forms, Keras's own logs, then kinds of models and edges."""

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST

from suite.optimizers import Newton
from suite.optimizers.newton import SOLVERS
from suite.training import NewtonStep

RNG = np.random.default_rng(0)
SAMPLES, FEATURES = 60, 4
X = RNG.normal(0.5, 1.0, (SAMPLES, FEATURES)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5], [0.0]] + 0.7 + RNG.normal(0, 0.3, (SAMPLES, 1))).astype("float32")
LABELS = (Y > 0.5).astype("float32")
WEIGHT = RNG.uniform(0.5, 2.0, SAMPLES).astype("float32")
# float32, times the conditioning of a least-squares problem of this size (about 10)
ROUNDING = 1e-4

# Keras 3.15 writes its variables through h5py, which asks NumPy 2 for what they do not offer.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@keras.saving.register_keras_serializable(package="tests")
class Sequential(NewtonStep, keras.Sequential):
    pass


@keras.saving.register_keras_serializable(package="tests")
class Model(NewtonStep, keras.Model):
    pass


class Line(NewtonStep, keras.Model):
    """Subclassed, and its `call` does not take `training`."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)


def sequential():
    return Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1)])


def functional():
    x = keras.Input((FEATURES,))
    return Model(x, keras.layers.Dense(1)(x))


def perceptron(**arguments):
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(5, "tanh", **arguments)
    return Sequential([keras.Input((FEATURES,)), hidden, keras.layers.Dense(1)])


def least_squares(penalty=0.0, weight=None):
    """Minimum of `mean(weight * (X w + b - y)^2) + penalty |w|^2`."""
    ones = np.hstack([X, np.ones((SAMPLES, 1))]).astype(float)
    weighted = ones * (np.ones(SAMPLES) if weight is None else weight)[:, None]
    ridge = SAMPLES * penalty * np.diag([1.0] * FEATURES + [0.0])
    w = np.linalg.solve(weighted.T @ ones + ridge, weighted.T @ Y)
    return w[:-1], w[-1]


def fit(model, y=Y, epochs=1, loss="mse", solver="cholesky", jit=False, weight=None, **compiled):
    tolerance = 0.0  # conjugate gradients to rounding, so that one step is the whole solution
    model.compile(Newton(solver=solver, tolerance=tolerance), loss, jit_compile=jit, **compiled)
    arguments = {"batch_size": SAMPLES, "shuffle": False, "verbose": 0}
    return model.fit(X, y, epochs=epochs, sample_weight=weight, **arguments).history


# --- closed forms ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_one_step_solves_a_linear_regression(solver, mode):
    model = sequential()
    fit(model, solver=solver, jit=mode == "xla", run_eagerly=mode == "eager")
    for ours, expected in zip(model.get_weights(), least_squares(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("make", [functional, Line])
def test_functional_and_subclassed_models(make):
    model = make()
    fit(model)
    for ours, expected in zip(model.get_weights(), least_squares(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("solver", SOLVERS)
def test_penalties_and_sample_weights_are_part_of_the_loss(solver):
    dense = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.3))
    model = Sequential([keras.Input((FEATURES,)), dense])
    fit(model, solver=solver, weight=WEIGHT)
    # Keras divides a weighted loss by the number of samples, not by the sum of the weights.
    expected = least_squares(0.3, WEIGHT)
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=ROUNDING, atol=ROUNDING)
    assert np.abs(expected[0] - least_squares(0.0, WEIGHT)[0]).max() > 0.1


def test_a_frozen_layer_stays():
    model = perceptron()
    model.layers[0].trainable = False
    before = model.get_weights()
    fit(model)
    for old, new in zip(before[:2], model.get_weights()[:2], strict=True):
        np.testing.assert_array_equal(new, old)
    hidden = np.tanh(X @ before[0] + before[1])
    expected = np.linalg.lstsq(np.hstack([hidden, np.ones((SAMPLES, 1))]), Y)[0]
    np.testing.assert_allclose(model.get_weights()[2], expected[:-1], rtol=1e-2)


# --- Keras's own logs -----------------------------------------------------------------------------


def test_the_logs_are_those_of_keras():
    """Of the first batch: loss with every kind of penalty, weighted, and two kinds of metrics."""
    regularized = {"kernel_regularizer": "l2", "activity_regularizer": "l2"}
    metrics = {"metrics": ["mae"], "weighted_metrics": ["mse"]}
    ours = fit(perceptron(**regularized), weight=WEIGHT, **metrics)
    plain = keras.Sequential.from_config(perceptron(**regularized).get_config())
    plain.set_weights(perceptron(**regularized).get_weights())
    plain.compile(keras.optimizers.SGD(0.0), "mse", **metrics)
    theirs = plain.fit(X, Y, sample_weight=WEIGHT, batch_size=SAMPLES, verbose=0).history
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)


def test_another_optimizer_trains_as_without_the_mixin():
    model = perceptron()
    plain = keras.Sequential.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    for one in (model, plain):
        one.compile(keras.optimizers.Adam(0.1), "mse")
        one.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


# --- kinds of models ------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_perceptron_goes_down_with_each_step(solver):
    """Its Hessian is indefinite at the start, and the loss falls all the same."""
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    losses = np.array(fit(perceptron(), LABELS, 8, loss, solver)["loss"])
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < 0.5 * losses[0]


def test_state_moves_once_a_batch():
    """Averages of a normalization, and a dropout's seed, however often the loss was tried."""
    normalization = keras.layers.BatchNormalization(momentum=0.5)
    dropout = keras.layers.Dropout(0.4, seed=3)
    layers = [normalization, keras.layers.Dense(5, "tanh"), dropout, keras.layers.Dense(1)]
    model = Sequential([keras.Input((FEATURES,)), *layers])
    seed = np.array(dropout.seed_generator.state)
    fit(model, epochs=2)
    np.testing.assert_allclose(normalization.moving_mean, 0.75 * X.mean(0), rtol=1e-4)
    np.testing.assert_array_equal(dropout.seed_generator.state, seed + [0, 2])
    assert int(model.optimizer.iterations) == 2


LAYERS = {
    "embedding": [keras.layers.Embedding, (7, 3)],
    "lstm": [keras.layers.LSTM, (3,)],
    "convolution": [keras.layers.Conv1D, (3, 2)],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_all_kinds(name):
    keras.utils.set_random_seed(1)
    layer, arguments = LAYERS[name]
    x = RNG.integers(0, 5, (20, 6)) if name == "embedding" else RNG.normal(0.3, 1, (20, 6, 2))
    model = Sequential([layer(*arguments), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(Newton(), "mse", jit_compile=False)
    history = model.fit(x, np.sin(x.reshape(20, -1).sum(1)), epochs=4, batch_size=20, verbose=0)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]


def test_several_inputs_and_outputs():
    a, b = keras.Input((FEATURES,), name="a"), keras.Input((2,), name="b")
    outputs = {"p": keras.layers.Dense(1)(a), "q": keras.layers.Dense(2)(b)}
    model = Model({"a": a, "b": b}, outputs)
    model.compile(Newton(), {"p": "mse", "q": "mse"}, loss_weights={"p": 1.0, "q": 0.5})
    x = {"a": X, "b": X[:, 1:3]}
    history = model.fit(
        x, {"p": Y, "q": 2 * X[:, 1:3] + 1}, epochs=2, batch_size=SAMPLES, verbose=0
    )
    kernel, bias = least_squares()
    residual = np.mean((X @ kernel + bias - Y) ** 2)
    np.testing.assert_allclose(history.history["loss"][-1], residual, rtol=1e-3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16", WIDEST])
def test_dtype_policies(policy):
    keras.utils.set_random_seed(1)
    model = Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1, dtype=policy)])
    model.dtype_policy = policy
    history = fit(model, epochs=3)["loss"]
    assert history[-1] < 0.2 * history[0]


def test_mini_batches_run():
    model = perceptron()
    model.compile(Newton(0.3, solver="conjugate_gradient"), "mse")
    history = model.fit(X, Y, epochs=3, batch_size=25, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_training_goes_on_where_a_saved_model_stopped(tmp_path):
    model = perceptron()
    fit(model, epochs=2)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again) is Sequential and type(again.optimizer) is Newton
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, again):
        one.fit(X, Y, batch_size=SAMPLES, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3)
    assert int(again.optimizer.iterations) == 3


# --- edges ----------------------------------------------------------------------------------------


def test_a_model_without_weights_is_refused():
    model = Sequential([keras.Input((1,)), keras.layers.ReLU()])
    model.compile(Newton(), "mse")
    with pytest.raises(ValueError, match="NewtonStep must have trainable weights"):
        model.fit(Y, Y, verbose=0)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a strategy is TensorFlow's")
def test_a_distribution_strategy_is_refused():
    import tensorflow as tf

    class Two(tf.distribute.Strategy):
        num_replicas_in_sync = 2

        def __init__(self):
            pass

    model = sequential()
    model.compile(Newton(), "mse")
    model._distribute_strategy = Two()
    with pytest.raises(NotImplementedError, match="single device"):
        model.train_step((X, Y))
