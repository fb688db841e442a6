"""Optimizers where they are used: compile and fit, compiled whole by XLA, saved with a model."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite import layers, losses, optimizers

MAKE = {
    "SGD": lambda: optimizers.SGD(0.05, momentum=0.9),
    "Momentum": lambda: optimizers.Momentum(0.5),
    "RMSprop": lambda: optimizers.RMSprop(0.01),
    "Adam": lambda: optimizers.Adam(0.02, weight_decay=1e-3),
}
RNG = np.random.default_rng(0)
X = RNG.normal(0.5, 1.0, (60, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]]) > 0).astype("float32")


def model(dtype=None):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, "tanh", dtype=dtype), layers.Dense(1, dtype=dtype)]
    )


@pytest.mark.parametrize(
    ("dtype", "jit"), [("float32", True), ("mixed_float16", False), ("float64", False)]
)
@pytest.mark.parametrize("name", MAKE)
def test_fit_lowers_the_loss(name, jit, dtype):
    network = model(dtype)
    network.compile(MAKE[name](), losses.BinaryCrossentropy(from_logits=True), jit_compile=jit)
    history = network.fit(X, Y, epochs=8, batch_size=20, shuffle=False, verbose=0)
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]


def descend(w, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(w.value) ** 2)
    optimizer.apply(tape.gradient(loss, [w.value]), [w])


@pytest.mark.parametrize("name", MAKE)
def test_eager_graph_and_xla_take_the_same_steps(name):
    results = []
    for options in (None, {}, {"jit_compile": True}):
        w = keras.Variable(X[:5], dtype="float64")
        optimizer = MAKE[name]()
        optimizer.build([w])

        step = functools.partial(descend, w, optimizer)
        compiled = step if options is None else tf.function(step, **options)
        for _ in range(5):
            compiled()
        results.append(w.numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-12)  # float64
    np.testing.assert_allclose(results[2], results[0], rtol=1e-9)  # XLA has a sine of its own


# Keras 3.15 writes its variables through h5py, which asks NumPy 2 for what they do not offer.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", MAKE)
def test_training_goes_on_where_a_saved_model_stopped(name, tmp_path):
    network = model()
    network.compile(MAKE[name](), losses.BinaryCrossentropy(from_logits=True))
    network.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is type(network.optimizer)
    for one in (network, again):
        one.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("name", MAKE)
def test_an_embedding_trains(name):
    network = keras.Sequential(
        [keras.Input((3,)), keras.layers.Embedding(7, 4), keras.layers.Flatten(), layers.Dense(1)]
    )
    network.compile(MAKE[name](), "mse")
    tokens = RNG.integers(0, 5, (20, 3))  # tokens 5 and 6 never occur
    before = network.layers[0].get_weights()[0]
    network.fit(tokens, np.ones((20, 1)), epochs=2, verbose=0)
    after = network.layers[0].get_weights()[0]
    assert not np.allclose(after[:5], before[:5])
    if name != "Adam":  # whose weight decay moves every row
        np.testing.assert_array_equal(after[5:], before[5:])
