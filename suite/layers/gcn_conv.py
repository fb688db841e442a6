"""Graph convolution: each node takes a weighted mean of its neighbors, then one shared linear map.

Lecture section "Graph neural networks" (C70). Stacked deep, the means smooth all differences
between nodes away, at the rate of the second eigenvalue of the mixing matrix.
"""

import keras
import numpy as np
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers._graph import GraphLayer


def gcn_filter(a, symmetric=True):
    """The matrix that `GCNConv` mixes with: self-loops added, then scaled by the degrees.

        a_hat = D^(-1/2) (a + I) D^(-1/2),   D_ii = sum_j (a + I)_ij

    Args:
        a: adjacency, an array `(nodes, nodes)` or `(batch, nodes, nodes)`, or a SciPy sparse
            matrix. Not a tensor: this is done once, before training.
        symmetric: whether to scale rows and columns as above, or rows only, `D^(-1) (a + I)`.

    Returns:
        The same kind of array or matrix, with floating-point entries.

    Raises:
        ValueError: `a` is not square, or a degree with its self-loop is negative.

    Example:
        >>> gcn_filter(np.array([[0, 1], [1, 0]])).round(3).tolist()
        [[0.5, 0.5], [0.5, 0.5]]

    Reference:
        Kipf & Welling 2017, "Semi-supervised classification with graph convolutional networks",
        equation 2.
    """
    if len(a.shape) < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"a must be a square matrix, received the shape {tuple(a.shape)}")
    sparse = hasattr(a, "tocsr")
    a = a.tocsr() if sparse else np.asarray(a)
    dtype = np.result_type(a.dtype, np.float32 if a.dtype == np.float32 else np.float64)
    if sparse:
        from scipy import sparse as matrices

        a = (a + matrices.eye_array(a.shape[0], dtype=dtype)).tocsr()
        degrees = np.asarray(a.sum(axis=1)).ravel()
    else:
        a = a + np.eye(a.shape[-1], dtype=dtype)
        degrees = a.sum(axis=-1)
    if (degrees < 0).any():
        raise ValueError(f"a must have no negative degrees, received {degrees.min()}")
    power = -0.5 if symmetric else -1.0
    scale = np.where(degrees > 0, degrees, np.inf) ** power  # of no edges: 0
    if sparse:
        a = a.multiply(scale[:, None]).tocsr()
        return (a.multiply(scale[None, :]) if symmetric else a).tocsr()
    a = scale[..., :, None] * a
    return a * scale[..., None, :] if symmetric else a


@keras.saving.register_keras_serializable(package="dl_basics")
class GCNConv(GraphLayer):
    """A linear map of the features, mixed along the edges.

        y = activation(a @ x @ kernel + bias),   y_i = sum_j a_ij x_j kernel + bias

    The adjacency is used as it is given. For the layer of the paper, hand it `gcn_filter(a)`,
    which Spektral's `LayerPreprocess(GCNConv)` finds under the name `GCNConv.preprocess`.

    Args:
        channels: features of the output.
        activation: a function, its name, or `None` for the identity.
        use_bias: whether there is a `bias`.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer: penalties on the weights, added to the loss.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint: projections after each step of an optimizer.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        a list of the input `(batch, nodes, features)` and the adjacency `(batch, nodes, nodes)`,
        output `(batch, nodes, channels)`; or all three without `batch`, and there the adjacency
        may be sparse. `kernel` is `(features, channels)`, `bias` is `(channels,)`.

    Raises:
        ValueError: an argument is out of range, the adjacency is not square or has not one row
            for each node.

    Example:
        >>> x = np.array([[1.0], [2.0], [4.0]])
        >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        >>> GCNConv(1, kernel_initializer="ones")([x, path]).numpy().tolist()
        [[2.0], [5.0], [2.0]]

    Reference:
        Kipf & Welling 2017, equation 2; arguments and weight order as in `spektral.layers.GCNConv`.
    """

    def __init__(
        self,
        channels,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.channels = check.positive_integer("channels", channels)
        self.activation = activation_names.get(activation)
        self.use_bias = check.flag("use_bias", use_bias)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._weight_arguments("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.bias = None

    preprocess = staticmethod(gcn_filter)

    def build(self, input_shape):
        features = check.positive_integer("the last axis of x", input_shape[0][-1])
        self.kernel = self._weight("kernel", (features, self.channels))
        if self.use_bias:
            self.bias = self._weight("bias", (self.channels,))

    def call(self, inputs, mask=None):
        x, a = self.parts(inputs)
        graph = self.graph(a, x)
        y = graph.mix(graph.weight, ops.matmul(x, self.kernel))
        if self.use_bias:
            y = y + self.bias
        return self.activation(self.masked(y, mask))

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.channels)
