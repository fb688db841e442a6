"""Several training steps of one layer, to compare it with Keras's layer of the same name."""

import keras
import numpy as np
from backends import numpy, value_and_gradients
from keras import ops


def training_trace(layer, x, steps=4, seed=1, **call):
    """Outputs, losses with penalties, gradients and weights over a few steps of descent.

    The weights are drawn here, so two layers with the same seed start alike.
    """
    layer.build(x.shape)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.uniform(0.3, 1.3, w.shape) for w in layer.get_weights()])
    target = None
    trace = []
    for _ in range(steps):
        y = numpy(layer(x, **call))  # here moving averages move; below they do not
        if target is None:
            target = rng.normal(size=y.shape).astype(y.dtype)

        def loss(x, *weights, target=target):
            mapping = list(zip(layer.trainable_variables, weights, strict=True))
            with keras.StatelessScope(mapping, collect_losses=True):
                y = layer(x, **call)
                return ops.mean(ops.square(y - target)) + sum(layer.losses)

        weights = layer.trainable_variables
        arrays = [x, *(numpy(w) for w in weights)]
        value, gradients = value_and_gradients(loss)(*map(ops.convert_to_tensor, arrays))
        for weight, gradient in zip(weights, gradients[1:], strict=True):
            moved = weight - 0.05 * gradient
            weight.assign(moved if weight.constraint is None else weight.constraint(moved))
        trace += [y, numpy(value), *map(numpy, gradients), *layer.get_weights()]
    return trace
