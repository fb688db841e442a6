"""The gated recurrent unit by its definition, and what reading from both ends does to any layer.

Lecture section "Sequences", claim C68. The slide names the GRU and the bidirectional LSTM without
a formula, among the LSTM's variants. The GRU is a related cell with one state:

    z = sigma(x W_z + h U_z + b_z)        g = tanh(x W_h + (r * h) U_h + b_h)          reset before
    r = sigma(x W_r + h U_r + b_r)        g = tanh(x W_h + r * (h U_h + b'_h) + b_h)   reset after
    h <- z * h + (1 - z) * g

Keeping and replacing add up to one, so that the state is a mean of numbers within +-1; the LSTM's
carry c <- f * c + i * g is a sum, and with open gates it counts. No weights make a GRU do that.

Bidirectional is a wrapper around any recurrent layer, y_t = [forward h_t; backward h_t], where the
backward layer reads from the end. Its output at one time depends on all that comes later.
"""

from functools import cache

import numpy as np
from scipy.special import expit

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.architectures._planes import deviation
from benchmarks.experiments.architectures._sequences import (
    ROWS,
    draw_weights,
    read,
    sequences,
    width,
)
from benchmarks.verdicts import AtMost, Identity

RNN, LSTM, AFTER, BEFORE = "simple RNN", "LSTM", "GRU, reset after", "GRU, reset before"
LAYERS = (RNN, LSTM, AFTER, BEFORE)
GATED = (AFTER, BEFORE)
GATES = {RNN: 1, LSTM: 4, AFTER: 3, BEFORE: 3}  # blocks of units columns in each kernel
UNITS, BATCH = 5, 2
TIME = slice(3, 10)  # the seven rows in the middle of an image, where there is ink
LENGTH, CHANGED = 7, 3  # the step at which the input changes, from 0
FEATURES = width(ROWS)
TERMS = LENGTH * (FEATURES + UNITS)  # errors of one step are passed on: one at most for each step
COUNTED = 20  # steps of the counter
OPEN = 40.0  # bias of a gate that is open: 1 - sigma(40) = 4e-18 rounds to nothing
LOUD = 30.0  # factor on weights that saturate every gate and every candidate


# --- by hand, in NumPy ------------------------------------------------------------------------


def simple_step(x, states, weights):
    """The simple cell."""
    (h,) = states
    kernel, recurrent_kernel, bias = weights
    return (np.tanh(x @ kernel + h @ recurrent_kernel + bias),)


def lstm_step(x, states, weights):
    """The LSTM's cell, gates in the order i, f, c, o; states h and c."""
    h, c = states
    kernel, recurrent_kernel, bias = weights
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
    c = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c), c


def gru_step(x, states, weights, reset_after, swapped=False, reset=True):
    """The GRU's cell, gates in the order z, r, h; `swapped`, and without reset: wrong forms."""
    (h,) = states
    w_z, w_r, w_h = np.split(weights[0], 3, axis=1)
    u_z, u_r, u_h = np.split(weights[1], 3, axis=1)
    biases = np.atleast_2d(weights[2])  # one row, or two: for the input and for the state
    b_z, b_r = np.split(biases.sum(axis=0), 3)[:2]
    b_h = np.split(biases[0], 3)[2]
    own_b_h = np.split(biases[1], 3)[2] if len(biases) > 1 else 0.0
    z = expit(x @ w_z + h @ u_z + b_z)
    r = expit(x @ w_r + h @ u_r + b_r) if reset else np.ones_like(h)
    seen = r * (h @ u_h + own_b_h) if reset_after else (r * h) @ u_h + own_b_h
    g = np.tanh(x @ w_h + seen + b_h)
    return ((1 - z) * h + z * g,) if swapped else (z * h + (1 - z) * g,)


