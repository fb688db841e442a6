"""Every seed of a claim: what its rules looked at, value by value, in few bytes.

A row is a cell of the experiment. Its values travel as 16-bit codes in base64, 2.7 bytes each:

    value = start + step * (code - 3)            or, where a row spans more than a decade,
    value = exp(start + step * (code - 3))

so they are known to one part in 65,532 of the row's range. Three codes stand for what is no number:
no such trial, diverged, exactly zero. `static/seeds.js` draws them.
"""

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from benchmarks import statistics
from benchmarks.verdicts import Agreement, CellResult, Paired, Rule
from reports import drawing
from reports.drawn import figure_specs
from reports.figures.panel import level_name, matches
from reports.load import ClaimView

ROWS, SEEDS = 24, 200  # more of either cannot be told apart in one picture
VALUES = 2000  # of a claim, 5 kB: all claims together stay below 500 kB
FEWEST = 20  # seeds that are shown in any case
ABSENT, LOST, ZERO, FIRST = 0, 1, 2, 3  # codes
STEPS = 65_535 - FIRST
DECADE = 10.0  # largest over smallest value from which a row is coded by its logarithm


@dataclass(frozen=True)
class Coded:
    """Values of one row; `data` is empty where all of them are `start`."""

    start: float
    step: float
    log: bool
    data: str


@dataclass(frozen=True)
class Seeds:
    """What a card carries: the values as JSON for a script, and how to read them."""

    json: Markup
    key: str


def encode(values: np.ndarray, there: np.ndarray | None = None) -> Coded:
    """Codes of `values` `(n,)`; what is not finite is lost, what is not `there` is absent."""
    values = np.asarray(values, float)
    there = np.ones(len(values), bool) if there is None else there
    finite = there & np.isfinite(values)
    kept = values[finite]
    if finite.all() and len(kept) and kept.min() == kept.max():
        return Coded(float(kept[0]), 0.0, False, "")
    some = kept[kept != 0]
    log = bool(len(some) and kept.min() >= 0 and some.max() > DECADE * some.min())
    shown = finite & (values != 0)
    scaled = np.log(values[shown]) if log else values[shown]
    start, stop = (float(scaled.min()), float(scaled.max())) if len(scaled) else (0.0, 0.0)
    step = float(f"{stop / STEPS - start / STEPS:.6g}")
    if step > 0:  # digits beyond a hundredth of a step are for nothing
        start = round(start, 2 - math.floor(math.log10(step)))
    codes = np.where(there, LOST, ABSENT)
    codes[finite] = ZERO
    codes[shown] = FIRST + np.rint((scaled - start) / (step or 1)).clip(0, STEPS)
    return Coded(start, step, log, base64.b64encode(codes.astype("<u2").tobytes()).decode())


def decode(row: Coded, n: int) -> np.ndarray:
    """The values again: NaN for lost and absent ones. What the script does, for tests."""
    if not row.data:
        return np.full(n, row.start)
    codes = np.frombuffer(base64.b64decode(row.data), "<u2").astype(int)
    values = row.start + row.step * (codes - FIRST)
    values = np.exp(values) if row.log else values
    values[codes == ZERO] = 0.0
    values[codes < ZERO] = np.nan
    return values


