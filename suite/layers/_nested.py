"""Calling a layer that another layer or model holds."""

import inspect


def apply(layer, x, training):
    """`layer(x)`, in training mode if it has one.

    Keras hands the mode down by itself, except below `stateless_call`, on which compiled training
    programs stand.
    """
    if "training" in inspect.signature(layer.call).parameters:
        return layer(x, training=training)
    return layer(x)
