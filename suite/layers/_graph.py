"""What graph layers share: the batches that they take, how an adjacency is read, and its checks.

Row `i` of an adjacency matrix holds the edges that arrive at node `i`: entry `a[i, j]` belongs to
the message from `j` to `i`, so that `a @ x` adds up what each node receives. One convention for
every layer, for sparse and dense matrices.
"""

import keras
from keras import ops

# What `fit` does with SciPy's matrices; it has no public name.
from keras.src.trainers.data_adapters.data_adapter_utils import (
    scipy_sparse_to_jax_sparse,
    scipy_sparse_to_tf_sparse,
)

from suite._configured import Configured
from suite.layers._graph_edges import EdgeList
from suite.layers._graph_matrix import Matrix


class GraphLayer(Configured, keras.layers.Layer):
    """A layer of node features and an adjacency, `[x, a]` or `[x, a, e]`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def __call__(self, inputs, *args, **kwargs):
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"inputs must be a list [x, a], received {inputs!r:.60}")
        return super().__call__([_from_scipy(part) for part in inputs], *args, **kwargs)

    def parts(self, inputs, *more):
        """`x` in the dtype of the computation, `a`, and what is given of `more`."""
        names = ("x", "a", *more)
        if not 2 <= len(inputs) <= len(names):
            raise ValueError(f"inputs must be [{', '.join(names)}], received {len(inputs)} of them")
        x, *others = inputs
        return ops.cast(x, self.compute_dtype), *others

    def graph(self, a, x):
        """The adjacency `a` of the nodes with features `x`, as `EdgeList` or `Matrix`."""
        _check_shapes(tuple(a.shape), tuple(x.shape), is_sparse(a))
        if is_sparse(a):
            return _edge_list(a, x)
        a = ops.cast(a, x.dtype)
        if len(a.shape) < len(x.shape):  # one graph for the whole batch
            a = ops.broadcast_to(a, (ops.shape(x)[0], *ops.shape(a)))
        return Matrix(a)

    def masked(self, y, mask):
        """Zero at the nodes that `mask` leaves out, as it comes with the features `x`."""
        if mask is None or mask[0] is None:
            return y
        return y * ops.reshape(ops.cast(mask[0], y.dtype), (*ops.shape(y)[:-1], 1))

    def compute_mask(self, inputs, previous_mask=None):
        return None if previous_mask is None else previous_mask[0]

    def compute_output_spec(self, *args, **kwargs):
        # By running `call`: a user's message, and sparse attention, have shapes of their own.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)


def copied(initializer):
    """An initializer of its own: the same one draws the same numbers at each call in Keras 3."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def _check_shapes(a, x, sparse):
    if len(x) not in (2, 3) or (sparse and len(x) == 3):
        raise ValueError(
            "x must have the shape (nodes, features), or with dense adjacencies "
            f"(batch, nodes, features), received {x}"
        )
    if len(a) not in (2, len(x)):
        raise ValueError(f"the adjacency must have rank 2, or 3 in batches, received {a}")
    rows, columns = a[-2:]
    if None not in (rows, columns) and rows != columns:
        raise ValueError(f"the adjacency must be square, received the shape {a}")
    for expected, received in zip(x[-2::-1], a[-2::-1], strict=False):
        if None not in (expected, received) and expected != received:
            raise ValueError(
                f"the adjacency must have one row for each node of x, shape {x}, "
                f"received the shape {a}"
            )


def is_sparse(tensor):
    """Whether the tensor is TensorFlow's `SparseTensor` or JAX's `BCOO`."""
    return hasattr(tensor, "indices") and (hasattr(tensor, "values") or hasattr(tensor, "data"))


def _edge_list(a, x):
    nodes = ops.shape(x)[0]
    indices = a.indices
    if keras.backend.backend() == "jax":
        # A BCOO matrix may be padded with entries of value zero behind its last row and column.
        indices = ops.minimum(indices, nodes - 1)
    values = a.values if hasattr(a, "values") else a.data
    return EdgeList(indices, ops.cast(values, x.dtype), nodes)


def _from_scipy(matrix):
    """SciPy's sparse matrices as the backend's, or as dense where it has none; others as they are.

    In row-major order, without duplicates: the order of edge features, as in Spektral's loaders.
    """
    if not hasattr(matrix, "tocsr"):
        return matrix
    matrix = matrix.tocsr().sorted_indices()
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return scipy_sparse_to_tf_sparse(matrix)
    if backend == "jax":
        return scipy_sparse_to_jax_sparse(matrix)
    return ops.convert_to_tensor(matrix.toarray())
