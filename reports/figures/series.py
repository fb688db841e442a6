"""Lines with bands and labels at their ends: what curves and metrics over a factor share."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.verdicts import number
from reports import drawing
from reports.drawing import Canvas
from reports.figures.marks import DASHED, DOTTED, POINTS, dots, draw_line, thin
from reports.figures.panel import Panel, Table, with_interval

RUNS = 30  # single runs a panel
CROWD = 6  # labels at one edge that a phone can still show legibly


@dataclass
class Series:
    """One line: a center with its band, and what is drawn beside it."""

    name: str
    x: np.ndarray
    center: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    runs: list = field(default_factory=list)  # arrays like x
    theory: list = field(default_factory=list)  # (x, values)
    slide: list = field(default_factory=list)
    n: int = 0
    markers: bool = False


@dataclass(frozen=True)
class Other:
    """A kind of line that was not measured: how it looks, and what it is called."""

    kind: str  # the field of `Series`
    name: str
    role: str
    width: float
    dashes: tuple
    stroke: str
    key: str


def _others(series, theory_label: str) -> list[Other]:
    """Theory and slide, where there are any."""
    theory = theory_label or "theory"
    known = (
        Other("theory", theory, "ink", 1.6, DASHED, "dashed", f"Dashed: {theory}."),
        Other("slide", "slide", "ref", 2.6, DOTTED, "dotted", "Dotted: the slide."),
    )
    return [other for other in known if any(getattr(s, other.kind) for s in series)]


def _last(x, y, log_y) -> float:
    y = np.asarray(y, float)
    good = np.isfinite(y) & ((y > 0) if log_y else True)
    return float(y[good][-1]) if good.any() else np.nan


def _range(series: list[Series], log: str) -> tuple:
    """The y range: what was measured decides; theory and slide widen it, within reason."""
    measured = [v for s in series for v in (s.center, s.low, s.high, *s.runs) if v is not None]
    other = [y for s in series for _, y in (*s.theory, *s.slide)]
    inner = drawing.limits(measured, "y" in log, ends=True)
    outer = drawing.limits([*measured, *other], "y" in log, ends=True)
    if "y" in log:
        span = max(np.log10(inner[1] / inner[0]), 0.5)
        factor = 10.0 ** (1.2 * span)
        return max(outer[0], inner[0] / factor), min(outer[1], inner[1] * factor)
    span = inner[1] - inner[0]
    return max(outer[0], inner[0] - 1.5 * span), min(outer[1], inner[1] + 1.5 * span)


def line_panel(
    panel, title, x_label, y_label, series: list[Series], log="", what="median", theory_label=""
):
    """Lines with bands and labels at their ends."""
    others = _others(series, theory_label)
    names = [s.name for s in series]
    roles = drawing.colors(names)
    single = len(series) == 1
    words = [] if single and not others else [*names, *(other.name for other in others)]
    every = [s.x for s in series]
    x = drawing.limits(every, "x" in log, pad=0.015)
    y = _range(series, log)
    marked = np.unique(np.concatenate(every))
    levels = marked.tolist() if len(marked) <= 8 and any(s.markers for s in series) else None
    crowded = len(words) > CROWD
    # On a phone a crowded panel is enlarged until its labels are outside, words excepted.
    canvas = Canvas(
        title, x_label, y_label, x, y, log, 132.0 if crowded else drawing.margin_for(words),
        x_ticks=levels, columns=44 if crowded else 48,
    )  # fmt: skip
    for s in series:
        role = roles[s.name]
        if s.low is not None and s.high is not None:
            at = thin(s.x, "x" in log, POINTS // 2)
            canvas.band(s.x[at], s.low[at], s.high[at], role)
        for run in s.runs[: max(RUNS // len(series), 4)]:
            at = thin(s.x, "x" in log, POINTS // 2)
            draw_line(canvas, s.x[at], run[at], role, 0.7, opacity=0.35)
    done: set = set()
    for s in series:
        at = thin(s.x, "x" in log)
        draw_line(canvas, s.x[at], s.center[at], roles[s.name], 2.2)
        if s.markers:
            marker = drawing.MARKERS[names.index(s.name) % len(drawing.MARKERS)]
            dots(canvas, s.x, s.center, roles[s.name], marker)
        if words and len(series) <= 12:
            canvas.label(_last(s.x, s.center, "y" in log), s.name, roles[s.name])
    if len(series) > 12:  # too many for labels: the ends of the order say enough
        for s in (series[0], series[len(series) // 2], series[-1]):
            canvas.label(_last(s.x, s.center, "y" in log), s.name, roles[s.name])
    for s in series:
        for other in others:
            for xs, ys in getattr(s, other.kind):
                at = thin(xs, "x" in log)
                same = (other.kind, ys[at].tobytes())
                if same in done:
                    continue
                done.add(same)
                draw_line(canvas, xs[at], ys[at], other.role, other.width, other.dashes)
                if other.kind not in done:
                    done.add(other.kind)
                    canvas.label(_last(xs, ys, "y" in log), other.name, other.role)
    key = tuple(other.key for other in others)
    description = _describe(x_label, y_label, series, log, what, key)
    svg = canvas.svg(panel, title, description)
    legend = [(role, name, "") for name, role in roles.items()]
    legend += [(other.role, other.name, other.stroke) for other in others]
    table = _table(series, x_label, y_label, what)
    return Panel(panel, title, svg, description, table, tuple(legend) if crowded else (), key)


def _describe(x_label, y_label, series, log, what, key) -> str:
    parts = [f"{what.capitalize()} of {y_label} against {x_label}."]
    for s in series[:12]:
        first, last = s.center[np.isfinite(s.center)][[0, -1]] if np.isfinite(s.center).any() else (
            np.nan, np.nan,
        )  # fmt: skip
        parts.append(f"{s.name}: from {number(float(first))} to {number(float(last))}, n = {s.n}.")
    parts += key
    lost = sum(int((s.center <= 0).sum()) for s in series if "y" in log)
    if lost:
        parts.append(f"{lost} values are zero or negative and break the line.")
    if all(s.low is None for s in series):
        parts.append("No interval: deterministic, or a single run.")
    return " ".join(parts)


def _table(series, x_label, y_label, what, most=7) -> Table:
    grid = np.unique(np.concatenate([s.x for s in series]))
    if len(grid) > most:
        grid = grid[np.unique(np.linspace(0, len(grid) - 1, most).round().astype(int))]
    rows = []
    for at in grid:
        row = [number(float(at))]
        for s in series:
            i = int(np.argmin(np.abs(s.x - at)))
            if s.x[i] != at:
                row.append("–")
                continue
            low = None if s.low is None else s.low[i]
            row.append(with_interval(s.center[i], low, None if s.high is None else s.high[i]))
        rows.append(row)
    caption = f"{what.capitalize()} of {y_label} with 99 % interval, by {x_label}"
    return Table(caption, [x_label, *[f"{s.name} (n = {s.n})" for s in series]], rows)
