"""The recurrent network: one cell for every step of a sequence, and a linear readout.

Lecture section "Sequences", claims C65 to C68. The state carries what has been seen so far; read
from both ends, it knows what comes as well.
"""

import keras

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite.layers import GRU, LSTM, Bidirectional, Dense, SimpleRNN
from suite.models._stack import Stack

CELLS = {"simple_rnn": SimpleRNN, "lstm": LSTM, "gru": GRU}


@keras.saving.register_keras_serializable(package="dl_basics")
class RecurrentNetwork(Stack):
    """Recurrent layers on top of each other, and a linear readout.

        h_t = cell(x_t, h_{t-1})          layer after layer, each reading the states of the last
        z   = h_T @ kernel + bias         or z_t = h_t @ kernel + bias with `return_sequences`

    With `bidirectional`, every layer reads the sequence from both ends and concatenates the two
    states, so an output may depend on the future. The output is `z`, the logits.

    Args:
        units: sizes of the layers; the state of each direction has that size.
        outputs: size of the output.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        bidirectional: whether each layer reads from both ends.
        return_sequences: whether there is an output for each time step, or only for the last.
        output_activation: of the output layer; `None` leaves logits.
        kernel_initializer: how the weights for the inputs and of the readout start.
        recurrent_initializer: how the weights for the states start.
        bias_initializer: how the biases of the layers start; the one of an LSTM's forget gate
            starts at one if this is `"zeros"`, else as this says.
        seed: of the initial weights; each layer gets a seed of its own derived from it.
        **kwargs: `name`, `dtype` and the rest of `keras.Model`.

    Shapes:
        input `(batch, time, features)`, output `(batch, outputs)`, or `(batch, time, outputs)`
        with `return_sequences`.

    Raises:
        ValueError: `units` is not a sequence of at least one positive integer, `outputs` not a
            positive integer, `cell` unknown, a flag not a bool, `seed` not an integer, a name is
            unknown.

    Example:
        >>> import numpy as np
        >>> model = RecurrentNetwork(units=(5,), outputs=3, cell="gru", bidirectional=True)
        >>> tuple(model(np.ones((2, 7, 4), "float32")).shape)
        (2, 3)

    Reference:
        Elman 1990, "Finding structure in time"; Schuster & Paliwal 1997, "Bidirectional recurrent
        neural networks".
    """

    def __init__(
        self,
        units=(32,),
        outputs=10,
        cell="lstm",
        bidirectional=False,
        return_sequences=False,
        output_activation=None,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check.positive_integers("units", units)
        if not self.units:
            raise ValueError(f"units must have at least one size, received {units!r}")
        self.outputs = check.positive_integer("outputs", outputs)
        self.cell = check.choice("cell", cell, tuple(CELLS))
        self.bidirectional = check.flag("bidirectional", bidirectional)
        self.return_sequences = check.flag("return_sequences", return_sequences)
        self.output_activation = activation_names.get(output_activation)
        self._weight_arguments("kernel", kernel_initializer)
        self._weight_arguments("recurrent", recurrent_initializer)
        self._weight_arguments("bias", bias_initializer)
        self.seed = check.optional_integer("seed", seed)

        ways = 2 if self.bidirectional else 1
        *kernels, last = self._seeded("kernel", kernel_initializer, ways * len(self.units) + 1)
        recurrent = self._seeded("recurrent", recurrent_initializer, len(kernels))
        biases = self._seeded("bias", bias_initializer, len(kernels))
        self.blocks = []
        for number, size in enumerate(self.units):
            inner = number + 1 < len(self.units) or self.return_sequences
            layers = [
                self._recurrent(
                    size,
                    kernels[ways * number + way],
                    recurrent[ways * number + way],
                    biases[ways * number + way],
                    inner,
                    go_backwards=way == 1,
                )
                for way in range(ways)
            ]
            self.blocks.append(
                Bidirectional(layers[0], backward_layer=layers[1], dtype=self.dtype_policy)
                if self.bidirectional
                else layers[0]
            )
        self.blocks.append(
            Dense(
                self.outputs,
                self.output_activation,
                kernel_initializer=last,
                dtype=self.dtype_policy,
                name="output",
            )
        )

    def _recurrent(self, size, kernel, recurrent, bias, return_sequences, go_backwards):
        # A forget bias of one would overwrite what the initializer says.
        own_bias = not isinstance(self.bias_initializer, keras.initializers.Zeros)
        more = {"unit_forget_bias": False} if self.cell == "lstm" and own_bias else {}
        return CELLS[self.cell](
            size,
            kernel_initializer=kernel,
            recurrent_initializer=recurrent,
            bias_initializer=bias,
            return_sequences=return_sequences,
            go_backwards=go_backwards,
            dtype=self.dtype_policy,
            **more,
        )
