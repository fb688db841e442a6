"""Graph attention: each node decides how much it listens to each of its neighbors.

Lecture section "Graph neural networks" (C70). The weights of the mean over the neighbors are not
given with the graph but computed from the features at both ends of an edge.
"""

import keras
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers._graph import GraphLayer, copied

SLOPE = 0.2  # of the leaky ReLU below zero: Velickovic et al. 2018, section 2.1


@keras.saving.register_keras_serializable(package="dl_basics")
class GATConv(GraphLayer):
    """A mean over the neighbors with learned weights, in several heads side by side.

        h_i = x_i kernel
        s_ij = leaky_relu(h_i . attn_kernel_self + h_j . attn_kernel_neigh)
        alpha_ij = exp(s_ij) / sum_k exp(s_ik)
        y_i = activation(sum_j alpha_ij h_j + bias)

    for each head, where `j` and `k` run over the edges `j -> i` and, with `add_self_loops`, over
    `i` itself. The entries of the adjacency say only where the edges are. A node that hears nobody
    gets `activation(bias)`.

    Args:
        channels: features of the output of each head.
        attn_heads: how many heads.
        concat_heads: whether the heads' outputs stand side by side; otherwise they are averaged.
        dropout_rate: share of the `alpha_ij` that is dropped in training.
        return_attn_coef: whether to return `(y, alpha)`: `(edges, attn_heads, 1)` with the added
            loops last, or `(..., nodes, attn_heads, nodes)` with a dense adjacency.
        add_self_loops: whether a node hears itself, too.
        activation: a function, its name, or `None` for the identity.
        use_bias: whether there is a `bias`.
        kernel_initializer, bias_initializer, attn_kernel_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, attn_kernel_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint, attn_kernel_constraint: projections after each step.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        a list of the input `(batch, nodes, features)` and the adjacency `(batch, nodes, nodes)`,
        output `(batch, nodes, channels)`, times `attn_heads` if they are concatenated; or all
        three without `batch`, and there the adjacency may be sparse. `kernel` is
        `(features, attn_heads, channels)`, the attention kernels are `(channels, attn_heads, 1)`.

    Raises:
        ValueError: an argument is out of range, the adjacency is not square or has not one row
            for each node.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0], [2.0], [6.0]])
        >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        >>> equal = GATConv(1, kernel_initializer="ones", attn_kernel_initializer="zeros")
        >>> equal([x, path]).numpy().tolist()
        [[1.5], [3.0], [4.0]]

    Reference:
        Velickovic et al. 2018, "Graph attention networks"; arguments and weight order as in
        `spektral.layers.GATConv`. Spektral reads the sparse adjacency of this layer the other way
        round, which differs on directed graphs: hand over the transpose.
    """

    def __init__(
        self,
        channels,
        attn_heads=1,
        concat_heads=True,
        dropout_rate=0.5,
        return_attn_coef=False,
        add_self_loops=True,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        attn_kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        bias_regularizer=None,
        attn_kernel_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        attn_kernel_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.channels = check.positive_integer("channels", channels)
        self.attn_heads = check.positive_integer("attn_heads", attn_heads)
        self.concat_heads = check.flag("concat_heads", concat_heads)
        self.dropout_rate = check.share("dropout_rate", dropout_rate)
        self.return_attn_coef = check.flag("return_attn_coef", return_attn_coef)
        self.add_self_loops = check.flag("add_self_loops", add_self_loops)
        self.activation = activation_names.get(activation)
        self.use_bias = check.flag("use_bias", use_bias)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._weight_arguments("bias", bias_initializer, bias_regularizer, bias_constraint)
        self._weight_arguments(
            "attn_kernel", attn_kernel_initializer, attn_kernel_regularizer, attn_kernel_constraint
        )
        self.dropout = keras.layers.Dropout(self.dropout_rate, dtype=self.dtype_policy)
        self.bias = None

    def build(self, input_shape):
        features = check.positive_integer("the last axis of x", input_shape[0][-1])
        self.kernel = self._weight("kernel", (features, self.attn_heads, self.channels))
        self.attn_kernel_self = self._attention_weight("attn_kernel_self")
        self.attn_kernel_neigh = self._attention_weight("attn_kernel_neigh")
        if self.use_bias:
            self.bias = self._weight("bias", (self._features(),))

    def _attention_weight(self, name):
        return self.add_weight(
            name=name,
            shape=(self.channels, self.attn_heads, 1),
            initializer=copied(self.attn_kernel_initializer),
            regularizer=self.attn_kernel_regularizer,
            constraint=self.attn_kernel_constraint,
        )

    def call(self, inputs, training=None, mask=None):
        x, a = self.parts(inputs)
        graph = self.graph(a, x)
        if self.add_self_loops:
            graph = graph.with_self_loops()

        h = ops.tensordot(x, self.kernel, 1)  # (..., nodes, heads, channels)
        own = ops.sum(h * ops.transpose(self.attn_kernel_self[..., 0]), axis=-1)
        neighbor = ops.sum(h * ops.transpose(self.attn_kernel_neigh[..., 0]), axis=-1)
        scores = ops.leaky_relu(graph.at_targets(own) + graph.at_sources(neighbor), SLOPE)
        alpha = graph.softmax(scores)
        y = graph.mix(self.dropout(alpha, training=training), h)

        if self.concat_heads:
            y = ops.reshape(y, (*ops.shape(x)[:-1], self._features()))
        else:
            y = ops.mean(y, axis=-2)
        if self.use_bias:
            y = y + self.bias
        y = self.activation(self.masked(y, mask))
        return (y, graph.by_head(alpha)) if self.return_attn_coef else y

    def _features(self):
        return self.channels * (self.attn_heads if self.concat_heads else 1)

    def compute_output_shape(self, input_shape):
        x, a = input_shape
        y = (*x[:-1], self._features())
        return (y, (*a[:-1], self.attn_heads, a[-1])) if self.return_attn_coef else y
