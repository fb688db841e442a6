"""Newton's method: let the curvature choose the step.

Lecture sections "Gradient-based learning" and "Logistic regression" (C13, C15, C17, C18). Around
the current weights the loss is replaced by its quadratic model, and the step goes to the bottom
of that model. Near the minimum the number of correct digits doubles with every step; far from it
the model may be so wrong that a full step goes uphill, so the step is shortened until it pays.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from suite.optimizers.newton import SOLVERS, Newton
from suite.training.newton_history import NewtonHistory
from suite.training.newton_logistic import (
    by_cholesky,
    by_conjugate_gradient,
    logistic_gradient,
    logistic_hessian,
    logistic_loss,
    minimize_logistic,
)

__all__ = [
    "NewtonHistory",
    "logistic_gradient",
    "logistic_hessian",
    "logistic_loss",
    "newton",
]


def newton(
    features,
    labels,
    *,
    model=None,
    loss=None,
    solver: str = "cholesky",
    start=None,
    damping: str | None = "armijo",
    hessian: Callable = logistic_hessian,
    tolerance: float | None = None,
    max_steps: int = 50,
) -> NewtonHistory:
    """Minimize the summed logistic loss in float64, or the loss of a Keras model, on all samples.

        H(w) delta = -g(w)        w <- w + t delta

    The linear system is solved by Cholesky factorization, never by inverting `H`, or without `H`
    by conjugate gradients. With `damping="armijo"`, `t` is the first of 1, 1/2, 1/4, ... with

        L(w + t delta) <= L(w) + 1e-4 t g^T delta

    and with `damping=None`, `t = 1`: the plain method, which converges only from nearby and, for
    logistic regression, takes its step even where the quadratic model has no minimum.

    Trouble is reported in the history's `outcome`, not raised: on separable data the loss has no
    finite minimum, although its gradient vanishes along the way to infinity. The Hessian of a
    model may be indefinite on the way. Then the step is the one that `suite.optimizers.Newton`
    describes, still downhill, and `"Hessian not positive definite"` says that the method came to
    rest at such a point: a saddle, or a flat valley. (Conjugate gradients look at few directions
    there, and may miss it.)

    Args:
        features: `X`, shape `(samples, features)`; append a column of ones for a bias. With a
            model, its input, whatever its shape.
        labels: `y`, zeros and ones, shape `(samples,)`. With a model, what its loss takes.
        model: a `keras.Model`, trained in place from its present weights, in its own dtype, with
            its penalties, on TensorFlow or JAX; `None` is logistic regression in closed form.
        loss: of the model: a `keras.losses.Loss`, its name, or a function (y_true, y_pred). One of
            Keras's computes in float32, also for a float64 model, unless its `dtype` is given.
        solver: `"cholesky"`, or `"conjugate_gradient"`, which needs no `H`.
        start: first weights, shape `(features,)`; zeros by default. Not with a model.
        damping: `"armijo"` or `None`.
        hessian: function of `(weights, features, labels)` that returns `(features, features)`; for
            logistic regression by Cholesky.
        tolerance: stop once the gradient's norm is at most this; 1e-10 by default, and for a model
            `epsilon^(2/3)`, 4e-11 in float64 and 2e-5 if weights or loss are float32.
        max_steps: stop after this many steps.

    Raises:
        ValueError: shapes that do not fit, non-finite numbers, labels other than 0 and 1, unknown
            damping or solver, negative tolerance or step budget, arguments that exclude each
            other.

    Example:
        >>> import keras, numpy as np
        >>> x = np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 1.0], [1.0, 3.0]])  # ones: the bias
        >>> history = newton(x, np.array([0, 1, 0, 1]))
        >>> history.outcome, history.steps
        ('converged', 4)
        >>> line = keras.Sequential([keras.layers.Dense(1, use_bias=False, dtype="float64")])
        >>> loss = keras.losses.MeanSquaredError(dtype="float64")
        >>> newton(x, x @ [[3.0], [2.0]], model=line, loss=loss).steps
        1

    Reference:
        Nocedal & Wright 2006, Numerical Optimization, algorithm 3.2.
    """
    if damping not in ("armijo", None):
        raise ValueError(f'damping must be "armijo" or None, received {damping!r}')
    if solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, received {solver!r}")
    if tolerance is not None and not tolerance >= 0:
        raise ValueError(f"tolerance must not be negative, received {tolerance}")
    if max_steps < 0:
        raise ValueError(f"max_steps must not be negative, received {max_steps}")
    if model is not None:
        if loss is None or start is not None or hessian is not logistic_hessian:
            raise ValueError(
                "loss must be given with a model, start and hessian must not, received "
                f"loss={loss!r}, start={start!r}, hessian={hessian!r}"
            )
        from suite.training.newton_model import minimize_model

        optimizer = Newton(solver=solver, damping=damping)
        return minimize_model(features, labels, model, loss, optimizer, tolerance, max_steps)
    if loss is not None:
        raise ValueError(f"loss must be left out without a model, received {loss!r}")
    features, labels, start = _checked(features, labels, start)
    if solver == "cholesky":
        given = {"hessian": hessian, "features": features, "labels": labels}
        solve = partial(by_cholesky, **given, plain=damping is None)
    elif hessian is logistic_hessian:
        solve = partial(by_conjugate_gradient, features=features, labels=labels)
    else:
        raise ValueError(f"hessian must be left out with solver={solver!r}, received {hessian!r}")
    tolerance = 1e-10 if tolerance is None else tolerance
    return minimize_logistic(features, labels, start, solve, damping, tolerance, max_steps)


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
