"""A node of the computation graph: a value, and how it came from other values.

Lecture section "Gradients of deep networks", claims C06 and C27.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

import numpy as np

from suite.autodiff.counting import product, times

# In `Edge.needs`: the value of the very node that the edge belongs to.
OUTPUT = None


@dataclass(frozen=True)
class Edge:
    """The way back from a node `y` to one of its parents `x`: `delta -> delta dy/dx`.

    The Jacobian `dy/dx` itself is never formed: the function multiplies by it.

    Attributes:
        parent: `x`.
        vjp: the vector-Jacobian product, a function of `delta` (the shape of `y`) and of the
            values of `needs`; its result has the shape of `x`.
        needs: nodes whose forward values the product reads, which is why activations are stored.
            `OUTPUT` stands for `y`.
    """

    parent: "Node"
    vjp: Callable[..., np.ndarray]
    needs: tuple[Union["Node", None], ...] = ()


class Node:
    """A value with the edges that lead back to the values it was computed from.

    A node is made after its parents and never changes them, so a graph has no cycles. Make leaves
    with `parameter` and `constant`, further nodes with `+ - * @` and the package's functions.

    Args:
        value: numbers, kept as float64.
        edges: one for each use of a parent; empty for a leaf.
        name: for messages and figures.
        trainable: whether a leaf has a gradient.

    Attributes:
        needs_gradient: whether a trainable leaf lies behind the node.

    Raises:
        ValueError: the value is empty, not numeric or not finite; shapes do not fit together.

    Example:
        >>> W = parameter([[1.0, 2.0]], "W")
        >>> z = (W @ [3.0, 4.0] - 1.0).named("z")
        >>> z
        Node('z', shape=(1,))
        >>> z.value.tolist()
        [10.0]
    """

    __array_ufunc__ = None  # so that NumPy leaves `array + node` to the node

    def __init__(self, value, edges: tuple[Edge, ...] = (), name="node", trainable=False):
        value = np.array(value)
        if value.dtype.kind not in "biuf":
            raise ValueError(f"{name} must be an array of numbers, received dtype {value.dtype}")
        if value.size == 0:
            raise ValueError(f"{name} must not be empty, received shape {value.shape}")
        self._value: np.ndarray | None = finite(value.astype(float, copy=False), name)
        self._value.flags.writeable = False  # or the nodes made from it would be out of date
        self.shape = value.shape
        self.edges = tuple(edges)
        self.name = name
        self.needs_gradient: bool = trainable or any(e.parent.needs_gradient for e in self.edges)

    @property
    def value(self) -> np.ndarray:
        """The forward value, unless it was dropped."""
        if self._value is None:
            raise ValueError(f"the value of {self.name!r} is needed, but it was dropped")
        return self._value

    def drop(self) -> None:
        """Free the forward value. A backward pass that needs it will refuse to run."""
        self._value = None

    def named(self, name: str) -> "Node":
        """The same node under another name."""
        self.name = name
        return self

    def pull_back(self, edge: Edge, delta: np.ndarray) -> np.ndarray:
        """`delta` times the Jacobian of this node by the parent at the end of `edge`."""
        values = [self.value if node is OUTPUT else node.value for node in edge.needs]
        return finite(edge.vjp(delta, *values), f"the gradient from {self.name}")

    def __repr__(self):
        return f"Node({self.name!r}, shape={self.shape})"

    def __add__(self, other) -> "Node":
        a, b = _broadcastable("+", self, other)
        edges = (Edge(a, _summed_to(a.shape)), Edge(b, _summed_to(b.shape)))
        with np.errstate(over="ignore"):
            return Node(a.value + b.value, edges, "add")

    def __mul__(self, other) -> "Node":
        a, b = _broadcastable("*", self, other)
        to_a, to_b = _summed_to(a.shape), _summed_to(b.shape)
        edges = (
            Edge(a, lambda delta, b: to_a(times(delta, b)), needs=(b,)),
            Edge(b, lambda delta, a: to_b(times(delta, a)), needs=(a,)),
        )
        return Node(times(a.value, b.value), edges, "multiply")

    def __neg__(self) -> "Node":
        return Node(-self.value, (Edge(self, lambda delta: -delta),), "negate")

    def __matmul__(self, other) -> "Node":
        return matmul(self, as_node(other))

    def __rmatmul__(self, other) -> "Node":
        return matmul(as_node(other), self)

    def __sub__(self, other) -> "Node":
        return self + -as_node(other)

    def __rsub__(self, other) -> "Node":
        return as_node(other) + -self

    __radd__ = __add__
    __rmul__ = __mul__


def parameter(value, name: str = "parameter") -> Node:
    """A leaf whose gradient is wanted."""
    return Node(value, name=name, trainable=True)


def constant(value, name: str = "constant") -> Node:
    """A leaf without a gradient: data. The backward pass does no work for it."""
    return Node(value, name=name)


def as_node(value) -> Node:
    """The node itself, or numbers as a constant."""
    return value if isinstance(value, Node) else constant(value)


def matmul(a: Node, b: Node) -> Node:
    """The product `y = a b` of matrices or vectors.

        delta dy/da = delta b^T        delta dy/db = a^T delta

    Args:
        a: shape `(m, k)`, or a row `(k,)`.
        b: shape `(k, n)`, or a column `(k,)`.

    Raises:
        ValueError: the inner sizes differ, or an operand has no or more than two axes.
    """
    if not (a.shape and b.shape and len(a.shape) < 3 > len(b.shape) and a.shape[-1] == b.shape[0]):
        raise ValueError(f"{a.name} @ {b.name}: shapes {a.shape} and {b.shape} do not fit")
    k = b.shape[0]

    def left(delta, b):
        b = b.reshape(k, -1)
        return product(delta.reshape(-1, b.shape[1]), b.T).reshape(a.shape)

    def right(delta, a):
        a = a.reshape(-1, k)
        return product(a.T, delta.reshape(a.shape[0], -1)).reshape(b.shape)

    y = product(a.value.reshape(-1, k), b.value.reshape(k, -1))
    y = y.reshape(a.shape[:-1] + b.shape[1:])
    return Node(y, (Edge(a, left, needs=(b,)), Edge(b, right, needs=(a,))), "matmul")


def finite(value: np.ndarray, name: str) -> np.ndarray:
    """The value, if all of it is finite."""
    wrong = np.argwhere(~np.isfinite(value))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise ValueError(f"{name} must be finite, received {value[place]} at {place}")
    return value


def _broadcastable(operator, a, b):
    a, b = as_node(a), as_node(b)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(
            f"{a.name} {operator} {b.name}: shapes {a.shape} and {b.shape} do not fit"
        ) from None
    return a, b


def _summed_to(shape):
    """An entry that was broadcast was used many times, so the gradients of its uses add up."""

    def back(delta):
        delta = delta.sum(axis=tuple(range(delta.ndim - len(shape))))
        stretched = tuple(i for i, size in enumerate(shape) if size < delta.shape[i])
        return delta.sum(axis=stretched, keepdims=True)

    return back