def by_hand(name, x, weights, **wrong):
    """Outputs `(batch, time, units)` of one kind of layer."""
    steps = {RNN: simple_step, LSTM: lstm_step}
    states, outputs = (np.zeros((len(x), UNITS)),) * (2 if name == LSTM else 1), []
    for t in range(x.shape[1]):
        if name in steps:
            states = steps[name](x[:, t], states, weights)
        else:
            settings = {"reset_after": name == AFTER} | wrong
            states = gru_step(x[:, t], states, weights, **settings)
        outputs.append(states[0])
    return np.stack(outputs, axis=1)


# --- the layers under test --------------------------------------------------------------------


def new(name, units, **arguments):
    """One of the suite's layers in float64, for sequences."""
    from suite import layers

    made = {"return_sequences": True, "dtype": "float64"} | arguments
    if name in GATED:
        return layers.GRU(units, reset_after=name == AFTER, **made)
    return {RNN: layers.SimpleRNN, LSTM: layers.LSTM}[name](units, **made)


@cache  # building takes longer than all that is computed here
def built(name):
    """The layer, and the same in both directions."""
    from suite.layers import Bidirectional

    plain, both = new(name, UNITS), Bidirectional(new(name, UNITS), dtype="float64")
    for layer in (plain, both):
        layer.build((None, LENGTH, FEATURES))
    return plain, both


def flipped(y, swap=True):
    """An output of both directions in reverse order, its halves exchanged."""
    ahead, back = np.split(y, 2, axis=2)
    return np.concatenate([back, ahead] if swap else [ahead, back], axis=2)[:, ::-1]


@cache
def counted(name):
    """Largest state, and number of states, of a layer of one unit whose gates are all open.

    Its candidate is one at every step. In a GRU the open gate is the one that keeps.
    """
    layer = new(name, 1, return_sequences=False, return_state=True)
    layer.build((None, COUNTED, 1))
    weights = [np.zeros(weight.shape) for weight in layer.weights]
    weights[-1][...] = OPEN
    layer.set_weights(weights)
    _, *states = layer(np.zeros((1, COUNTED, 1)))
    return max(float(np.asarray(state).max()) for state in states), len(states)


def two_directions(name, x, changed, rng):
    """The wrapper against two layers by hand, reversed inputs, and a change of the future.

    Returns metrics, how far the outputs move `(time,)`, and the weights of the forward layer.
    """
    _, both = built(name)
    drawn = draw_weights(both, rng)
    half = len(drawn) // 2
    ahead, back = drawn[:half], drawn[half:]
    y, y_reversed, y_changed = np.split(read(both, np.concatenate([x, x[:, ::-1], changed])), 3)
    both.set_weights([*back, *ahead])  # the directions exchanged
    exchanged = read(both, x[:, ::-1])
    one, other = by_hand(name, x, ahead), by_hand(name, x[:, ::-1], back)
    change = np.abs(y_changed - y).max(axis=(0, 2))
    metrics = {
        "wrapper_error": deviation(y, np.concatenate([one, other[:, ::-1]], axis=2)),
        "wrapper_not_turned": deviation(y, np.concatenate([one, other], axis=2)),
        "reversal_error": deviation(exchanged, flipped(y)),
        "reversal_not_exchanged": deviation(y_reversed, flipped(y)),
        "reversal_halves_stay": deviation(exchanged, flipped(y, swap=False)),
        "past_change_both": change[:CHANGED].max(),
        "past_unmoved": float((change[:CHANGED] == 0).sum()),
    }
    return metrics, change, ahead


def one_direction(name, x, changed, weights):
    """The layer against its definition and wrong forms of it, and a change of the future."""
    plain, _ = built(name)
    plain.set_weights(weights)
    found, found_changed = np.split(read(plain, np.concatenate([x, changed])), 2)
    hand = deviation(found, by_hand(name, x, weights))
    wrong = {
        "other_reset": {"reset_after": name != AFTER},
        "keep_swapped": {"swapped": True},
        "no_reset": {"reset": False},
    }
    metrics = {"hand_error": hand, **dict.fromkeys(wrong, hand)}
    if name in GATED:
        for form, settings in wrong.items():
            metrics[form] = deviation(found, by_hand(name, x, weights, **settings))
    change = np.abs(found_changed - found).max(axis=(0, 2))
    plain.set_weights([LOUD * weight for weight in weights])
    loud = np.abs(read(plain, x)).max()
    return metrics | {
        "largest_state": max(loud, counted(name)[0]),
        "past_change": change[:CHANGED].max(),
        "past_unmoved_one": float((change[:CHANGED] == 0).sum()),
    }, change


