"""Where Newton's step points: two ways to solve `H delta = -g`, both of which end downhill.

If `H` is not positive definite, the quadratic model has no bottom, and its stationary point is a
saddle. Cholesky's method then adds to the curvature, conjugate gradients use what they have.
"""

from keras import ops

from suite.optimizers._armijo import epsilon
from suite.optimizers._derivatives import cholesky

# First multiple of the identity that is tried, as a share of H's largest entry; beta of algorithm
# 3.3 in Nocedal & Wright 2006, which is absolute there.
FIRST_SHIFT = 1e-3


def by_cholesky(h, g):
    """`(H + tau I) delta = -g` with `tau = 0` if that is positive definite, else large enough.

    Nocedal & Wright 2006, algorithm 3.3: `tau` doubles until the factorization succeeds.

    Returns:
        `delta`, shape `(parameters,)`, and whether `H` itself was positive definite.
    """
    scale = ops.max(ops.abs(h))
    scale = ops.where(scale == 0, ops.ones_like(scale), scale)

    def factor(tau):
        return cholesky(h + tau * ops.eye(g.shape[0], dtype=g.dtype))

    def failed(tau, lower):  # the first condition ends the search where H is not finite
        return ops.logical_and(ops.isfinite(tau), ops.any(ops.isnan(ops.diagonal(lower))))

    def more(tau, lower):
        tau = ops.maximum(2 * tau, FIRST_SHIFT * scale)
        return tau, factor(tau)

    zero = ops.zeros_like(scale)
    tau, lower = ops.while_loop(failed, more, (zero, factor(zero)))
    half = ops.solve_triangular(lower, -g, lower=True)
    return ops.solve_triangular(ops.transpose(lower), half, lower=False), tau == 0


def by_conjugate_gradient(product, g, tolerance, max_iterations):
    """`H delta = -g` from products with `H` alone, as well as needed and as `H` allows.

        alpha = r^T r / d^T H d
        delta <- delta + alpha d
        r_new = r + alpha H d
        d     <- -r_new + (r_new^T r_new / r^T r) d

    from `delta = 0`, `r = g`, `d = -g`, until `|r| <= min(tolerance, sqrt(|g|)) |g|`. Where a
    direction without positive curvature turns up, `delta` stays what it was before; on the first
    one it is `-g`. Nocedal & Wright 2006, algorithm 7.1.

    Returns:
        `delta`, shape `(parameters,)`, and whether all curvatures met were positive.
    """
    norm = ops.norm(g)
    # A residual below the rounding of g carries no information, whatever the tolerance.
    target = ops.maximum(ops.minimum(tolerance, ops.sqrt(norm)), epsilon(g)) * norm

    def unfinished(i, delta, r, d, convex):
        return (i < max_iterations) & convex & (ops.norm(r) > target)

    def improve(i, delta, r, d, convex):
        hd = product(d)
        curvature = ops.dot(d, hd)
        convex = curvature > 0
        alpha = ops.dot(r, r) / ops.where(convex, curvature, ops.ones_like(curvature))
        last = ops.where(i == 0, d, delta)
        r_new = r + alpha * hd
        d_new = -r_new + ops.dot(r_new, r_new) / ops.dot(r, r) * d
        return i + 1, ops.where(convex, delta + alpha * d, last), r_new, d_new, convex

    start = (ops.convert_to_tensor(0), ops.zeros_like(g), g, -g, ops.convert_to_tensor(True))
    _, delta, _, _, convex = ops.while_loop(unfinished, improve, start)
    return delta, convex
