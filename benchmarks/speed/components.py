"""`python -m benchmarks.speed.components [--only GLOB] [--yours MODULE:CLASS=NAME] [--json FILE]`.

Each class of the library against Keras's class of the same name: same arguments, same weights,
same data. First how far they are apart in float64, relative to the largest value. Then their time
in float32, both compiled by XLA, in turns: of the forward pass, and of a training step (forward,
gradients by input and weights, update). Each program repeats its step.

`--yours my_package:MyLSTM=LSTM` measures a layer of yours against Keras's `LSTM`.
"""

import argparse
import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.speed import deviation
from benchmarks.speed.measure import environment, in_turns, spread
from benchmarks.speed.record import keep, writable

# A run of one contender takes at least this long: 500 calls of the clock's resolution would do,
# but a shared machine hiccups for milliseconds.
SECONDS = 0.05
# What is promised: nothing above 1.1 times Keras's time, and a third of it for a convolution's
# training step, because under XLA on a CPU the gradient of the native convolution is slow.
LIMIT = {"Conv2D training step": 1 / 3}
DEFAULT_LIMIT = 1.1

BATCH = 64
SEQUENCE = (BATCH, 50, 16)
IMAGE = (BATCH, 16, 16, 8)
# Class, input shape, arguments; sizes of the lecture's networks.
LAYERS: dict[str, tuple[tuple[int, ...], dict]] = {
    "Dense": ((BATCH, 256), {"units": 192, "activation": "relu"}),
    "BatchNormalization": ((BATCH, 16, 16, 32), {}),
    "Conv2D": (IMAGE, {"filters": 16, "kernel_size": 3, "padding": "same"}),
    "MaxPooling2D": ((BATCH, 32, 32, 16), {"pool_size": 2}),
    "AveragePooling2D": ((BATCH, 32, 32, 16), {"pool_size": 2}),
    "GlobalMaxPooling2D": ((BATCH, 32, 32, 16), {}),
    "GlobalAveragePooling2D": ((BATCH, 32, 32, 16), {}),
    "SimpleRNN": (SEQUENCE, {"units": 32}),
    "LSTM": (SEQUENCE, {"units": 32}),
    "GRU": (SEQUENCE, {"units": 32}),
}
WEIGHTS = (512, 384)  # of one variable that an optimizer moves, and of what an initializer draws
LOGITS = (4096, 10)
LOOP = 10  # steps in one program


@dataclass
class Call:
    """A compiled function of nothing, called often enough to be timed; it holds `LOOP` steps."""

    name: str
    function: Callable

    def warm_up(self) -> float:
        """Compiles, and finds out how many calls fill a run."""
        begin = time.perf_counter()
        self._call()
        compile_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        for _ in range(3):
            self._call()
        self._calls = max(1, round(SECONDS * 3 / (time.perf_counter() - begin)))
        return compile_seconds

    def run(self) -> float:
        """Seconds of one step, the result of the last one fetched."""
        begin = time.perf_counter()
        for _ in range(self._calls):
            self._call()
        return (time.perf_counter() - begin) / (self._calls * LOOP)

    def _call(self) -> None:
        np.asarray(self.function())


@dataclass
class Pair:
    """A program of ours and one of Keras's.

    Args:
        kind: "layer", "activation", ...
        cls: name of the class.
        does: "forward", "training step", or what else the program does.
        programs: make ours and Keras's; called only if the pair is asked for.
        apart: relative deviation of their results in float64, and what rounding allows.
    """

    kind: str
    cls: str
    does: str
    programs: Callable[[], tuple[Callable, Callable]]
    apart: Callable[[], tuple[float, float]]

    @property
    def name(self) -> str:
        """As `--only` and the table have it."""
        return f"{self.cls} {self.does}"


def pairs(yours: Sequence[str] = ()) -> Iterator[Pair]:
    """Every class that both have, and layers from elsewhere."""
    import keras

    import suite

    def both(package, name):
        return [getattr(getattr(module, package), name) for module in (suite, keras)]

    for name, (shape, arguments) in LAYERS.items():
        makers = [partial(c, **arguments) for c in both("layers", name)]
        yield from _layers("layer", name, makers, shape)
    directions = [partial(_both_directions, module.layers) for module in (suite, keras)]
    yield from _layers("layer", "Bidirectional", directions, SEQUENCE)
    for text in yours:
        cls, name = your_layer(text)
        shape, arguments = LAYERS[name]
        makers = [partial(c, **arguments) for c in (cls, getattr(keras.layers, name))]
        yield from _layers("yours", cls.__name__, makers, shape)
    for name in suite.activations.__all__:
        if hasattr(keras.activations, name):
            makers = [partial(keras.layers.Activation, f) for f in both("activations", name)]
            # Softmax sums over a row, the others over nothing.
            yield from _layers("activation", name, makers, (BATCH, 4096), terms=4096)
    for kind, package, does, program, apart in (
        ("loss", "losses", "value and gradient", _loss_step, deviation.of_loss),
        ("optimizer", "optimizers", "update", _update, deviation.of_optimizer),
        ("initializer", "initializers", "draw", _draw, deviation.of_initializer),
    ):
        for name in getattr(suite, package).__all__:
            if hasattr(getattr(keras, package), name):
                classes = both(package, name)
                programs = partial(_each, program, classes)
                yield Pair(kind, name, does, programs, partial(apart, *classes))


