"""Gradients and compilation on whatever backend Keras runs, so that one test serves all of them."""

import keras
import numpy as np

BACKEND = keras.backend.backend()


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


def gradients(function, *arrays):
    """The value of a scalar function of arrays and its gradient by each, as NumPy arrays."""
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        found = tape.gradient(value, tensors, unconnected_gradients="zero")
    elif BACKEND == "jax":
        import jax

        value, found = jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)
    else:
        import torch

        tensors = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        value = function(*tensors)
        found = torch.autograd.grad(value, tensors, allow_unused=True)
        found = [
            torch.zeros_like(t) if g is None else g for t, g in zip(tensors, found, strict=True)
        ]
        value = value.detach()
    return numpy(value), [np.asarray(numpy(gradient)) for gradient in found]


def layer_gradients(layer, x, loss=lambda y: keras.ops.sum(keras.ops.sin(y)), **call):
    """Output of a layer, and the gradients of a scalar of it by `x` and by the trainable weights.

    Args:
        layer: a layer or model; built here if it was not. Non-trainable weights stay as they are.
        x: the input array.
        loss: a function of the output; by default one whose slope differs from entry to entry.
        **call: further arguments, such as `training=True`.

    Returns:
        `(y, [dx, *dw])` as NumPy arrays, `dw` in the order of `layer.trainable_weights`.
    """
    if not layer.built:
        layer(x, **call)
    trainable = [variable.value for variable in layer.trainable_variables]
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def value(x, *weights):
        y, _ = layer.stateless_call(list(weights), fixed, x, **call)
        return loss(y)

    _, found = gradients(value, x, *trainable)
    y, _ = layer.stateless_call(trainable, fixed, x, **call)
    return numpy(y), found
