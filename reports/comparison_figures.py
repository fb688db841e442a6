"""A comparison as the page shows it: setting by setting, with its figures.

Each setting has the loss at the tuned value and the score against the tuning value. Over the
settings, if one of them is a number, goes the test score.
"""

import itertools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import matplotlib
import numpy as np

from benchmarks import statistics
from reports import drawing, figures
from reports.comparison import ComparisonResult, Decision, Tuned, compare, decide
from reports.drawn import remembered
from reports.figures.panel import level_name
from reports.load import ComparisonView, problems_of

line_panel = partial(remembered, figures.line_panel)
FEW = 6  # panels over the settings: more would not be looked at


@dataclass(frozen=True)
class Part:
    """The whole comparison under one setting; `label` is "" where there is only one."""

    setting: Mapping
    label: str
    result: ComparisonResult | None
    complete: bool  # whether all cells are there, so that ranks mean something
    panels: list[figures.Panel]


@dataclass(frozen=True)
class Compared:
    """A comparison, its parts, and the panels that go over all of them."""

    view: ComparisonView
    parts: list[Part]
    panels: list[figures.Panel]

    @property
    def decisions(self) -> dict[str, Decision]:
        """Lens -> who wins, over the settings that are complete."""
        return decide([part.result for part in self.parts if part.result and part.complete])

    @property
    def every_panel(self) -> list[figures.Panel]:
        """All that is drawn."""
        return [*self.panels, *(panel for part in self.parts for panel in part.panels)]


def compared(view: ComparisonView) -> Compared:
    """Everything within its setting; nothing is pooled."""
    factors = view.spec.get("settings", {})
    losses = view.store.curves(view.claim, "train_loss", view.device)
    parts = []
    with matplotlib.rc_context(drawing.RENDERING):
        for i, levels in enumerate(itertools.product(*factors.values())):
            setting = dict(zip(factors, levels, strict=True))
            slug = slug_of(view) + (f"-{i + 1}" if factors else "")
            parts.append(part_of(view, setting, losses, slug))
        panels = _over_settings(view, parts) if factors else []
    return Compared(view, parts, panels)


def slug_of(view: ComparisonView) -> str:
    """The name of a comparison, as ids of figures have it."""
    return view.claim.replace(".", "-").replace(" ", "-")


def part_of(view: ComparisonView, setting: Mapping, losses, slug: str) -> Part:
    """Contenders tuned, ranked and drawn under one setting."""
    here = [c for c in view.cells if _under(setting, c.factors)]
    label = ", ".join(level_name(name, value) for name, value in setting.items())
    complete = not problems_of({**view.spec, "settings": {}}, here)
    contenders, sign = tuned_cells(replace(view, cells=tuple(here)))
    if not contenders:
        return Part(setting, label, None, False, [])
    budget = view.spec["budget"].get("steps")
    result = compare(contenders, view.spec["margin"], sign, budget)
    drawn = [
        _loss(view, result, [row for row in losses if _under(setting, row[0])], label, slug),
        _tuning(view, result, contenders, label, slug),
    ]
    return Part(setting, label, result, complete, [panel for panel in drawn if panel])


def _under(setting: Mapping, factors: Mapping) -> bool:
    return all(factors[name] == value for name, value in setting.items())


def tuned_cells(view: ComparisonView) -> tuple[dict[str, list[Tuned]], float]:
    """Contender -> its finished cells by tuning value, and the sign of a better score."""
    (who, names), (what, values) = view.spec["contender"], view.spec["tuning"]
    sign = -1.0 if view.spec["metrics"]["validation_score"]["better"] == "lower" else 1.0
    found: dict[str, list[Tuned]] = {}
    for name in names:
        cells = [c for c in view.cells if c.status == "done" and c.factors[who] == name]
        cells.sort(key=lambda c: values.index(c.factors[what]))
        if cells:
            found[str(name)] = [
                Tuned(c.factors[what], c.seeds, c.metrics, c.diverged) for c in cells
            ]
    return found, sign