def sizes(name):
    """Weights and states of a layer, which no seed changes."""
    plain, _ = built(name)
    block = UNITS * (FEATURES + UNITS + 1)
    own = GATES[name] * block + (3 * UNITS if name == AFTER else 0)
    largest, states = counted(name)
    return {
        "weights": plain.count_params(),
        "weights_gap": abs(plain.count_params() - own),
        "weights_gap_lstm": abs(plain.count_params() - GATES[LSTM] * block),
        "states": states,
        "count_error": abs(largest - COUNTED) / COUNTED,
    }


def measure(cell, seeds):
    """One value a seed; the curves run over the time steps."""
    found = {name: np.empty(len(seeds)) for name in EXPERIMENT.metrics}
    moved = {name: np.empty((len(seeds), LENGTH)) for name in ("one", "both")}
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(int(seed))
        x = sequences(ROWS, BATCH, rng)[:, TIME]
        changed = x.copy()
        changed[:, CHANGED] += 1.0
        of_both, moved["both"][i], weights = two_directions(cell.layer, x, changed, rng)
        of_one, moved["one"][i] = one_direction(cell.layer, x, changed, weights)
        for name, value in (sizes(cell.layer) | of_both | of_one).items():
            found[name][i] = value
    times = np.arange(1.0, LENGTH + 1)
    return Measurements(metrics=found, curves=moved, axes=dict.fromkeys(moved, times))


GRUS = {"layer": GATED}

