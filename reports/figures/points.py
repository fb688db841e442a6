"""`Points`: every seed as a dot beside the mean with its interval."""

from collections.abc import Mapping

import numpy as np

from benchmarks import statistics
from reports import drawing
from reports.drawing import LEFT, Canvas
from reports.figures.marks import DASHED, dots, specks
from reports.figures.panel import Panel, Table, cells_of, level_name, levels_of, with_interval


def points_panel(panel: str, spec: Mapping, results) -> Panel | None:
    """`Points`: every seed as a dot beside the mean with its interval, level by level."""
    cells = cells_of(results, spec, "y")
    if not cells:
        return None
    groups = levels_of(cells, spec["by"])
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
    y = drawing.limits([*found.values(), *reference], "y" in spec["log"], 0.06, ends=True)
    named = spec.get("reference_label") or "reference"
    words = (names if spec["by"] else []) + ([named] if reference else [])
    canvas = Canvas(
        spec["title"], spec["x_label"], spec["y_label"], (-0.5, len(levels) - 0.5), y,
        spec["log"].replace("x", ""), drawing.margin_for(words),
        x_names=[(i, n) for i, n in enumerate(plain)] if len(levels) <= 12 else [],
    )  # fmt: skip
    if reference:
        at = canvas.place(0, spec["reference"])[1]
        canvas.rule([LEFT, canvas.right], [at, at], "ink", 1.6, DASHED, over=True)
        canvas.label(spec["reference"], named, "ink")
    rows, last = [], {}
    for (g, i), values in found.items():
        role = roles[names[g]] if spec["by"] else roles[plain[i]]
        marker = drawing.MARKERS[(g if spec["by"] else i) % len(drawing.MARKERS)]
        offset = (g - (len(groups) - 1) / 2) * 0.7 / len(groups)
        # A fixed sideways order instead of random jitter: rebuilt pages are identical.
        shown = values[:: max(1, len(values) // 60)]
        spread = ((np.arange(len(shown)) * 0.618) % 1 - 0.5) * 0.36 / len(groups)
        specks(canvas, i + offset + spread, shown, role, 4.2, 0.45)
        if not len(values):
            continue
        interval = statistics.mean_interval(values)
        center = canvas.place(i + offset, np.clip(interval.estimate, *canvas.y))
        if interval.low is not None and interval.high is not None:
            low, high = np.clip((interval.low, interval.high), *canvas.y)
            ends = [canvas.place(0, low)[1], canvas.place(0, high)[1]]
            canvas.rule([center[0], center[0]], ends, role, 3.2, over=True)
        dots(canvas, [i + offset], [interval.estimate], role, marker, 9.0)
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
    key = (f"Dashed: {named}.",) if reference else ()
    return Panel(panel, spec["title"], svg, description, table, key=key)
