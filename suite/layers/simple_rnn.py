"""The simple recurrent network: a network with a state, the same weights at every time step.

Lecture section "Sequences", claims C65 and C66. Unrolled over time it is a deep network whose
layers share their weights, so the gradient of a weight is the sum over the time steps.
"""

import keras

from suite.layers._recurrent import Recurrent, RecurrentCell, project


@keras.saving.register_keras_serializable(package="dl_basics")
class SimpleRNNCell(RecurrentCell):
    """One step of the simple recurrent network.

        h_t = activation(x_t @ kernel + h_{t-1} @ recurrent_kernel + bias)

    which is the lecture's `W cat(x, h) + b` with `W` cut in two. The new state is the output.

    With an activation of slope one, `dh_t/dh_0` is the `t`-th power of one matrix: gradients grow
    or vanish as the t-th power of its spectral radius. A `recurrent_kernel` that starts orthogonal,
    the default, starts on the border.

    Args:
        units: size of state and output.
        activation: a function, its name, or `None` for the identity.
        use_bias: whether there is a `bias`.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights start.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after each step of
            an optimizer.
        dropout, recurrent_dropout: share of the input and of the state that is dropped in
            training, from 0 to 1. Within a sequence it is the same at all time steps.
        seed: an integer for the dropout, or `None` for one drawn at random.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, features)` and states `[(batch, units)]`; output `(batch, units)`, and the
        new states in a list. `kernel` is `(features, units)`, `recurrent_kernel`
        `(units, units)`, `bias` `(units,)`.

    Raises:
        ValueError: `units` is not a positive integer, a share lies outside [0, 1], a name is
            unknown; or, when built, the last axis has no fixed size.

    Example:
        >>> import numpy as np
        >>> cell = SimpleRNNCell(1, None, kernel_initializer="ones", recurrent_initializer="ones")
        >>> output, states = cell(np.array([[2.0, 3.0]]), [np.array([[10.0]])])
        >>> keras.ops.convert_to_numpy(output).tolist()
        [[15.0]]

    Reference:
        Elman 1990, "Finding structure in time"; arguments and weights as in
        `keras.layers.SimpleRNNCell`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
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
        seed=None,
        **kwargs,
    ):
        super().__init__(gates=1, given=locals())

    def build(self, input_shape):
        self._build(input_shape, bias_shape=(self.units,))

    def call(self, inputs, states, training=False):
        h = states[0] if isinstance(states, (list, tuple)) else states
        masks, recurrent_masks = self._masks(inputs, h, training)

        z = project(inputs, self.kernel, masks) + project(h, self.recurrent_kernel, recurrent_masks)
        if self.use_bias:
            z = z + self.bias
        h = self.activation(z)
        return h, [h] if isinstance(states, (list, tuple)) else h


@keras.saving.register_keras_serializable(package="dl_basics")
class SimpleRNN(Recurrent, cell=SimpleRNNCell):
    """A `SimpleRNNCell` that runs over a sequence, from a state of zeros.

        h_t = activation(x_t @ kernel + h_{t-1} @ recurrent_kernel + bias),   h_0 = 0

    Args:
        units: size of state and output.
        activation: a function, its name, or `None` for the identity.
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
        >>> layer = SimpleRNN(1, None, kernel_initializer="ones", recurrent_initializer="ones")
        >>> x = np.array([[[1.0], [2.0], [3.0]]])
        >>> keras.ops.convert_to_numpy(layer(x)).tolist()
        [[6.0]]

    Reference:
        Elman 1990, "Finding structure in time"; arguments and weights as in
        `keras.layers.SimpleRNN`.
    """

    def __init__(
        self,
        units,
        activation="tanh",
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
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(locals())
