"""What is recorded besides losses and scores: gradients, updates and activations, layer by layer.

    gradient_norm        ||g||           of the loss on the fixed probe batch, in training mode
    update_ratio         ||w' - w|| / ||w||    of the step just taken
    activation_mean      mean of a layer's outputs on the probe batch, in inference mode
    activation_variance  their variance; the second moment is variance + mean^2

Each is a graph fragment inside the compiled program. A probe that was not asked for is not there.
"""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

PROBES = ("gradient_norm", "update_ratio", "activation_mean", "activation_variance")


def variable_names(model: keras.Model) -> list[tuple[str, str]]:
    """(layer, "layer/variable") of each trainable variable, in the order of the variables."""
    owner = {
        id(variable): layer.name for layer in model.layers for variable in layer.trainable_variables
    }
    names: list[tuple[str, str]] = []
    taken: set[str] = set()
    for variable in model.trainable_variables:
        layer = owner.get(id(variable), model.name)
        _, found, inner = variable.path.rpartition(f"{layer}/")
        name = base = f"{layer}/{inner if found else variable.name}"
        count = 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names.append((layer, name))
    return names


def norms(
    squares: list[tf.Tensor], names: list[tuple[str, str]], probe: str
) -> dict[str, tf.Tensor]:
    """Norms over all variables, each layer and each variable, from the variables' squared norms."""
    by_layer: dict[str, list[tf.Tensor]] = {}
    for square, (layer, _) in zip(squares, names, strict=True):
        by_layer.setdefault(layer, []).append(square)
    return (
        {probe: tf.sqrt(tf.add_n(squares))}
        | {f"{probe}/{layer}": tf.sqrt(tf.add_n(parts)) for layer, parts in by_layer.items()}
        | {
            f"{probe}/{name}": tf.sqrt(square)
            for square, (_, name) in zip(squares, names, strict=True)
        }
    )


def squared_norms(tensors: list[tf.Tensor], lanes: bool) -> list[tf.Tensor]:
    """Sum of squares of each tensor: scalars, or (lanes,) when a leading axis holds the lanes."""
    return [
        tf.reduce_sum(tf.square(tensor), axis=list(range(int(lanes), tensor.shape.rank)))
        for tensor in tensors
    ]


@contextlib.contextmanager
def watch_outputs(model: keras.Model) -> Iterator[dict[str, tf.Tensor]]:
    """Collects each layer's output, by name, while the model is called inside the block.

    The layers' `call` is wrapped for as long as the block lasts: unlike a second functional model
    made of all the outputs, this works on subclassed models too and shares every operation.
    """
    outputs: dict[str, tf.Tensor] = {}

    def watched(name, call):
        def wrapper(*args, **kwargs):
            result = call(*args, **kwargs)
            key, count = name, 1
            while key in outputs:  # a layer that is used more than once
                count += 1
                key = f"{name}_{count}"
            first = tf.nest.flatten(result)[0]
            if first.dtype.is_floating:
                outputs[key] = first
            return result

        return wrapper

    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    for layer in layers:
        object.__setattr__(layer, "call", watched(layer.name, layer.call))
    try:
        yield outputs
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def moments(outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Mean and variance over samples and units of each layer's output, both scalars."""
    values: dict[str, tf.Tensor] = {}
    for name, output in outputs.items():
        mean, variance = tf.nn.moments(output, axes=list(range(output.shape.rank)))
        values[f"activation_mean/{name}"] = mean
        values[f"activation_variance/{name}"] = variance
    return values
