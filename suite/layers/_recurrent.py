"""What the recurrent layers share: weights and dropout of a cell, and the loop around it.

A cell is the lecture's equations for one time step. A layer is a cell in `keras.layers.RNN`, which
brings the loop over time, masks, `return_sequences`, `return_state`, `go_backwards`, `stateful`
and `unroll`. Both have some twenty arguments. The constructors spell them out, for readers, editors
and positional calls, and pass them on as one dictionary, their `locals()`.
"""

import operator
import re

import keras
from keras import ops

# `keras.layers.RNN` draws the dropout masks before its loop, and so has one of them for all time
# steps, for cells of this class alone. It has no public name.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from suite import _activation_names as activation_names
from suite import _arguments as check
from suite._configured import Configured, arguments

LOOP = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")


def project(x, kernel, masks):
    """`x @ kernel`, for all the gates in one product; dropout masks `x` before.

    `masks` is `None`, one mask for all gates, or a list with one for each.
    """
    if masks is None:
        return ops.matmul(x, kernel)
    if not isinstance(masks, (list, tuple)):
        return ops.matmul(x * masks, kernel)
    kernels = ops.split(kernel, len(masks), axis=1)
    products = [ops.matmul(x * mask, k) for mask, k in zip(masks, kernels, strict=True)]
    return ops.concatenate(products, axis=-1)


class RecurrentCell(Configured, DropoutRNNCell, keras.layers.Layer):
    """One time step: `kernel` for the input, `recurrent_kernel` for the state, gates side by side.

    Args:
        gates: how many blocks of `units` columns each kernel has.
        given: the `locals()` of the subclass's constructor.
    """

    def __init__(self, gates, given):
        super().__init__(**given["kwargs"])
        self.gates = gates
        self.units = check.positive_integer("units", given["units"])
        self.activation = activation_names.get(given["activation"])
        if "recurrent_activation" in given:
            self.recurrent_activation = activation_names.get(given["recurrent_activation"])
        self.use_bias = check.flag("use_bias", given["use_bias"])
        for role in ("kernel", "recurrent", "bias"):
            kinds = ("initializer", "regularizer", "constraint")
            self._weight_arguments(role, *(given[f"{role}_{kind}"] for kind in kinds))
        self.dropout = check.share("dropout", given["dropout"])
        self.recurrent_dropout = check.share("recurrent_dropout", given["recurrent_dropout"])
        if gates > 1 and self.recurrent_dropout > 0:
            self.dropout_mask_count = gates  # as in Keras: then each gate has masks of its own
        self.seed = given["seed"]
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.state_size = self.units
        self.output_size = self.units

    def _build(self, input_shape, bias_shape, bias_initializer=None):
        """Creates the weights, in Keras's order."""
        features = check.positive_integer("the last axis of the input", input_shape[-1])
        columns = self.gates * self.units
        self.kernel = self._weight("kernel", (features, columns))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, columns),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=bias_shape,
                initializer=bias_initializer or self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _masks(self, x, h, training):
        """Dropout masks of input and state, which stay the same within a sequence."""
        if not training:
            return None, None
        return self.get_dropout_mask(x), self.get_recurrent_dropout_mask(h)

    def get_initial_state(self, batch_size=None):
        """Zeros, in a list."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]


class _Flat(keras.layers.RNN):
    """Keras's loop with the config of a plain layer: the cell's arguments instead of the cell."""

    def get_config(self):
        config = super().get_config()
        del config["cell"]
        return config

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class Recurrent(Configured, _Flat):
    """A layer that runs one kind of cell: `class LSTM(Recurrent, cell=LSTMCell)`.

    The cell's arguments can be read from the layer as well: `layer.units` is `layer.cell.units`.

    Args:
        given: the `locals()` of the subclass's constructor.
    """

    def __init_subclass__(cls, cell=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if cell is not None:  # a user's subclass of `LSTM` keeps the cell
            cls.cell_class = cell
            for name in arguments(cell):
                setattr(cls, name, property(operator.attrgetter(f"cell.{name}")))

    def __init__(self, given):
        kwargs = given["kwargs"]
        cell = self.cell_class(
            **{name: given[name] for name in arguments(self.cell_class)},
            name=re.sub(r"(?<=[a-z])(?=[A-Z])|(?=Cell)", "_", self.cell_class.__name__).lower(),
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell=cell,
            activity_regularizer=given["activity_regularizer"],
            **{name: check.flag(name, given[name]) for name in LOOP},
            **kwargs,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)
