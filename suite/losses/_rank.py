"""Labels `(batch,)` and predictions `(batch, 1)` mean the same thing."""

from keras import ops


def same_rank(y_true, y_pred):
    """Add the missing last axis of size one to whichever of the two lacks it.

    Both come back as tensors. Shapes that still differ are refused: broadcasting `(batch, 1)`
    against `(batch, classes)` would give a number, but not the loss.
    """
    # Keras hands nested lists through as nested lists of scalars.
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1:
        y_true = ops.expand_dims(y_true, -1)
    elif len(y_pred.shape) == len(y_true.shape) - 1 and y_true.shape[-1] == 1:
        y_pred = ops.expand_dims(y_pred, -1)
    sizes = zip(y_true.shape, y_pred.shape, strict=False)
    if len(y_true.shape) != len(y_pred.shape) or any(
        a != b for a, b in sizes if None not in (a, b)
    ):
        raise ValueError(
            "y_true and y_pred must have the same shape, "
            f"received {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    return y_true, y_pred
