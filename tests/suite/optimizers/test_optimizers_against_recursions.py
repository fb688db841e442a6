"""Each optimizer against Keras's and against a float64 recursion in NumPy; wrong forms are caught.

One file for all: the recursion, the gradients and the checks are shared.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from suite.optimizers import SGD, Adam, Momentum, RMSprop

STEPS = 20
RNG = np.random.default_rng(0)
START = RNG.normal(1.0, 2.0, (4, 3))
# Gradients of very different sizes: where they meet epsilon, inside and outside the root differ.
GRADIENTS = RNG.normal(0.3, 1.0, (STEPS, 4, 3)) * 10.0 ** np.array([[-6], [-4], [-1], [2]])


def f32(number):
    """Keras keeps the learning rate in float32 whatever the dtype of the variables."""
    return float(np.float32(number))


def sgd(lr, momentum=0.0, nesterov=False):
    w, v = START.copy(), 0.0
    for g in GRADIENTS:
        v = momentum * v - lr * g
        w = w + (momentum * v - lr * g if nesterov else v)
    return w


def averaged(lr, momentum):
    w, mu = START.copy(), 0.0
    for g in GRADIENTS:
        mu = momentum * mu + (1 - momentum) * g
        w = w - lr * mu
    return w


def rmsprop(lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, epsilon_inside=True):
    w, nu, m, b = START.copy(), 0.0, 0.0, 0.0
    for g in GRADIENTS:
        nu, m = rho * nu + (1 - rho) * g**2, rho * m + (1 - rho) * g
        square = nu - m**2 if centered else nu
        root = np.sqrt(square + epsilon) if epsilon_inside else np.sqrt(square) + epsilon
        b = momentum * b + lr * g / root
        w = w - b
    return w


def adam(lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, debias=True, inside=False):
    w, mu, nu, largest = START.copy(), 0.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, 1):
        mu, nu = beta_1 * mu + (1 - beta_1) * g, beta_2 * nu + (1 - beta_2) * g**2
        largest = np.maximum(largest, nu)
        used = largest if amsgrad else nu
        rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) if debias else lr
        root = np.sqrt(used + epsilon) if inside else np.sqrt(used) + epsilon
        w = w - rate * mu / root
    return w


def run(optimizer, dtype="float64"):
    w = keras.Variable(START, dtype=dtype)
    for g in GRADIENTS:
        optimizer.apply([tf.constant(g, w.dtype)], [w])
    return w.numpy()


def close(a, b):
    # float64; beta_2^t as a power, squares and roots: far below 1e-10 of the distance travelled.
    return np.allclose(a, b, rtol=0, atol=1e-10 * np.abs(b - START).max(axis=1, keepdims=True))


CASES = {
    "sgd": (SGD(0.1), sgd(f32(0.1))),
    "sgd momentum": (SGD(0.1, 0.9), sgd(f32(0.1), 0.9)),
    "sgd nesterov": (SGD(0.1, 0.9, True), sgd(f32(0.1), 0.9, True)),
    "averaged momentum": (Momentum(0.1, 0.8), averaged(f32(0.1), 0.8)),
    "rmsprop": (RMSprop(0.1), rmsprop(f32(0.1))),
    "rmsprop outside": (
        RMSprop(0.1, epsilon_inside=False),
        rmsprop(f32(0.1), epsilon_inside=False),
    ),
    "rmsprop momentum": (RMSprop(0.1, 0.8, 0.5), rmsprop(f32(0.1), 0.8, 0.5)),
    "rmsprop lecture": (RMSprop(0.1, epsilon=0.0), rmsprop(f32(0.1), epsilon=0.0)),
    "adam": (Adam(0.1), adam(f32(0.1))),
    "adam amsgrad": (Adam(0.1, 0.8, 0.9, amsgrad=True), adam(f32(0.1), 0.8, 0.9, amsgrad=True)),
    "adam no debias": (Adam(0.1, debias=False), adam(f32(0.1), debias=False)),
    "adam inside": (Adam(0.1, epsilon_inside=True), adam(f32(0.1), inside=True)),
    "adam lecture": (
        Adam(0.1, 0.9, 0.9, debias=False, epsilon_inside=True),
        adam(f32(0.1), 0.9, 0.9, debias=False, inside=True),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_its_recursion(name):
    optimizer, expected = CASES[name]
    assert close(run(optimizer.from_config(optimizer.get_config())), expected)


@pytest.mark.parametrize(
    "family", [["sgd", "sgd momentum", "sgd nesterov", "averaged momentum"],
               ["rmsprop", "rmsprop outside", "rmsprop momentum"],
               ["adam", "adam no debias", "adam inside", "adam amsgrad"]],
)  # fmt: skip
def test_the_same_check_rejects_every_other_form(family):
    """Among them Adam's mutants: without debiasing, and with epsilon inside the root."""
    for one, other in itertools.permutations(family, 2):
        optimizer = CASES[one][0]
        assert not close(run(optimizer.from_config(optimizer.get_config())), CASES[other][1])


def test_centered_rmsprop_equals_its_recursion():
    # nu - m^2 cancels at t = 1 where rho m^2 nearly equals nu; epsilon=0.1 keeps the root away.
    expected = rmsprop(f32(0.1), epsilon=0.1, centered=True)
    assert close(run(RMSprop(0.1, epsilon=0.1, centered=True)), expected)


