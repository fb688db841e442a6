"""Each optimizer against Keras's and against a float64 recursion in NumPy; wrong forms are caught.

One file for all: the recursion, the gradients and the checks are shared.
"""

import itertools

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, compiled, numpy

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
    w, v = 0.0, 0.0
    for g in GRADIENTS:
        v = momentum * v - lr * g
        w = w + (momentum * v - lr * g if nesterov else v)
    return w


def averaged(lr, momentum):
    w, mu = 0.0, 0.0
    for g in GRADIENTS:
        mu = momentum * mu + (1 - momentum) * g
        w = w - lr * mu
    return w


def rmsprop(lr, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, epsilon_inside=True):
    w, nu, m, b = 0.0, 0.0, 0.0, 0.0
    for g in GRADIENTS:
        nu, m = rho * nu + (1 - rho) * g**2, rho * m + (1 - rho) * g
        square = nu - m**2 if centered else nu
        root = np.sqrt(square + epsilon) if epsilon_inside else np.sqrt(square) + epsilon
        b = momentum * b + lr * g / root
        w = w - b
    return w


def adam(lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, debias=True, inside=False):
    w, mu, nu, largest = 0.0, 0.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, 1):
        mu, nu = beta_1 * mu + (1 - beta_1) * g, beta_2 * nu + (1 - beta_2) * g**2
        largest = np.maximum(largest, nu)
        used = largest if amsgrad else nu
        rate = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) if debias else lr
        root = np.sqrt(used + epsilon) if inside else np.sqrt(used) + epsilon
        w = w - rate * mu / root
    return w


def tensor(array, dtype=WIDEST):
    return keras.ops.convert_to_tensor(array, dtype)


def run(optimizer, dtype="float32", start=START):
    w = keras.Variable(start, dtype=dtype)
    for g in GRADIENTS:
        optimizer.apply([tensor(g, dtype)], [w])
    return numpy(w)


def distance(optimizer):
    """From zero, so that rounding is relative to the steps."""
    return run(optimizer, WIDEST, np.zeros_like(START))


def close(a, b):
    # Of the distance travelled. In float32, 1 - beta_2 is only known to 3e-5 of itself.
    tolerance = {"float64": 1e-10, "float32": 1e-4}[WIDEST]
    return np.allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max(axis=1, keepdims=True))


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


def fresh(optimizer):
    return optimizer.from_config(optimizer.get_config())


@pytest.mark.parametrize("name", CASES)
def test_equals_its_recursion(name):
    optimizer, expected = CASES[name]
    assert close(distance(fresh(optimizer)), expected)


@pytest.mark.parametrize(
    "family", [["sgd", "sgd momentum", "sgd nesterov", "averaged momentum"],
               ["rmsprop", "rmsprop outside", "rmsprop momentum"],
               ["adam", "adam no debias", "adam inside", "adam amsgrad"]],
)  # fmt: skip
def test_the_same_check_rejects_every_other_form(family):
    """Among them Adam's mutants: without debiasing, and with epsilon inside the root."""
    for one, other in itertools.permutations(family, 2):
        optimizer = CASES[one][0]
        assert not close(distance(fresh(optimizer)), CASES[other][1])


def test_centered_rmsprop_equals_its_recursion():
    # nu - m^2 cancels at t = 1 where rho m^2 nearly equals nu; epsilon=0.1 keeps the root away.
    expected = rmsprop(f32(0.1), epsilon=0.1, centered=True)
    assert close(distance(RMSprop(0.1, epsilon=0.1, centered=True)), expected)


@pytest.mark.parametrize("inside", [True, False])
def test_the_variance_of_centered_rmsprop_never_falls_below_zero(inside):
    """After many equal gradients it is zero, give or take a rounding."""
    gradients = np.linspace(0.1, 3.0, 41, dtype="float32")
    w = keras.Variable(np.zeros(41, "float32"))
    optimizer = RMSprop(1e-9, rho=0.5, centered=True, epsilon=1e-3, epsilon_inside=inside)
    for _ in range(60):
        optimizer.apply([tensor(gradients, "float32")], [w])
    assert np.isfinite(numpy(w)).all()


