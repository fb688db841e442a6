"""Losses: scalars that the backward pass starts from. Sums over the batch, as in the lecture."""

import numpy as np

from suite.autodiff.counting import times
from suite.autodiff.node import Edge, Node, constant


def squared_error(prediction: Node, target) -> Node:
    """`1/2 sum (prediction - target)^2`, whose slope is the error itself.

    Args:
        prediction: any shape.
        target: numbers of the same shape.

    Raises:
        ValueError: another shape.

    Example:
        >>> float(squared_error(constant([1.0, 5.0]), [2.0, 3.0]).value)
        2.5
    """
    goal = _like(prediction, target)
    error = prediction.value - goal.value
    edge = Edge(prediction, lambda delta, y, t: times(delta, y - t), needs=(prediction, goal))
    return Node(times(error, error).sum() / 2, (edge,), "squared_error")


def softmax_cross_entropy(logits: Node, target) -> Node:
    """`-sum target log softmax(logits)`, whose slope is `softmax(logits) - target`.

    Args:
        logits: shape `(..., classes)`.
        target: probabilities of the same shape, such as one-hot labels.

    Raises:
        ValueError: another shape, a negative probability, or probabilities that do not sum to 1.

    Example:
        >>> loss = softmax_cross_entropy(constant([800.0, 800.0]), [0.0, 1.0])
        >>> round(float(loss.value), 4)  # log 2
        0.6931
    """
    goal = _like(logits, target)
    sums = goal.value.sum(-1)
    # 1e-9: probabilities computed in float64 sum to one far better than that.
    if not goal.shape or goal.value.min() < 0 or np.abs(sums - 1).max() > 1e-9:
        raise ValueError(
            "target must be probabilities that sum to 1 over the last axis, received "
            f"minimum {goal.value.min():g} and sums from {sums.min():g} to {sums.max():g}"
        )
    edge = Edge(
        logits, lambda delta, z, t: times(delta, np.exp(_log_softmax(z)) - t), needs=(logits, goal)
    )
    value = -times(goal.value, _log_softmax(logits.value)).sum()
    return Node(value, (edge,), "softmax_cross_entropy")


def _log_softmax(z):
    z = z - z.max(-1, keepdims=True)  # so that exp does not overflow
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def _like(prediction, target):
    goal = constant(target, "target")
    if goal.shape != prediction.shape:
        raise ValueError(f"target must have shape {prediction.shape}, received {goal.shape}")
    return goal
