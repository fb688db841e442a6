"""Newton's method for logistic regression: let the curvature choose the step.

Lecture sections "Gradient-based learning" and "Logistic regression" (C13, C15, C17, C18). Around
the current weights the loss is replaced by its quadratic model, and the step goes to the bottom
of that model. Near the minimum the number of correct digits doubles with every step; far from it
the model may be so wrong that a full step goes uphill, so the step is shortened until it pays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit as sigmoid

# Armijo's condition asks for this share of the decrease that the slope promises; any value below
# 1/2 keeps full Newton steps acceptable near the minimum (Nocedal & Wright 2006, section 3.1).
SUFFICIENT_DECREASE = 1e-4
# On separable data each Newton step moves the logit of the closest sample by 1, for ever; at a
# minimum the step vanishes. The bound lies between the two, at a distance from both.
LARGEST_LOGIT_CHANGE = 0.1


def logistic_loss(weights, features, labels):
    """Negative log-likelihood, summed over the samples: `sum_n log(1 + exp(z_n)) - y_n z_n`.

    Args:
        weights: `w`, shape `(features,)`.
        features: `X`, shape `(samples, features)`; the logits are `z = X w`.
        labels: `y`, zeros and ones, shape `(samples,)`.
    """
    sign = 2 * np.asarray(labels) - 1  # log(1 + exp(z)) - y z = log(1 + exp(-sign z)), no overflow
    return np.logaddexp(0, -sign * (features @ weights)).sum()


def logistic_gradient(weights, features, labels):
    """`g = X^T (sigma(X w) - y)`, a column of shape `(features,)`."""
    sign = 2 * np.asarray(labels) - 1
    # sigma(z) - y without the cancellation that a confident correct prediction would suffer
    return -features.T @ (sign * sigmoid(-sign * (features @ weights)))


def logistic_hessian(weights, features, labels=None):
    """`H = X^T S X` with `S = diag(sigma(z) (1 - sigma(z)))`: positive semidefinite (C17).

    The labels do not enter; the argument is there because `newton` hands it to every Hessian.
    """
    z = features @ weights
    curvature = sigmoid(z) * sigmoid(-z)
    return features.T @ (curvature[:, None] * features)


@dataclass(frozen=True)
class NewtonHistory:
    """What `newton` did. Entry 0 of every path belongs to the start.

    Attributes:
        weights: shape `(steps + 1, features)`.
        losses: summed negative log-likelihood, in nats, shape `(steps + 1,)`.
        gradient_norms: Euclidean norm of the gradient, shape `(steps + 1,)`.
        step_sizes: share of the Newton step that was taken, in (0, 1], shape `(steps,)`.
        outcome: `"converged"`, or why the method stopped: `"no finite minimum"`,
            `"Hessian not positive definite"`, `"no descent"`, `"diverged"`, `"out of steps"`.
    """

    weights: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    step_sizes: np.ndarray
    outcome: str

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return len(self.step_sizes)

    @property
    def converged(self) -> bool:
        """Whether the last weights are a minimum, within the tolerance."""
        return self.outcome == "converged"


def newton(
    features,
    labels,
    *,
    start=None,
    damping: str | None = "armijo",
    hessian: Callable = logistic_hessian,
    tolerance: float = 1e-10,
    max_steps: int = 50,
) -> NewtonHistory:
    """Minimize the summed logistic loss, in float64.

        H(w) delta = -g(w)        w <- w + t delta

    The linear system is solved by Cholesky factorization, never by inverting `H`. With
    `damping="armijo"`, `t` is the first of 1, 1/2, 1/4, ... with

        L(w + t delta) <= L(w) + 1e-4 t g^T delta

    and with `damping=None`, `t = 1`: the plain method, which converges only from nearby and takes
    its step even where the quadratic model has no minimum.

    Trouble is reported in the history's `outcome`, not raised: on separable data the loss has no
    finite minimum, although its gradient vanishes along the way to infinity.

    Args:
        features: `X`, shape `(samples, features)`; append a column of ones for a bias.
        labels: `y`, zeros and ones, shape `(samples,)`.
        start: first weights, shape `(features,)`; zeros by default.
        damping: `"armijo"` or `None`.
        hessian: function of `(weights, features, labels)` that returns `(features, features)`.
        tolerance: stop once the gradient's norm is at most this.
        max_steps: stop after this many steps.

    Raises:
        ValueError: shapes that do not fit, non-finite numbers, labels other than 0 and 1, unknown
            damping, negative tolerance or step budget.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 1.0], [1.0, 3.0]])  # ones: the bias
        >>> history = newton(x, np.array([0, 1, 0, 1]))
        >>> history.outcome, history.steps
        ('converged', 4)

    Reference:
        Nocedal & Wright 2006, Numerical Optimization, algorithm 3.2.
    """
    features, labels, w = _checked(features, labels, start)
    if damping not in ("armijo", None):
        raise ValueError(f'damping must be "armijo" or None, received {damping!r}')
    if not tolerance >= 0:
        raise ValueError(f"tolerance must not be negative, received {tolerance}")
    if max_steps < 0:
        raise ValueError(f"max_steps must not be negative, received {max_steps}")

    loss, g = logistic_loss(w, features, labels), logistic_gradient(w, features, labels)
    weights, losses, norms = [w], [loss], [np.linalg.norm(g)]
    step_sizes: list[float] = []

    def history(outcome):
        return NewtonHistory(
            np.array(weights), np.array(losses), np.array(norms), np.array(step_sizes), outcome
        )

    while True:
        delta = _solve(hessian(w, features, labels), -g, plain=damping is None)
        if norms[-1] <= tolerance:
            if delta is None:  # a flat direction, or a plateau on the way to infinity
                return history("Hessian not positive definite")
            settled = np.abs(features @ delta).max() <= LARGEST_LOGIT_CHANGE
            return history("converged" if settled else "no finite minimum")
        if len(step_sizes) == max_steps:
            return history("out of steps")
        if delta is None:
            return history("Hessian not positive definite")
        t = 1.0 if damping is None else _armijo(w, delta, g, loss, features, labels)
        if t is None:
            return history("no descent")
        w = w + t * delta
        loss, g = logistic_loss(w, features, labels), logistic_gradient(w, features, labels)
        if not np.isfinite(loss):
            return history("diverged")
        weights.append(w)
        losses.append(loss)
        norms.append(np.linalg.norm(g))
        step_sizes.append(t)


def _solve(h, right, plain):
    """The solution of `h x = right`, or None where the quadratic model has no minimum."""
    try:
        return cho_solve(cho_factor(h), right)
    except (LinAlgError, ValueError):  # not positive definite; not finite
        if not plain or not np.isfinite(h).all():
            return None
    try:  # the plain method does not ask whether its stationary point is a minimum
        delta = np.linalg.solve(h, right)
    except np.linalg.LinAlgError:
        return None
    return delta if np.isfinite(delta).all() else None


def _armijo(w, delta, g, loss, features, labels):
    """The first of 1, 1/2, 1/4, ... that lowers the loss enough, or None."""
    slope = g @ delta
    if slope >= 0:
        return None
    # Two losses that differ by less than the rounding of a sum over the samples cannot be told
    # apart; without this allowance the last, best step would be refused.
    rounding = len(labels) * np.finfo(float).eps * (1 + abs(loss))
    # From a saturated start the first step may be 1e30 long, so the end is not a count of
    # halvings: it comes when the step is lost in the rounding of the weights.
    t = 1.0
    while np.any(w + t * delta != w):
        candidate = logistic_loss(w + t * delta, features, labels)
        if candidate <= loss + SUFFICIENT_DECREASE * t * slope + rounding:
            return t
        t /= 2
    return None


def _checked(features, labels, start):
    """The arguments as float64 arrays, or an error that says which one is wrong."""
    features, labels = np.asarray(features, float), np.asarray(labels, float)
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(f"features must have shape (samples, features), received {features.shape}")
    if labels.shape != features.shape[:1]:
        raise ValueError(
            f"labels must have shape {features.shape[:1]}, one for each row of features, "
            f"received {labels.shape}"
        )
    start = np.zeros(features.shape[1]) if start is None else np.array(start, float)
    if start.shape != features.shape[1:]:
        raise ValueError(f"start must have shape {features.shape[1:]}, received {start.shape}")
    for name, value in (("features", features), ("labels", labels), ("start", start)):
        bad = value[~np.isfinite(value)]
        if bad.size:
            raise ValueError(f"{name} must be finite, received {bad[0]}")
    wrong = labels[(labels != 0) & (labels != 1)]
    if wrong.size:
        raise ValueError(f"labels must be 0 or 1, received {wrong[0]}")
    return features, labels, start
