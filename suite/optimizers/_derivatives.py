"""First and second derivatives of a function of one vector, without ever forming its Hessian.

The gradient is itself a function whose Jacobian is the Hessian `H`, symmetric, so one more sweep
backward through the recorded gradient gives `H v`, for a few times the price of a gradient
(Pearlmutter 1994, "Fast exact multiplication by the Hessian"). The recording is kept: each further
product costs that one sweep.
"""

import keras
from keras import ops


def linearize(loss, w):
    """Value and gradient of a scalar function at `w`, and the function `v -> H v`.

    Args:
        loss: function of a vector of the shape of `w` that returns a scalar.
        w: shape `(parameters,)`.

    Raises:
        NotImplementedError: the backend is neither TensorFlow nor JAX.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _with_tapes(loss, w)
    if backend == "jax":
        import jax

        (value, gradient), product = jax.linearize(jax.value_and_grad(loss), w)
        return value, gradient, lambda v: product(v)[1]
    raise NotImplementedError(
        f"Newton takes second derivatives with TensorFlow or JAX, received the backend {backend!r}"
    )


def _with_tapes(loss, w):
    import tensorflow as tf

    # What does not depend on `w`, or not twice, has the derivative zero.
    zero = {"unconnected_gradients": "zero"}
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(w)
        with tf.GradientTape() as inner:
            inner.watch(w)
            value = loss(w)
        gradient = inner.gradient(value, w, **zero)

    def product(v):
        # Slices of `w` let their gradient forget its length; XLA and loops need to know it.
        return tf.reshape(outer.gradient(gradient, w, output_gradients=v, **zero), w.shape)

    return value, tf.reshape(gradient, w.shape), product


def hessian(product, w):
    """`H`, shape `(parameters, parameters)`: a row a product, so that only `H` itself is large."""
    return ops.map(product, ops.eye(w.shape[0], dtype=w.dtype))


def cholesky(matrix):
    """The lower factor; NaN, on every device, where the matrix is not positive definite."""
    # `ops.cholesky` raises there instead, which ends a compiled program.
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.linalg.cholesky(matrix)
    import jax

    return jax.numpy.linalg.cholesky(matrix)
