"""`Histogram`: the distribution of a metric over seeds."""

from collections.abc import Mapping

import numpy as np

from benchmarks.verdicts import number
from reports import drawing
from reports.drawing import SENTINEL, Canvas
from reports.figures.marks import DASHED, DOTTED, draw_line
from reports.figures.panel import Panel, Table, cells_of, level_name, levels_of


def histogram_panel(panel: str, spec: Mapping, results) -> Panel | None:
    """`Histogram`: the distribution of a metric over seeds."""
    import seaborn

    cells = cells_of(results, spec, "x")
    groups = []
    for level, group in levels_of(cells, spec["by"]):
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
    x = drawing.limits([*[v for _, v in groups], *marks], log, ends=True)
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
    canvas.leaders = False  # no line ends on the right
    for (name, values), shares in zip(groups, heights, strict=True):
        at = np.repeat(edges, 2)[1:-1]
        canvas.band(at, np.zeros(len(at)), np.repeat(shares, 2), roles[name], 0.22)
        outline = np.repeat(shares, 2)
        if log:  # seaborn would bin the logarithms
            draw_line(canvas, at, outline, roles[name], 1.8)
        else:
            seaborn.histplot(
                x=values, bins=edges, ax=canvas.axes, stat="probability", element="step",
                fill=False, color=SENTINEL[roles[name]], linewidth=1.8, legend=False,
            )  # fmt: skip
        canvas._limit()
        if len(names) > 1:
            # Labels stand on the right: the order there follows the height of the peaks.
            canvas.label(float(shares.max()), name, roles[name])
    named = spec.get("reference_label") or "theory"
    key = []
    for value, beside, role, width, dashes, word, meaning in (
        (spec["reference"], spec["slide"], "ink", 1.6, DASHED, named, f"Dashed: {named}."),
        (spec["slide"], spec["reference"], "ref", 2.6, DOTTED, "slide", "Dotted: the slide."),
    ):
        if value is not None:
            key.append(meaning)
            across = canvas.place(value, 0)[0]
            low = canvas.height - canvas.bottom
            canvas.rule([across, across], [canvas.top + 2, low], role, width, dashes, over=True)
            # Above the bars, and away from the other mark where the two stand close together.
            gap = 99.0 if beside is None else across - canvas.place(beside, 0)[0]
            side = "center" if abs(gap) > 50 else "left" if gap > 0 else "right"
            canvas.text(across, canvas.top - 2, word, "lb", side, role)
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
    return Panel(panel, spec["title"], svg, description, table, key=tuple(key))
