"""The vector-Jacobian product of a function, on the backend that Keras runs."""

import keras


def pullback(function, inputs: tuple, upstream) -> tuple:
    """`function(*inputs)`, and its transposed Jacobian times `upstream`, for each input."""

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = function(*inputs)
        return output, tape.gradient(output, inputs, upstream, unconnected_gradients="zero")
    if keras.backend.backend() == "jax":
        import jax

        output, gradient = jax.vjp(function, *inputs)
        return output, gradient(upstream)
    raise ValueError(
        "the adjoint must run on the backend tensorflow or jax, received "
        f"{keras.backend.backend()!r}: take gradient='backpropagation'"
    )
