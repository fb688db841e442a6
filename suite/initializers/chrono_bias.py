"""Chrono initialization: gate biases that let a recurrent cell remember for a given time.

Lecture section "LSTM and its variants", claim C67: an LSTM is stabler than a plain recurrent layer
only if its forget gate is open at the start. A constant gate `f` keeps the share `f^t` after `t`
steps, that is for about `1 / (1 - f)` steps; biases are drawn so that these times fill the span.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite.initializers._seeded import SeededInitializer

# By which sign the draw enters the bias of each gate, in Keras's order.
# LSTM: input, forget, candidate, output. GRU: update (which keeps the state), reset, candidate.
GATES = {"lstm": (-1, 1, 0, 0), "gru": (1, 0, 0)}


@keras.saving.register_keras_serializable(package="dl_basics")
class ChronoBias(SeededInitializer):
    """Biases for the gates of an LSTM (or GRU) by the time span of the dependencies.

        b_forget = log(u),   u ~ uniform on [1, T - 1]        b_input = -b_forget

    and 0 for the other gates. With zero input and state the forget gate is then
    `sigmoid(b_forget) = u / (1 + u)`, so a unit forgets within about `1 + u` steps, from 2 to `T`.
    Use it as

        LSTM(units, bias_initializer=ChronoBias(T), unit_forget_bias=False)

    With `unit_forget_bias=True`, the default, Keras asks for the bias in pieces, and the gates get
    wrong ones.

    Args:
        time_span: `T`, the longest time to remember, in steps; above 2.
        seed: an integer gives the same values at every call, a `keras.random.SeedGenerator` new
            ones; `None` draws an integer seed. See `VarianceScaling`. A grid ignores it.
        mode: `"uniform"` draws `u`; `"grid"` takes the middles of equal parts of [1, T - 1], one a
            unit and in ascending order.
        cell: `"lstm"`, or `"gru"`, whose update gate (as Keras defines it) takes the forget gate's
            part; it has no input gate.

    Raises:
        ValueError: `time_span` is not above 2; `seed`, `mode` or `cell` is none of the above; or,
            when called, the last axis does not divide into the gates.

    Shapes:
        `(..., gates * units)`. A cell with several rows of biases adds them up, as the GRU with
        `reset_after=True` does for its update gate; the first row holds the values, the others 0.

    Example:
        >>> bias = ChronoBias(4, mode="grid")((4 * 2,))  # u = 1.5 and 2.5
        >>> [round(float(b), 3) for b in bias]
        [-0.405, -0.916, 0.405, 0.916, 0.0, 0.0, 0.0, 0.0]

    Reference:
        Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", arXiv:1804.11188,
        section 2 (for the LSTM; the grid and the GRU are ours).
    """

    def __init__(self, time_span, seed=None, mode="uniform", cell="lstm"):
        self.time_span = check.positive("time_span", time_span, "be above 2")
        if self.time_span <= 2:
            raise ValueError(f"time_span must be above 2, received {time_span!r}")
        self.mode = check.choice("mode", mode, ("uniform", "grid"))
        self.cell = check.choice("cell", cell, tuple(GATES))
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        signs = GATES[self.cell]
        *rows, size = tuple(shape) or (0,)
        if size == 0 or size % len(signs):
            raise ValueError(
                f"shape must end in a multiple of {len(signs)}, the gates of the {self.cell}, "
                f"received {tuple(shape)}"
            )
        units = size // len(signs)
        if self.mode == "grid":
            share = (ops.arange(units, dtype="float32") + 0.5) / units
        else:
            share = keras.random.uniform((units,), dtype="float32", seed=self.seed)
        forget = ops.log1p((self.time_span - 2) * share)  # u = 1 + (T - 2) share
        bias = ops.concatenate([sign * forget for sign in signs])
        for count in reversed(rows):
            others = ops.zeros((count - 1, *bias.shape), dtype=bias.dtype)
            bias = ops.concatenate([bias[None], others])
        return ops.cast(bias, keras.backend.standardize_dtype(dtype))

    def get_config(self):
        config = {"time_span": self.time_span, "mode": self.mode, "cell": self.cell}
        return config | self._seed_config()


def refuse_other_cell(initializer, cell):
    """A `ChronoBias` fits the gates of one kind of cell; any other initializer fits all."""
    if isinstance(initializer, ChronoBias) and initializer.cell != cell:
        raise ValueError(
            f"bias_initializer must be a ChronoBias(cell={cell!r}), received one with "
            f"cell={initializer.cell!r}"
        )
