"""Backpropagation: one sweep over the graph, from the loss back to the parameters.

Lecture section "Gradients of deep networks", claims C24, C27 and C65. Every node gets

    delta(node) = d loss / d node = sum over its uses y of  delta(y) dy/dnode

and because a node comes after all its uses in the sweep, each delta is computed once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from suite.autodiff.node import Node, finite


@dataclass(frozen=True, eq=False)
class Step:
    """One stop of the backward sweep.

    Attributes:
        node: where it stops; a parameter at last.
        delta: `d loss / d node`, complete, in the shape of the node.
        contributions: what the stop sends to each use of a parent, `delta d node / d parent`, as
            pairs `(parent, array)`. Constants get nothing.
    """

    node: Node
    delta: np.ndarray
    contributions: tuple[tuple[Node, np.ndarray], ...]

    def jacobians(self) -> list[tuple[Node, np.ndarray]]:
        """The local Jacobians `d node / d parent`, which the sweep itself never forms.

        Pairs `(parent, array)`, the array of shape `node.shape + parent.shape`: a row for each
        unit delta.
        """
        return [
            (edge.parent, self._jacobian(edge))
            for edge in self.node.edges
            if edge.parent.needs_gradient
        ]

    def _jacobian(self, edge):
        return _stack(lambda row: self.node.pull_back(edge, row), self.node, edge.parent)


def backward(output: Node, delta=None) -> Iterator[Step]:
    """The backward sweep, step by step.

    Args:
        output: where to start, a scalar loss.
        delta: in its place a row for an output of any shape: the sweep then gives
            `delta d output / d node`.

    Raises:
        ValueError: the output is not a scalar and there is no `delta`, `delta` has another
            shape, no parameter lies behind the output, or a gradient is not finite.

    Example:
        >>> from suite.autodiff import parameter
        >>> x = parameter(3.0, "x")
        >>> for step in backward((x * x).named("y")):  # two uses, whose gradients add
        ...     print(step.node.name, step.delta, [float(c) for _, c in step.contributions])
        y 1.0 [3.0, 3.0]
        x 6.0 []

    Reference:
        Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
    """
    if not output.needs_gradient:
        raise ValueError(f"{output.name!r} depends on no parameter")
    if delta is None:
        if output.shape != ():
            raise ValueError(
                f"backward starts from a scalar, received {output.name!r} of shape {output.shape}"
            )
        delta = 1.0
    delta = finite(np.asarray(delta, float), "delta")
    if delta.shape != output.shape:
        raise ValueError(f"delta must have shape {output.shape}, received {delta.shape}")
    return _sweep(output, delta)


def _sweep(output, delta):
    deltas = {output: delta}
    for node in reversed(parents_first(output)):
        delta = deltas.pop(node)
        contributions = tuple(
            (edge.parent, node.pull_back(edge, delta))
            for edge in node.edges
            if edge.parent.needs_gradient
        )
        for parent, contribution in contributions:
            deltas[parent] = deltas[parent] + contribution if parent in deltas else contribution
        yield Step(node, delta, contributions)


def parents_first(output: Node) -> list[Node]:
    """The nodes behind `output` that need a gradient, every one after all of its parents."""
    ordered: dict[Node, None] = {}
    to_visit = [(output, False)]
    while to_visit:  # no recursion: graphs are deeper than Python's stack
        node, parents_done = to_visit.pop()
        if parents_done:
            ordered[node] = None
        elif node not in ordered and node.needs_gradient:
            to_visit.append((node, True))
            to_visit += [(edge.parent, False) for edge in reversed(node.edges)]
    return list(ordered)


def gradients(loss: Node, nodes: Sequence[Node]) -> list[np.ndarray]:
    """`d loss / d node` for each node, in its shape; zeros where the loss does not depend on it.

    Raises:
        ValueError: as `backward`, or a node is a constant.

    Example:
        >>> from suite.autodiff import parameter, total
        >>> x, b = parameter([1.0, 2.0]), parameter(5.0)
        >>> [gradient.tolist() for gradient in gradients(total(x * x + b), [x, b])]
        [[2.0, 4.0], 2.0]
    """
    refuse_constants(nodes)
    wanted = set(nodes)
    found = {step.node: step.delta for step in backward(loss) if step.node in wanted}
    return [found.get(node, np.zeros(node.shape)) for node in nodes]


def contributions(loss: Node, node: Node) -> list[tuple[Node, np.ndarray]]:
    """What each use of a node adds to its gradient, as pairs `(use, array)` in forward order.

    For the weight of a recurrence, a use is a time step.

    Raises:
        ValueError: as `backward`, or the node is a constant.

    Example:
        >>> from suite.autodiff import parameter
        >>> w = parameter(2.0, "w")
        >>> h1 = (w * 3.0).named("h1")
        >>> h2 = (w * h1).named("h2")  # 3 w^2, with slope 6 w
        >>> [(use.name, float(gradient)) for use, gradient in contributions(h2, w)]
        [('h1', 6.0), ('h2', 6.0)]
    """
    refuse_constants([node])
    return [
        (step.node, contribution)
        for step in backward(loss)
        for parent, contribution in step.contributions
        if parent is node
    ][::-1]


def jacobian(output: Node, node: Node) -> np.ndarray:
    """`d output / d node` along all paths, of shape `output.shape + node.shape`.

    Numerator layout: `[i, j]` is `d output_i / d node_j`. One sweep for each entry of the output,
    so that a Jacobian costs as many times more than a gradient as the output has entries.

    Raises:
        ValueError: as `backward`, or the node is a constant.

    Example:
        >>> from suite.autodiff import parameter
        >>> x = parameter([1.0, 1.0], "x")
        >>> W = [[1.0, 2.0], [3.0, 4.0]]
        >>> jacobian(W @ x, x).tolist(), jacobian(x @ W, x).tolist()
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 3.0], [2.0, 4.0]])
    """
    refuse_constants([node])

    def row(delta):
        deltas = (step.delta for step in backward(output, delta) if step.node is node)
        return next(deltas, np.zeros(node.shape))

    return _stack(row, output, node)


def refuse_constants(nodes: Sequence[Node]) -> None:
    """One error for everyone who asks for a gradient by data."""
    for node in nodes:
        if not node.needs_gradient:
            raise ValueError(f"{node.name!r} is a constant: it has no gradient")


def _stack(row_of, output, node):
    units = np.eye(int(np.prod(output.shape, dtype=int))).reshape(-1, *output.shape)
    return np.stack([row_of(unit) for unit in units]).reshape(output.shape + node.shape)
