"""A store with a little of everything, written through the Store's own interface."""

import numpy as np

from benchmarks.experiment import (
    Comparison,
    Curves,
    Experiment,
    Heatmap,
    Histogram,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
    spec_hash,
)
from benchmarks.store import Store
from benchmarks.verdicts import Agreement, Identity, Sign, Slope, Within

ENVIRONMENT = {
    "python": "3.12.1", "cpu": "A <fast> processor", "cores": 3, "gpu": None,
    "libraries": {"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
}  # fmt: skip
SOURCE = {"suite.optimizers.Adam": "class Adam:\n    '''<script>alert(1)</script>'''\n"}


def unused(cell, seeds):
    raise AssertionError("the report never measures")


def experiment(claim, **more):
    fields = dict(
        lens="convergence", measure=unused, metrics={"error": Metric("error", "1")}, seeds=7,
        figure=(Points("optimizer", "error", "optimizer", "error", "Errors differ"),),
        factors={"optimizer": ("gradient descent", "momentum", "Adam")},
        hypotheses=(Hypothesis(f"{claim}.small", "Errors stay small.",
                               Within("error", -1, 1, where={"optimizer": "Adam"})),),
    )  # fmt: skip
    return Experiment(claim=claim, **(fields | more))


def rate():
    """Refuted as stated, supported as corrected, with curves, theory, slide and mutants."""
    return experiment(
        "C12",
        title="How fast <script>alert(1)</script> descends",
        metrics={
            "exponent": Metric("exponent", "1"),
            "steps": Metric("steps to 1e-6", "step"),
            "wrong": Metric("exponent of the wrong form", "1"),
        },
        factors={"optimizer": ("gradient descent", "momentum"), "kappa": (10, 100, 1000)},
        hypotheses=(
            Hypothesis(
                "C12.slide", "The error falls as 1/t.",
                Within("exponent", 0.9, 1.1, expected=1.0,
                       where={"optimizer": "momentum", "kappa": 10}), kind="as stated",
                formula=r"\lVert w_t - w^* \rVert \le \frac{1}{t}",
            ),
            Hypothesis(
                "C12.geometric", "The steps grow as kappa, with momentum as its root.",
                Slope("steps", "kappa", {"gradient descent": 1.0, "momentum": 0.5}, 0.05,
                      by="optimizer"),
                mutants=(Mutant("1/t bound", {"metric": "wrong"}),),
            ),
        ),
        finding="Steps grow with exponent {geometric:.2f}; the slide's exponent is "
        "{slide} {slide.interval}.",
        stated=r"\|w_t - w^*\| \le \left(\frac{1}{t}\right)^m, \quad m = 1",
        corrected=r"\|w_t - w^*\| \le C \rho^t, \quad \rho = \frac{\kappa - 1}{\kappa + 1}",
        figure=(
            Curves("error", "step", "error", "Straight on a semilog axis: a constant factor a step",
                   by="kappa", where={"optimizer": "gradient descent"}, log="y", runs=True),
            Lines("kappa", "steps", "condition number", "steps to 1e-6",
                  "Momentum needs the root", by="optimizer", log="xy"),
        ),
        components=("suite.optimizers.Adam",),
        limits="Quadratics only.",
        seeds=14,
    )  # fmt: skip


def measure_rate(cell, seeds, points=300):
    draw = np.random.default_rng([cell.kappa, len(cell.optimizer)])
    n = len(seeds)
    effective = cell.kappa if cell.optimizer == "gradient descent" else np.sqrt(cell.kappa)
    factor = 1 - 2 / (effective + 1) + draw.normal(0, 0.002, n)
    t = np.arange(points)
    start = np.exp(draw.normal(0, 0.3, n))
    steps = np.log(1e-6) / np.log(1 - 2 / (effective + 1)) * np.exp(draw.normal(0, 0.003, n))
    return Measurements(
        metrics={
            "exponent": draw.normal(8.7, 0.1, n),
            "steps": steps,
            "wrong": 10.0 * cell.kappa**2 * np.ones(n),
        },
        curves={"error": start[:, None] * factor[:, None] ** t},
        theory={"error": (1 - 2 / (effective + 1)) ** t},
        slide={"error": 1 / np.maximum(t, 1)},
        compile_seconds=1.5,
        run_seconds=0.25,
    )


def bounded():
    return experiment(
        "C35", lens="stability",
        metrics={"deviation": Metric("largest relative deviation", "1"),
                 "step": Metric("step", "1"), "theory": Metric("theory", "1")},
        factors={"size": (3, 5)},
        hypotheses=(
            Hypothesis("C35.identity", "Both forms agree.", Identity("deviation", terms=5)),
            Hypothesis("C35.mean", "The mean step is that of theory.",
                       Agreement("step", "theory")),
        ),
        figure=(Histogram("step", "step", "Steps spread around theory", by="size",
                          reference=0.5, slide=1.0),),
        corrected=r"\mathbb{E}_{p}[\mathcal{L}] = \arg\min_x \bar f",
        seeds=40,
    )  # fmt: skip


def measure_bounded(cell, seeds):
    draw = np.random.default_rng(cell.size)
    n = len(seeds)
    return Measurements(
        metrics={
            "deviation": np.full(n, 2e-16),
            "step": draw.normal(0.5, 0.1 * cell.size, n),
            "theory": np.full(n, 0.5),
        }
    )


def race():
    return experiment(
        "C23", lens="generalization", seeds=9,
        hypotheses=(Hypothesis("C23.deeper", "Adam errs more than momentum.",
                               Sign("error", "optimizer", "Adam", "momentum")),),
        finding="Depth wins by {deeper}.",
    )  # fmt: skip


def measure_error(cell, seeds):
    draw = np.random.default_rng(len(cell.optimizer))
    return Measurements(metrics={"error": draw.normal(0.3, 0.1, len(seeds))})


def pictures():
    return experiment(
        "C37", factors={"optimizer": ("gradient descent", "momentum", "Adam"), "start": (2, 3)},
        hypotheses=(Hypothesis("C37.small", "Errors stay small.",
                               Within("error", -1, 1, where={"optimizer": "Adam", "start": 2})),),
        figure=(
            Plane("first weight", "second weight", "Momentum overshoots", surface="loss",
                  points=("minima",), paths=("path",), by="start", log=True),
            Heatmap("start", "optimizer", "error", "start", "optimizer", "All err alike"),
        ),
    )  # fmt: skip


def measure_pictures(cell, seeds):
    x, y = np.linspace(-4, 4, 31), np.linspace(-2, 3, 23)
    t = np.arange(40) / {"gradient descent": 12, "momentum": 6, "Adam": 4}[cell.optimizer]
    turn = 0 if cell.optimizer == "gradient descent" else 2
    path = np.exp(-t)[:, None] * np.stack([np.cos(turn * t), np.sin(turn * t)], 1) * cell.start
    return Measurements(
        metrics=measure_error(cell, seeds).metrics,
        arrays={
            "loss": x**2 + 3 * y[:, None] ** 2, "loss.x": x, "loss.y": y, "path": path,
            "minima": np.zeros((1, 2)),
        },
    )  # fmt: skip


RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def optimizers():
    return Comparison(
        name="optimizers", title="Optimizers on digits", task="Digits, 64-32-10, 200 steps.",
        contender=("optimizer", ("SGD", "Momentum", "Adam")), tuning=("learning_rate", RATES),
        target=0.9, margin=0.02, measure=unused, seeds=10, budget={"steps": 200},
        metrics={
            "steps_to_target": Metric("steps to target", "step", "lower"),
            "train_score": Metric("accuracy, training", "1", "higher"),
            "validation_score": Metric("accuracy, validation", "1", "higher"),
            "test_score": Metric("accuracy, test", "1", "higher"),
        },
    )  # fmt: skip


def measure_contender(cell, seeds):
    draw = np.random.default_rng([len(cell.optimizer), int(-np.log10(cell.learning_rate) * 10 + 9)])
    n = len(seeds)
    best = {"SGD": -0.6, "Momentum": -1.2, "Adam": -2.5}[cell.optimizer]
    off = np.log10(cell.learning_rate) - best
    score = np.clip(0.95 - 0.06 * off**2 + draw.normal(0, 0.006, n), 0.1, 1)
    diverged = np.full(n, off > 2.2)
    t = np.arange(200)
    loss = 2.3 * np.exp(-t[None] / (25 + 30 * off**2) * np.exp(draw.normal(0, 0.1, (n, 1)))) + 0.05
    steps = np.where(score > 0.9, np.round(60 + 40 * off**2 + draw.normal(0, 5, n)), 201.0)
    nan = np.where(diverged, np.nan, 1.0)
    return Measurements(
        metrics={
            "steps_to_target": steps, "train_score": (score + 0.02) * nan,
            "validation_score": score * nan,
            "test_score": (score - 0.01 + draw.normal(0, 0.004, n)) * nan,
        },
        curves={"train_loss": loss * nan[:, None]},
        diverged=diverged,
    )  # fmt: skip


def save(store, run, spec, measure, seeds=None, skip=0, source=None):
    store.save_specification(spec, file="benchmarks/experiments/x.py", source=source or {})
    numbers = np.arange(spec.seeds if seeds is None else seeds)
    for cell in spec.cells()[skip:]:
        measurements = measure(cell, numbers)
        store.save_cell(spec_hash(spec), cell, "v1", run, numbers, measurements)


def write(path):
    """C12 mended, C35 supported, C23 undecided, C37 a picture, C36 partial, C33 and C60 errors."""
    store = Store.open(path, create=True)
    run = store.start_run("lecture", "python -m benchmarks run", ENVIRONMENT)
    save(store, run, rate(), measure_rate, source=SOURCE)
    save(store, run, bounded(), measure_bounded)
    save(store, run, race(), measure_error)
    save(store, run, pictures(), measure_pictures)
    save(store, run, experiment("C36"), measure_error, skip=1)
    failed = experiment("C33")
    store.save_specification(failed, file="x.py", source={})
    for cell in failed.cells():
        store.save_failure(spec_hash(failed), cell, "v1", run, "killed <b>by</b> the kernel", 3)
    save(store, run, optimizers(), measure_contender)
    store.save_broken("benchmarks/experiments/architectures/c60_tied.py", 12, "SyntaxError: <i>")
    store.finish_run(run, 61.0)
    store.close()
    return path
