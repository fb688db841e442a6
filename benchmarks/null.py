"""The null control: a level compared with itself, under other seeds, should show no difference.

A rule that compares two levels of a factor gets the trials of one level twice: seeds 0 ... n-1 as
the first level, seeds n ... 2n-1 as the second. Whatever difference it finds there is a false
positive, and their share may not exceed what the rules' confidence allows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.discover import Found
from benchmarks.experiment import Cell, Comparison, Experiment, Hypothesis
from benchmarks.plan import Task
from benchmarks.store import Store
from benchmarks.verdicts import MissingResults, Paired, Results, allows, hypothesis_from_json


@dataclass(frozen=True)
class NullResult:
    """One comparison of a level with itself.

    Args:
        hypothesis: whose rule it is.
        comparison: what it compares, in words.
        trials: values on each side.
        found: whether it found a difference, falsely.
        rate: how often it may, by its confidence.
    """

    hypothesis: str
    comparison: str
    trials: int
    found: bool
    rate: float


def null_path(store: Path) -> Path:
    """Where the trials of the control are kept, apart from what is judged."""
    return store.with_suffix(f".null{store.suffix}")


def comparisons(hypotheses: Iterable[Hypothesis]) -> Iterator[tuple[str, Paired]]:
    """Every rule between levels, with the id of its hypothesis."""
    for hypothesis in hypotheses:
        for rule in getattr(hypothesis.rule, "rules", (hypothesis.rule,)):
            if isinstance(rule, Paired):
                yield hypothesis.id, rule


def plan_null(
    experiments: Iterable[Found], store: Store, profile: str, devices: Sequence[str]
) -> tuple[list[Task], int]:
    """The cells of the first levels, with twice the seeds; and how many the store has."""
    tasks, stored = [], 0
    for found in experiments:
        for device in devices:
            for cell in found.spec.cells(device, profile):
                if not _is_first(cell, found.spec):
                    continue
                wanted = range(2 * found.spec.seeds)
                missing = store.missing_seeds(found.hash, cell, found.code_version, wanted, profile)
                if missing:
                    tasks.append(Task(found, cell, tuple(missing)))
                else:
                    stored += 1
    return tasks, stored


def _is_first(cell: Cell, spec: Experiment | Comparison) -> bool:
    return any(
        all(allows(v, cell.factors.get(k)) for k, v in _first_cells(rule).items())
        for _, rule in comparisons(getattr(spec, "hypotheses", ()))
    )


def _first_cells(rule: Paired) -> dict:
    return dict(rule.where) | {rule.factor: rule.first}


def null_control(
    hypotheses: Iterable[Hypothesis], results: Results, seeds: int
) -> list[NullResult]:
    """What the rules of one experiment find where there is nothing to find.

    Args:
        hypotheses: those of the experiment.
        results: its trials in the store of the control.
        seeds: of the experiment; the control has twice as many.
    """
    out = []
    for hypothesis, rule in comparisons(hypotheses):
        try:
            halves = _halves(results.select(_first_cells(rule)), rule, seeds)
            difference = rule.finds_difference(halves)
        except MissingResults:
            continue  # a cell that failed, or runs that diverged, compare with nothing
        trials = sum(len(cell.seeds) for cell in halves.cells) // 2
        place = ", ".join(f"{k} {v}" for k, v in rule.where.items())
        words = f"{rule.metric.replace('_', ' ')}, {rule.name_of(rule.first)} with itself"
        words += f" ({place})" if place else ""
        out.append(NullResult(hypothesis, words, trials, difference, rule.false_positive_rate))
    return out


def _halves(results: Results, rule: Paired, seeds: int) -> Results:
    """The first seeds as they are, the others under the name of the second level."""
    cells = []
    for cell in results.cells:
        for level, kept in ((rule.first, cell.seeds < seeds), (rule.second, cell.seeds >= seeds)):
            cells.append(
                replace(
                    cell,
                    factors={**cell.factors, rule.factor: level},
                    seeds=cell.seeds[kept] % seeds,
                    metrics={name: values[kept] for name, values in cell.metrics.items()},
                    diverged=cell.diverged[kept],
                )
            )
    return Results(tuple(cells))


def null_controls(store: Store, device: str, profile: str = "lecture") -> list[NullResult]:
    """Those of all experiments in the store of a control, from the store alone."""
    out = []
    for stored in store.specifications(profile):
        if stored.kind == "experiment":
            hypotheses = [hypothesis_from_json(value) for value in stored.json["hypotheses"]]
            results = store.results(stored.claim, device, profile)
            out += null_control(hypotheses, results, stored.json["seeds"])
    return out


def most_allowed(results: Sequence[NullResult]) -> int:
    """So many false positives chance alone exceeds in fewer than 1 % of such controls."""
    from scipy import stats

    if not results:
        return 0
    # Rates differ from rule to rule; of all sums of coins with this mean the binomial is widest.
    mean = float(np.mean([result.rate for result in results]))
    return int(stats.binom.ppf(0.99, len(results), mean))
