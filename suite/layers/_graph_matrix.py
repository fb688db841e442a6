"""A dense graph as a matrix: values at the edges are `(..., target, source)`, products of matrices.

The same methods as `EdgeList`, so that a layer is written once for both.
"""

from keras import ops

from suite.layers._graph_edges import NOTHING


class Matrix:
    """Entry `weight[..., target, source]` for each pair of nodes; zero where there is no edge.

    Values at the edges have the shape `(..., nodes, nodes, ...)`.

    Args:
        weight: the adjacency matrix, `(nodes, nodes)` or `(batch, nodes, nodes)`.
    """

    def __init__(self, weight):
        self.weight = weight
        self.present = ops.cast(weight != 0, weight.dtype)

    def with_self_loops(self):
        """The same graph with one loop at each node."""
        loops = ops.eye(ops.shape(self.weight)[-1], dtype=self.weight.dtype)
        return Matrix(ops.where(loops > 0, loops, self.weight))

    def at_targets(self, x):
        """The values `x` of the nodes, at the edges that arrive there."""
        return self._at_edges(ops.expand_dims(x, self._source))

    def at_sources(self, x):
        """The values `x` of the nodes, at the edges that leave there."""
        return self._at_edges(ops.expand_dims(x, self._target))

    def mix(self, weight, x):
        """`y_i = sum_j weight_ij x_j`, with `weight` at the edges."""
        if len(weight.shape) == len(self.weight.shape):
            return ops.matmul(weight, x)
        return ops.einsum("...ijh,...jhf->...ihf", weight, x)  # one set of weights for each head

    def sum(self, messages):
        """The sum of the messages that arrive at each node."""
        return ops.sum(ops.where(self._present(messages), messages, 0), axis=self._source)

    def mean(self, messages):
        """The mean of the messages that arrive at each node; 0 where none arrives."""
        number = ops.sum(ops.cast(self._present(messages), messages.dtype), axis=self._source)
        return self.sum(messages) / ops.maximum(number, 1)

    def max(self, messages):
        """The largest message at each node, entry by entry; 0 where none arrives."""
        largest = ops.max(ops.where(self._present(messages), messages, NOTHING), axis=self._source)
        return ops.where(largest == NOTHING, 0, largest)

    def softmax(self, scores):
        """`exp(s_ij) / sum_k exp(s_ik)` over the edges `k -> i`; the largest is taken off first."""
        present = self._present(scores)
        largest = ops.max(ops.where(present, scores, NOTHING), axis=self._source, keepdims=True)
        shifted = ops.where(present, scores - ops.stop_gradient(largest), 0)
        exponentials = ops.where(present, ops.exp(shifted), 0)
        total = ops.sum(exponentials, axis=self._source, keepdims=True)
        return exponentials / ops.where(total > 0, total, 1)

    def by_head(self, alpha):
        """Weights of heads at the edges, `(..., nodes, nodes, heads)`, in Spektral's order."""
        return ops.swapaxes(alpha, -1, -2)

    @property
    def _source(self):
        return len(self.weight.shape) - 1

    @property
    def _target(self):
        return len(self.weight.shape) - 2

    def _at_edges(self, x):
        nodes = ops.shape(self.weight)
        return ops.broadcast_to(x, (*nodes, *ops.shape(x)[len(nodes) :]))

    def _present(self, x):
        more = len(x.shape) - len(self.weight.shape)
        return ops.reshape(self.weight != 0, (*ops.shape(self.weight), *(1,) * more))
