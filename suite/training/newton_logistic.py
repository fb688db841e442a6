"""Newton's method for logistic regression, in float64: the loss, its derivatives, and the loop.

Lecture section "Logistic regression" (C17, C18). The Hessian is known in closed form and positive
semidefinite, so a step goes wrong only by its length, and only far from the minimum.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, lsqr
from scipy.special import expit as sigmoid

from suite.optimizers._armijo import SUFFICIENT_DECREASE
from suite.training.newton_history import NewtonHistory

# On separable data each Newton step moves the logit of the closest sample by 1, for ever; at a
# minimum the step vanishes. The bound lies between the two, at a distance from both.
LARGEST_LOGIT_CHANGE = 0.1
# Share of the gradient that conjugate gradients leave; they solve a logistic step as well as
# Cholesky does, so that the number of steps can be compared.
RESIDUAL = 1e-12


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


def minimize_logistic(features, labels, w, solve, damping, tolerance, max_steps) -> NewtonHistory:
    """The loop of `newton`. `solve(w, g)` is the step, or None where there is none."""
    loss, g = logistic_loss(w, features, labels), logistic_gradient(w, features, labels)
    weights, losses, norms = [w], [loss], [np.linalg.norm(g)]
    step_sizes: list[float] = []

    def history(outcome):
        return NewtonHistory(
            np.array(weights), np.array(losses), np.array(norms), np.array(step_sizes), outcome
        )

    while True:
        delta = solve(w, g)
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


def by_cholesky(w, g, *, hessian, features, labels, plain):
    """The solution of `H delta = -g`, or None where the quadratic model has no minimum."""
    h = hessian(w, features, labels)
    try:
        return cho_solve(cho_factor(h), -g)
    except (LinAlgError, ValueError):  # not positive definite; not finite
        if not plain or not np.isfinite(h).all():
            return None
    try:  # the plain method does not ask whether its stationary point is a minimum
        delta = np.linalg.solve(h, -g)
    except np.linalg.LinAlgError:
        return None
    return delta if np.isfinite(delta).all() else None


def by_conjugate_gradient(w, g, *, features, labels):
    """The same without `H`, as the least-squares problem whose normal equations it is.

    With `s = sigma(z) (1 - sigma(z))` and `g = X^T r`, the step minimizes

        |sqrt(s) X delta + r / sqrt(s)|^2        r / sqrt(s) = -+exp(-+z / 2)

    LSQR runs conjugate gradients on it without squaring the condition number, and of all solutions
    it finds the shortest: flat directions, such as those of repeated features, get no step.
    """
    z = features @ w
    sign = 2 * labels - 1
    root = np.sqrt(sigmoid(z) * sigmoid(-z))
    weighted = LinearOperator(
        features.shape,
        matvec=lambda v: root * (features @ v.ravel()),
        rmatvec=lambda u: features.T @ (root * u.ravel()),
        dtype=float,
    )
    with np.errstate(over="ignore"):  # a sample that is wrong beyond all numbers: no step
        target = sign * np.exp(-sign * z / 2)
    if not np.isfinite(target).all():
        return None
    delta = lsqr(weighted, target, atol=RESIDUAL, btol=RESIDUAL, conlim=0)[0]
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
