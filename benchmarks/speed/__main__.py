"""`python -m benchmarks.speed [--quick] [--threads N] [--json FILE]`."""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.speed.contenders import Fit, Jax, Ours, jax_installed
from benchmarks.speed.measure import environment, in_turns, peak_memory, spread
from benchmarks.speed.problems import LOGISTIC, MLP
from benchmarks.speed.record import keep, writable

# How many times longer a contender has to take than our row of the same group.
# 15 and 3 leave a margin below what was first measured on one core (23 and 4.6); 1 / 1.15 means
# "not more than 15 % slower than JAX"; logistic regression was over 1000 times faster than fit.
TARGETS = {
    "fit, 1000-step epochs": 15,
    "fit, steps_per_execution=100, jit": 3,
    "JAX jit(vmap(scan)), 1 seed": 1 / 1.15,
    "JAX jit(vmap(scan)), 8 seeds": 1 / 1.15,
    "fit, 9-step epochs": 500,
}


def groups(quick: bool) -> dict[str, list]:
    """For each heading the contenders; the first one is ours and the unit of the ratios."""
    steps = 1000 if quick else 4000
    epochs = 1 if quick else 10
    long = MLP.batch_size * 1000
    compiled = {"steps_per_execution": 100, "jit_compile": True}
    return {
        f"{MLP.name}, one seed": [
            Ours("train", MLP, steps),
            Fit("fit, 29-step epochs", MLP, epochs, MLP.samples, {}),
            Fit("fit, 1000-step epochs", MLP, 1, long, {}),
            Fit("fit, steps_per_execution=100, jit", MLP, 1, long, compiled),
            Jax("JAX jit(vmap(scan)), 1 seed", MLP, steps),
        ],
        f"{MLP.name}, 8 seeds": [
            Ours("train, one by one", MLP, steps, seeds=8),
            Ours("train, 8 side by side", MLP, steps, seeds=8, seeds_at_once=8),
            Jax("JAX jit(vmap(scan)), 8 seeds", MLP, steps, seeds=8),
        ],
        f"{LOGISTIC.name}, 20 seeds": [
            Ours("train, 20 side by side", LOGISTIC, steps, seeds=20, seeds_at_once=20),
            Ours("train, one by one", LOGISTIC, steps, seeds=20),
            Fit("fit, 9-step epochs", LOGISTIC, epochs, LOGISTIC.samples, {}),
            Jax("JAX jit(vmap(scan)), 20 seeds", LOGISTIC, steps, seeds=20),
        ],
    }


def measure(quick: bool, repeats: int) -> list[dict]:
    """One row a contender."""
    rows = []
    for heading, contenders in groups(quick).items():
        there = [c for c in contenders if jax_installed() or not isinstance(c, Jax)]
        timings = in_turns(there, repeats)
        for timing in timings:
            ratio = spread(timing.seconds / timings[0].seconds)
            target = TARGETS.get(timing.name)
            rows.append(
                {
                    "group": heading,
                    "name": timing.name,
                    "microseconds": [1e6 * value for value in spread(timing.seconds)],
                    "ratio": list(ratio),
                    "compile_seconds": timing.compile_seconds,
                    "target": target,
                    "met": None if target is None else ratio[0] >= target,
                }
            )
        rows += [
            {"group": heading, "name": c.name, "note": "not installed"}
            for c in contenders
            if c not in there
        ]
    return rows


def table(rows: list[dict]) -> str:
    """The rows as plain text."""
    lines = []
    heading = None
    for row in rows:
        if row["group"] != heading:
            heading = row["group"]
            lines += ["", heading, "-" * len(heading)]
            lines.append(
                f"{'':36}{'us / step and seed':>26}{'times ours':>24}{'compile s':>11}  target"
            )
        if "note" in row:
            lines.append(f"{row['name']:36}{row['note']:>26}")
            continue
        time, ratio = (
            "{:.4g} ({:.4g}-{:.4g})".format(*row[key]) for key in ("microseconds", "ratio")
        )
        target = ""
        if row["target"] is not None:
            target = f">= {row['target']:.3g}: {'met' if row['met'] else 'MISSED'}"
        lines.append(
            f"{row['name']:36}{time:>26}{ratio:>24}{row['compile_seconds']:>11.2f}  {target}"
        )
    return "\n".join(lines[1:])


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute; for a first look")
    parser.add_argument("--threads", type=int, default=1, help="cores for all contenders")
    parser.add_argument("--repeats", type=int, help="rounds (default 9, or 3 with --quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows there, too")
    options = parser.parse_args(arguments)
    file = writable(options.json)
    repeats = options.repeats or (3 if options.quick else 9)
    threads = limit_threads(options.threads)
    rows = measure(options.quick, repeats)
    facts = environment(threads) | {"repeats": repeats, "peak_memory_gb": peak_memory()}
    print(table(rows))
    print("\nmedian (10 % - 90 % quantile); first calls (compile s) are not in the steps")
    print("; ".join(f"{name} {value}" for name, value in facts.items()))
    if file:
        keep(file, "training", facts, rows)


def limit_threads(threads: int) -> int:
    """The same number of cores for every contender, before any of them starts its threads."""
    if threads < 1:
        raise SystemExit(f"--threads: expected at least 1, received {threads}")
    if "tensorflow" in sys.modules:
        raise SystemExit("--threads comes too late: TensorFlow is imported already")
    if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere JAX keeps its own number
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return threads


if __name__ == "__main__":
    main()
