"""The figures an experiment asked for, drawn from stored trials by the chart rules.

Solid: measured, with its 99 % band. Thin: single runs. Dashed: theory. Dotted vermilion: the
slide. Bands come from `benchmarks.statistics`; seaborn draws ready-made numbers only.
"""

import re
import warnings
from dataclasses import dataclass, field

import matplotlib
import numpy as np

from benchmarks import statistics
from benchmarks.verdicts import allows, number
from reports import drawing
from reports.drawing import SENTINEL, Canvas
from reports.wording import rounded

POINTS = 120  # of a drawn curve: finer than a pixel at 300 units
RUNS = 30  # single runs a panel
CROWD = 6  # labels at one edge that a phone can still show legibly
DASHED, DOTTED = (4, 3), (0.1, 2.1)  # in line widths


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure."""

    caption: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Panel:
    """A drawn figure: SVG, what it shows in words, and its numbers."""

    id: str
    title: str
    svg: str
    description: str
    table: Table
    legend: tuple[tuple[str, str], ...] = ()  # (role, name), where labels are too many for phones


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


def level_name(factor: str | None, value) -> str:
    """How a level is called at its line: words by themselves, numbers with their factor.

    >>> level_name("kappa", 100), level_name("optimizer", "Adam"), level_name("skip", True)
    ('kappa 100', 'Adam', 'skip: yes')
    """
    if factor is None:
        return "measured"
    name = factor.replace("_", " ")
    if isinstance(value, bool):
        return f"{name}: {'yes' if value else 'no'}"
    if isinstance(value, (int, float)):
        return f"{name} {drawing.tick_label(value)}"
    text = str(value).replace("_", " ")
    return f"{name} {text}" if re.fullmatch(r"[\d.e+-]+", text) else text


def matches(factors, where) -> bool:
    """Whether a cell has these levels, which may have become text on the way through JSON."""
    return all(allows(wanted, factors.get(k)) for k, wanted in where.items())


def thin(x: np.ndarray, log: bool, most: int = POINTS) -> np.ndarray:
    """Positions of at most `most` points, even as the axis shows them."""
    if len(x) <= most:
        return np.arange(len(x))
    if log:
        positive = np.flatnonzero(x > 0)
        wanted = np.geomspace(x[positive[0]], x[-1], most)
        return np.unique(np.searchsorted(x, wanted).clip(positive[0], len(x) - 1))
    return np.unique(np.linspace(0, len(x) - 1, most).round().astype(int))


def _draw_line(canvas: Canvas, x, y, role, width, dashes=None, opacity=1.0) -> None:
    """One line; what the axis cannot show breaks it."""
    import seaborn

    x, y = np.asarray(x, float), np.array(y, float)
    if "y" in canvas.log:
        y[~(y > 0)] = np.nan
    y[~np.isfinite(y)] = np.nan
    # Far outside values would make coordinates that renderers cannot hold.
    low, high = canvas.y
    if "y" in canvas.log:
        y = np.clip(y, low / (high / low) ** 0.06, high * (high / low) ** 0.06)
    else:
        y = np.clip(y, low - 0.06 * (high - low), high + 0.06 * (high - low))
    if "x" in canvas.log:
        y[~(x > 0)] = np.nan
        x = np.where(x > 0, x, canvas.x[0])
    pieces = np.flatnonzero(np.isnan(y))
    for xs, ys in zip(np.split(x, pieces), np.split(y, pieces), strict=True):
        keep = ~np.isnan(ys)
        if not keep.any():
            continue
        seaborn.lineplot(
            x=xs[keep], y=ys[keep], ax=canvas.axes, color=SENTINEL[role], linewidth=width,
            errorbar=None, estimator=None, sort=False, legend=False, alpha=opacity,
        )  # fmt: skip
        line = canvas.axes.lines[-1]
        if dashes:
            line.set_dashes(dashes)
        line.set_dash_capstyle("round" if dashes == DOTTED else "butt")
    canvas._limit()


def _dots(canvas: Canvas, x, y, role, marker, size=7.0, opacity=1.0, edge="surface") -> None:
    """Markers as paths of their own, so that they need no shared ids."""
    shape = matplotlib.markers.MarkerStyle(marker)
    outline = shape.get_path().transformed(shape.get_transform())
    for a, b in zip(x, y, strict=True):
        if not (np.isfinite(a) and np.isfinite(b)) or ("y" in canvas.log and b <= 0):
            continue
        if not canvas.y[0] <= b <= canvas.y[1]:
            continue
        px, py = canvas.place(a, b)
        flip = matplotlib.transforms.Affine2D().scale(size).translate(px, canvas.height - py)
        vertices = flip.transform_path(outline)
        patch = matplotlib.patches.PathPatch(
            vertices, transform=None, facecolor=SENTINEL[role], alpha=opacity,
            edgecolor=SENTINEL[edge] if edge else "none", linewidth=1.0 if edge else 0,
            zorder=4 if edge else 2,
        )  # fmt: skip
        canvas.figure.add_artist(patch)


def _last(x, y, log_y) -> float:
    y = np.asarray(y, float)
    good = np.isfinite(y) & ((y > 0) if log_y else True)
    return float(y[good][-1]) if good.any() else np.nan


def _range(series: list[Series], log: str) -> tuple:
    """The y range: what was measured decides; theory and slide widen it, within reason."""
    measured = [v for s in series for v in (s.center, s.low, s.high, *s.runs) if v is not None]
    other = [y for s in series for _, y in (*s.theory, *s.slide)]
    inner = drawing.limits(measured, "y" in log)
    outer = drawing.limits([*measured, *other], "y" in log)
    if "y" in log:
        span = max(np.log10(inner[1] / inner[0]), 0.5)
        factor = 10.0 ** (1.2 * span)
        return max(outer[0], inner[0] / factor), min(outer[1], inner[1] * factor)
    span = inner[1] - inner[0]
    return max(outer[0], inner[0] - 1.5 * span), min(outer[1], inner[1] + 1.5 * span)


def line_panel(panel, title, x_label, y_label, series: list[Series], log="", what="median"):
    """Lines with bands and labels at their ends."""
    names = [s.name for s in series]
    roles = drawing.colors(names)
    single = len(series) == 1
    words = [] if single and not (series[0].theory or series[0].slide) else list(names)
    words += ["theory"] * any(s.theory for s in series)
    words += ["slide"] * any(s.slide for s in series)
    every = [s.x for s in series]
    x = drawing.limits(every, "x" in log, pad=0.015)
    y = _range(series, log)
    marked = np.unique(np.concatenate(every))
    levels = marked.tolist() if len(marked) <= 8 and any(s.markers for s in series) else None
    crowded = len(words) > CROWD
    # On a phone a crowded panel is enlarged until its labels are outside, and so is its title.
    canvas = Canvas(
        title, x_label, y_label, x, y, log, 132.0 if crowded else drawing.margin_for(words),
        x_ticks=levels, columns=32 if crowded else 48,
    )  # fmt: skip
    for s in series:
        role = roles[s.name]
        if s.low is not None and s.high is not None:
            at = thin(s.x, "x" in log, POINTS // 2)
            canvas.band(s.x[at], s.low[at], s.high[at], role)
        for run in s.runs[: max(RUNS // len(series), 4)]:
            at = thin(s.x, "x" in log, POINTS // 2)
            _draw_line(canvas, s.x[at], run[at], role, 0.7, opacity=0.35)
    done: set = set()
    for s in series:
        at = thin(s.x, "x" in log)
        _draw_line(canvas, s.x[at], s.center[at], roles[s.name], 2.2)
        if s.markers:
            marker = drawing.MARKERS[names.index(s.name) % len(drawing.MARKERS)]
            _dots(canvas, s.x, s.center, roles[s.name], marker)
        if words and len(series) <= 12:
            canvas.label(_last(s.x, s.center, "y" in log), s.name, roles[s.name])
    if len(series) > 12:  # too many for labels: the ends of the order say enough
        for s in (series[0], series[len(series) // 2], series[-1]):
            canvas.label(_last(s.x, s.center, "y" in log), s.name, roles[s.name])
    for s in series:
        for kind, role, width, dashes in (
            ("theory", "ink", 1.6, DASHED),
            ("slide", "ref", 2.6, DOTTED),
        ):
            for xs, ys in getattr(s, kind):
                at = thin(xs, "x" in log)
                key = (kind, ys[at].tobytes())
                if key in done:
                    continue
                done.add(key)
                _draw_line(canvas, xs[at], ys[at], role, width, dashes)
                if kind not in done:
                    done.add(kind)
                    canvas.label(_last(xs, ys, "y" in log), kind, role)
    description = _describe(x_label, y_label, series, log, what)
    svg = canvas.svg(panel, title, description)
    legend = tuple((role, name) for name, role in roles.items()) if crowded else ()
    return Panel(panel, title, svg, description, _table(series, x_label, y_label, what), legend)


def _describe(x_label, y_label, series, log, what) -> str:
    parts = [f"{what.capitalize()} of {y_label} against {x_label}."]
    for s in series[:12]:
        first, last = s.center[np.isfinite(s.center)][[0, -1]] if np.isfinite(s.center).any() else (
            np.nan, np.nan,
        )  # fmt: skip
        parts.append(f"{s.name}: from {number(float(first))} to {number(float(last))}, n = {s.n}.")
    if any(s.theory for s in series):
        parts.append("Dashed: theory.")
    if any(s.slide for s in series):
        parts.append("Dotted: the slide.")
    lost = sum(int((s.center <= 0).sum()) for s in series if "y" in log)
    if lost:
        parts.append(f"{lost} values are zero or negative and break the line.")
    if all(s.low is None for s in series):
        parts.append("No interval: deterministic, or a single run.")
    return " ".join(parts)


def with_interval(center, low, high) -> str:
    """Estimate and interval, as tables show them."""
    if low is None or not np.isfinite(low) or low == high:
        return number(float(center)) if np.isfinite(center) else "not finite"
    return rounded(float(center), float(low), float(high))


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


# --- the four kinds of figure ---------------------------------------------------------------


def _levels(cells, by):
    """(level, its cells), in order of appearance."""
    if not by:
        return [(None, list(cells))]
    levels = list(dict.fromkeys(c[0].get(by) for c in cells))
    return [(level, [c for c in cells if c[0].get(by) == level]) for level in levels]


def curves_panel(panel: str, spec: dict, stored) -> Panel | None:
    """`Curves`: `stored` is what `Store.curves` returned for its name."""
    stored = [c for c in stored if matches(c[0], spec["where"])]
    band = statistics.mean_band if spec["center"] == "mean" else statistics.median_band
    series = []
    for level, cells in _levels(stored, spec["by"]):
        # Cells with one axis are pooled; others (another length, say) keep lines of their own.
        groups: dict = {}
        for _, axis, values, theory, slide in cells:
            axis = np.asarray(axis, float)
            groups.setdefault(axis.tobytes(), []).append((axis, values, theory, slide))
        for group in groups.values():
            axis = group[0][0]
            values = np.concatenate([np.asarray(g[1], float) for g in group])
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # diverged runs hold NaN and inf
                # A diverged run counts as infinitely bad in the median, not as absent.
                center, low, high = band(np.where(np.isnan(values), np.inf, values))
            name = level_name(spec["by"], level)
            spread = len(values) > 1 and bool(np.any(low != high))
            series.append(
                Series(
                    name if len(groups) == 1 else f"{name} ({len(axis)} points)",
                    axis, center,
                    low if spread else None, high if spread else None,
                    runs=list(values) if spec["runs"] and len(values) > 1 else [],
                    theory=[(axis, np.asarray(g[2], float)) for g in group if g[2] is not None],
                    slide=[(axis, np.asarray(g[3], float)) for g in group if g[3] is not None],
                    n=len(values),
                )
            )  # fmt: skip
    if not series:
        return None
    return line_panel(
        panel, spec["title"], spec["x_label"], spec["y_label"], series, spec["log"],
        spec["center"],
    )  # fmt: skip


def lines_panel(panel: str, spec: dict, results) -> Panel | None:
    """`Lines`: a metric against a numeric factor."""
    cells = [(c.factors, c) for c in results.cells if matches(c.factors, spec["where"])]
    if not cells:
        return None
    series = []
    for level, group in _levels(cells, spec["by"]):
        xs = sorted({float(f[spec["x"]]) for f, _ in group})
        rows, counts = [], []
        for x in xs:
            here = [c for f, c in group if float(f[spec["x"]]) == x]
            values = np.concatenate([c.metrics[spec["y"]] for c in here])
            values = values[np.isfinite(values)]
            theory = np.nan
            if spec["theory"]:
                theory = float(
                    np.nanmean(np.concatenate([c.metrics[spec["theory"]] for c in here]))
                )
            if not len(values):
                rows.append((np.nan, np.nan, np.nan, theory))
                continue
            interval = statistics.mean_interval(values)
            low = interval.estimate if interval.low is None else interval.low
            high = interval.estimate if interval.high is None else interval.high
            rows.append((interval.estimate, low, high, theory))
            counts.append(interval.n)
        center, low, high, theory = np.array(rows).T
        axis = np.array(xs)
        spread = bool(np.any(low != high))
        series.append(
            Series(
                level_name(spec["by"], level), axis, center,
                low if spread else None, high if spread else None,
                theory=[(axis, theory)] if np.isfinite(theory).any() else [],
                n=min(counts, default=0), markers=len(axis) <= 20,
            )
        )  # fmt: skip
    if not series:
        return None
    return line_panel(
        panel, spec["title"], spec["x_label"], spec["y_label"], series, spec["log"], "mean"
    )


def points_panel(panel: str, spec: dict, results) -> Panel | None:
    """`Points`: every seed as a dot beside the mean with its interval, level by level."""
    cells = [(c.factors, c) for c in results.cells if matches(c.factors, spec["where"])]
    if not cells:
        return None
    groups = _levels(cells, spec["by"])
    levels = list(dict.fromkeys(f[spec["x"]] for f, _ in cells))
    names = [level_name(spec["by"], level) for level, _ in groups]
    plain = [level_name("", level).strip(" :") for level in levels]
    roles = drawing.colors(names if spec["by"] else plain)
    found = {}
    for g, (_, group) in enumerate(groups):
        for i, level in enumerate(levels):
            cells_here = [c.metrics[spec["y"]] for f, c in group if f[spec["x"]] == level]
            if cells_here:
                values = np.concatenate(cells_here)
                found[g, i] = values[np.isfinite(values)]
    reference = [] if spec["reference"] is None else [[spec["reference"]]]
    y = drawing.limits([*found.values(), *reference], "y" in spec["log"], 0.06)
    words = (names if spec["by"] else []) + (["reference"] if reference else [])
    canvas = Canvas(
        spec["title"], spec["x_label"], spec["y_label"], (-0.5, len(levels) - 0.5), y,
        spec["log"].replace("x", ""), drawing.margin_for(words),
        x_names=[(i, n) for i, n in enumerate(plain)] if len(levels) <= 12 else [],
    )  # fmt: skip
    if reference:
        at = canvas.place(0, spec["reference"])[1]
        canvas.rule([LEFT, canvas.right], [at, at], "ink", 1.6, DASHED, over=True)
        canvas.label(spec["reference"], "reference", "ink")
    rows, last = [], {}
    for (g, i), values in found.items():
        role = roles[names[g]] if spec["by"] else roles[plain[i]]
        marker = drawing.MARKERS[(g if spec["by"] else i) % len(drawing.MARKERS)]
        offset = (g - (len(groups) - 1) / 2) * 0.7 / len(groups)
        # A fixed sideways order instead of random jitter: rebuilt pages are identical.
        shown = values[:: max(1, len(values) // 60)]
        spread = ((np.arange(len(shown)) * 0.618) % 1 - 0.5) * 0.36 / len(groups)
        _dots(canvas, i + offset + spread, shown, role, "o", 4.2, 0.45, None)
        if not len(values):
            continue
        interval = statistics.mean_interval(values)
        center = canvas.place(i + offset, np.clip(interval.estimate, *canvas.y))
        if interval.low is not None and interval.high is not None:
            low, high = np.clip((interval.low, interval.high), *canvas.y)
            ends = [canvas.place(0, low)[1], canvas.place(0, high)[1]]
            canvas.rule([center[0], center[0]], ends, role, 3.2, over=True)
        _dots(canvas, [i + offset], [interval.estimate], role, marker, 9.0)
        last[g] = interval.estimate
        rows.append(
            [plain[i], *([names[g]] if spec["by"] else []),
             with_interval(interval.estimate, interval.low, interval.high), str(interval.n)]
        )  # fmt: skip
    if spec["by"]:
        for g, value in last.items():
            canvas.label(value, names[g], roles[names[g]])
    order = sorted(range(len(rows)), key=lambda r: plain.index(rows[r][0]))
    rows = [rows[r] for r in order]
    description = f"{spec['y_label']} by {spec['x_label']}: " + "; ".join(
        f"{' '.join(r[:-2])} {r[-2]}" for r in rows[:16]
    )
    head = [spec["x_label"], *([spec["by"].replace("_", " ")] if spec["by"] else []), "mean", "n"]
    svg = canvas.svg(panel, spec["title"], description)
    table = Table(f"Mean of {spec['y_label']} with 99 % interval", head, rows)
    return Panel(panel, spec["title"], svg, description, table)


def histogram_panel(panel: str, spec: dict, results) -> Panel | None:
    """`Histogram`: the distribution of a metric over seeds."""
    import seaborn

    cells = [(c.factors, c) for c in results.cells if matches(c.factors, spec["where"])]
    groups = []
    for level, group in _levels(cells, spec["by"]):
        values = np.concatenate([c.metrics[spec["x"]] for _, c in group])
        values = values[np.isfinite(values)]
        if "x" in spec["log"]:
            values = values[values > 0]
        if len(values):
            groups.append((level_name(spec["by"], level), values))
    if not groups:
        return None
    log = "x" in spec["log"]
    marks = [[v] for v in (spec["reference"], spec["slide"]) if v is not None]
    x = drawing.limits([*[v for _, v in groups], *marks], log)
    most = max(len(v) for _, v in groups)
    count = int(np.clip(np.sqrt(most) * 1.5, 8, 40))
    edges = np.geomspace(*x, count + 1) if log else np.linspace(*x, count + 1)
    # Shares, so that levels with different numbers of trials can be compared.
    heights = [np.histogram(v, edges)[0] / len(v) for _, v in groups]
    top = max(float(h.max()) for h in heights) * 1.08
    names = [name for name, _ in groups]
    roles = drawing.colors(names)
    canvas = Canvas(
        spec["title"], spec["x_label"], "share of trials", x, (0.0, top), "x" if log else "",
        drawing.margin_for(names if len(names) > 1 else []),
    )  # fmt: skip
    for (name, values), shares in zip(groups, heights, strict=True):
        at = np.repeat(edges, 2)[1:-1]
        canvas.band(at, np.zeros(len(at)), np.repeat(shares, 2), roles[name], 0.22)
        outline = np.repeat(shares, 2)
        if log:  # seaborn would bin the logarithms
            _draw_line(canvas, at, outline, roles[name], 1.8)
        else:
            seaborn.histplot(
                x=values, bins=edges, ax=canvas.axes, stat="probability", element="step",
                fill=False, color=SENTINEL[roles[name]], linewidth=1.8, legend=False,
            )  # fmt: skip
        canvas._limit()
        if len(names) > 1:
            # Labels stand on the right: the order there follows the height of the peaks.
            canvas.label(float(shares.max()), name, roles[name])
    for value, role, width, dashes, word in (
        (spec["reference"], "ink", 1.6, DASHED, "theory"),
        (spec["slide"], "ref", 2.6, DOTTED, "slide"),
    ):
        if value is not None:
            across = canvas.place(value, 0)[0]
            low = canvas.height - drawing.BOTTOM
            canvas.rule([across, across], [canvas.top - 4, low], role, width, dashes, over=True)
            # Above the bars, and away from the other mark where the two stand close together.
            other = spec["slide"] if word == "theory" else spec["reference"]
            gap = 99.0 if other is None else across - canvas.place(other, 0)[0]
            side = "center" if abs(gap) > 50 else "left" if gap > 0 else "right"
            canvas.text(across, canvas.top - 6, word, "lb", side, role)
    rows = [
        [name, number(float(v.mean())), number(float(v.std(ddof=1)) if len(v) > 1 else 0.0),
         *[number(float(q)) for q in np.quantile(v, (0.05, 0.5, 0.95))], str(len(v))]
        for name, v in groups
    ]  # fmt: skip
    description = f"Distribution of {spec['x_label']} over trials. " + " ".join(
        f"{r[0]}: mean {r[1]}, standard deviation {r[2]}, n = {r[6]}." for r in rows
    )
    svg = canvas.svg(panel, spec["title"], description)
    head = ["level", "mean", "sd", "5 %", "median", "95 %", "n"]
    table = Table(f"Distribution of {spec['x_label']}", head, rows)
    return Panel(panel, spec["title"], svg, description, table)


LEFT = drawing.LEFT


def draw(panel: str, spec: dict, results, curves) -> Panel | None:
    """The figure a specification describes.

    Args:
        panel: id, unique in the page.
        spec: a figure as `to_json` stored it.
        results: `verdicts.Results`.
        curves: name -> what `Store.curves` returns.
    """
    with matplotlib.rc_context(drawing.RENDERING):
        if spec["type"] == "Curves":
            return curves_panel(panel, spec, curves(spec["y"]))
        kinds = {"Lines": lines_panel, "Points": points_panel, "Histogram": histogram_panel}
        return kinds[spec["type"]](panel, spec, results)
