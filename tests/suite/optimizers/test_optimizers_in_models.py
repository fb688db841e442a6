"""Optimizers where they are used: compile and fit, half precision, saved with a model."""

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, numpy

from suite import layers, losses, optimizers

MAKE = {
    "SGD": lambda: optimizers.SGD(0.05, momentum=0.9),
    "Momentum": lambda: optimizers.Momentum(0.5),
    "RMSprop": lambda: optimizers.RMSprop(0.01),
    "Adam": lambda: optimizers.Adam(0.02, weight_decay=1e-3),
    "AMSGrad": lambda: optimizers.AMSGrad(0.02, clipnorm=1.0),
    "RobbinsMonro": lambda: optimizers.SGD(optimizers.RobbinsMonro(0.5, 0.6)),
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
    ("dtype", "jit"), [("float32", True), ("mixed_float16", False), (WIDEST, False)]
)
@pytest.mark.parametrize("name", MAKE)
def test_fit_lowers_the_loss(name, jit, dtype):
    network = model(dtype)
    network.compile(
        MAKE[name](),
        losses.BinaryCrossentropy(from_logits=True),
        jit_compile=jit and BACKEND != "torch",
    )
    history = network.fit(X, Y, epochs=8, batch_size=20, shuffle=False, verbose=0)
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]


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


PAIRS = [
    (optimizers.SGD, keras.optimizers.SGD),
    (optimizers.RMSprop, keras.optimizers.RMSprop),
    (optimizers.Adam, keras.optimizers.Adam),
]


def steps(optimizer, gradients, variables):
    optimizer.build(variables)
    for gradient in gradients:
        gradient = [keras.ops.convert_to_tensor(g) for g in gradient]
        if BACKEND == "jax":  # where a dynamic loss scale knows no other way
            state = [[v.value for v in group] for group in (optimizer.variables, variables)]
            new = optimizer.stateless_apply(state[0], gradient, state[1])
            for variable, value in zip(variables + optimizer.variables, sum(new, []), strict=True):
                variable.assign(value)
        else:
            optimizer.apply(gradient, variables)
    return [numpy(variable) for variable in variables]


def kernel_and_bias():
    return [
        keras.Variable(np.full((3, 2), 1.5, "float32"), name="kernel"),
        keras.Variable(np.full(2, -0.5, "float32"), name="bias"),
    ]


def pairs_of_gradients(count):
    rng = np.random.default_rng(5)
    return [
        (rng.normal(0.3, 1.0, (3, 2)).astype("float32"), rng.normal(size=2).astype("float32"))
        for _ in range(count)
    ]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_dynamic_loss_scale_skips_steps_that_overflow(ours, theirs):
    gradients = pairs_of_gradients(6)
    gradients[2][0][1, 1] = np.inf
    results = []
    for cls in (ours, theirs):
        wrapped = keras.optimizers.LossScaleOptimizer(cls(0.1), initial_scale=8.0)
        variables = kernel_and_bias()
        results.append(steps(wrapped, gradients, variables))
        assert int(numpy(wrapped.inner_optimizer.iterations)) == 5
        assert float(numpy(wrapped.dynamic_scale)) == 4.0
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_weight_decay_can_be_kept_from_biases(ours, theirs):
    results = []
    for cls in (ours, theirs):
        optimizer, variables = cls(0.1, weight_decay=0.5), kernel_and_bias()
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build(variables)
        zeros = [(np.zeros((3, 2), "float32"), np.zeros(2, "float32"))]
        kernel, bias = steps(optimizer, zeros, variables)
        np.testing.assert_allclose(kernel, 1.5 * (1 - 0.1 * 0.5), rtol=1e-6)
        np.testing.assert_array_equal(bias, -0.5)
        results.append(steps(optimizer, pairs_of_gradients(20), variables))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)  # float32, 20 steps


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_learning_rate_can_be_set(ours, theirs):
    results = []
    for cls in (ours, theirs):
        optimizer, variables = cls(0.1), kernel_and_bias()
        steps(optimizer, pairs_of_gradients(3), variables)
        optimizer.learning_rate = 0.025
        assert float(numpy(optimizer.learning_rate)) == pytest.approx(0.025)
        results.append(steps(optimizer, pairs_of_gradients(17), variables))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)  # float32, 20 steps


def test_clipping_by_hand():
    gradient, other = keras.ops.array([3.0, -4.0]), keras.ops.array([12.0])
    cases = {
        "clipnorm": (1.0, [-0.6, 0.8], [-1.0]),
        "global_clipnorm": (6.5, [-1.5, 2.0], [-6.0]),  # the norm of both is 13
        "clipvalue": (3.5, [-3.0, 3.5], [-3.5]),
    }
    for name, (bound, one, two) in cases.items():
        variables = [keras.Variable([0.0, 0.0]), keras.Variable([0.0])]
        optimizers.SGD(1.0, **{name: bound}).apply([gradient, other], variables)
        np.testing.assert_allclose(numpy(variables[0]), one, rtol=1e-6)
        np.testing.assert_allclose(numpy(variables[1]), two, rtol=1e-6)


def test_the_moving_average_of_the_weights_by_hand():
    w = keras.Variable([1.0])
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75)
    for _ in range(2):
        optimizer.apply([keras.ops.array([2.0])], [w])  # to -1, then to -3
    assert numpy(w).tolist() == [-3.0]
    optimizer.finalize_variable_values([w])
    assert numpy(w).tolist() == [
        -1.5
    ]  # 0.75 * -1 + 0.25 * -3: Keras starts it at the first weights


def test_gradient_accumulation_by_hand():
    w, optimizer = (
        keras.Variable([1.0]),
        optimizers.Momentum(1.0, 0.5, gradient_accumulation_steps=3),
    )
    seen = []
    for gradient in (1.0, 2.0, 6.0, 5.0):
        optimizer.apply([keras.ops.array([gradient])], [w])
        seen.append(float(numpy(w)[0]))
    assert seen == [1.0, 1.0, -0.5, -0.5]  # half of the mean, 3
