"""In order: by hand, the law of the draw, what it does to LSTM and GRU, edges."""

import keras
import numpy as np
import pytest
import scipy.stats
from backends import numpy

from suite.initializers import ChronoBias

T = 50


def gates(bias, count=4):
    return np.split(numpy(bias), count, axis=-1)


def test_the_grid_by_hand():
    bias = ChronoBias(4, mode="grid")((4 * 2,))  # [1, 3] in two parts has the middles 1.5 and 2.5
    expected = [-np.log(1.5), -np.log(2.5), np.log(1.5), np.log(2.5), 0, 0, 0, 0]
    np.testing.assert_allclose(numpy(bias), expected, rtol=1e-6)


@pytest.mark.parametrize("mode", ["uniform", "grid"])
def test_the_times_are_uniform_from_1_to_T_minus_1(mode):
    _, forget, _, _ = gates(ChronoBias(T, seed=1, mode=mode)((4 * 5000,)))
    u = np.exp(forget.astype("float64"))
    assert u.min() >= 1
    assert u.max() <= T - 1 + 1e-4  # exp and log in float32
    assert scipy.stats.kstest(u, "uniform", args=(1, T - 2)).pvalue > 0.01
    # A mutant: uniform biases instead of uniform times.
    mutant = np.exp(np.random.default_rng(0).uniform(0, np.log(T - 1), 5000))
    assert scipy.stats.kstest(mutant, "uniform", args=(1, T - 2)).pvalue < 1e-6


def test_the_input_gate_is_closed_as_far_as_the_forget_gate_is_open():
    input_gate, forget, candidate, output = gates(ChronoBias(T, seed=1)((4 * 7,)))
    np.testing.assert_array_equal(input_gate, -forget)
    assert not candidate.any()
    assert not output.any()
    # Then sigmoid(b_input) = 1 - sigmoid(b_forget): what is forgotten makes room for input.
    np.testing.assert_allclose(
        1 / (1 + np.exp(-input_gate)), 1 - 1 / (1 + np.exp(-forget)), rtol=1e-5
    )


def lstm_with_only_biases(bias_initializer, units=3, **arguments):
    """Kernels of zero: the gates keep the values that the biases give them."""
    layer = keras.layers.LSTM(
        units,
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        bias_initializer=bias_initializer,
        return_state=True,
        **arguments,
    )
    x = np.zeros((1, 20, 2), "float32")  # 20 steps
    _, _, carry = layer(x, initial_state=[np.zeros((1, units), "f"), np.ones((1, units), "f")])
    return layer, numpy(carry)[0]


def test_an_lstm_forgets_at_the_rate_of_its_forget_gate():
    layer, carry = lstm_with_only_biases(ChronoBias(T, seed=2), unit_forget_bias=False)
    u = np.exp(gates(layer.cell.bias)[1].astype("float64"))
    np.testing.assert_allclose(carry, (u / (1 + u)) ** 20, rtol=1e-4)
    _, short = lstm_with_only_biases("zeros", unit_forget_bias=False)
    np.testing.assert_allclose(short, 0.5**20, rtol=1e-4)


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_keeps_its_state_by_the_update_gate(reset_after):
    units = 3
    layer = keras.layers.GRU(
        units,
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        bias_initializer=ChronoBias(T, seed=2, cell="gru"),
        reset_after=reset_after,
    )
    h = layer(np.zeros((1, 20, 2), "float32"), initial_state=np.ones((1, units), "float32"))
    update, reset, candidate = gates(layer.cell.bias, 3)
    u = np.exp(np.atleast_2d(update)[0].astype("float64"))
    np.testing.assert_allclose(numpy(h)[0], (u / (1 + u)) ** 20, rtol=1e-4)
    assert not reset.any()
    assert not candidate.any()


def test_only_the_first_row_of_biases_is_set():
    one = numpy(ChronoBias(T, seed=2, cell="gru")((3 * 5,)))
    two = numpy(ChronoBias(T, seed=2, cell="gru")((2, 3 * 5)))
    np.testing.assert_array_equal(two, [one, np.zeros(15)])


def test_an_integer_seed_repeats_and_a_generator_does_not():
    fixed = ChronoBias(T, seed=1)
    np.testing.assert_array_equal(numpy(fixed((8,))), numpy(fixed((8,))))
    moving = ChronoBias(T, seed=keras.random.SeedGenerator(1))
    assert not np.array_equal(numpy(moving((8,))), numpy(moving((8,))))


@pytest.mark.parametrize("shape", [(), (0,), (6,), (2, 9)])
def test_refuses_a_shape_without_four_gates(shape):
    with pytest.raises(ValueError, match="multiple of 4, the gates of the lstm, received"):
        ChronoBias(T)(shape)


def test_refuses_a_shape_without_three_gates():
    with pytest.raises(ValueError, match=r"multiple of 3, the gates of the gru, received \(8,\)"):
        ChronoBias(T, cell="gru")((8,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time_span": 2}, "time_span must be above 2, received 2"),
        ({"time_span": np.nan}, "time_span must be above 2, received nan"),
        ({"time_span": 9, "mode": "log"}, "`mode` argument: .*, received 'log'"),
        ({"time_span": 9, "cell": "rnn"}, "`cell` argument: .*, received 'rnn'"),
        ({"time_span": 9, "seed": 1.5}, "seed must be an integer, received 1.5"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        ChronoBias(**arguments)
