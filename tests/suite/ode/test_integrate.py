import numpy as np
import pytest
from backends import BACKEND, WIDEST, compiled, gradients, numpy, value_and_gradients
from keras import ops
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from suite.ode import SOLVERS, DormandPrince5, RungeKutta, solve

EPS = float(np.finfo(WIDEST).eps)
MATRIX = np.array([[-0.3, 1.0, 0.2], [-2.0, 0.1, 0.0], [0.4, 0.3, -0.5]])
STATE = np.random.default_rng(0).normal(0.5, 1.0, (4, 3)).astype(WIDEST)
ADAPTIVE = {"solver": "dormand_prince5"}
# Relative tolerances that the arithmetic can keep.
FINE = {"rtol": 1e3 * EPS, "atol": 1e3 * EPS}


def linear(z, t):
    return ops.matmul(z, ops.convert_to_tensor(MATRIX.T.astype(WIDEST)))


def twisted(z, t):
    """Nonlinear, with time, and no symmetry."""
    return ops.sin(z * t) + ops.roll(z, 1, -1) * ops.cos(3 * t)


def twisted_numpy(t, y):
    z = y.reshape(STATE.shape)
    return (np.sin(z * t) + np.roll(z, 1, -1) * np.cos(3 * t)).ravel()


def scipy_solution(t0, t1, **control):
    found = solve_ivp(twisted_numpy, (t0, t1), STATE.ravel().astype("float64"), "RK45", **control)
    return found.y[:, -1].reshape(STATE.shape), found


# --- by hand -------------------------------------------------------------------------------------


def test_two_steps_of_euler_by_hand():
    # z' = t z from 3 at t = 1: to 1.5 by 3 + 0.5 * 1 * 3, to 2 by 4.5 + 0.5 * 1.5 * 4.5
    z = solve(lambda z, t: t * z, np.array([3.0], WIDEST), 1.0, 2.0, solver="euler", steps=2)
    assert numpy(z).tolist() == [7.875]


# --- oracles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_linear_field_is_the_matrix_exponential(solver):
    exact = STATE @ expm(1.5 * MATRIX).T
    errors = [
        np.abs(numpy(solve(linear, STATE, 0.0, 1.5, solver=solver, steps=n)) - exact).max()
        for n in (15, 30)
    ]
    floor = 64 * EPS * np.abs(exact).max() * 30
    # Halving the step divides the error by 2^p, but for terms of the next order.
    assert errors[1] < errors[0] / 2 ** (SOLVERS[solver].order - 0.5) + floor


@pytest.mark.parametrize(("t0", "t1"), [(0.0, 2.0), (2.0, -1.0)], ids=["forward", "backward"])
@pytest.mark.parametrize("rtol", [1e-3, 1e-5])
def test_error_control_takes_the_steps_of_scipy(t0, t1, rtol):
    """The same pair, controller and first step: equal up to rounding, not only up to `rtol`."""
    if BACKEND != "tensorflow":  # float32 rounds the steps: only the tolerance holds
        exact, _ = scipy_solution(t0, t1, rtol=1e-10, atol=1e-10)
        bound = 100 * rtol
    else:
        exact, _ = scipy_solution(t0, t1, rtol=rtol, atol=1e-6)
        bound = 1e-10
    found = solve(twisted, STATE, t0, t1, rtol=rtol, atol=1e-6, **ADAPTIVE)
    np.testing.assert_allclose(numpy(found), exact, rtol=0, atol=bound)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="counts need eager loops")
def test_error_control_needs_as_many_evaluations_as_scipy():
    calls = []

    def counted(z, t):
        calls.append(float(t))
        return twisted(z, t)

    solve(counted, STATE, 0.0, 2.0, rtol=1e-5, atol=1e-6, **ADAPTIVE)
    _, found = scipy_solution(0.0, 2.0, rtol=1e-5, atol=1e-6)
    assert len(calls) == found.nfev


