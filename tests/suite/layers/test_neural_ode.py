import keras
import numpy as np
import pytest
from backends import (
    BACKEND,
    WIDEST,
    compiled,
    layer_function,
    layer_gradients,
    numpy,
    value_and_gradients,
)
from keras import ops
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from suite.layers import Dense, NeuralODE
from suite.models import MultilayerPerceptron

EPS = float(np.finfo(WIDEST).eps)
X = np.random.default_rng(0).normal(0.5, 1.0, (6, 3)).astype(WIDEST)
ADAPTIVE = {"solver": "dormand_prince5", "steps": None}


def dense(units=3, activation="tanh", **more):
    more = {"dtype": WIDEST, "bias_initializer": keras.initializers.Constant(0.3)} | more
    return Dense(units, activation, kernel_initializer=keras.initializers.HeNormal(1), **more)


def network():
    more = {"kernel_initializer": "glorot_normal", "seed": 1, "dtype": WIDEST}
    return MultilayerPerceptron((5,), 3, "tanh", **more)


def layer(field=None, **arguments):
    return NeuralODE(field or dense(), **{"dtype": WIDEST} | arguments)


# --- by hand -------------------------------------------------------------------------------------


def test_one_step_of_euler_is_a_residual_block():
    field = dense()
    y = layer(field, solver="euler", steps=1)(X)
    np.testing.assert_allclose(numpy(y), X + numpy(field(X)), rtol=0, atol=16 * EPS)


# --- oracles -------------------------------------------------------------------------------------


def residual_network(field, depth, scale):
    x = ops.convert_to_tensor(X)
    for _ in range(depth):
        x = x + scale * field(x)
    return numpy(x)


def test_euler_is_a_residual_network_with_branches_scaled_by_their_number():
    ours = layer(network(), solver="euler", steps=7)
    y = numpy(ours(X))
    np.testing.assert_allclose(y, residual_network(ours.field, 7, 1 / 7), rtol=0, atol=448 * EPS)
    mutant = residual_network(ours.field, 7, 1)  # the scale forgotten
    assert np.abs(y - mutant).max() > 0.1


@pytest.mark.parametrize(
    "control", [{"steps": 40}, ADAPTIVE | {"rtol": 1e-5}], ids=["equal", "adaptive"]
)
def test_a_linear_field_is_the_matrix_exponential(control):
    ours = layer(dense(3, None, use_bias=False), t0=-0.5, t1=1.0, **control)
    y = ours(X)
    exact = X @ expm(1.5 * numpy(ours.field.kernel))
    np.testing.assert_allclose(numpy(y), exact, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("gradient", ["backpropagation", "adjoint"])
def test_a_field_with_time_against_scipy(gradient):
    ours = layer(dense(), t1=2.0, time_dependent=True, gradient=gradient, steps=40)
    y = ours(X)
    assert tuple(ours.field.kernel.shape) == (4, 3)
    kernel, bias = (numpy(w).astype("float64") for w in ours.field.weights)

    def field(t, z):
        z = np.concatenate([z.reshape(X.shape), np.full((6, 1), t)], axis=1)
        return np.tanh(z @ kernel + bias).ravel()

    exact = solve_ivp(field, (0, 2), X.ravel().astype("float64"), rtol=1e-10, atol=1e-10).y[:, -1]
    np.testing.assert_allclose(numpy(y).ravel(), exact, rtol=0, atol=1e-4)


def loss_of(ours):
    function, arrays = layer_function(ours, X)
    return function, [np.asarray(array, WIDEST) for array in arrays]


@pytest.mark.parametrize("gradient", ["backpropagation", "adjoint"])
def test_gradients_against_finite_differences(gradient):
    ours = layer(network(), gradient=gradient, steps=40)
    function, arrays = loss_of(ours)
    _, found = layer_gradients(ours, X)
    random, h = np.random.default_rng(3), EPS ** (1 / 3)
    assert len(found) == 5
    for number, slope in enumerate(found):
        direction = random.normal(size=slope.shape)
        values = []
        for sign in (1, -1):
            moved = [ops.convert_to_tensor(array) for array in arrays]
            moved[number] += ops.convert_to_tensor((sign * h * direction).astype(WIDEST))
            values.append(float(function(*moved)))
        # The solver's error; float32 loses two thirds of its seven digits in the difference.
        tolerance = 1e-4 if WIDEST == "float64" else 1e-2
        assert np.sum(slope * direction) == pytest.approx(
            (values[0] - values[1]) / (2 * h), rel=tolerance, abs=tolerance
        )


# --- theory: constant memory ---------------------------------------------------------------------


def stored_numbers(ours, steps):
    """How many numbers the forward pass keeps for the backward pass."""
    ours.steps = steps
    function, arrays = loss_of(ours)
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    if BACKEND == "jax":
        import jax

        _, pullback = jax.vjp(jax.jit(function), *tensors)
        return sum(leaf.size for leaf in jax.tree.leaves(pullback))
    import tensorflow as tf

    # A loop keeps a tensor of each round by pushing it on a list.
    graph = tf.function(value_and_gradients(function)).get_concrete_function(*tensors).graph
    bodies = graph.as_graph_def().library.function
    pushes = sum(node.op == "TensorListPushBack" for body in bodies for node in body.node_def)
    return pushes * steps


@pytest.mark.skipif(BACKEND == "torch", reason="no adjoint")
def test_the_adjoint_stores_as_much_for_many_steps_as_for_few():
    ours = layer(network(), gradient="adjoint")
    assert stored_numbers(ours, 5) == stored_numbers(ours, 80)


@pytest.mark.skipif(BACKEND == "torch", reason="no count of what it stores")
def test_backpropagation_stores_every_stage():
    ours = layer(network())
    few, many = stored_numbers(ours, 5), stored_numbers(ours, 80)
    assert many - few > 75  # at least one number for each further step


# --- drop-in -------------------------------------------------------------------------------------


def test_trajectories_on_a_line_do_not_cross():
    ours = layer(keras.Sequential([dense(7), dense(1, None)]), t1=2.0, steps=50)
    y = numpy(ours(np.linspace(-3, 3, 61, dtype=WIDEST)[:, None]))[:, 0]
    assert (np.diff(y) > 0).all()


@pytest.mark.parametrize("gradient", ["backpropagation", "adjoint"])
@pytest.mark.parametrize("control", [{}, ADAPTIVE], ids=["equal", "adaptive"])
def test_compiled_is_eager(control, gradient):
    function, arrays = loss_of(layer(network(), gradient=gradient, **control))
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    both = value_and_gradients(function)
    value, slopes = both(*tensors)
    again, found = compiled(both)(*tensors)
    # Rounding moves the chosen steps a little: their gradients agree up to 1e-4.
    bound = 1e4 * EPS if not control else 1e-4
    assert float(again) == pytest.approx(float(value), abs=bound)
    for ours, reference in zip(found, slopes, strict=True):
        np.testing.assert_allclose(numpy(ours), numpy(reference), rtol=0, atol=bound)


@pytest.mark.parametrize("gradient", ["backpropagation", "adjoint"])
def test_it_trains(gradient):
    """A quarter turn, which no field of one layer without bias of rank one could do."""
    x = np.random.default_rng(1).normal(0.2, 1, (64, 2)).astype("float32")
    target = x @ np.array([[0.0, 1.0], [-1.0, 0.0]], "float32")
    field = keras.layers.Dense(2, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((2,)), NeuralODE(field, gradient=gradient, steps=4)])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(x, target, epochs=80, batch_size=32, verbose=0)
    assert model.evaluate(x, target, verbose=0) < 1e-2
    # The logarithm of the rotation
    np.testing.assert_allclose(
        numpy(field.kernel), [[0, np.pi / 2], [-np.pi / 2, 0]], rtol=0, atol=0.15
    )


