"""`python -m benchmarks.speed.modes [--repeats N] [--threads N] [--json FILE]`.

The same steps of training in four ways, on every device that there is:

    eager     TensorFlow runs one operation after another, as Python names it
    graph     `tf.function` of one step: traced once, then run without Python
    XLA       that step compiled into one program
    train     the whole run compiled into one program (`suite.training`)

All start with the same weights and see the same batches. The deviation is the largest difference
between their last weights and those of eager execution on the CPU, relative to the largest weight:
rounding in float32, and what the steps made of it.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.speed.measure import environment, in_turns, spread
from benchmarks.speed.problems import MLP, Problem
from benchmarks.speed.record import keep, writable

STEPS = 300  # a run of the slowest, eager execution, then takes about a second
WAYS = ("eager", "graph", "XLA")


@dataclass
class Steps:
    """A loop in Python around one training step."""

    name: str
    problem: Problem
    device: str
    way: str
    steps: int

    def warm_up(self) -> float:
        """Builds model and data on the device; the seconds of the first step."""
        import tensorflow as tf

        with tf.device(self.device):
            self._model = started(self.problem)
            self._data = tuple(tf.constant(values) for values in self.problem.data())
            self._batches = tf.constant(batches(self.problem, self.steps))
            self._optimizer = self.problem.new_optimizer()
            self._optimizer.build(self._model.trainable_variables)
            self._step = self._program()
            self._variables = [*self._model.variables, *self._optimizer.variables]
            self._fresh = [v.numpy() for v in self._variables]
            begin = time.perf_counter()
            float(self._step(self._batches[0]))
            return time.perf_counter() - begin

    def run(self) -> float:
        """Seconds a step, all of them from the first weights on."""
        import tensorflow as tf

        with tf.device(self.device):
            for variable, value in zip(self._variables, self._fresh, strict=True):
                variable.assign(value)
            begin = time.perf_counter()
            for rows in self._batches:
                loss = self._step(rows)
            float(loss)  # on the host before the clock stops
            seconds = time.perf_counter() - begin
        self.final = self._model.get_weights()
        return seconds / self.steps

    def _program(self):
        import tensorflow as tf

        loss_of, weights = self.problem.loss(), self._model.trainable_variables
        x, y = self._data

        def step(rows):
            with tf.GradientTape() as tape:
                outputs = self._model(tf.gather(x, rows), training=True)
                loss = loss_of(tf.gather(y, rows), outputs)
            values = [w.value for w in weights]
            self._optimizer.apply(tape.gradient(loss, values), weights)
            return loss

        return step if self.way == "eager" else tf.function(step, jit_compile=self.way == "XLA")


@dataclass
class Whole:
    """`suite.training`, on a device."""

    name: str
    problem: Problem
    device: str
    steps: int

    def warm_up(self) -> float:
        """Compiles; the seconds that took."""
        import tensorflow as tf

        from suite.training import Training

        p = self.problem
        with tf.device(self.device):
            self._training = Training(
                p.model(), p.new_optimizer(), p.loss(), *p.data(), steps=self.steps,
                batch_size=p.batch_size, record_every=self.steps, probes=(),
            )  # fmt: skip
            return self._training().compile_seconds

    def run(self) -> float:
        """Seconds a step."""
        import tensorflow as tf

        with tf.device(self.device):
            history = self._training()
        self.final = history.final[0]
        return history.run_seconds / self.steps


def started(problem: Problem):
    """A model with the weights that `suite.training` gives seed 0."""
    from suite.training import train

    history = train(
        problem.model(), problem.new_optimizer(), problem.loss(), *problem.data(), steps=1,
        batch_size=problem.batch_size, probes=(), compiled=False,
    )  # fmt: skip
    return history.build(0)


def batches(problem: Problem, steps: int) -> np.ndarray:
    """The rows that `suite.training` draws for seed 0, (steps, batch)."""
    from suite.training import batch_indices, streams

    return batch_indices(streams(0)["batches"], problem.samples, problem.batch_size, steps)


def devices() -> dict[str, str]:
    """TensorFlow's name of each device by ours."""
    import tensorflow as tf

    found = {"CPU": "/CPU:0"}
    if tf.config.list_physical_devices("GPU"):
        found["GPU"] = "/GPU:0"
    return found


def deviation(weights: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """Largest difference of two lists of arrays, relative to the largest value."""
    largest = max(float(np.abs(r).max()) for r in reference)
    differences = [np.abs(w - r).max() for w, r in zip(weights, reference, strict=True)]
    return float(max(differences)) / largest


def measure(problem: Problem, steps: int, repeats: int) -> list[dict]:
    """One row a device and way."""
    contenders: list[Steps | Whole] = []
    for label, device in devices().items():
        contenders += [Steps(f"{label} {way}", problem, device, way, steps) for way in WAYS]
        contenders.append(Whole(f"{label} train", problem, device, steps))
    timings = in_turns(contenders, repeats)
    reference = contenders[0].final
    unit = timings[len(WAYS)].seconds  # `train` on the CPU
    return [
        {
            "device": timing.name.split()[0],
            "way": timing.name.split()[1],
            "compile_seconds": timing.compile_seconds,
            "microseconds": [1e6 * value for value in spread(timing.seconds)],
            "ratio": list(spread(timing.seconds / unit)),
            "deviation": deviation(contender.final, reference),
        }
        for timing, contender in zip(timings, contenders, strict=True)
    ]


def line(row: dict) -> str:
    """A row as text."""
    time_, ratio = (
        "{:.{d}f} ({:.{d}f}-{:.{d}f})".format(*row[key], d=digits)
        for key, digits in (("microseconds", 0), ("ratio", 1))
    )
    return (
        f"{row['device']:5}{row['way']:8}{row['compile_seconds']:>14.2f}{time_:>26}"
        f"{ratio:>26}{row['deviation']:>12.1e}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    from benchmarks.speed.__main__ import limit_threads

    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.modes")
    parser.add_argument("--repeats", type=int, default=9, help="rounds")
    parser.add_argument("--threads", type=int, default=1, help="cores for all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows there, too")
    options = parser.parse_args(arguments)
    file = writable(options.json)
    facts = environment(limit_threads(options.threads))
    facts |= {"repeats": options.repeats, "problem": MLP.name, "steps": STEPS}
    rows = measure(MLP, STEPS, options.repeats)
    print(
        f"{'':13}{'first call, s':>14}{'us / step':>26}{'times train on CPU':>26}{'deviation':>12}"
    )
    print("\n".join(line(row) for row in rows))
    print("median of rounds side by side (10 % to 90 % quantile); first calls are not in the steps")
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    if file:
        keep(file, "modes", facts, rows)


if __name__ == "__main__":
    main()