def _titled(title: str, label: str) -> str:
    return f"{title}: {label}" if label else title


def _loss(view, result, losses, label, slug):
    who, what = view.spec["contender"][0], view.spec["tuning"][0]
    series = []
    for contender in result.contenders:
        for factors, axis, values, _, _ in losses:
            if str(factors[who]) != contender.name or factors[what] != contender.chosen:
                continue
            values = np.asarray(values, float)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # diverged runs
                center, low, high = statistics.median_band(
                    np.where(np.isnan(values), np.inf, values)
                )
            axis = np.asarray(axis, float)
            series.append(figures.Series(contender.name, axis, center, low, high, n=len(values)))
    if not series:
        return None
    positive = all(np.nanmin(s.center) > 0 for s in series)
    title = _titled("Training loss at each tuned value", label)
    log = "y" if positive else ""
    return remembered(
        figures.line_panel, f"{slug}-loss", title, "step", "training loss", series, log
    )


def _tuning(view, result, contenders, label, slug):
    if len(view.spec["tuning"][1]) < 2:
        return None
    what = view.spec["tuning"][0].replace("_", " ")
    series = []
    for contender in result.contenders:
        rows = contender.validation
        numeric = all(isinstance(v, (int, float)) for v, *_ in rows)
        x = np.array([float(v) if numeric else i for i, (v, *_) in enumerate(rows)])
        columns = np.array([[m, low, high] for _, m, low, high in rows], float)
        columns[~np.isfinite(columns)] = np.nan
        n = len(contenders[contender.name][0].seeds)
        series.append(figures.Series(contender.name, x, *columns.T, n=n, markers=True))
    log = "x" if all((s.x > 0).all() and s.x.max() / s.x.min() >= 100 for s in series) else ""
    score = view.spec["metrics"]["validation_score"]["label"]
    title = _titled(f"How much the {what} matters", label)
    return line_panel(f"{slug}-tuning", title, what, score, series, log)


def _over_settings(view, parts) -> list[figures.Panel]:
    """Test scores over the numeric setting of most levels, a panel for each of the others."""
    factors = view.spec["settings"]
    numeric = [
        name
        for name, levels in factors.items()
        if len(levels) > 1 and all(type(v) in (int, float) for v in levels)
    ]
    if not numeric:
        return []
    over = max(numeric, key=lambda name: len(factors[name]))  # the first of equals
    others = {name: levels for name, levels in factors.items() if name != over}
    panels: list[figures.Panel] = []
    for i, levels in enumerate(itertools.product(*others.values())):
        rest = dict(zip(others, levels, strict=True))
        here = [p for p in parts if p.result and _under(rest, p.setting)]
        label = ", ".join(level_name(name, value) for name, value in rest.items())
        series = _test_scores(view, here, over)
        if not series or len(panels) == FEW:
            continue
        x = np.concatenate([s.x for s in series])
        log = "x" if x.min() > 0 and x.max() / x.min() >= 8 else ""
        score, name = view.spec["metrics"]["test_score"]["label"], over.replace("_", " ")
        title = _titled(f"{score[:1].upper()}{score[1:]} against {name}", label)
        panel = f"{slug_of(view)}-over-{i + 1}"
        panels.append(line_panel(panel, title, name, score, series, log, what="mean"))
    return panels


def _test_scores(view, parts, over) -> list[figures.Series]:
    series = []
    for name in map(str, view.spec["contender"][1]):
        rows = sorted(
            (part.setting[over], contender.test)
            for part in parts
            for contender in part.result.contenders
            if contender.name == name
        )
        if not rows:
            continue
        x = np.array([value for value, _ in rows], float)
        center, low, high = (
            np.array(
                [getattr(test, key) if test.low is not None else test.estimate for _, test in rows],
                float,
            )
            for key in ("estimate", "low", "high")
        )
        n = min(test.n for _, test in rows)
        series.append(figures.Series(name, x, center, low, high, n=n, markers=True))
    return series
