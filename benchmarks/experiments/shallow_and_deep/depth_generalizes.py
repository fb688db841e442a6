"""Do stacked features generalize better than shallow ones? At equal size, it depends on the task.

Lecture section "Shallow and deep networks", claim C23. Networks of 1, 2 and 4 hidden layers
get nearly the same number of parameters, the same training points and the same tuning budget.

Two statements need no training. A tent map folded k times is a network of k layers with two units
each and has 2^k linear pieces; one hidden layer of m units has at most m + 1 pieces, so that it
needs exponentially many (Telgarsky 2016). Both are counted on networks whose weights are written
down. What training then finds is another question: expected before the run was that depth wins
where the target is such a composition, and not on 300 handwritten digits, where depth mostly makes
the optimization harder. The sweep may be undecided, and then says so.
"""

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.experiments.shallow_and_deep import _folding
from benchmarks.verdicts import AtMost, Difference

TRAINING_POINTS = 300
FOLDS = 3  # 8 linear pieces: enough for composition to matter, few enough for 300 points
# Of Adam, half a decade apart, from its default of 1e-3 upward. A first grid, half a decade lower,
# had its best rate for shallow tent maps mostly at an edge; `at_edge` counts that.
LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
# Trainable numbers of a network: one layer of 48 units on 64 pixels, and one of 124 units on the
# tent map, fifteen for each of its linear pieces.
PARAMETERS = {"digits": 3600, "tent map": 500}


def parameters(inputs, width, depth, outputs):
    """Weights and biases of `depth` hidden layers of equal width."""
    hidden = inputs * width + width + (depth - 1) * (width**2 + width)
    return hidden + width * outputs + outputs


def width_for(inputs, depth, outputs, wanted):
    """The width whose number of parameters comes closest."""
    return min(
        range(1, wanted),
        key=lambda width: abs(parameters(inputs, width, depth, outputs) - wanted),
    )


def data_for(task, seeds):
    """A new training set for each seed: name -> (x, y), with a leading axis of seeds."""
    from suite.datasets import load_arrays, tent_map
    from suite.training.streams import integer, streams

    parts: dict[str, list] = {"train": [], "validation": [], "test": []}
    for seed in seeds:
        stream = streams(int(seed))["data"]
        if task == "digits":
            split = load_arrays("digits", seed=integer(stream), validation=0.2, test=0.4)
            parts["train"].append(
                (split.x_train[:TRAINING_POINTS], split.y_train[:TRAINING_POINTS])
            )
            parts["validation"].append((split.x_validation, split.y_validation))
            parts["test"].append((split.x_test, split.y_test))
        else:
            for name, part, n in zip(
                parts, stream.spawn(3), (TRAINING_POINTS, TRAINING_POINTS, 1000), strict=True
            ):
                points = tent_map(n, FOLDS, integer(part))
                parts[name].append((points.x.astype("float32"), points.label))
    return {
        name: tuple(np.stack(arrays) for arrays in zip(*pairs, strict=True))
        for name, pairs in parts.items()
    }


