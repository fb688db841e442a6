"""Steps as long as the tolerance allows: error control for an embedded pair.

The two results of a pair differ by about the error of the worse one. Where the difference is too
large the step is tried again, shorter; where it is small the next step is longer.
"""

from keras import ops, tree

from suite.ode._loop import repeat
from suite.ode.runge_kutta import combine

# Hairer, Norsett & Wanner 1993, section II.4, with the values that SciPy's RK45 takes.
SAFETY = 0.9  # aim below the tolerance, so that the next attempt is likely accepted
SHRINK, GROW = 0.2, 10.0  # the most that a step changes at once


def norm(error, scale):
    """Root mean square of `error / scale` over all entries of all tensors."""
    pairs = list(zip(tree.flatten(error), tree.flatten(scale), strict=True))
    total = sum(ops.sum(ops.square(e / s)) for e, s in pairs)
    count = sum(ops.cast(ops.size(e), total.dtype) for e, _ in pairs)
    return ops.sqrt(total / count)


def first_step(field, state, slope, t0, span, order, rtol, atol):
    """A first guess of the step: one that changes the state, and its slope, by about 1 %.

    The algorithm of Hairer, Norsett & Wanner 1993, section II.4, with `order` that of the
    error estimate. `span` is `t1 - t0`.
    """
    direction = 1.0 if span > 0 else -1.0
    scale = tree.map_structure(lambda z: atol + rtol * ops.abs(z), state)
    d0, d1 = norm(state, scale), norm(slope, scale)
    small = ops.logical_or(d0 < 1e-5, d1 < 1e-5)
    h0 = ops.where(small, 1e-6, 0.01 * d0 / ops.where(small, ops.ones_like(d1), d1))
    h0 = ops.minimum(h0, abs(span))
    ahead = field(combine(state, direction * h0, (1,), [slope]), t0 + direction * h0)
    d2 = norm(tree.map_structure(lambda a, b: a - b, ahead, slope), scale) / h0
    steepest = ops.maximum(d1, d2)
    flat = steepest <= 1e-15
    h1 = (0.01 / ops.where(flat, ops.ones_like(d1), steepest)) ** (1 / (order + 1))
    h1 = ops.where(flat, ops.maximum(1e-6, h0 * 1e-3), h1)
    return ops.minimum(ops.minimum(100 * h0, h1), abs(span))


def adaptive_steps(solver, field, state, t0, t1, *, rtol, atol, max_steps):
    """From `t0` to `t1` in steps chosen by their error; also the time that was reached.

        err    = rms((z_new - z_embedded) / (atol + rtol max(|z|, |z_new|)))
        accept   where err < 1
        h     <- h clip(0.9 err^(-1/(q+1)), 0.2, 10)        q: order of the embedded result

    After a rejection the step does not grow. A batch is one system: all of its samples share
    their steps. The steps count as constants when the result is differentiated.
    """
    direction = 1.0 if t1 > t0 else -1.0
    exponent = -1 / (solver.order_embedded + 1)
    end = ops.convert_to_tensor(t1, tree.flatten(state)[0].dtype)
    t = ops.convert_to_tensor(t0, end.dtype)

    def attempt(t, h, limit, z, slope):
        rest = ops.abs(end - t)
        last = h >= rest
        h = ops.minimum(h, rest)
        k = solver.stages(field, z, t, direction * h, first=slope)
        new = combine(z, direction * h, solver.b, k)
        err = _error(solver, h, *(_constant(value) for value in (z, new, k)), rtol, atol)
        accept = err < 1  # false for NaN as well

        factor = ops.where(
            ops.isfinite(err), ops.clip(SAFETY * err**exponent, SHRINK, limit), SHRINK
        )
        t = ops.where(accept, ops.where(last, end, t + direction * h), t)
        limit = ops.where(accept, GROW, ops.ones_like(limit))
        return t, h * factor, limit, _choose(accept, new, z), _choose(accept, k[-1], slope)

    slope = field(state, t)
    h = first_step(field, state, slope, t0, t1 - t0, solver.order_embedded, rtol, atol)
    t, _, _, state, _ = repeat(
        attempt,
        (t, ops.stop_gradient(h), ops.convert_to_tensor(GROW, end.dtype), state, slope),
        max_steps,
        finished=lambda t, *_: t == end,
    )
    return state, t


def _error(solver, h, state, new, k, rtol, atol):
    difference = [b - e for b, e in zip(solver.b, solver.b_embedded, strict=True)]
    zero = tree.map_structure(ops.zeros_like, state)
    scale = tree.map_structure(
        lambda a, b: atol + rtol * ops.maximum(ops.abs(a), ops.abs(b)), state, new
    )
    return norm(combine(zero, h, difference, k), scale)


def _constant(state):
    return tree.map_structure(ops.stop_gradient, state)


def _choose(condition, a, b):
    return tree.map_structure(lambda a, b: ops.where(condition, a, b), a, b)
