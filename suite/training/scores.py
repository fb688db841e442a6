"""Scores: a number where more is better, or any function of targets and outputs."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf


def choose_score(metric, loss: keras.losses.Loss, y: np.ndarray) -> Callable | None:
    """The function (y_true, y_pred) -> scalar that `metric` means; None for no score."""
    if metric is None:
        return None
    if callable(metric):
        return lambda y, outputs: tf.reduce_mean(tf.cast(metric(y, outputs), tf.float32))
    if metric not in ("accuracy", "auto"):
        raise ValueError(f"metric: expected 'accuracy', a callable or None, received {metric!r}")
    if metric == "auto" and not _classifies(loss):
        return None
    if y.dtype.kind == "f" and (y != np.round(y)).any() and y.ndim < 2:
        raise ValueError(
            f"metric: {metric!r} needs class labels, but y holds fractions; pass metric=None"
        )
    threshold = 0.0 if _raw_outputs(loss) else 0.5
    return lambda y, outputs: accuracy(y, outputs, threshold)


def accuracy(y: tf.Tensor, outputs: tf.Tensor, threshold: float = 0.5) -> tf.Tensor:
    """Share of samples whose class is right.

    Args:
        y: class numbers (n,) or (n, 1), or one-hot rows (n, classes).
        outputs: (n, classes), the largest wins; or (n, 1), class 1 above the threshold.
        threshold: 0.5 for probabilities, 0 for logits.
    """
    if outputs.shape.rank == 1 or outputs.shape[-1] == 1:
        right = (
            (tf.reshape(y, [-1]) > tf.cast(0.5, y.dtype))
            if y.dtype.is_floating
            else (tf.reshape(y, [-1]) > 0)
        )
        right = right == (tf.reshape(outputs, [-1]) > threshold)
    else:
        if y.shape.rank == outputs.shape.rank and y.shape[-1] == outputs.shape[-1]:
            classes = tf.argmax(y, axis=-1, output_type=tf.int32)
        else:
            classes = tf.cast(tf.reshape(y, tf.shape(outputs)[:-1]), tf.int32)
        right = classes == tf.argmax(outputs, axis=-1, output_type=tf.int32)
    return tf.reduce_mean(tf.cast(right, tf.float32))


def _classifies(loss) -> bool:
    name = type(loss).__name__.lower() + str(getattr(loss, "name", "")).lower()
    return "crossentropy" in name or "hinge" in name


def _raw_outputs(loss) -> bool:
    if "hinge" in type(loss).__name__.lower():
        return True
    if hasattr(loss, "from_logits"):
        return bool(loss.from_logits)
    try:
        return bool(loss.get_config().get("from_logits", False))
    except (AttributeError, NotImplementedError):
        return False
