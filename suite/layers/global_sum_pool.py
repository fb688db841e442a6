"""The readout of a graph network: one vector for a graph, the sum over its nodes.

Lecture section "Graph neural networks" (C70). A sum does not depend on the order of the nodes, and
unlike a mean or a maximum it also tells how many there are.
"""

import keras
import numpy as np
from keras import ops

from suite._configured import Configured
from suite.layers._graph_edges import add_rows


@keras.saving.register_keras_serializable(package="dl_basics")
class GlobalSumPool(Configured, keras.layers.Layer):
    """Sum of the features over the nodes of each graph.

        y_g = sum over the nodes i of graph g of x_i

    Args:
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, nodes, features)`, output `(batch, features)`. Or `x` of the shape
        `(nodes, features)`: alone it is one graph, output `(1, features)`; in a list `[x, i]` with
        the number of each node's graph, `(nodes,)`, ascending from 0 without gaps, as Spektral's
        `DisjointLoader` gives it, the output has one row for each graph. Such a list makes the
        result's size depend on the values of `i`: JAX cannot compile it.

    Raises:
        ValueError: `x` has another rank, or `i` another length, falls, or is negative.

    Example:
        >>> x = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
        >>> GlobalSumPool()([x, np.array([0, 0, 1])]).numpy().tolist()
        [[3.0, 30.0], [4.0, 40.0]]

    Reference:
        Xu et al. 2019, "How powerful are graph neural networks?"; as
        `spektral.layers.GlobalSumPool`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if isinstance(inputs, (list, tuple)):
            return self._of_disjoint_graphs(*inputs)
        x = ops.cast(inputs, self.compute_dtype)
        if len(x.shape) not in (2, 3):
            raise ValueError(
                "x must have the shape (nodes, features) or (batch, nodes, features), "
                f"received {tuple(x.shape)}"
            )
        if mask is not None:
            x = x * ops.reshape(ops.cast(mask, x.dtype), (*ops.shape(x)[:-1], 1))
        return ops.sum(x, axis=-2, keepdims=len(x.shape) == 2)

    def _of_disjoint_graphs(self, x, i):
        i = ops.cast(i[:, 0] if len(i.shape) == 2 else i, "int32")
        _check(x, i)
        sums = add_rows(i, ops.cast(x, self.compute_dtype), ops.shape(x)[0])
        return sums[: _number_of_graphs(i)]  # XLA needs a fixed size first: the largest possible

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape[0], (list, tuple)):
            return (None, input_shape[0][-1])
        return (*(input_shape[:-2] or (1,)), input_shape[-1])


def _values(tensor):
    """The tensor as an array, or `None` while a program is traced."""
    if keras.backend.backend() == "tensorflow" and not hasattr(tensor, "numpy"):
        return None
    try:
        return ops.convert_to_numpy(tensor)
    except TypeError:  # of JAX's tracers
        return None


def _number_of_graphs(i):
    count = ops.max(i) + 1
    if keras.backend.backend() == "tensorflow":
        return count
    if _values(count) is None:
        raise ValueError(f"[x, i] cannot be compiled on this backend, received i = {i!s:.60}")
    return int(count)


def _check(x, i):
    if len(x.shape) != 2 or len(i.shape) != 1:
        raise ValueError(
            "[x, i] must have the shapes (nodes, features) and (nodes,), "
            f"received {tuple(x.shape)} and {tuple(i.shape)}"
        )
    if None not in (x.shape[0], i.shape[0]) and x.shape[0] != i.shape[0]:
        raise ValueError(
            f"i must have one entry for each node of x, shape {tuple(x.shape)}, "
            f"received the shape {tuple(i.shape)}"
        )
    numbers = _values(i)
    if numbers is not None and numbers.size:
        if numbers[0] != 0 or not np.isin(np.diff(numbers), (0, 1)).all():
            raise ValueError(
                f"i must ascend from 0 without gaps, received {numbers.tolist()!s:.60}"
            )