PAIRS = [
    (SGD, keras.optimizers.SGD, {}),
    (SGD, keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    (RMSprop, keras.optimizers.RMSprop, {}),
    (RMSprop, keras.optimizers.RMSprop, {"momentum": 0.5, "rho": 0.8}),
    (RMSprop, keras.optimizers.RMSprop, {"centered": True, "epsilon": 0.1}),
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
    one, other = run(ours(**arguments)), run(theirs(**arguments))
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
    # All numbers are powers of 2, so both round alike: 0.25 and (1 - 0.75) * 0.25.
    one, other = distance(Momentum(0.25, 0.75)), distance(SGD(0.0625, 0.75))
    np.testing.assert_allclose(one, other, rtol=1e-12 if WIDEST == "float64" else 1e-4)


@pytest.mark.parametrize("name", CASES)
def test_stacked_variables_equal_separate_ones(name):
    optimizer = CASES[name][0]
    w = keras.Variable(np.stack([START, 2 * START]), dtype="float32")
    stacked = fresh(optimizer)
    for g in GRADIENTS:
        stacked.apply([tensor(np.stack([g, -3 * g]), "float32")], [w])
    np.testing.assert_allclose(numpy(w)[0], run(fresh(optimizer)), rtol=1e-6)  # float32


@pytest.mark.parametrize("name", CASES)
def test_compiled_steps_equal_eager_ones(name):
    """Compiled by XLA: on TensorFlow the optimizer's `apply`, elsewhere its stateless form."""
    optimizer, w = fresh(CASES[name][0]), keras.Variable(0 * START, dtype=WIDEST)
    optimizer.build([w])
    if BACKEND == "tensorflow":
        step = compiled(lambda g: optimizer.apply([g], [w]))
        for g in GRADIENTS:
            step(tensor(g))
        result = w.value
    else:
        step = compiled(optimizer.stateless_apply)
        weights, state = [w.value], [variable.value for variable in optimizer.variables]
        for g in GRADIENTS:
            weights, state = step(state, [tensor(g)], weights)
        result = weights[0]
    assert close(numpy(result), CASES[name][1])


def test_the_first_step_of_adam_without_debiasing_is_three_times_as_long():
    w = keras.Variable([0.0])
    Adam(1.0, debias=False, epsilon=0.0).apply([keras.ops.array([7.0])], [w])
    # Claim C36: 3.162; float32 knows 1 - 0.999 to 3e-5.
    assert -numpy(w)[0] == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-4)


def test_the_step_of_rmsprop_exceeds_one_but_not_its_bound():
    w = keras.Variable([0.0])
    RMSprop(1.0, rho=0.9, epsilon=0.0).apply([keras.ops.array([7.0])], [w])
    assert -numpy(w)[0] == pytest.approx(1 / np.sqrt(1 - 0.9), rel=1e-6)  # claim C35


def test_the_longest_step_of_adam_without_debiasing():
    """Claim C36: gradients growing as (beta_2 / beta_1)^t attain the bound by Cauchy-Schwarz."""
    w, optimizer = keras.Variable([0.0]), Adam(1.0, debias=False, epsilon=0.0)
    before = 0.0
    for t in range(-250, 1):
        before = numpy(w)[0]
        optimizer.apply([keras.ops.array([(0.999 / 0.9) ** t])], [w])
    bound = 0.1 / np.sqrt(0.001) / np.sqrt(1 - 0.9**2 / 0.999)
    assert before - numpy(w)[0] == pytest.approx(bound, rel=1e-3)  # 7.270; w itself is rounded


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
        (lambda: SGD(clipnorm=-1.0), "clipnorm must be zero or positive, received -1.0"),
        (lambda: SGD(weight_decay="a"), "weight_decay must be zero or positive, received 'a'"),
        (lambda: SGD(loss_scale_factor=0), "loss_scale_factor must be positive, received 0"),
        (lambda: SGD(clipnorm=1.0, clipvalue=1.0), "Only one of"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