@pytest.mark.parametrize("control", [{"steps": 40}, ADAPTIVE | FINE], ids=["equal", "adaptive"])
def test_compiled_is_eager(control):
    def end(z):
        return solve(twisted, z, 0.0, 2.0, **control)

    eager = numpy(end(ops.convert_to_tensor(STATE)))
    # 64 k eps with k of the order of the number of operations in 40 steps
    np.testing.assert_allclose(
        numpy(compiled(end)(ops.convert_to_tensor(STATE))), eager, rtol=0, atol=64 * 100 * EPS
    )


# --- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("compile_it", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("control", [{"steps": 12}, ADAPTIVE], ids=["equal", "adaptive"])
def test_the_gradient_of_a_linear_field_is_the_transposed_exponential(control, compile_it):
    weights = np.random.default_rng(1).normal(0.5, 1, STATE.shape).astype(WIDEST)

    def end(z):
        return solve(linear, z, 0.0, 1.5, **control, rtol=1e-5, atol=1e-5)

    gradient = value_and_gradients(lambda z: ops.sum(end(z) * weights))
    gradient = compiled(gradient) if compile_it else gradient
    _, (found,) = gradient(ops.convert_to_tensor(STATE))
    np.testing.assert_allclose(numpy(found), weights @ expm(1.5 * MATRIX), rtol=0, atol=1e-3)


def test_backpropagation_is_the_derivative_of_the_computed_solution():
    """With few, coarse steps, where the exact solution's gradient would be far away."""

    def value(z):
        return ops.sum(ops.sin(solve(twisted, z, 0.0, 2.0, solver="midpoint", steps=3)))

    _, (found,) = gradients(value, STATE)
    h = EPS ** (1 / 3)
    direction = np.random.default_rng(2).normal(size=STATE.shape)
    up, down = (
        float(value(ops.convert_to_tensor((STATE + sign * h * direction).astype(WIDEST))))
        for sign in (1, -1)
    )
    # central differences: an error of about eps^(2/3), times the derivatives of higher order
    np.testing.assert_allclose(
        (up - down) / (2 * h), np.sum(found * direction), rtol=100 * EPS ** (2 / 3)
    )


# --- theory --------------------------------------------------------------------------------------


def test_back_and_forth_returns_to_the_start():
    there = solve(twisted, STATE, 0.0, 2.0, steps=200)
    back = solve(twisted, there, 2.0, 0.0, steps=200)
    np.testing.assert_allclose(numpy(back), STATE, rtol=0, atol=max(1e-6, 1e3 * EPS))


def test_trajectories_on_a_line_do_not_cross():
    start = np.linspace(-2, 2, 41).astype(WIDEST)
    for end in (0.5, 1.0, 3.0):
        z = numpy(solve(lambda z, t: ops.sin(3 * z) + ops.cos(t), start, 0.0, end, steps=60))
        assert (np.diff(z) > 0).all()


def test_a_mutant_with_too_long_steps_lets_trajectories_cross():
    z = solve(
        lambda z, t: 9 * ops.sin(3 * z),
        np.linspace(-2, 2, 41).astype(WIDEST),
        0.0,
        1.0,
        solver="euler",
        steps=2,
    )
    assert (np.diff(numpy(z)) < 0).any()


def test_a_tighter_tolerance_gives_a_smaller_error():
    exact, _ = scipy_solution(0.0, 2.0, rtol=1e-12, atol=1e-12)
    errors = [
        np.abs(numpy(solve(twisted, STATE, 0.0, 2.0, rtol=r, atol=r, **ADAPTIVE)) - exact).max()
        for r in (1e-2, 1e-3, 1e-4)
    ]
    assert errors[0] > errors[1] > errors[2]


# --- edges and errors ----------------------------------------------------------------------------


def test_a_structure_of_states():
    start = {"position": STATE[:, :1], "speed": [STATE[:, 1:2]]}

    def swing(z, t):
        return {"position": z["speed"][0], "speed": [-z["position"]]}

    for control in ({"steps": 50}, ADAPTIVE | {"rtol": 1e-5}):
        end = solve(swing, start, 0.0, np.pi / 2, **control)
        np.testing.assert_allclose(numpy(end["position"]), STATE[:, 1:2], atol=1e-3)
        np.testing.assert_allclose(numpy(end["speed"][0]), -STATE[:, :1], atol=1e-3)