@pytest.mark.parametrize("inside", [True, False])
def test_the_variance_of_centered_rmsprop_never_falls_below_zero(inside):
    """After many equal gradients it is zero, give or take a rounding."""
    gradients = np.linspace(0.1, 3.0, 41, dtype="float32")
    w = keras.Variable(np.zeros(41, "float32"))
    optimizer = RMSprop(1e-9, rho=0.5, centered=True, epsilon=1e-3, epsilon_inside=inside)
    for _ in range(60):
        optimizer.apply([tf.constant(gradients)], [w])
    assert np.isfinite(w.numpy()).all()


PAIRS = [
    (SGD, keras.optimizers.SGD, {}),
    (SGD, keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    (RMSprop, keras.optimizers.RMSprop, {}),
    (RMSprop, keras.optimizers.RMSprop, {"momentum": 0.5, "rho": 0.8}),
    (Adam, keras.optimizers.Adam, {}),
    (Adam, keras.optimizers.Adam, {"amsgrad": True, "beta_2": 0.9}),
]
SHARED = [
    {},
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.5},
    {"clipvalue": 0.2},
    {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 4},
    {"loss_scale_factor": 8.0},
    {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)},
]


@pytest.mark.parametrize("shared", SHARED, ids=lambda shared: next(iter(shared), "plain"))
@pytest.mark.parametrize(("ours", "theirs", "own"), PAIRS)
def test_works_with_what_keras_optimizers_share(ours, theirs, own, shared):
    arguments = {"learning_rate": 0.1} | own | shared
    # In float32, as Keras rounds its decay rates to float32 even for float64 variables. Weights up
    # to 4 have an ulp of 2.4e-7; 20 steps may each be off by one.
    one, other = run(ours(**arguments), "float32"), run(theirs(**arguments), "float32")
    np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)


@pytest.mark.parametrize(("ours", "theirs", "own"), PAIRS)
def test_has_the_state_of_keras(ours, theirs, own):
    one, other = ours(**own), theirs(**own)
    for optimizer in (one, other):
        optimizer.build([keras.Variable(START, name="w")])
    assert [(v.name, v.shape) for v in one.variables] == [
        (v.name, v.shape) for v in other.variables
    ]
    assert ours().get_config().keys() >= theirs().get_config().keys()


def test_averaged_momentum_is_sgd_with_a_rescaled_learning_rate():
    # Both learning rates are exact in float32: 0.25 and (1 - 0.75) * 0.25.
    np.testing.assert_allclose(run(Momentum(0.25, 0.75)), run(SGD(0.0625, 0.75)), rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer",
    [SGD(0.1), SGD(0.1, 0.9), Momentum(0.1), RMSprop(0.1), RMSprop(0.1, momentum=0.5), Adam(0.1)],
    ids=lambda optimizer: optimizer.name,
)
def test_a_sparse_gradient_equals_the_dense_one(optimizer):
    """Row 2 appears twice: its rows must be added before they are squared."""
    rows = tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
    indices = tf.constant([2, 0, 2])
    sparse = tf.IndexedSlices(rows, indices, (5, 2))
    dense = tf.tensor_scatter_nd_add(tf.zeros((5, 2)), indices[:, None], rows)
    results = []
    for gradient in (sparse, dense):
        w = keras.Variable(np.ones((5, 2)))
        fresh = optimizer.from_config(optimizer.get_config())
        for _ in range(3):
            fresh.apply([gradient], [w])
        results.append(w.numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)
    assert len(np.unique(results[0])) > 2


@pytest.mark.parametrize("name", CASES)
def test_stacked_variables_equal_separate_ones(name):
    optimizer = CASES[name][0]
    w = keras.Variable(np.stack([START, 2 * START]), dtype="float64")
    stacked = optimizer.from_config(optimizer.get_config())
    for g in GRADIENTS:
        stacked.apply([tf.constant(np.stack([g, -3 * g]))], [w])
    alone = run(optimizer.from_config(optimizer.get_config()))
    np.testing.assert_allclose(w.numpy()[0], alone, rtol=1e-12)


def test_the_first_step_of_adam_without_debiasing_is_three_times_as_long():
    w = keras.Variable([0.0], dtype="float64")
    Adam(1.0, debias=False, epsilon=0.0).apply([tf.constant([7.0], "float64")], [w])
    assert -w.numpy()[0] == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-12)  # claim C36: 3.162


def test_the_step_of_rmsprop_exceeds_one_but_not_its_bound():
    w = keras.Variable([0.0], dtype="float64")
    RMSprop(1.0, rho=0.9, epsilon=0.0).apply([tf.constant([7.0], "float64")], [w])
    assert -w.numpy()[0] == pytest.approx(1 / np.sqrt(1 - 0.9), rel=1e-12)  # claim C35


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=2.0), r"`momentum` must be a float between \[0, 1\], received 2.0"),
        (lambda: SGD(-1.0), "learning_rate must be zero or positive, received -1.0"),
        (lambda: SGD(nesterov=1), "nesterov must be True or False, received 1"),
        (lambda: Momentum(momentum=1.0), r"momentum must lie in \[0, 1\), received 1.0"),
        (lambda: RMSprop(rho=1.0), r"rho must lie in \[0, 1\), received 1.0"),
        (lambda: Adam(beta_1=-0.1), r"beta_1 must lie in \[0, 1\), received -0.1"),
        (lambda: Adam(epsilon=float("nan")), "epsilon must be zero or positive, received nan"),
        (lambda: Adam(beta=0.9), "beta"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
