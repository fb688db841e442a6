"""Which activations the backward pass needs, and how to keep fewer: checkpointing.

Lecture section "Gradients of deep networks", claims C29 and C30.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from suite import _arguments as check
from suite.autodiff.node import OUTPUT, Node, as_node, parameter
from suite.autodiff.sweep import backward, parents_first, refuse_constants


def stored_activations(output: Node) -> list[Node]:
    """The nodes whose forward values a backward pass from `output` reads, in forward order.

    Leaves are left out: parameters and data are there anyway. So a layer `tanh(h @ W + b)` stores
    one array, its output, which serves `tanh` and the next product; the two sums before it may be
    dropped.

    Example:
        >>> from suite.autodiff import constant, tanh
        >>> h = constant([1.0, 2.0], "x")
        >>> for layer in (1, 2, 3):
        ...     h = tanh(h @ parameter(np.eye(2)) + parameter([0.1, 0.2])).named(f"h{layer}")
        >>> [(node.name, node.value.nbytes) for node in stored_activations(h)]
        [('h1', 16), ('h2', 16), ('h3', 16)]
    """
    stored = {
        node if needed is OUTPUT else needed: None
        for node in parents_first(output)
        for edge in node.edges
        if edge.parent.needs_gradient
        for needed in edge.needs
    }
    return [node for node in stored if node.edges]


@dataclass(frozen=True, eq=False)
class Checkpointed:
    """What a checkpointed backward pass found, and what it took.

    Attributes:
        loss: the value.
        gradients: `d loss / d parameter`, in the order the parameters were given.
        peak_arrays: the largest number of activations held at one time, data not counted.
        peak_bytes: their size.
        layer_evaluations: how many times a layer was computed: twice the depth.
    """

    loss: float
    gradients: list[np.ndarray]
    peak_arrays: int
    peak_bytes: int
    layer_evaluations: int


def checkpointed_gradients(
    layers: Sequence[Callable[[Node], Node]],
    x,
    loss: Callable[[Node], Node],
    parameters: Sequence[Node],
    every: int,
) -> Checkpointed:
    """The gradients of `loss(layers[-1](... layers[0](x)))`, for less memory and more time.

    The forward pass keeps the input of every `every`-th layer only. The backward pass computes
    the layers between two checkpoints once more, goes back through them, and forgets them. A
    layer that stores its output alone makes for at most

        depth / every - 1  checkpoints  +  every  activations of one segment

    least at `every = sqrt(depth)`, for one more forward pass. The gradients are those of the plain
    sweep to the last bit: the same numbers are added in the same order.

    Args:
        layers: functions of the layer before; beyond it they may use parameters and data, but no
            other layer.
        x: the input, data.
        loss: a function of the last layer's output.
        parameters: leaves that layers and loss use; one may serve several layers.
        every: layers from one checkpoint to the next, from 1 to the depth.

    Raises:
        ValueError: no layers, `every` out of its range, a constant among the parameters.

    Example:
        >>> from suite.autodiff import parameter, tanh, total
        >>> W = parameter([[0.5, 0.2], [-0.3, 0.4]])
        >>> layers = [lambda h: tanh(h @ W)] * 16
        >>> for every in (1, 4, 16):
        ...     found = checkpointed_gradients(layers, [1.0, 2.0], total, [W], every)
        ...     print(every, found.peak_arrays)
        1 16
        4 7
        16 16

    Reference:
        Chen, Xu, Zhang & Guestrin 2016, "Training deep nets with sublinear memory cost",
        arXiv:1604.06174.
    """
    depth = len(layers)
    if not depth:
        raise ValueError("layers must hold at least one layer, received none")
    if check.positive_integer("every", every) > depth:
        raise ValueError(f"every must be at most the depth {depth}, received {every}")
    refuse_constants(parameters)
    data = as_node(x).value
    starts = range(0, depth, every)

    checkpoints, value = [], data
    for start in starts:
        checkpoints.append(value)
        for layer in layers[start : start + every]:
            value = layer(as_node(value)).value

    prediction = parameter(value, "output")
    objective = loss(prediction)
    gradients = {node: np.zeros(node.shape) for node in parameters}
    delta = _go_back(objective, None, prediction, gradients)

    peak_arrays = peak_bytes = 0
    for start in reversed(starts):
        entry = h = parameter(checkpoints.pop(), "checkpoint")
        for layer in layers[start : start + every]:
            h = layer(h)
        held = [*checkpoints[1:], *([entry.value] if start else [])]  # the first one is the data
        held += [node.value for node in stored_activations(h)]
        peak_arrays = max(peak_arrays, len(held))
        peak_bytes = max(peak_bytes, sum(array.nbytes for array in held))
        delta = _go_back(h, delta, entry, gradients)
    found = [gradients[node] for node in parameters]
    return Checkpointed(float(objective.value), found, peak_arrays, peak_bytes, 2 * depth)


def _go_back(output, delta, entry, gradients):
    """Adds to the gradients of the parameters, use by use; returns the delta of `entry`."""
    found = np.zeros(entry.shape)
    for step in backward(output, delta):
        for parent, contribution in step.contributions:
            if parent in gradients:
                gradients[parent] = gradients[parent] + contribution
        if step.node is entry:
            found = step.delta
    return found
