"""The graph network: nodes exchange messages along the edges, layer by layer.

Lecture section "Graph neural networks", claim C70. After L layers a node has heard from all nodes
within L edges. Without a readout every node gets an output, with one the graph as a whole.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import Dense, GATConv, GCNConv, GINConv, GlobalSumPool
from suite.layers._nested import apply
from suite.models._stack import Stack

CONVOLUTIONS = {"gcn": GCNConv, "gat": GATConv, "gin": GINConv}


@keras.saving.register_keras_serializable(package="dl_basics")
class GraphNetwork(Stack):
    """Graph convolutions, a readout if asked for, and a linear output.

        x_l = convolution([x_{l-1}, a])                      l = 1 .. len(channels)
        z   = x_L @ kernel + bias                            a row for each node
        z   = (sum over nodes of x_L) @ kernel + bias        with readout="sum", for each graph

    The adjacency `a` goes unchanged to every layer: for `"gcn"` hand in `gcn_filter(a)`. The output
    is `z`, the logits. Renumbering the nodes permutes the rows without a readout, and changes
    nothing with one.

    Args:
        channels: sizes of the convolutions.
        outputs: size of the output.
        convolution: `"gcn"`, `"gat"` (one head) or `"gin"`.
        activation: of the convolutions.
        readout: `"sum"` over the nodes of a graph, or `None`.
        output_activation: of the output layer; `None` leaves logits.
        kernel_initializer: how the weights start.
        seed: of the initial weights; each layer gets a seed of its own derived from it.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        a list of the input `(batch, nodes, features)` and the adjacency `(batch, nodes, nodes)`,
        output `(batch, nodes, outputs)`. Or all of them without `batch`, where the adjacency may
        be sparse; a readout then takes a third entry `(nodes,)`, the number of each node's graph,
        and the output is `(graphs, outputs)`.

    Raises:
        ValueError: `channels` is not a sequence of positive integers, `outputs` not a positive
            integer, `convolution` or `readout` unknown, `seed` not an integer, a name is unknown;
            or, when called, the inputs are not two or three.

    Example:
        >>> import numpy as np
        >>> model = GraphNetwork(channels=(4,), outputs=2, seed=1)
        >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], "float32")
        >>> tuple(model([np.ones((3, 5), "float32"), path]).shape)
        (3, 2)

    Reference:
        Gilmer et al. 2017, "Neural message passing for quantum chemistry"; Kipf & Welling 2017,
        arXiv:1609.02907.
    """

    def __init__(
        self,
        channels=(16, 16),
        outputs=10,
        convolution="gcn",
        activation="relu",
        readout=None,
        output_activation=None,
        kernel_initializer="glorot_uniform",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.channels = check.positive_integers("channels", channels)
        self.outputs = check.positive_integer("outputs", outputs)
        self.convolution = check.choice("convolution", convolution, tuple(CONVOLUTIONS))
        self.activation = activation_names.get(activation)
        self.readout = None if readout is None else check.choice("readout", readout, ("sum",))
        self.output_activation = activation_names.get(output_activation)
        self._weight_arguments("kernel", kernel_initializer)
        self.seed = check.optional_integer("seed", seed)

        *kernels, last = self._seeded("kernel", kernel_initializer, len(self.channels) + 1)
        policy = {"dtype": self.dtype_policy}
        kind = CONVOLUTIONS[self.convolution]
        # Spektral's layer, whose arguments ours has, drops half of its coefficients by default.
        more = {"dropout_rate": 0.0} if self.convolution == "gat" else {}
        self.convolutions = [
            kind(size, activation=self.activation, kernel_initializer=kernel, **more, **policy)
            for size, kernel in zip(self.channels, kernels, strict=True)
        ]
        self.pool = None if self.readout is None else GlobalSumPool(**policy)
        self.output_layer = Dense(
            self.outputs, self.output_activation, kernel_initializer=last, name="output", **policy
        )

    def build(self, input_shape):
        if self.built:
            return
        if not isinstance(input_shape[0], (list, tuple)) or len(input_shape) not in (2, 3):
            raise ValueError(f"inputs must be [x, a] or [x, a, i], received shape {input_shape}")
        x, a, *_ = input_shape
        for convolution in self.convolutions:
            convolution.build([x, a])
            x = convolution.compute_output_shape([x, a])
        self.output_layer.build(x if self.pool is None else (None, x[-1]))
        self.built = True

    def call(self, inputs, training=False):
        x, a, *i = inputs
        for convolution in self.convolutions:
            x = apply(convolution, [x, a], training)
        if self.pool is not None:
            x = self.pool([x, *i] if i else x)
        return self.output_layer(x)

    def compute_output_shape(self, input_shape):
        x, _, *i = input_shape
        if self.pool is None:
            return (*x[:-1], self.outputs)
        graphs = None if i else (x[0] if len(x) == 3 else 1)
        return (graphs, self.outputs)