def test_the_field_comes_back_from_the_config():
    ours = layer(network(), t1=2.0, **ADAPTIVE)
    y = ours(X)
    again = NeuralODE.from_config(ours.get_config())
    again.build(X.shape)
    again.set_weights(ours.get_weights())
    assert isinstance(again.field, MultilayerPerceptron) and again.field is not ours.field
    np.testing.assert_array_equal(numpy(again(X)), numpy(y))


def test_a_mask_passes_through():
    x = np.array([[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]], "float32")
    masked = keras.layers.Masking()(x)
    y = NeuralODE(keras.layers.Dense(3))(masked)
    assert numpy(y._keras_mask).tolist() == [[True, False]]


def test_the_state_does_not_lose_short_steps_in_half_precision():
    """512 steps of 1/512 on a state of size 8: each is below a rounding unit of float16."""
    field = keras.layers.Dense(
        2, kernel_initializer="zeros", bias_initializer="ones", dtype="mixed_float16"
    )
    ours = NeuralODE(field, solver="euler", steps=512, dtype="mixed_float16")
    y = ours(np.full((3, 2), 8.0, "float32"))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    np.testing.assert_array_equal(numpy(y), 9.0)


def test_a_field_with_a_wider_policy_keeps_its_weights():
    field = keras.layers.Dense(
        2,
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(1 + 2**-15),
        dtype="float32",
    )
    ours = NeuralODE(field, t1=2.0**14, solver="euler", steps=1, dtype="mixed_float16")
    # 2^14 (1 + 2^-15) = 16384.5, minus 16384
    y = ours(np.full((3, 2), -(2.0**14), "float32"))
    np.testing.assert_array_equal(numpy(y), 0.5)


def test_the_field_runs_in_inference_mode():
    field = keras.Sequential([keras.layers.Dropout(0.9, seed=1), dense()])
    ours = layer(field)
    np.testing.assert_array_equal(numpy(ours(X, training=True)), numpy(ours(X, training=False)))


@pytest.mark.parametrize("gradient", ["backpropagation", "adjoint"])
def test_a_frozen_field_gets_no_gradient(gradient):
    ours = layer(gradient=gradient)
    ours.build(X.shape)
    ours.field.trainable = False
    _, found = layer_gradients(ours, X)
    assert [slope.shape for slope in found] == [X.shape]


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"field": lambda z: z}, "field must be a layer or a model, received <function"),
        ({"t1": np.nan}, "t1 must be a finite number, received nan"),
        ({"steps": 0}, "steps must be a positive integer, received 0"),
        ({"steps": None}, "steps must be a positive integer for RK4, .*, received None"),
        ({"gradient": "forward"}, "`gradient`.* backpropagation, adjoint, received 'forward'"),
        ({"time_dependent": 1}, "time_dependent must be True or False, received 1"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        NeuralODE(**{"field": keras.layers.Dense(3)} | arguments)


def test_a_field_of_another_width_is_refused_when_it_is_built():
    message = r"field must return a derivative of the state's shape \(6, 3\), received \(6, 4\)"
    with pytest.raises(ValueError, match=message):
        layer(dense(4))(X)


def test_a_stiff_field_hits_the_step_limit():
    field = dense(3, None, use_bias=False)
    ours = layer(field, t1=10.0, max_steps=30, **ADAPTIVE)
    ours.build(X.shape)
    field.kernel.assign(np.diag([-1.0, -30.0, -1000.0]))
    with pytest.raises(
        ValueError, match="max_steps must be enough to reach t1 = 10.0, received 30"
    ):
        ours(X)
    assert np.isnan(numpy(compiled(lambda x: ours(x))(ops.convert_to_tensor(X)))).all()