EXPERIMENT = Experiment(
    claim="C68",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C68.gru",
            "The GRU's layer computes its definition, with the reset before or after the product.",
            Identity("hand_error", terms=TERMS, where=GRUS),
            formula=r"h \leftarrow z \odot h + (1 - z) \odot \tilde h",
            mutants=(
                Mutant("the reset at the other place", {"metric": "other_reset"}),
                Mutant("z and 1 − z exchanged", {"metric": "keep_swapped"}),
                Mutant("without reset gate", {"metric": "no_reset"}),
            ),
        ),
        Hypothesis(
            "C68.weights",
            "A GRU has three blocks of weights where the LSTM has four, and a second bias if the "
            "reset comes after.",
            AtMost("weights_gap", 0),
            formula=r"3 n (m + n + 1) \;[+\, 3 n] \quad \text{against} \quad 4 n (m + n + 1)",
            mutants=(Mutant("as many as an LSTM", {"metric": "weights_gap_lstm", "where": GRUS}),),
        ),
        Hypothesis(
            "C68.one_state",
            "It has one state, where the LSTM has a carry beside it.",
            AtMost("states", 1, where=GRUS),
            mutants=(Mutant("the LSTM too", {"where": {"layer": LSTM}}),),
        ),
        Hypothesis(
            "C68.bounded",
            "Its state is a mean and stays within ±1, under loud weights and with all gates open.",
            AtMost("largest_state", 1, where=GRUS),
            formula=r"|h_t| \le \max(|h_{t-1}|, |\tilde h_t|) \le 1",
            mutants=(Mutant("the LSTM's carry too", {"where": {"layer": LSTM}}),),
        ),
        Hypothesis(
            "C68.counts",
            "The LSTM's carry is a sum: with open gates it counts the steps, which no GRU can.",
            Identity("count_error", terms=COUNTED, where={"layer": LSTM}),
            formula=r"c_t = c_{t-1} + 1",
            mutants=(Mutant("the GRU too", {"where": GRUS}),),
        ),
        Hypothesis(
            "C68.wrapper",
            "Bidirectional is a wrapper: two layers of any of these kinds, one of which reads from "
            "the end and has its outputs turned back.",
            Identity("wrapper_error", terms=TERMS),
            formula=r"y_t = [\overrightarrow{h}_t;\, \overleftarrow{h}_t]",
            mutants=(Mutant("not turned back", {"metric": "wrapper_not_turned"}),),
        ),
        Hypothesis(
            "C68.reversal",
            "With the directions exchanged, the reversed input gives the reversed output.",
            Identity("reversal_error", terms=TERMS),
            mutants=(
                Mutant("without exchanging the directions", {"metric": "reversal_not_exchanged"}),
                Mutant("the halves stay", {"metric": "reversal_halves_stay"}),
            ),
        ),
        Hypothesis(
            "C68.causal",
            "Read in one direction, a change in the future leaves every earlier output as it was.",
            AtMost("past_change", 0),
            mutants=(Mutant("in both directions too", {"metric": "past_change_both"}),),
        ),
        Hypothesis(
            "C68.not_causal",
            "Read in both directions, it changes them all.",
            AtMost("past_unmoved", 0),
            mutants=(Mutant("in one direction too", {"metric": "past_unmoved_one"}),),
        ),
    ),
    factors={"layer": LAYERS},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data",),
    metrics={
        "hand_error": Metric("layer against its definition", "1", "lower"),
        "other_reset": Metric("the same of a GRU, reset at the other place", "1"),
        "keep_swapped": Metric("the same of a GRU, z and 1 − z exchanged", "1"),
        "no_reset": Metric("the same of a GRU without reset gate", "1"),
        "weights": Metric("weights of 5 units", "1"),
        "weights_gap": Metric("weights, off the formula", "1", "lower"),
        "weights_gap_lstm": Metric("weights, off the LSTM's", "1"),
        "states": Metric("states from step to step", "1"),
        "largest_state": Metric("largest output or state", "1"),
        "count_error": Metric("largest state, off the number of steps, relative", "1", "lower"),
        "wrapper_error": Metric("both directions against two layers by hand", "1", "lower"),
        "wrapper_not_turned": Metric("the same, not turned back", "1"),
        "reversal_error": Metric("reversed input against reversed output", "1", "lower"),
        "reversal_not_exchanged": Metric("the same, directions not exchanged", "1"),
        "reversal_halves_stay": Metric("the same, halves not exchanged", "1"),
        "past_change": Metric("change of earlier outputs, one direction", "1", "lower"),
        "past_change_both": Metric("change of earlier outputs, both directions", "1"),
        "past_unmoved": Metric("earlier outputs that stay, both directions", "steps", "lower"),
        "past_unmoved_one": Metric("earlier outputs that stay, one direction", "steps"),
    },
    figure=(
        Points(
            x="layer",
            y="weights",
            x_label="layer",
            y_label="weights (5 units, 12 features)",
            title="One, four and three blocks of weights",
        ),
        Curves(
            y="both",
            by="layer",
            x_label="time step; the input of step 4 is changed",
            y_label="change of the output",
            title="Both directions: the past moves as well",
        ),
        Curves(
            y="one",
            by="layer",
            x_label="time step; the input of step 4 is changed",
            y_label="change of the output",
            title="One direction: nothing moves before the change",
        ),
    ),
    measure=measure,
    finding="The GRU is a cell of its own: one state that is a mean, where the LSTM's carry is a "
    "sum. Reading in both directions is a wrapper for any recurrent layer, which then knows the "
    "future.",
    stated=r"\text{GRU, bidirectional LSTM: variants of the LSTM}",
    corrected=r"h \leftarrow z \odot h + (1 - z) \odot \tilde h, \qquad "
    r"y_t = [\overrightarrow{h}_t;\, \overleftarrow{h}_t]",
    components=("suite.layers.GRU", "suite.layers.Bidirectional", "suite.layers.LSTM"),
    limits="The slide gives names alone, and whether a cell counts as a variant is a matter of "
    "words; what is tested is what the two have in common and what not. Nothing is trained: which "
    "of them learns better is no part of this.",
)