def measure(cell, seeds):
    """Train with every learning rate; each seed keeps the best one on its validation set."""
    import keras

    from suite.models import MultilayerPerceptron
    from suite.optimizers import Adam
    from suite.training import Training

    data = data_for(cell.task, seeds)
    x, y = data["train"]
    outputs = 10 if cell.task == "digits" else 2
    width = width_for(x.shape[-1], cell.depth, outputs, PARAMETERS[cell.task])
    training = Training(
        lambda seed: MultilayerPerceptron((width,) * cell.depth, outputs),
        Adam(LEARNING_RATES[0]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        x,
        y,
        steps=cell.steps,
        batch_size=50,
        seeds=[int(seed) for seed in seeds],
        validation=data["validation"],
        test=data["test"],
        record_every=cell.steps,
        probes=(),
        data_axis_per_seed=True,
        compiled=cell.compiled,
    )
    # The rate is no part of the program, so a depth is compiled once.
    runs = [training(learning_rate=rate) for rate in LEARNING_RATES]

    def scores(name):
        return np.array([run.scores[name] for run in runs])  # (learning rates, seeds)

    folded, folded_at = folds_of(cell)
    shallow = np.array([_folding.shallow(int(seed)) for seed in seeds])
    judged = len(_folding.JUDGED)
    bound = _folding.lower_bound(_folding.UNITS)
    best = np.argmax(np.nan_to_num(scores("validation_score"), nan=-1), axis=0)
    kept = best, np.arange(len(seeds))
    train_score, test_score = scores("train_score")[kept], scores("test_score")[kept]
    return Measurements(
        metrics={
            "test_score": test_score,
            "train_score": train_score,
            "gap": train_score - test_score,
            "minus_test_score": -test_score,
            "at_edge": np.isin(best, (0, len(LEARNING_RATES) - 1)).astype(float),
            "parameters": np.full(
                len(seeds), parameters(x.shape[-1], width, cell.depth, outputs), float
            ),
        }
        | {name: np.full(len(seeds), value) for name, value in _folding.exact().items()}
        | {
            "bound_over_shallow": (bound / shallow)[:, :judged].max(axis=1),
            "constant_over_shallow": (1 / shallow)[:, :judged].max(axis=1),
        },
        curves={
            "folded": np.tile(folded, (len(seeds), 1)),
            "shallow_error": np.maximum(shallow, np.finfo(float).eps),
        },
        axes={"folded": folded_at, "shallow_error": np.array(_folding.UNITS)},
        # Where the bound is zero a log axis has no place for it.
        theory={"shallow_error": np.where(bound > 0, bound, np.nan)},
        diverged=np.all([run.diverged for run in runs], axis=0),
        compile_seconds=sum(run.compile_seconds for run in runs),
        run_seconds=sum(run.run_seconds for run in runs),
    )


def folds_of(cell):
    """The output of as many folds as there are hidden layers, and where: at dyadic points."""
    x = np.linspace(0, 1, 2 ** (cell.depth + 2) + 1)
    return _folding.deep(cell.depth)(x), x


def deeper_minus_shallow(task):
    """Four hidden layers against one: twice as deep as the tent map needs, at a usable width."""
    return Difference("test_score", "depth", 4, 1, low=0.0, where={"task": task})


EXPERIMENT = Experiment(
    claim="C23",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C23.digits",
            "With 300 training digits and equal size, four hidden layers generalize better than "
            "one.",
            rule=deeper_minus_shallow("digits"),
            kind="as stated",
        ),
        Hypothesis(
            "C23.composition",
            "Trained on a target that is a composition, four hidden layers generalize better than "
            "one of the same size.",
            rule=deeper_minus_shallow("tent map"),
            mutants=(Mutant("the shallow one does", {"metric": "minus_test_score"}),),
        ),
        Hypothesis(
            "C23.pieces",
            "Stacked two by two, 2k units have 2ᵏ linear pieces: each layer folds the interval "
            "once more.",
            # Weights and points are dyadic: sums, and with them slopes, are exact.
            AtMost("miscount", 0),
            formula=r"t(h) = 2\, \mathrm{relu}(h) - 4\, \mathrm{relu}(h - \tfrac12), \quad "
            r"\text{pieces}(t^k) = 2^k",
            mutants=(Mutant("the same units in one layer", {"metric": "miscount_beside"}),),
        ),
        Hypothesis(
            "C23.represents",
            "That network is the tent map folded k times, without error.",
            AtMost("deep_error", 0),
            formula=r"f = t \circ t \circ \cdots \circ t",
            mutants=(Mutant("63 units in one layer, k = 6", {"metric": "narrower_error"}),),
        ),
        Hypothesis(
            "C23.needs",
            "One hidden layer of m units has at most m\u00a0+\u00a01 pieces. Wherever they end, "
            "its error stays above a share of a constant's that falls to zero only at half as many "
            "units as pieces.",
            # Rounding alone may carry an error below the bound.
            AtMost("bound_over_shallow", 1 + 1e-9),
            formula=r"\mathrm{error} \ge \sqrt{1 - m / 2^{k-1}} \;\, "
            r"\mathrm{error}_{\text{constant}}",
            mutants=(
                Mutant(
                    "no better than the constant, at any m", {"metric": "constant_over_shallow"}
                ),
            ),
        ),
        Hypothesis(
            "C23.enough",
            "With one unit for each piece a single hidden layer represents it, too.",
            AtMost("wide_error", 0),
            formula=r"m = 2^k",
            mutants=(Mutant("one unit fewer", {"metric": "narrower_error"}),),
        ),
    ),
    factors={"task": ("digits", "tent map"), "depth": (1, 2, 4)},
    # Four times two points of test accuracy, the spread between training sets of 300, over
    # sqrt(14): differences above two points are seen.
    seeds=14,
    paired=("data", "batches"),
    budget={"steps": 1000, "compiled": True},
    smoke={"steps": 4, "compiled": False},  # a few steps are done before the compiler is
    metrics={
        "test_score": Metric("test accuracy", "1", better="higher"),
        "train_score": Metric("training accuracy", "1", better="higher"),
        "gap": Metric("training minus test accuracy", "1", better="lower"),
        "minus_test_score": Metric("test accuracy, negative", "1"),
        "at_edge": Metric("best learning rate at an edge of the grid", "1"),
        "parameters": Metric("trainable numbers", "1"),
        "miscount": Metric("pieces of k layers of two units over 2ᵏ, deviation from 1", "1"),
        "miscount_beside": Metric("the same, 2k units in one layer", "1"),
        "deep_error": Metric("largest deviation of these layers from the folded map", "1"),
        "wide_error": Metric("error of 64 units in one layer on 64 pieces", "1"),
        "narrower_error": Metric("error of 63 units in one layer on 64 pieces", "1"),
        "bound_over_shallow": Metric("lower bound over the error of one layer", "1"),
        "bound_over_stacked": Metric("the same over that of as many units, stacked", "1"),
        "constant_over_shallow": Metric("error of a constant over that of one layer", "1"),
    },
    figure=(
        Curves(
            y="folded",
            by="depth",
            where={"task": "tent map"},
            x_label="input",
            y_label="output",
            title="Two units a layer fold the interval: the number of pieces doubles each time",
        ),
        Curves(
            y="shallow_error",
            theory_label="lower bound",
            where={"task": "tent map", "depth": 1},
            log="xy",
            x_label="units in one hidden layer",
            y_label="best error, relative to a constant",
            title="64 pieces take 64 units in one layer; stacked, 12 do",
        ),
        Lines(
            x="depth",
            y="test_score",
            by="task",
            x_label="hidden layers (log)",
            y_label="test accuracy",
            title="At equal size, whether depth helps depends on the task",
            log="x",
        ),
        Lines(
            x="depth",
            y="gap",
            by="task",
            x_label="hidden layers (log)",
            y_label="training minus test accuracy",
            title="The gap between training and test accuracy",
            log="x",
        ),
    ),
    finding=(
        "Four hidden layers against one of the same size change test accuracy by "
        "{digits:+.3f} [{digits.low:+.3f}, {digits.high:+.3f}] on 300 digits, and by "
        "{composition:+.3f} [{composition.low:+.3f}, {composition.high:+.3f}] on a composed "
        "target. There 2k stacked units represent what takes 2ᵏ of them side by side."
    ),
    stated=r"\text{stacked features generalize better than shallow ones}",
    corrected=r"\text{whether they do depends on the target: } t^k \text{ takes } 2k "
    r"\text{ stacked units, } 2^k \text{ side by side}",
    figures=("F11",),
    components=("suite.models.MultilayerPerceptron", "suite.datasets.tent"),
    limits=(
        "Fully connected networks, two tasks, one size each, one optimizer with five learning "
        "rates, 1000 steps. On the tent map the shallow network has fifteen units for each piece: "
        "what it lacks in accuracy, on training points above all, it lacks in optimization and "
        "not in what it can represent. That stacked units represent more of such a target does "
        "not say that training finds it."
    ),
    measure=measure,
)
