"""Long short-term memory: a state that is added to, behind gates that open and close.

Lecture section "Sequences", claim C67. Where the simple network multiplies its state by a matrix
at every step, the LSTM scales it entry by entry with a forget gate. It remembers for long if that
gate is near one, which its bias decides; with a bias of zero it forgets as fast as any other.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.initializers.chrono_bias import ChronoBias, refuse_other_cell
from suite.layers._recurrent import Recurrent, RecurrentCell, project


@keras.saving.register_keras_serializable(package="dl_basics")
class LSTMCell(RecurrentCell):
    """One step of the LSTM, with a state `h` that is put out and a carry `c` that remembers.

        i = sigma(x W_i + h U_i + b_i)          input gate
        f = sigma(x W_f + h U_f + b_f)          forget gate
        g = tanh (x W_c + h U_c + b_c)          candidate
        o = sigma(x W_o + h U_o + b_o)          output gate
        c <- f * c + i * g
        h <- o * tanh(c)

    `sigma` is `recurrent_activation` and `tanh` is `activation`. The four `W` are the blocks of
    `kernel`, side by side in the order i, f, c, o; so are the `U` of `recurrent_kernel` and the
    `b` of `bias`.

    Along the carry alone, `dc_t/dc_0` is the product of the forget gates. With `f = sigma(b)` half
    of it is left after `-log(2) / log(sigma(b))` steps: 1 step for `b = 0`, 2.2 for the default
    `b = 1`, 103 for `b = 5`.

    Args:
        units: size of state, carry and output.
        activation: of candidate and output: a function, its name, or `None` for the identity.
        recurrent_activation: of the gates.
        use_bias: whether there is a `bias`.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        unit_forget_bias: whether the forget gate's bias starts at one instead.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after each step of
            an optimizer.
        dropout, recurrent_dropout: share of the input and of the state that is dropped in
            training, from 0 to 1. Within a sequence it is the same at all time steps.
        seed: an integer for the dropout, or `None` for one drawn at random.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, features)` and states `[h, c]`, both `(batch, units)`; output
        `(batch, units)`, and the new states. `kernel` is `(features, 4 units)`,
        `recurrent_kernel` `(units, 4 units)`, `bias` `(4 units,)`.

    Raises:
        ValueError: `units` is not a positive integer, a share lies outside [0, 1], a name is
            unknown; or, when built, the last axis has no fixed size.

    Example:
        >>> import numpy as np
        >>> cell = LSTMCell(1, None, None, kernel_initializer="ones", unit_forget_bias=False)
        >>> h, c = np.array([[0.0]]), np.array([[10.0]])
        >>> output, states = cell(np.array([[2.0]]), [h, c])  # all gates are 2: c = 2 * 10 + 2 * 2
        >>> [keras.ops.convert_to_numpy(v).tolist() for v in (output, *states)]
        [[[48.0]], [[48.0]], [[24.0]]]

    Reference:
        Hochreiter and Schmidhuber 1997, "Long short-term memory"; the forget gate is from Gers,
        Schmidhuber and Cummins 2000. No peepholes. Arguments and weights as in
        `keras.layers.LSTMCell`.
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
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(gates=4, given=locals())
        self.unit_forget_bias = check.flag("unit_forget_bias", unit_forget_bias)
        if self.unit_forget_bias and isinstance(self.bias_initializer, ChronoBias):
            raise ValueError("unit_forget_bias must be False under ChronoBias, received True")
        refuse_other_cell(self.bias_initializer, "lstm")
        self.state_size = [self.units, self.units]

    def build(self, input_shape):
        start = self._forget_bias_of_one if self.unit_forget_bias else self.bias_initializer
        self._build(input_shape, bias_shape=(4 * self.units,), bias_initializer=start)

    def _forget_bias_of_one(self, shape, dtype=None):
        n = self.units
        b_i = self.bias_initializer((n,), dtype=dtype)
        b_f = ops.ones((n,), dtype=dtype)
        b_co = self.bias_initializer((2 * n,), dtype=dtype)
        return ops.concatenate([b_i, b_f, b_co])

    def call(self, inputs, states, training=False):
        h, c = states
        masks, recurrent_masks = self._masks(inputs, h, training)

        z = project(inputs, self.kernel, masks) + project(h, self.recurrent_kernel, recurrent_masks)
        if self.use_bias:
            z = z + self.bias
        z_i, z_f, z_c, z_o = ops.split(z, 4, axis=-1)
        i = self.recurrent_activation(z_i)
        f = self.recurrent_activation(z_f)
        g = self.activation(z_c)
        o = self.recurrent_activation(z_o)

        c = f * c + i * g
        h = o * self.activation(c)
        return h, [h, c]


@keras.saving.register_keras_serializable(package="dl_basics")
class LSTM(Recurrent, cell=LSTMCell):
    """An `LSTMCell` that runs over a sequence, from a state and a carry of zeros.

        c_t = f_t * c_{t-1} + i_t * g_t,   h_t = o_t * tanh(c_t),   gates as in `LSTMCell`

    Args:
        units: size of state, carry and output.
        activation: of candidate and output: a function, its name, or `None` for the identity.
        recurrent_activation: of the gates.
        use_bias: whether there is a `bias`.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        unit_forget_bias: whether the forget gate's bias starts at one instead.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after each step of
            an optimizer.
        dropout, recurrent_dropout: share of the input and of the state that is dropped in
            training; the same entries at all time steps of a sequence.
        seed: an integer for the dropout, or `None` for one drawn at random.
        return_sequences: whether the output has all time steps or only the last one.
        return_state: whether state and carry are returned as well, after the output.
        go_backwards: whether it reads from the last time step to the first; its outputs then
            come in that order.
        stateful: whether a batch starts from the state where the batch before ended.
        unroll: whether the loop is written out, which compiles longer.
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
        >>> layer = LSTM(4, return_sequences=True, return_state=True)
        >>> y, h, c = layer(np.ones((6, 5, 3)))
        >>> tuple(y.shape), tuple(h.shape), tuple(c.shape)
        ((6, 5, 4), (6, 4), (6, 4))

    Reference:
        Hochreiter and Schmidhuber 1997, "Long short-term memory"; arguments and weights as in
        `keras.layers.LSTM`.
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
        unit_forget_bias=True,
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
        **kwargs,
    ):
        super().__init__(locals())
