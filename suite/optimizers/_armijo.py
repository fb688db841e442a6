"""How far to go along a descent direction: halve the step until it pays."""

import keras
import ml_dtypes
from keras import ops

# Armijo's condition asks for this share of the decrease that the slope promises; any value below
# 1/2 keeps full Newton steps acceptable near the minimum (Nocedal & Wright 2006, section 3.1).
SUFFICIENT_DECREASE = 1e-4
# Two losses that differ by a few roundings cannot be told apart; without this allowance the last,
# best step would be refused. Sums of many terms are formed pairwise, so few roundings add up.
ROUNDINGS = 10


def epsilon(tensor) -> float:
    """The spacing of the floating-point numbers just above 1, in the tensor's dtype."""
    return float(ml_dtypes.finfo(keras.backend.standardize_dtype(tensor.dtype)).eps)


def armijo(loss, w, delta, value, slope, t):
    """The first of `t, t/2, t/4, ...` that lowers the loss enough, or 0 if none does.

        L(w + t delta) <= L(w) + 1e-4 t g^T delta

    Args:
        loss: function of a vector that returns a scalar.
        w: where the search starts, shape `(parameters,)`.
        delta: the direction, shape `(parameters,)`.
        value: `L(w)`, in the dtype in which the loss is computed.
        slope: `g^T delta`; nothing but a finite negative number leads to a step.
        t: the first step size.
    """
    rounding = ROUNDINGS * epsilon(value) * ops.abs(value)

    def pays(t, candidate):
        promised = ops.cast(SUFFICIENT_DECREASE * t * slope, value.dtype)
        return candidate <= value + promised + rounding

    def moves(t):
        # From a saturated start the first step may be 1e30 long, so the end is not a count of
        # halvings: it comes when the step is lost in the rounding of the weights.
        return (t > 0) & ops.any(w + t * delta != w)

    downhill = ops.isfinite(slope) & (slope < 0)

    def unfinished(t, candidate):
        return downhill & moves(t) & ops.logical_not(pays(t, candidate))

    def halve(t, candidate):
        return t / 2, loss(w + t / 2 * delta)

    t, candidate = ops.while_loop(unfinished, halve, (t, loss(w + t * delta)))
    return ops.where(downhill & moves(t) & pays(t, candidate), t, ops.zeros_like(t))
