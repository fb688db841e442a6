"""The adjoint: the gradient of a solution as the solution of a second equation, backward in time.

Lecture section "LSTM and its variants", claim C69. Backpropagation through a solver stores every
stage of every step. The adjoint stores the end alone: it recovers the states on its way back.
"""

from keras import ops

from suite.ode._pullback import pullback, refuse_other_backends
from suite.ode.integrate import solve


def solve_with_adjoint(field, state, parameters, t0, t1, **control):
    """The state at `t1`, like `solve`, with a gradient whose memory does not grow with the steps.

    For the gradient of a scalar `L` of `z(t1)`, with `a = dL/dz` (a row):

        dz/dt = f(z, t, w)                            z(t1) from the forward solve
        da/dt = -a df/dz                              a(t1) = dL/dz(t1)
        dg/dt = -a df/dw                              g(t1) = 0

    solved together from `t1` back to `t0`, by the same solver; then `dL/dz(t0) = a(t0)` and
    `dL/dw = g(t0)`. This is the gradient of the exact solution, computed up to the solver's
    error; backpropagation gives the exact gradient of the computed solution. They differ by the
    error of the solver, and much where the way back is unstable, as for a strongly contracting
    field: take shorter steps there, or backpropagation.

    Args:
        field: function of the state, the time and the tensors in `parameters`; nothing else that
            is to get a gradient may enter it.
        state: a tensor.
        parameters: sequence of the tensors `w`.
        t0: the time of `state`.
        t1: the time asked for.
        **control: `solver`, `steps`, `rtol`, `atol`, `max_steps` of `solve`, for both ways. Error
            control looks at all of `z`, `a` and `g`.

    Returns:
        The state at `t1`.

    Raises:
        ValueError: as `solve`; or the backend is neither TensorFlow nor JAX.

    Example:
        >>> import tensorflow as tf
        >>> w = tf.Variable(0.5)
        >>> with tf.GradientTape() as tape:  # z(1) = 2 exp(w), so the slope is the same number
        ...     z = solve_with_adjoint(lambda z, t, w: w * z, 2.0, [w], 0.0, 1.0, steps=10)
        >>> bool(abs(tape.gradient(z, w) - z) < 1e-4)
        True

    Reference:
        Chen et al. 2018, "Neural Ordinary Differential Equations", equations 4 and 5 and
        algorithm 1.
    """
    refuse_other_backends()

    @ops.custom_gradient
    def flow(state, *w):
        end = solve(lambda z, t: field(z, t, *w), state, t0, t1, **control)

        def gradient(upstream):
            def backward(augmented, t):
                z, a, *_ = augmented
                slope, (da, *dw) = pullback(
                    lambda z, *w: ops.cast(field(z, t, *w), z.dtype), (z, *w), a
                )
                return [slope, -da, *(-d for d in dw)]

            start = [end, upstream, *(ops.zeros_like(w_i) for w_i in w)]
            _, a, *g = solve(backward, start, t1, t0, **control)
            return tuple(
                ops.cast(of, by.dtype) for of, by in zip([a, *g], [state, *w], strict=True)
            )

        return end, gradient

    return flow(*(ops.convert_to_tensor(tensor) for tensor in (state, *parameters)))
