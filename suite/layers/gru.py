"""The gated recurrent unit: a state that is, entry by entry, kept or replaced.

Lecture section "Sequences", claim C68. It is named beside the LSTM but is a cell of its own: two
gates and no carry, and keeping and replacing add up to one.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.initializers.chrono_bias import refuse_other_cell
from suite.layers._recurrent import Recurrent, RecurrentCell, project


@keras.saving.register_keras_serializable(package="dl_basics")
class GRUCell(RecurrentCell):
    """One step of the gated recurrent unit.

        z = sigma(x W_z + h U_z + b_z)                  update gate: how much is kept
        r = sigma(x W_r + h U_r + b_r)                  reset gate: how much the candidate sees
        g = tanh (x W_h + r * (h U_h + b'_h) + b_h)     candidate, `reset_after=True`
        g = tanh (x W_h + (r * h) U_h + b_h)            candidate, `reset_after=False`
        h <- z * h + (1 - z) * g

    `sigma` is `recurrent_activation` and `tanh` is `activation`. The blocks of `kernel` and
    `recurrent_kernel` are in the order z, r, h. The paper resets before the product; resetting
    after it, Keras's default, allows one product for all three blocks, and has a second bias `b'`
    for `U`. (Some papers swap the roles of `z` and `1 - z`.)

    Args:
        units: size of state and output.
        activation: of the candidate: a function, its name, or `None` for the identity.
        recurrent_activation: of the gates.
        use_bias: whether there is a `bias`.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after each step of
            an optimizer.
        dropout, recurrent_dropout: share of the input and of the state that is dropped in
            training, from 0 to 1. Within a sequence it is the same at all time steps.
        reset_after: whether the reset gate acts after the product with `U_h` or before it.
        seed: an integer for the dropout, or `None` for one drawn at random.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, features)` and states `[(batch, units)]`; output `(batch, units)`, and the
        new states in a list. `kernel` is `(features, 3 units)`, `recurrent_kernel`
        `(units, 3 units)`, `bias` `(2, 3 units)`, or `(3 units,)` when resetting before.

    Raises:
        ValueError: `units` is not a positive integer, a share lies outside [0, 1], a name is
            unknown; or, when built, the last axis has no fixed size.

    Example:
        >>> import numpy as np
        >>> cell = GRUCell(1, None, None, kernel_initializer="ones", recurrent_initializer="zeros")
        >>> output, states = cell(np.array([[3.0]]), [np.array([[10.0]])])
        >>> keras.ops.convert_to_numpy(output).tolist()  # 3 * 10 + (1 - 3) * 3
        [[24.0]]

    Reference:
        Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder"; arguments
        and weights as in `keras.layers.GRUCell`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
        seed=None,
        **kwargs,
    ):
        super().__init__(gates=3, given=locals())
        self.reset_after = check.flag("reset_after", reset_after)
        refuse_other_cell(self.bias_initializer, "gru")

    def build(self, input_shape):
        columns = 3 * self.units
        self._build(input_shape, bias_shape=(2, columns) if self.reset_after else (columns,))

    def call(self, inputs, states, training=False):
        h = states[0] if isinstance(states, (list, tuple)) else states
        masks, recurrent_masks = self._masks(inputs, h, training)

        x = project(inputs, self.kernel, masks)
        if self.use_bias:
            x = x + (self.bias[0] if self.reset_after else self.bias)
        x_z, x_r, x_h = ops.split(x, 3, axis=-1)

        if self.reset_after:
            u = project(h, self.recurrent_kernel, recurrent_masks)
            if self.use_bias:
                u = u + self.bias[1]
            u_z, u_r, u_h = ops.split(u, 3, axis=-1)
        else:
            gates, candidate = slice(0, 2 * self.units), slice(2 * self.units, None)
            of_gates = recurrent_masks and recurrent_masks[:2]
            of_candidate = recurrent_masks and recurrent_masks[2:]
            u = project(h, self.recurrent_kernel[:, gates], of_gates)
            u_z, u_r = ops.split(u, 2, axis=-1)

        z = self.recurrent_activation(x_z + u_z)
        r = self.recurrent_activation(x_r + u_r)
        if self.reset_after:
            u_h = r * u_h
        else:
            u_h = project(r * h, self.recurrent_kernel[:, candidate], of_candidate)
        g = self.activation(x_h + u_h)
        h = z * h + (1 - z) * g
        return h, [h] if isinstance(states, (list, tuple)) else h


@keras.saving.register_keras_serializable(package="dl_basics")
class GRU(Recurrent, cell=GRUCell):
    """A `GRUCell` that runs over a sequence, from a state of zeros.

        h_t = z_t * h_{t-1} + (1 - z_t) * g_t,   gates and candidate as in `GRUCell`

    Args:
        units: size of state and output.
        activation: of the candidate: a function, its name, or `None` for the identity.
        recurrent_activation: of the gates.
        use_bias: whether there is a `bias`.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after each step of
            an optimizer.
        dropout, recurrent_dropout: share of the input and of the state that is dropped in
            training; the same entries at all time steps of a sequence.
        seed: an integer for the dropout, or `None` for one drawn at random.
        return_sequences: whether the output has all time steps or only the last one.
        return_state: whether the last state is returned as well, after the output.
        go_backwards: whether it reads from the last time step to the first; its outputs then
            come in that order.
        stateful: whether a batch starts from the state where the batch before ended.
        unroll: whether the loop is written out, which compiles longer.
        reset_after: whether the reset gate acts after the product with `U_h` or before it.
        **kwargs: `zero_output_for_mask` (outputs of masked time steps are zero, instead of a
            repetition of the one before), `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, time, features)`, output `(batch, units)`; with `return_sequences`
        `(batch, time, units)`. A mask is `(batch, time)`: the state skips masked time steps.

    Raises:
        ValueError: `units` is not a positive integer, a share lies outside [0, 1], a flag is not
            a bool, a name is unknown; the input is not of rank 3.

    Example:
        >>> import numpy as np
        >>> layer = GRU(5)
        >>> tuple(layer(np.ones((2, 4, 3))).shape), layer.count_params()
        ((2, 5), 150)
        >>> before = GRU(5, reset_after=False)  # one bias instead of two
        >>> tuple(before(np.ones((2, 4, 3))).shape), before.count_params()
        ((2, 5), 135)

    Reference:
        Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder"; arguments
        and weights as in `keras.layers.GRU`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=True,
        **kwargs,
    ):
        super().__init__(locals())
