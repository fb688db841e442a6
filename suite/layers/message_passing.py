"""Message passing: each node collects what its neighbors tell it, and updates its own state.

Lecture section "Graph neural networks" (C70). Graph layers differ in three functions: what is
said along an edge, how the messages at a node are put together, and what the node makes of them.
"""

import keras

from suite import _arguments as check
from suite.layers._graph import GraphLayer

AGGREGATES = ("sum", "mean", "max")


@keras.saving.register_keras_serializable(package="dl_basics")
class MessagePassing(GraphLayer):
    """A graph layer by three functions, two of which a subclass writes anew.

        m_i = aggregate over j of message(x_i, x_j, e_ij),   y_i = update(x_i, m_i)

    where `j` runs over the edges `j -> i`, those with `a[i, j]` not zero. By default the message is
    `x_j` and the update is `m_i`: the sum (mean, maximum) over the neighbors. An isolated node
    receives 0, whichever the aggregate.

    Args:
        aggregate: `"sum"`, `"mean"` or `"max"`, entry by entry.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        a list of the input `(batch, nodes, features)` and the adjacency `(batch, nodes, nodes)`,
        output `(batch, nodes, features)`; or all three without `batch`, and there the adjacency
        may be sparse. A third entry of the list, the edges' features, is
        `(batch, nodes, nodes, edge_features)` or, with a sparse adjacency,
        `(edges, edge_features)` in the order of its entries.

    Raises:
        ValueError: `aggregate` is another name, the adjacency is not square or has not one row
            for each node.

    Example:
        >>> import numpy as np
        >>> class Differences(MessagePassing):
        ...     def message(self, target, source, edge):
        ...         return edge * (source - target)
        >>> x = np.array([[1.0], [2.0], [4.0]])
        >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        >>> Differences()([x, path]).numpy().tolist()
        [[1.0], [1.0], [-2.0]]

    Reference:
        Gilmer et al. 2017, "Neural message passing for quantum chemistry", equations 1 and 2.
        Spektral reads the sparse adjacency of this layer the other way round, which
        differs on directed graphs: hand over the transpose.
    """

    def __init__(self, aggregate="sum", **kwargs):
        super().__init__(**kwargs)
        self.aggregate = check.choice("aggregate", aggregate, AGGREGATES)

    def message(self, target, source, edge):
        """What `source` tells `target`; for all edges at once, one row for each.

        Args:
            target: features of the node that receives, `(edges, features)`, or
                `(..., nodes, nodes, features)` with a dense adjacency.
            source: features of the node that sends, likewise.
            edge: features of the edge with the same first axes; without any, the entry of the
                adjacency as its one feature.
        """
        return source

    def update(self, x, messages):
        """The new state of the nodes from the old one and the aggregated messages."""
        return messages

    def call(self, inputs, mask=None):
        x, a, *e = self.parts(inputs, "e")
        graph = self.graph(a, x)
        return self.masked(self.update(x, self.collect(graph, x, *e)), mask)

    def collect(self, graph, x, edge=None):
        """The aggregated messages at each node."""
        edge = graph.weight[..., None] if edge is None else edge
        messages = self.message(graph.at_targets(x), graph.at_sources(x), edge)
        return getattr(graph, self.aggregate)(messages)

    def compute_output_shape(self, input_shape):
        inputs = [keras.KerasTensor(shape, self.compute_dtype) for shape in input_shape]
        return self.compute_output_spec(inputs).shape
