"""Solving an initial value problem: from a state at one time to the state at another.

Lecture section "LSTM and its variants", claim C69. `dz/dt = f(z, t)` says how a state changes;
a solver follows it. A network of continuous depth is one whose layers are the steps.
"""

import math
from typing import Any

import keras
from keras import ops, tree

from suite import _arguments as check
from suite.ode._loop import repeat
from suite.ode.adaptive import adaptive_steps
from suite.ode.dormand_prince import DormandPrince5
from suite.ode.euler import Euler
from suite.ode.midpoint import Midpoint
from suite.ode.rk4 import RK4
from suite.ode.runge_kutta import RungeKutta

SOLVERS: dict[str, type[RungeKutta]] = {
    "euler": Euler,
    "midpoint": Midpoint,
    "rk4": RK4,
    "dormand_prince5": DormandPrince5,
}


def solve(
    field,
    state: Any,
    t0: float,
    t1: float,
    *,
    solver="rk4",
    steps: int | None = None,
    rtol: float = 1e-3,
    atol: float = 1e-6,
    max_steps: int = 1000,
) -> Any:
    """The state at `t1` of `dz/dt = field(z, t)` that starts as `state` at `t0`.

    Equal steps if `steps` is given, else steps chosen by error control, which takes a solver
    with an error estimate. Differentiable in reverse mode on every backend, compiled or not;
    each attempted step is then stored, and the chosen step lengths count as constants.

    Half-precision and integer states are carried in float32: many short steps would be lost in
    the rounding of anything shorter. The field may compute as it likes.

    Args:
        field: function of the state and the time; returns the state's derivative, with the
            state's structure and shapes.
        state: a tensor or a nested structure of tensors.
        t0: the time of `state`.
        t1: the time asked for; before `t0` for going back.
        solver: a name out of `SOLVERS`, or a subclass of `RungeKutta`.
        steps: number of equal steps, or `None` for error control.
        rtol: tolerated error of a step, relative to the state. Like `atol`, SciPy's default.
        atol: tolerated error of a step, absolute.
        max_steps: the most attempts, rejected ones included, that error control gets.

    Returns:
        The state at `t1`, in the structure of `state`.

    Raises:
        ValueError: an argument is none of the above; the derivative has another shape than the
            state; `max_steps` attempts do not reach `t1`. A compiled program cannot raise: there
            the result is NaN.

    Example:
        >>> half = solve(lambda z, t: -z, 1.0, t0=0.0, t1=0.6931472, steps=10)
        >>> round(float(half), 5)
        0.5

    Reference:
        Hairer, Norsett & Wanner 1993, "Solving Ordinary Differential Equations I", chapter II.
    """
    solver = SOLVERS.get(solver, solver) if isinstance(solver, str) else solver
    if not (isinstance(solver, type) and issubclass(solver, RungeKutta)):
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, received {solver!r}")
    t0, t1 = check.finite("t0", t0), check.finite("t1", t1)
    check_control(solver, steps, rtol, atol, max_steps)
    state = _as_floats(state)
    field = _checked(field, state)
    if steps is not None:
        return equal_steps(solver, field, state, t0, t1, steps)
    state, reached = adaptive_steps(
        solver, field, state, t0, t1, rtol=rtol, atol=atol, max_steps=max_steps
    )
    _refuse_unfinished(reached, t1, max_steps)
    lost = ops.where(reached == t1, 0.0, math.nan)
    return tree.map_structure(lambda z: z + ops.cast(lost, z.dtype), state)


def equal_steps(solver, field, state, t0, t1, steps):
    """From `t0` to `t1` in `steps` steps of the same length."""
    h = (t1 - t0) / steps
    dtype = tree.flatten(state)[0].dtype

    def body(count, z):
        t = t0 + h * ops.cast(count, dtype)
        return count + 1, solver.step(field, z, t, h)

    return repeat(body, (ops.convert_to_tensor(0, "int32"), state), steps)[1]


def check_control(solver, steps, rtol, atol, max_steps):
    """Refuses bad arguments of the step control."""
    check.positive("rtol", rtol)
    check.positive("atol", atol)
    check.positive_integer("max_steps", max_steps)
    if steps is not None:
        check.positive_integer("steps", steps)
    elif solver.b_embedded is None:
        raise ValueError(
            f"steps must be a positive integer for {solver.__name__}, which has no estimate "
            f"of its error, received {steps!r}"
        )


def _as_floats(state):
    def convert(z):
        z = ops.convert_to_tensor(z)
        return ops.cast(z, keras.backend.result_type(z.dtype, "float32"))

    return tree.map_structure(convert, state)


def _checked(field, state):
    """The field, its derivative cast to the state's dtype and refused if of another shape."""

    def convert(k, z):
        k = ops.convert_to_tensor(k)
        if tuple(k.shape) != tuple(z.shape):
            raise ValueError(
                f"field must return a derivative of the state's shape {tuple(z.shape)}, "
                f"received {tuple(k.shape)}"
            )
        return ops.cast(k, z.dtype)

    return lambda z, t: tree.map_structure(convert, field(z, t), z)


def _refuse_unfinished(reached, t1, max_steps):
    try:
        finished = bool(ops.convert_to_numpy(reached == t1))
    except (TypeError, ValueError, AttributeError, NotImplementedError):
        return  # inside a compiled program there is no value yet
    if not finished:
        raise ValueError(
            f"max_steps must be enough to reach t1 = {t1}, received {max_steps}: "
            f"the steps end at t = {float(ops.convert_to_numpy(reached)):.6g}"
        )
