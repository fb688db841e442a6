"""Explicit Runge-Kutta methods: one formula, and a table of coefficients for each method.

Lecture section "LSTM and its variants", claim C69. A residual network `z <- z + f(z)` is the
simplest of these methods, with a step of one; the others reach further with each step.
"""

from typing import Any

from keras import tree


def combine(state: Any, h, weights, slopes) -> Any:
    """`state + h sum_j weights_j slopes_j`, for each tensor of the state."""

    def one(z, *k):
        return z + h * sum(w * k_j for w, k_j in zip(weights, k, strict=True) if w)

    return tree.map_structure(one, state, *slopes) if any(weights) else state


class RungeKutta:
    """One step of length `h` from the state `z` at the time `t`:

        k_i   = f(z + h sum_{j < i} a_ij k_j, t + c_i h)        i = 1 .. stages
        z_new = z + h sum_i b_i k_i

    A method is a subclass that holds its coefficients, and nothing else. All are explicit: a
    stage needs earlier stages only. So none suits stiff problems, where the step has to stay
    short for stability long after accuracy would let it grow.

    Attributes:
        order: `p`, where the error of one step is `O(h^(p + 1))` and that of a fixed time span
            `O(h^p)`.
        a: the rows `a_ij`, `j < i`; the first is empty.
        b: the weights of the result.
        c: the times of the stages, as parts of the step.
        b_embedded: weights of a second result of lower order from the same stages, whose distance
            from the first estimates the error; `None` where there is none. Such a method has its
            result as the last stage, which is the first one of the next step.
        order_embedded: the order of that second result.

    Reference:
        Hairer, Norsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.1.
    """

    order: int
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]
    b_embedded: tuple[float, ...] | None = None
    order_embedded: int | None = None

    @classmethod
    def stages(cls, field, state, t, h, first=None) -> list:
        """The slopes `k_1 ..`; `first` is `k_1` where it is already known."""
        k = [field(state, t) if first is None else first]
        for a, c in zip(cls.a[1:], cls.c[1:], strict=True):
            k.append(field(combine(state, h, a, k), t + c * h))
        return k

    @classmethod
    def step(cls, field, state, t, h):
        """`z_new`."""
        return combine(state, h, cls.b, cls.stages(field, state, t, h))
