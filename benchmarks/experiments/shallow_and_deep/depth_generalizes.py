"""Do stacked features generalize better than shallow ones? At equal size, it depends on the task.

Lecture section "Shallow and deep networks", claim C23. Networks of 1, 2 and 4 hidden layers
get nearly the same number of parameters, the same training points and the same tuning budget.

Expected before the run: depth wins where the target is a composition. A tent map applied k times
is a network of k layers with two units each, and has 2^k linear pieces, of which a shallow network
needs one unit each (Telgarsky 2016). That count is not tested here: the shallow network has units
to spare, so what it lacks in accuracy it lacks in training. On 300 handwritten digits there is no
such structure to find, and depth mostly makes the optimization harder. The sweep may be undecided,
and then says so.
"""

import numpy as np

from benchmarks.experiment import Experiment, Hypothesis, Lines, Measurements, Metric, Mutant
from benchmarks.verdicts import Difference

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
        },
        diverged=np.all([run.diverged for run in runs], axis=0),
        compile_seconds=sum(run.compile_seconds for run in runs),
        run_seconds=sum(run.run_seconds for run in runs),
    )


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
    },
    figure=(
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
        "{composition:+.3f} [{composition.low:+.3f}, {composition.high:+.3f}] on a composed target."
    ),
    stated=r"\text{stacked features generalize better than shallow ones}",
    corrected=r"\text{whether they do depends on the target}",
    figures=("F11",),
    components=("suite.models.MultilayerPerceptron",),
    limits=(
        "Fully connected networks, two tasks, one size each, one optimizer with five learning "
        "rates, 1000 steps. That a shallow network needs one unit for each linear piece is a count "
        "and is not tested: this one has fifteen for each. On the tent map it gets more than a "
        "third of its own training points wrong, where chance is half, so what fails there is the "
        "optimization, not what the shape can represent or how it generalizes."
    ),
    measure=measure,
)