def seeds_of(claim: ClaimView) -> Seeds | None:
    """Every seed of a claim's judged metrics, or None where there is nothing to show."""
    rules = _rules(claim)
    chosen = {name: _chosen(found, claim) for name, found in rules.items()}
    chosen = {name: cells for name, cells in chosen.items() if cells}
    shown = {name: cells[:ROWS] for name, cells in chosen.items()}
    every = [cell for cells in shown.values() for cell in cells]
    if not every:
        return None
    numbers = np.unique(np.concatenate([cell.seeds for cell in every]))
    varied = sum(bool(encode(c.metrics[name]).data) for name, cells in shown.items() for c in cells)
    count = max(FEWEST, min(SEEDS, VALUES // max(varied, 1)))
    seeds = numbers[:count]
    called = _names(every)
    names = list(dict.fromkeys(called))
    place = {id(cell): names.index(name) for cell, name in zip(every, called, strict=True)}
    metrics = [
        _metric(claim, name, rules[name], cells, seeds, place) for name, cells in shown.items()
    ]
    run = np.array_equal(seeds, np.arange(len(seeds)))
    text = json.dumps(
        {"seeds": len(seeds) if run else seeds.tolist(), "cells": names, "metrics": metrics},
        ensure_ascii=False, allow_nan=False, separators=(",", ":"),
    )  # fmt: skip
    key = []
    if any(metric["linked"] for metric in metrics):
        key.append("Thin lines join what is compared seed by seed.")
    if any(isinstance(rule, Agreement) for found in rules.values() for rule in found):
        key.append("Dashed: theory.")
    if len(numbers) > len(seeds):
        key.append(f"The first {len(seeds)} of {len(numbers)} seeds are drawn.")
    longest = max(chosen.values(), key=len)
    if len(longest) > ROWS:
        key.append(f"The first {ROWS} of {len(longest)} cells are drawn.")
    # "<" could end the script element.
    return Seeds(Markup(text.replace("<", "\\u003c")), " ".join(key))


def _rules(claim: ClaimView) -> dict[str, list[Rule]]:
    """Metric -> the rules that look at it, in the order of the hypotheses."""
    found: dict[str, list[Rule]] = {}
    for view in claim.hypotheses:
        for rule in view.rules:
            found.setdefault(rule.metric, []).append(rule)
    return found


def _chosen(rules: Sequence[Rule], claim: ClaimView) -> list[CellResult]:
    """The cells that the rules look at and that have their metric; paired ones side by side."""
    metric = rules[0].metric
    cells = [
        cell
        for cell in claim.results.cells
        if metric in cell.metrics and any(matches(cell.factors, _where(rule)) for rule in rules)
    ]
    factor = _paired_by(rules)
    if factor is None:
        return cells
    first: dict[str, int] = {}
    for i, cell in enumerate(cells):
        first.setdefault(_others(cell, factor), i)
    return sorted(cells, key=lambda cell: first[_others(cell, factor)])


def _where(rule: Rule) -> Mapping:
    """Levels of the cells a rule sees; a rule between levels sees those two."""
    if isinstance(rule, Paired):
        return dict(rule.where) | {rule.factor: (rule.first, rule.second)}
    return rule.where


def _paired_by(rules: Iterable[Rule]) -> str | None:
    """The factor whose levels are compared seed by seed, if any is."""
    return next((rule.factor for rule in rules if isinstance(rule, Paired)), None)


def _others(cell: CellResult, factor: str) -> str:
    return str(sorted((k, str(v)) for k, v in cell.factors.items() if k != factor))


def _names(cells: Sequence[CellResult]) -> list[str]:
    """A cell's levels in words; one that all cells share tells none apart, and is left out."""
    varying = [f for f in cells[0].factors if len({str(c.factors.get(f)) for c in cells}) > 1]
    return [", ".join(level_name(f, cell.factors[f]) for f in varying) for cell in cells]


def _metric(claim, name, rules, cells, seeds, place) -> dict:
    """One metric as the script reads it."""
    theory = next((r.expected for r in rules if isinstance(r, Agreement)), None)
    factor = _paired_by(rules)
    linked = [
        i
        for i, (a, b) in enumerate(zip(cells, cells[1:], strict=False))
        if factor and _others(a, factor) == _others(b, factor)
    ]
    said = claim.spec["metrics"][name]
    return {
        "name": name,
        "label": said["label"],
        "unit": "" if said["unit"] in ("1", None) else said["unit"],
        "log": _on_log_axis(claim, name, cells),
        "linked": linked,
        "rows": [
            [place[id(cell)], role, *_row(cell, name, seeds, theory)]
            for cell, role in zip(cells, _roles(claim, name, cells), strict=True)
        ],
    }


def _row(cell, metric, seeds, theory) -> list:
    """Trials, how many of them diverged, mean with its interval, theory, and the codes."""
    values = np.asarray(cell.metrics[metric], float)
    finite = values[np.isfinite(values)]
    with np.errstate(all="ignore"):  # values near the largest float overflow in a variance
        mean = statistics.mean_interval(finite) if len(finite) else None
        expected = float(np.mean(cell.metrics[theory])) if theory in cell.metrics else None
    limits = (mean.estimate, mean.low, mean.high) if mean else (None, None, None)
    order = np.argsort(cell.seeds)
    place = np.searchsorted(cell.seeds[order], seeds).clip(max=len(values) - 1)
    there = cell.seeds[order][place] == seeds
    coded = encode(values[order][place], there)
    return [
        len(values), len(values) - len(finite), *map(_plain, (*limits, expected)),
        coded.start, coded.step, int(coded.log), coded.data,
    ]  # fmt: skip


def _plain(value: float | None) -> float | None:
    """A number in eight digits, which are those that a mark on an axis can show."""
    return float(f"{value:.8g}") if value is not None and math.isfinite(value) else None


def _figures_of(claim: ClaimView, metric: str) -> Iterable[dict]:
    """The figures that show this metric."""
    for spec in figure_specs(claim):
        key = {"Points": "y", "Lines": "y", "Histogram": "x", "Heatmap": "value"}.get(spec["type"])
        if key and spec[key] == metric:
            yield spec


def _on_log_axis(claim: ClaimView, metric: str, cells: Sequence[CellResult]) -> bool:
    """As in the claim's figure; without one, where positive values span more than two decades."""
    values = np.concatenate([np.asarray(cell.metrics[metric], float) for cell in cells])
    values = values[np.isfinite(values)]
    positive = values[values > 0]
    if not len(positive):
        return False
    for spec in _figures_of(claim, metric):
        if spec["type"] == "Heatmap":
            return bool(spec["log"])
        return ("x" if spec["type"] == "Histogram" else "y") in spec["log"]
    return bool(values.min() >= 0 and positive.max() > 100 * positive.min())


def _roles(claim: ClaimView, metric: str, cells: Sequence[CellResult]) -> list[str]:
    """A color a row: those that the levels have in the claim's figure."""
    for spec in _figures_of(claim, metric):
        factor = spec.get("by") or (spec["x"] if spec["type"] == "Points" else None)
        if factor:
            every = [c.factors for c in claim.results.cells if matches(c.factors, spec["where"])]
            names = dict.fromkeys(level_name(factor, factors[factor]) for factors in every)
            roles = drawing.colors(list(names))
            return [roles.get(level_name(factor, c.factors[factor]), "ink2") for c in cells]
    return ["c1"] * len(cells)
