"""The vector-Jacobian product of a function, on the backend that Keras runs."""

import keras


def refuse_other_backends():
    """`pullback` is written for two backends."""
    if keras.backend.backend() not in ("tensorflow", "jax"):
        raise ValueError(
            "the adjoint must run on the backend tensorflow or jax, received "
            f"{keras.backend.backend()!r}: backpropagate through `solve` instead"
        )


def pullback(function, inputs: tuple, upstream) -> tuple:
    """`function(*inputs)`, and its transposed Jacobian times `upstream`, for each input."""
    if keras.backend.backend() == "jax":
        import jax

        output, gradient = jax.vjp(function, *inputs)
        return output, gradient(upstream)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = function(*inputs)
    return output, tape.gradient(output, inputs, upstream, unconnected_gradients="zero")
