"""Gradients and compilation on whatever backend Keras runs, so that one test serves all of them."""

import keras
import numpy as np

BACKEND = keras.backend.backend()
# Keras 3.15 promotes float64 to float32 on every other backend.
WIDEST = "float64" if BACKEND == "tensorflow" else "float32"


def numpy(tensor):
    """The values, as a NumPy array on the host."""
    return keras.ops.convert_to_numpy(tensor)


def compiled(function):
    """The function of tensors as one compiled program; torch has none here."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    return function


def value_and_gradients(function):
    """From a scalar function of tensors, one that returns `(value, gradients)`; can be compiled."""

    def both(*tensors):
        if BACKEND == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(tensors)
                value = function(*tensors)
            return value, tape.gradient(value, list(tensors), unconnected_gradients="zero")
        if BACKEND == "jax":
            import jax

            return jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)
        import torch

        tensors = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        value = function(*tensors)
        found = torch.autograd.grad(value, tensors, allow_unused=True)
        return value.detach(), [
            torch.zeros_like(tensor) if gradient is None else gradient
            for tensor, gradient in zip(tensors, found, strict=True)
        ]

    return both


def gradients(function, *arrays):
    """The value of a scalar function of arrays and its gradient by each, as NumPy arrays."""
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    value, found = value_and_gradients(function)(*tensors)
    return numpy(value), [np.asarray(numpy(gradient)) for gradient in found]


def scalar(y):
    """A number that depends on every entry of `y`, with another slope at each."""
    return keras.ops.sum(keras.ops.sin(keras.ops.cast(y, WIDEST)))


def layer_function(layer, x, loss=scalar, **call):
    """A layer as a function of its input and its trainable weights, to take gradients of.

    Args:
        layer: a layer or model, built here if it was not. Non-trainable weights stay as they are.
        x: an input, for building; or a list of inputs, of which the first is differentiated.
        loss: a scalar function of the output, or `None` for the output itself.
        **call: further arguments, such as `training=True`.

    Returns:
        `(function, arrays)`: call `function(*arrays)`, where `arrays` is `[x, *weights]`.
    """
    x, *more = x if isinstance(x, list) else [x]
    if not layer.built:
        layer([x, *more] if more else x, **call)

    def function(x, *weights):
        mapping = list(zip(layer.trainable_variables, weights, strict=True))
        with keras.StatelessScope(mapping):  # `stateless_call` would not cast `x`
            y = layer([x, *more] if more else x, **call)
        return y if loss is None else loss(y)

    return function, [x, *(numpy(variable) for variable in layer.trainable_variables)]


def layer_gradients(layer, x, loss=scalar, **call):
    """Output of a layer, and the gradients of a scalar of it by `x` and by the trainable weights.

    Returns:
        `(y, [dx, *dw])` as NumPy arrays, `dw` in the order of `layer.trainable_weights`.
    """
    output, arrays = layer_function(layer, x, None, **call)
    _, found = gradients(lambda *tensors: loss(output(*tensors)), *arrays)
    return numpy(output(*map(keras.ops.convert_to_tensor, arrays))), found
