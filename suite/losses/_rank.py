"""Labels `(batch,)` and predictions `(batch, 1)` mean the same thing."""

from keras import ops


def same_rank(y_true, y_pred):
    """Add the missing last axis of size one to whichever of the two lacks it.

    Both come back as tensors. Without the axis `(batch,)` against `(batch, 1)` would broadcast to `(batch, batch)`.
    """
    # Keras hands nested lists through as nested lists of scalars.
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
        y_true = ops.expand_dims(y_true, -1)
    elif y_pred.ndim == y_true.ndim - 1 and y_true.shape[-1] == 1:
        y_pred = ops.expand_dims(y_pred, -1)
    return y_true, y_pred
