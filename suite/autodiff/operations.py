"""Operations beside `+ - * @`: nonlinearities, and taking arrays apart and together.

Each is a forward value and one vector-Jacobian product a parent.
"""

import math
from collections.abc import Sequence

import numpy as np

from suite.autodiff.counting import times
from suite.autodiff.node import OUTPUT, Edge, Node, as_node


def sigmoid(x: Node) -> Node:
    """The logistic function `y = 1 / (1 + exp(-x))`, with slope `y (1 - y)`."""
    y = np.exp(-np.logaddexp(0.0, -x.value))  # exp(-x) alone would overflow
    edge = Edge(x, lambda delta, y: times(delta, times(y, 1 - y)), needs=(OUTPUT,))
    return Node(y, (edge,), "sigmoid")


def tanh(x: Node) -> Node:
    """Hyperbolic tangent `y`, with slope `1 - y^2`."""
    edge = Edge(x, lambda delta, y: times(delta, 1 - times(y, y)), needs=(OUTPUT,))
    return Node(np.tanh(x.value), (edge,), "tanh")


def relu(x: Node) -> Node:
    """Rectifier `y = max(x, 0)`, slope 1 where `y > 0` and 0 elsewhere: a choice at the kink."""
    edge = Edge(x, lambda delta, y: np.where(y > 0, delta, 0.0), needs=(OUTPUT,))
    return Node(np.maximum(x.value, 0), (edge,), "relu")


def total(x: Node) -> Node:
    """The sum of all entries, a scalar; every entry has slope 1."""
    edge = Edge(x, lambda delta: np.broadcast_to(delta, x.shape))
    with np.errstate(over="ignore"):
        return Node(x.value.sum(), (edge,), "total")


def concatenate(nodes: Sequence[Node], axis: int = -1) -> Node:
    """The lecture's `cat(x, y)`: arrays side by side; the gradient is cut apart again.

    Raises:
        ValueError: no arrays, or their shapes differ outside `axis`.

    Example:
        >>> concatenate([as_node([1.0, 2.0]), as_node([3.0])]).value.tolist()
        [1.0, 2.0, 3.0]
    """
    nodes = [as_node(node) for node in nodes]
    try:
        y = np.concatenate([node.value for node in nodes], axis)
    except ValueError:  # NumPy's AxisError is one
        shapes = ", ".join(str(node.shape) for node in nodes) or "none"
        raise ValueError(f"concatenate on axis {axis}: received shapes {shapes}") from None
    ends = np.cumsum([node.shape[axis] for node in nodes]).tolist()
    edges = tuple(
        Edge(node, _cut(slice(end - node.shape[axis], end), axis))
        for node, end in zip(nodes, ends, strict=True)
    )
    return Node(y, edges, "concatenate")


def _cut(piece, axis):
    return lambda delta: np.moveaxis(np.moveaxis(delta, axis, 0)[piece], 0, axis)


def reshape(x: Node, shape: tuple[int, ...]) -> Node:
    """The same entries in another shape.

    Raises:
        ValueError: the number of entries differs.
    """
    if min(shape, default=1) < 1 or math.prod(shape) != math.prod(x.shape):
        raise ValueError(f"shape must hold the entries of {x.name} {x.shape}, received {shape}")
    return Node(x.value.reshape(shape), (Edge(x, lambda delta: delta.reshape(x.shape)),), "reshape")


def part(x: Node, *slices: slice) -> Node:
    """`x[slices]`; the rest of `x` has gradient zero."""

    def back(delta):
        gradient = np.zeros(x.shape)
        gradient[slices] = delta
        return gradient

    return Node(x.value[slices], (Edge(x, back),), "part")


def correlate2d(x: Node, kernel: Node) -> Node:
    """A convolutional layer (without flipping the kernel) on the `valid` places of an image.

        y[b, i, j, f] = sum over u, v, c of  x[b, i + u, j + v, c] kernel[u, v, c, f]

    One shifted slice of the image for each place `(u, v)` of the window, side by side, then one
    matrix product. There is no rule of its own for the gradient: the image is used once for each
    slice, and the gradients of the uses add up.

    Shapes:
        x `(batch, height, width, channels)`, kernel `(rows, columns, channels, filters)`,
        y `(batch, height - rows + 1, width - columns + 1, filters)`.

    Raises:
        ValueError: not four axes each, other channels, or a kernel larger than the image.

    Example:
        >>> image = as_node(np.arange(6.0).reshape(1, 2, 3, 1))
        >>> kernel = as_node([[[[1.0]], [[10.0]]]])  # one row, two columns
        >>> correlate2d(image, kernel).value[0, :, :, 0].tolist()
        [[10.0, 21.0], [43.0, 54.0]]
    """
    if len(x.shape) != 4 or len(kernel.shape) != 4 or x.shape[3] != kernel.shape[2]:
        raise ValueError(
            "correlate2d takes an image (batch, height, width, channels) and a kernel (rows, "
            f"columns, channels, filters), received {x.shape} and {kernel.shape}"
        )
    batch, height, width, _ = x.shape
    rows, columns, channels, filters = kernel.shape
    below, right = height - rows + 1, width - columns + 1
    if below < 1 or right < 1:
        raise ValueError(
            f"kernel must fit into the image {(height, width)}, received {(rows, columns)}"
        )
    every = slice(None)
    slices = [
        part(x, every, slice(u, u + below), slice(v, v + right))
        for u in range(rows)
        for v in range(columns)
    ]
    window = rows * columns * channels
    patches = reshape(concatenate(slices), (batch * below * right, window))
    y = patches @ reshape(kernel, (window, filters))
    return reshape(y, (batch, below, right, filters)).named("correlate2d")
