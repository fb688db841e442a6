"""A sparse graph as a list of edges: a message is gathered at its source, added at its target.

XLA cannot compile a product with a sparse matrix on a CPU, but it can compile this.
"""

import keras
from keras import ops

NOTHING = -float("inf")  # the maximum of no numbers


def add_rows(rows, values, count):
    """Sum of `values` by row, `(count, ...)`: row `r` holds those whose entry of `rows` is `r`."""
    if keras.backend.backend() == "tensorflow":
        # The gradient of TensorFlow's segment_sum takes half as long again, for negative rows.
        return ops.scatter(rows[:, None], values, (count, *values.shape[1:]))
    return ops.segment_sum(values, rows, num_segments=count)


class EdgeList:
    """Edges `source -> target` with a weight each. Without a weight (zero) there is no edge.

    Values at the edges have the shape `(edges, ...)`.

    Args:
        indices: numbers of the two nodes, target and source, `(edges, 2)`.
        weight: entries `a[target, source]` of the adjacency matrix, `(edges,)`.
        nodes: how many nodes there are.
    """

    def __init__(self, indices, weight, nodes):
        self.indices, self.weight, self.nodes = indices, weight, nodes
        self.target = ops.cast(indices[:, 0], "int32")
        self.source = ops.cast(indices[:, 1], "int32")
        self.present = ops.cast(weight != 0, weight.dtype)

    def with_self_loops(self):
        """The same graph with one loop at each node, after all other edges."""
        node = ops.cast(ops.arange(self.nodes, dtype="int32"), self.indices.dtype)
        other = ops.where(self.target == self.source, 0, self.weight)  # old loops: of no weight
        return EdgeList(
            ops.concatenate([self.indices, ops.stack([node, node], axis=1)]),
            ops.concatenate([other, ops.ones_like(node, dtype=self.weight.dtype)]),
            self.nodes,
        )

    def at_targets(self, x):
        """The values `x` of the nodes, at the edges that arrive there."""
        return ops.take(x, self.target, axis=0)

    def at_sources(self, x):
        """The values `x` of the nodes, at the edges that leave there."""
        return ops.take(x, self.source, axis=0)

    def mix(self, weight, x):
        """`y_i = sum_j weight_ij x_j`, with `weight` at the edges."""
        if len(weight.shape) == 1 and _tensorflow_multiplies(x):
            return self._product(weight, x)
        return self._add(_like(weight, x) * self.at_sources(x))

    def sum(self, messages):
        """The sum of the messages that arrive at each node."""
        return self._add(_like(self.present, messages) * messages)

    def mean(self, messages):
        """The mean of the messages that arrive at each node; 0 where none arrives."""
        number = self._add(self.present)
        return self.sum(messages) / _like(ops.maximum(number, 1), messages)

    def max(self, messages):
        """The largest message at each node, entry by entry; 0 where none arrives."""
        present = _like(self.present, messages) > 0
        largest = self._largest(ops.where(present, messages, NOTHING))
        # The largest as a mean of those that tie: JAX has no gradient of a maximum by segments.
        chosen = ops.cast(present & (messages == self.at_targets(largest)), messages.dtype)
        number = self._add(chosen)
        return self._add(chosen * messages) / ops.maximum(number, 1)

    def softmax(self, scores):
        """`exp(s_ij) / sum_k exp(s_ik)` over the edges `k -> i`; the largest is taken off first."""
        present = _like(self.present, scores)
        scores = ops.where(present > 0, scores, NOTHING)
        shifted = ops.where(present > 0, scores - self.at_targets(self._largest(scores)), 0)
        exponentials = present * ops.exp(shifted)
        total = self._add(exponentials)
        return exponentials / self.at_targets(ops.where(total > 0, total, 1))

    def by_head(self, alpha):
        """Weights of heads at the edges, `(edges, heads)`, in Spektral's order of axes."""
        return alpha[..., None]

    def _add(self, values):
        return add_rows(self.target, values, self.nodes)

    def _product(self, weight, x):
        import tensorflow as tf

        shape = ops.cast((self.nodes, self.nodes), "int64")
        matrix = tf.SparseTensor(ops.cast(self.indices, "int64"), weight, shape)
        return tf.sparse.sparse_dense_matmul(matrix, x)

    def _largest(self, values):
        values = ops.stop_gradient(values)
        return ops.segment_max(values, self.target, num_segments=self.nodes)


def _like(weight, x):
    """`weight` with as many axes as `x`, to multiply it."""
    return ops.reshape(weight, (*ops.shape(weight), *(1,) * (len(x.shape) - len(weight.shape))))


def _tensorflow_multiplies(x):
    """Whether TensorFlow has a product with a sparse matrix here; outside XLA it is faster."""
    if keras.backend.backend() != "tensorflow" or x.dtype not in ("float32", "float64"):
        return False
    import tensorflow as tf

    # The question whether XLA will compile what is being traced has no public name.
    from tensorflow.python.ops import control_flow_util

    return not control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
