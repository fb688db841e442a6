"""In order: cases worked by hand, independent oracles, the theory, the edges."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, numpy
from keras import ops
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess

from suite.optimizers import Newton, _derivatives, _newton_direction
from suite.optimizers.newton import SOLVERS
from suite.training.newton_logistic import logistic_gradient, logistic_hessian

ROUNDING = {"float64": 1e-12, "float32": 1e-5}[WIDEST]
RNG = np.random.default_rng(0)
SAMPLES, FEATURES = 40, 5
X = RNG.normal(0.3, 1.0, (SAMPLES, FEATURES))
Y = X @ RNG.normal(0.5, 1.0, FEATURES) + RNG.normal(1.0, 0.3, SAMPLES)
LABELS = (Y > 1).astype(float)


def variable(value):
    return keras.Variable(np.asarray(value, WIDEST), dtype=WIDEST)


def array(value):
    return ops.convert_to_tensor(np.asarray(value, WIDEST))


def run(optimizer, loss, start, steps):
    """Weights and losses before each step and after the last; a step is one program."""
    w = variable(start)

    def step(value):
        with keras.StatelessScope([(w, value)]):
            update = optimizer.propose(lambda: loss(w), [w])
        return update.weights, update.loss

    if BACKEND == "tensorflow":
        import tensorflow as tf

        step = tf.function(step)
    elif BACKEND == "jax":
        import jax

        step = jax.jit(step)
    path, losses = [array(start)], []
    for _ in range(steps):
        after, before = step(path[-1])
        path.append(after)
        losses.append(float(before))
    return np.array([numpy(point) for point in path]), np.array([*losses, float(loss(path[-1]))])


def squared_error(w):
    return ops.mean((ops.matmul(array(X), w) - array(Y)) ** 2)


def logistic(w):
    return ops.sum(ops.softplus((1 - 2 * array(LABELS)) * ops.matmul(array(X), w)))


def rosenbrock(w):
    return ops.sum(100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2)


def saddle(w):  # minima at (1, 0) and (-1, 0), a saddle at 0
    return (w[0] ** 2 - 1) ** 2 + w[1] ** 2


# --- by hand --------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_step_by_hand(solver):
    # L = w^4 at w = 3: g = 4 * 27 = 108, H = 12 * 9 = 108, so delta = -1.
    w = variable([3.0])
    update = Newton(solver=solver).minimize(lambda: ops.sum(w**4), [w])
    np.testing.assert_allclose(w.numpy(), [2.0], rtol=ROUNDING)
    assert (float(update.loss), float(update.step_size)) == (81, 1)
    assert float(update.gradient_norm) == pytest.approx(108, rel=ROUNDING)
    assert update.positive_definite


def test_one_iteration_of_conjugate_gradients_by_hand():
    # g = (1, 2), H = diag(1, 4): the best length along -g is |g|^2 / g^T H g = 5 / 17.
    w = variable([1.0, 0.5])
    optimizer = Newton(solver="conjugate_gradient", max_iterations=1)
    optimizer.minimize(lambda: (w[0] ** 2 + 4 * w[1] ** 2) / 2, [w])
    np.testing.assert_allclose(w.numpy(), [1 - 5 / 17, 0.5 - 10 / 17], rtol=ROUNDING)


def test_the_step_is_halved_until_it_pays():
    # L = sqrt(1 + w^2): delta = -w (1 + w^2). From w = 2 it leads to -8, then -3, then -1/2.
    w = variable([2.0])
    update = Newton().minimize(lambda: ops.sum(ops.sqrt(1 + w**2)), [w])
    assert float(update.step_size) == 0.25
    np.testing.assert_allclose(w.numpy(), [-0.5], rtol=10 * ROUNDING)


def test_several_variables_of_several_shapes_are_one_vector():
    """Coupled only through the product, so that solving each alone would miss the minimum."""
    target = RNG.normal(1.0, 0.5, (2, 3))
    a, b = variable(np.zeros((2, 3))), variable(0.5)

    def loss():
        return ops.sum((a - array(target) * b) ** 2) + (b - 2) ** 2

    Newton().minimize(loss, [a, b])
    np.testing.assert_allclose(b.numpy(), 2, rtol=10 * ROUNDING)
    np.testing.assert_allclose(a.numpy(), 2 * target, rtol=10 * ROUNDING)


# --- oracles --------------------------------------------------------------------------------------


def derivatives_agree(product_of, hessian=_derivatives.hessian):
    """Against finite differences of the closed-form gradient of logistic regression."""
    w = np.linspace(-0.4, 0.6, FEATURES)
    value, g, product = _derivatives.linearize(logistic, array(w))
    np.testing.assert_allclose(numpy(g), logistic_gradient(w, X, LABELS), rtol=100 * ROUNDING)
    step = np.finfo(float).eps ** (1 / 3)  # balances truncation and rounding of a central quotient
    columns = [
        logistic_gradient(w + step * e, X, LABELS) - logistic_gradient(w - step * e, X, LABELS)
        for e in np.eye(FEATURES)
    ]
    expected = np.stack(columns, -1) / (2 * step)
    ours = numpy(hessian(product_of(product), array(w)))
    bound = max(1e-8, 100 * ROUNDING) * np.abs(expected).max()
    return np.abs(ours - expected).max() <= bound


def test_the_hessian_against_finite_differences():
    assert derivatives_agree(lambda product: product)
    w = np.linspace(-0.4, 0.6, FEATURES)
    _, _, product = _derivatives.linearize(logistic, array(w))
    v = RNG.normal(0.3, 1.0, FEATURES)
    expected = logistic_hessian(w, X) @ v
    np.testing.assert_allclose(numpy(product(array(v))), expected, rtol=100 * ROUNDING)


@pytest.mark.parametrize(
    "mutant",
    [lambda product: lambda v: -product(v), lambda product: lambda v: v],
    ids=["the sign flipped", "the identity"],
)
def test_mutants_of_the_hessian_are_caught(mutant):
    assert not derivatives_agree(mutant)


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_step_solves_a_linear_regression(solver):
    best = np.linalg.lstsq(X, Y)[0]
    # FEATURES iterations at most: the default.
    path, losses = run(Newton(solver=solver, tolerance=0.0), squared_error, np.ones(FEATURES), 1)
    np.testing.assert_allclose(path[1], best, rtol=1000 * ROUNDING)
    np.testing.assert_allclose(losses[1], np.mean((X @ best - Y) ** 2), rtol=1000 * ROUNDING)


def test_fewer_iterations_than_features_do_not():
    optimizer = Newton(solver="conjugate_gradient", tolerance=0.0, max_iterations=FEATURES - 1)
    path, _ = run(optimizer, squared_error, np.ones(FEATURES), 1)
    assert np.abs(path[1] - np.linalg.lstsq(X, Y)[0]).max() > 1e-4


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_recursion_of_logistic_regression(solver):
    path, _ = run(Newton(solver=solver, tolerance=0.0), logistic, np.zeros(FEATURES), 4)
    w = np.zeros(FEATURES)
    for ours in path[1:]:
        w = w - np.linalg.solve(logistic_hessian(w, X), logistic_gradient(w, X, LABELS))
        np.testing.assert_allclose(ours, w, rtol=1e4 * ROUNDING)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_minimum_that_scipy_finds(solver):
    start = [1.3, 0.7, 0.8, 1.9]  # SciPy's own example; farther left there is another minimum
    path, losses = run(Newton(solver=solver), rosenbrock, start, 25)
    theirs = minimize(rosen, start, jac=rosen_der, hess=rosen_hess, method="Newton-CG", tol=1e-12)
    np.testing.assert_allclose(path[-1], theirs.x, rtol=1e3 * ROUNDING)
    assert (np.diff(losses) <= 10 * np.finfo(WIDEST).eps * losses[:-1]).all()


# --- theory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_number_of_correct_digits_doubles(solver):
    # exp(w) - 2 w has its minimum at log 2, where |L''' / (2 L'')| = 1/2 (C15).
    path, _ = run(Newton(solver=solver), lambda w: ops.sum(ops.exp(w) - 2 * w), [1.2], 3)
    error = np.abs(path[:, 0] - np.log(2))
    np.testing.assert_allclose(error[2:] / error[1:-1] ** 2, 0.5, atol=0.1)


def test_a_smaller_learning_rate_converges_linearly():
    path, _ = run(Newton(learning_rate=0.5), lambda w: ops.sum(ops.exp(w) - 2 * w), [0.8], 8)
    error = np.abs(path[:, 0] - np.log(2))
    np.testing.assert_allclose(error[-1] / error[-2], 0.5, atol=0.01)


@pytest.mark.parametrize(("start", "converges"), [(2.17, True), (2.18, False)])
def test_the_plain_method_diverges_beyond_its_basin(start, converges):
    """w <- w - sinh(w) for balanced labels; the basin ends where sinh(w) = 2 w (C15)."""

    def balanced(w):
        return ops.sum(ops.softplus(w) + ops.softplus(-w))

    path, _ = run(Newton(damping=None), balanced, [start], 12)
    assert (np.abs(path[-1, 0]) < 1e-6) == converges
    path, _ = run(Newton(), balanced, [start], 12)
    assert np.abs(path[-1, 0]) < 1e-6


def test_steps_do_not_depend_on_the_coordinates():
    a = np.triu(RNG.normal(0.5, 1.0, (FEATURES, FEATURES))) + 2 * np.eye(FEATURES)
    start = np.full(FEATURES, 0.2)
    path, _ = run(Newton(), logistic, a @ start, 3)
    mapped, _ = run(Newton(), lambda w: logistic(ops.matmul(array(a), w)), start, 3)
    np.testing.assert_allclose(mapped @ a.T, path, rtol=1e4 * ROUNDING)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("start", [[0.1, 0.7], [-0.3, 2.0], [1e-3, 0.0]])
def test_an_indefinite_hessian_does_not_stop_the_descent(solver, start):
    path, losses = run(Newton(solver=solver), saddle, start, 25)
    assert (np.diff(losses) <= 0).all()
    np.testing.assert_allclose(path[-1], [np.sign(start[0]), 0], atol=100 * ROUNDING)


def test_the_stationary_point_of_an_indefinite_model_would_be_the_saddle():
    """Which is what solving without a look at the curvature finds: a mutant, caught above."""
    w = np.array([0.1, 0.7])
    for _ in range(5):
        g = np.array([4 * w[0] * (w[0] ** 2 - 1), 2 * w[1]])
        w = w - g / [12 * w[0] ** 2 - 4, 2]
    assert np.abs(w).max() < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_both_directions_lead_downhill(seed):
    rng = np.random.default_rng(seed)
    h = rng.normal(0.2, 1.0, (7, 7))
    h, g = h + h.T, rng.normal(0.2, 1.0, 7)
    assert np.linalg.eigvalsh(h)[0] < 0
    shifted, convex = _newton_direction.by_cholesky(array(h), array(g))
    assert not convex and g @ numpy(shifted) < 0
    # What was solved is H + tau I: delta and the residual of H are parallel.
    residual = -g - h @ numpy(shifted)
    tau = residual @ numpy(shifted) / (numpy(shifted) @ numpy(shifted))
    np.testing.assert_allclose(residual, tau * numpy(shifted), atol=1e4 * ROUNDING)
    assert -np.linalg.eigvalsh(h)[0] < tau < 2.1 * np.abs(np.linalg.eigvalsh(h)).max()
    truncated, _ = _newton_direction.by_conjugate_gradient(
        lambda v: ops.matmul(array(h), v), array(g), 0.0, 7
    )
    assert g @ numpy(truncated) < 0


def test_levenberg_goes_over_to_gradient_descent():
    # delta = -(H + r I)^-1 g -> -g / r, so the error is |H| / r of it.
    r = 1e4
    path, _ = run(Newton(regularization=r), logistic, np.zeros(FEATURES), 1)
    expected = -logistic_gradient(np.zeros(FEATURES), X, LABELS) / r
    bound = np.linalg.norm(logistic_hessian(np.zeros(FEATURES), X), 2) / r
    assert np.linalg.norm(path[1] - expected) <= bound * np.linalg.norm(expected)


MANY = """
import resource, keras, numpy as np
from suite.optimizers import Newton
keras.utils.set_random_seed(0)
parameters = 20_000
scale = keras.ops.convert_to_tensor(np.linspace(1.0, 4.0, parameters).astype("float32"))
w = keras.Variable(np.ones(parameters, "float32"))
optimizer = Newton(solver="conjugate_gradient", tolerance=0.0, max_iterations=60)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
optimizer.minimize(lambda: keras.ops.sum(scale * (w - 3) ** 2), [w])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(float(np.abs(w.numpy() - 3).max()), 1024 * (after - before))
"""


def test_without_a_hessian_many_parameters_fit():
    """20,000 parameters: their Hessian would take 1.6 GB in float32."""
    done = subprocess.run(
        [sys.executable, "-c", MANY], capture_output=True, text=True, check=True, cwd="."
    )
    error, taken = map(float, done.stdout.split())
    assert error < 1e-4
    assert taken < 0.4e9  # a quarter of the Hessian; compilation alone takes a few 10 MB


# --- edges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_loss_without_curvature_is_descended(solver):
    path, losses = run(Newton(solver=solver), lambda w: ops.sum(w), [1.0, 2.0], 1)
    assert losses[1] < losses[0]
    np.testing.assert_allclose(np.diff(path[1] - path[0]), 0)  # along -g = (-1, -1)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("damping", ["armijo", None])
def test_nothing_moves_where_the_loss_is_not_finite(solver, damping):
    w = variable([1.0, -2.0])
    optimizer = Newton(solver=solver, damping=damping)
    update = optimizer.minimize(lambda: ops.sum(ops.log(w)), [w])
    assert float(update.step_size) == 0
    np.testing.assert_array_equal(w.numpy(), [1.0, -2.0])


@pytest.mark.parametrize("solver", SOLVERS)
def test_nothing_moves_at_a_stationary_point(solver):
    path, _ = run(Newton(solver=solver), saddle, [0.0, 0.0], 1)
    np.testing.assert_array_equal(path[1], path[0])


def test_constraints_and_schedules():
    w = keras.Variable([2.0, -1.0])
    w.constraint = keras.constraints.NonNeg()
    rates = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 1.0])
    optimizer = Newton(rates)
    for expected in ([3.0, 0.0], [4.0, 0.0]):  # halfway to 4, then all the way; never below 0
        optimizer.minimize(lambda: (w[0] - 4) ** 2 + (w[1] + 3) ** 2, [w])
        np.testing.assert_allclose(w.numpy(), expected, atol=1e-6)
    assert int(optimizer.iterations) == 2


def test_gradients_alone_are_refused():
    w = variable([1.0])
    with pytest.raises(TypeError, match="suite.training.NewtonStep"):
        Newton().apply([w.value], [w])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(Newton(), "mse")
    with pytest.raises(TypeError, match="suite.training.NewtonStep"):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solver": "lu"}, "solver.* one of cholesky, conjugate_gradient, received 'lu'"),
        ({"damping": "wolfe"}, "damping.* one of armijo, received 'wolfe'"),
        ({"regularization": -1.0}, "regularization must be zero or positive, received -1.0"),
        ({"tolerance": 1.0}, r"tolerance must lie in \[0, 1\), received 1.0"),
        ({"max_iterations": 0}, "max_iterations must be a positive integer, received 0"),
        ({"clipnorm": 1.0}, "clipnorm must be left out of Newton, received 1.0"),
        ({"weight_decay": 0.1}, "weight_decay must be left out of Newton, received 0.1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Newton(**arguments)
