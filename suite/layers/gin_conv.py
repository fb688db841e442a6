"""Graph isomorphism network: sum over the neighbors, then a multilayer perceptron.

Lecture section "Graph neural networks" (C70). A sum, unlike a mean or a maximum, tells how often a
neighbor occurs, so that the layer separates all graphs that message passing can separate at all.
"""

import keras
from keras import ops

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers._graph import copied
from suite.layers.batch_normalization import BatchNormalization
from suite.layers.dense import Dense
from suite.layers.message_passing import MessagePassing


@keras.saving.register_keras_serializable(package="dl_basics")
class GINConv(MessagePassing):
    """A perceptron of the node's own state, slightly emphasized, and the sum of its neighbors'.

        y_i = mlp((1 + eps) x_i + sum_j x_j)

    where `j` runs over the edges `j -> i`. The perceptron has a `Dense` layer and a
    `BatchNormalization` for each entry of `mlp_hidden`, then a `Dense` layer of `channels`.

    Args:
        channels: features of the output.
        epsilon: the number `eps`, or `None` to learn it, from 0.
        mlp_hidden: widths of the hidden layers, `None` or `[]` for no hidden layer.
        mlp_activation: activation of the hidden layers.
        mlp_batchnorm: whether each hidden layer is followed by a batch normalization.
        aggregate: `"sum"`; `"mean"` or `"max"` are other, weaker networks.
        activation: activation of the output.
        use_bias: whether the last `Dense` layer has a bias.
        kernel_initializer, bias_initializer: how the weights of the perceptron start.
        kernel_regularizer, bias_regularizer: penalties on them, added to the loss.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint: projections after each step of an optimizer.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        a list of the input `(batch, nodes, features)` and the adjacency `(batch, nodes, nodes)`,
        output `(batch, nodes, channels)`; or all three without `batch`, and there the adjacency
        may be sparse. `eps` is `(1,)`.

    Raises:
        ValueError: an argument is out of range, the adjacency is not square or has not one row
            for each node.

    Example:
        >>> import numpy as np
        >>> x = np.array([[1.0], [2.0], [4.0]])
        >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        >>> GINConv(1, epsilon=1.0, kernel_initializer="ones")([x, path]).numpy().tolist()
        [[4.0], [9.0], [10.0]]

    Reference:
        Xu et al. 2019, "How powerful are graph neural networks?"; arguments as in
        `spektral.layers.GINConv`. Spektral reads the sparse adjacency of this layer the other way
        round, which differs on directed graphs: hand over the transpose.
    """

    def __init__(
        self,
        channels,
        epsilon=None,
        mlp_hidden=None,
        mlp_activation="relu",
        mlp_batchnorm=True,
        aggregate="sum",
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
        super().__init__(aggregate, activity_regularizer=activity_regularizer, **kwargs)
        self.channels = check.positive_integer("channels", channels)
        self.epsilon = None if epsilon is None else check.finite("epsilon", epsilon)
        hidden = () if mlp_hidden is None else mlp_hidden
        self.mlp_hidden = list(check.positive_integers("mlp_hidden", hidden))
        self.mlp_activation = activation_names.get(mlp_activation)
        self.mlp_batchnorm = check.flag("mlp_batchnorm", mlp_batchnorm)
        self.activation = activation_names.get(activation)
        self.use_bias = check.flag("use_bias", use_bias)
        self._weight_arguments("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._weight_arguments("bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape):
        learned = self.epsilon is None
        self.eps = self.add_weight((1,), "zeros", name="eps") if learned else self.epsilon
        self.mlp = self._perceptron()
        check.positive_integer("the last axis of x", input_shape[0][-1])
        shape = (*(None for _ in input_shape[0][:-1]), input_shape[0][-1])  # any number of nodes
        for layer in self.mlp:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def _perceptron(self):
        layers = []
        for width in self.mlp_hidden:
            layers.append(self._dense(width, self.mlp_activation, True))
            if self.mlp_batchnorm:
                layers.append(BatchNormalization(dtype=self.dtype_policy))
        return [*layers, self._dense(self.channels, self.activation, self.use_bias)]

    def _dense(self, units, activation, use_bias):
        return Dense(
            units,
            activation,
            use_bias,
            kernel_initializer=copied(self.kernel_initializer),
            bias_initializer=copied(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
        )

    def collect(self, graph, x, edge=None):
        if self.aggregate != "sum":
            return super().collect(graph, x, edge)
        return graph.mix(graph.present, x)  # the same, without a message for each pair of nodes

    def update(self, x, messages):
        return (1 + ops.cast(self.eps, x.dtype)) * x + messages

    def call(self, inputs, training=None, mask=None):
        y = super().call(inputs)
        for layer in self.mlp:
            if isinstance(layer, BatchNormalization):
                y = layer(y, training=training, mask=None if mask is None else mask[0])
            else:
                y = layer(y)
        return self.masked(y, mask)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.channels)