@pytest.mark.parametrize("control", [{"steps": 5}, ADAPTIVE], ids=["equal", "adaptive"])
def test_no_time_changes_nothing(control):
    np.testing.assert_array_equal(numpy(solve(twisted, STATE, 1.0, 1.0, **control)), STATE)


@pytest.mark.parametrize("control", [{"steps": 5}, ADAPTIVE], ids=["equal", "adaptive"])
def test_a_state_at_rest_stays(control):
    end = solve(lambda z, t: 0 * z, STATE, 0.0, 1.0, **control)
    np.testing.assert_array_equal(numpy(end), STATE)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32"])
def test_short_dtypes_are_carried_in_float32(dtype):
    z = solve(lambda z, t: ops.ones_like(z), ops.ones((2, 3), dtype), 0.0, 1.0, steps=4096)
    np.testing.assert_allclose(numpy(z), 2.0, rtol=4096 * EPS + 1e-4)


def stiff(z, t):
    return -1000.0 * z


def test_a_step_limit_that_is_too_low_is_an_error():
    message = r"max_steps must be enough to reach t1 = 10.0, received 50: the steps end at t = 0\.1"
    with pytest.raises(ValueError, match=message):
        solve(stiff, STATE, 0.0, 10.0, max_steps=50, **ADAPTIVE)


def test_a_step_limit_that_is_too_low_gives_nan_where_nothing_can_be_raised():
    def end(z):
        return solve(stiff, z, 0.0, 10.0, max_steps=50, **ADAPTIVE)

    assert np.isnan(numpy(compiled(end)(ops.convert_to_tensor(STATE)))).all()
    value, _ = compiled(value_and_gradients(lambda z: ops.sum(end(z))))(
        ops.convert_to_tensor(STATE)
    )
    assert np.isnan(float(value))


def test_a_field_that_is_not_finite_does_not_pass():
    with pytest.raises(ValueError, match="max_steps"):
        solve(lambda z, t: z * np.nan, STATE, 0.0, 1.0, max_steps=20, **ADAPTIVE)


def test_a_pole_is_not_stepped_over():
    """z' = z^2 from 1 ends at t = 1; equal steps would jump across without a word."""
    with pytest.raises(ValueError, match="the steps end at t = (0.99|1)"):
        solve(lambda z, t: z * z, np.ones(1, WIDEST), 0.0, 2.0, max_steps=100, **ADAPTIVE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"solver": "rk5"}, "solver must be one of euler, .*, received 'rk5'"),
        ({"solver": 5}, "solver must be one of euler, .*, received 5"),
        ({"steps": 0}, "steps must be a positive integer, received 0"),
        ({"steps": None}, "steps must be a positive integer for RK4, .*, received None"),
        ({"rtol": 0.0}, "rtol must be positive, received 0.0"),
        ({"atol": -1.0}, "atol must be positive, received -1.0"),
        ({"max_steps": 2.5}, "max_steps must be a positive integer, received 2.5"),
        ({"t1": np.inf}, "t1 must be a finite number, received inf"),
        ({"t0": "now"}, "t0 must be a finite number, received 'now'"),
        (
            {"field": lambda z, t: z[:, :2]},
            r"field must return a derivative of the state's shape \(4, 3\), received \(4, 2\)",
        ),
    ],
)
def test_errors(arguments, message):
    given = {"field": linear, "state": STATE, "t0": 0.0, "t1": 1.0, "steps": 3} | arguments
    with pytest.raises(ValueError, match=message):
        solve(**given)


def test_a_solver_of_ones_own():
    class Ralston(RungeKutta):
        order = 2
        a, b, c = ((), (2 / 3,)), (1 / 4, 3 / 4), (0, 2 / 3)

    exact = STATE @ expm(MATRIX).T
    found = numpy(solve(linear, STATE, 0.0, 1.0, solver=Ralston, steps=100))
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-3)
    assert SOLVERS["dormand_prince5"] is DormandPrince5