def your_layer(text: str) -> tuple[type, str]:
    """From `package.module:Class=Name` the class, and the name of Keras's."""
    place, _, name = text.partition("=")
    module, _, cls = place.partition(":")
    if name not in LAYERS:
        raise SystemExit(f"--yours: expected MODULE:CLASS=NAME, {', '.join(LAYERS)}; got {text!r}")
    try:
        return getattr(importlib.import_module(module), cls), name
    except (ImportError, AttributeError, ValueError) as error:
        raise SystemExit(f"--yours: {text!r}: {error}") from None


def _both_directions(layers, **arguments):
    return layers.Bidirectional(layers.LSTM(32, **arguments), **arguments)


def _each(program, classes):
    return tuple(program(cls) for cls in classes)


def _layers(kind, name, makers, shape, terms=None):
    def programs(make):
        ours, theirs = layers = [maker() for maker in makers]
        for layer in layers:
            layer.build(shape)
        theirs.set_weights(ours.get_weights())
        x = np.random.default_rng(0).normal(0.3, 1.0, shape).astype("float32")
        return tuple(make(layer, x) for layer in layers)

    for does, make, training in (
        ("forward", _forward, False),
        ("training step", _training_step, True),
    ):
        apart = partial(deviation.of_layer, *makers, shape, training, terms)
        yield Pair(kind, name, does, partial(programs, make), apart)


def _forward(layer, x):
    import tensorflow as tf

    x = tf.Variable(x)

    def forward():
        # Moving the input a little each time keeps XLA from taking the layer out of the loop.
        x.assign_add(tf.zeros_like(x) + 1e-9)
        return tf.reduce_sum(layer(x))

    return _loop(forward)


def _training_step(layer, x):
    import tensorflow as tf

    x = tf.Variable(x)

    def step():
        variables = [x, *(w.value for w in layer.trainable_weights)]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(x, **deviation.mode(layer, True))))
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(1e-9 * gradient)
        return loss

    return _loop(step)


def _loop(step):
    """Steps in one compiled program, as `suite.training` runs them."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def run():
        total = 0.0
        for _ in tf.range(LOOP):
            total += step()
        return total

    return run


def _loss_step(cls):
    import tensorflow as tf

    loss = deviation.new_loss(cls)
    z, y = deviation.loss_data(cls, LOGITS, "float32")
    z = tf.Variable(z)

    def step():
        with tf.GradientTape() as tape:
            value = loss(y, z)
        z.assign_sub(1e-9 * tape.gradient(value, z))
        return value

    return _loop(step)


def _update(cls):
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(0)
    w = keras.Variable(rng.normal(size=WEIGHTS).astype("float32"))
    gradient = tf.constant(rng.normal(size=WEIGHTS).astype("float32"))
    optimizer = cls()
    optimizer.build([w])

    def step():
        optimizer.apply([gradient], [w])
        return w.value[0, 0]

    return _loop(step)


def _draw(cls):
    import keras
    import tensorflow as tf

    initializer = cls(seed=keras.random.SeedGenerator(1))  # new numbers at each step

    return _loop(lambda: tf.reduce_sum(initializer(WEIGHTS)))


def measure(only: list[str], repeats: int, yours: Sequence[str] = ()) -> list[dict]:
    """One row a pair: how far apart, and our time as a share of Keras's, side by side."""
    rows = []
    for pair in pairs(yours):
        names = (pair.cls, pair.name)
        if only and not any(fnmatch(name, pattern) for name in names for pattern in only):
            continue
        apart, rounding = pair.apart()
        calls = [Call(*it) for it in zip(("suite", "keras"), pair.programs(), strict=True)]
        mine, reference = in_turns(calls, repeats)
        limit = LIMIT.get(pair.name, DEFAULT_LIMIT)
        ratio = spread(mine.seconds / reference.seconds)
        rows.append(
            {
                "name": pair.name,
                "kind": pair.kind,
                "class": pair.cls,
                "does": pair.does,
                "deviation": apart,
                "rounding": rounding,
                "numpy": deviation.against_numpy(pair.cls) if apart > rounding else None,
                "microseconds": [1e6 * value for value in spread(mine.seconds)],
                "keras_microseconds": [1e6 * value for value in spread(reference.seconds)],
                "ratio": list(ratio),
                "limit": limit,
                "met": ratio[0] <= limit,
            }
        )
        print(line(rows[-1]), flush=True)
    return rows


def line(row: dict) -> str:
    """A row as text."""
    ratio = "{:.2f} ({:.2f} to {:.2f})".format(*row["ratio"])
    met = "met" if row["met"] else "MISSED"
    apart = f"{row['deviation']:.0e}{'' if row['deviation'] <= row['rounding'] else ' (!)'}"
    return (
        f"{row['name']:38}{apart:>10}{row['microseconds'][0]:>10.0f}"
        f"{row['keras_microseconds'][0]:>10.0f}{ratio:>24}   <= {row['limit']:.2f}: {met}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    from benchmarks.speed.__main__ import limit_threads

    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.components")
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("--yours", action="append", default=[], metavar="MODULE:CLASS=NAME")
    parser.add_argument("--repeats", type=int, default=9, help="rounds")
    parser.add_argument("--threads", type=int, default=1, help="cores for both")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows there, too")
    options = parser.parse_args(arguments)
    file = writable(options.json)
    threads = limit_threads(options.threads)
    print(f"{'':38}{'apart':>10}{'ours, us':>10}{'keras, us':>10}{'ours / keras':>24}")
    rows = measure(options.only, options.repeats, options.yours)
    facts = environment(threads) | {"repeats": options.repeats}
    print("median of rounds side by side (10 % to 90 % quantile); compiling is not counted")
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    if file:
        keep(file, "components", facts, rows)


if __name__ == "__main__":
    main()
