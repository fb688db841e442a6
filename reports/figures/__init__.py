"""The figures an experiment asked for, drawn from stored trials by the chart rules.

Solid: measured, with its 99 % band. Thin: single runs. Dashed: theory. Dotted vermilion: the
slide. Bands come from `benchmarks.statistics`.
"""

from collections.abc import Callable, Mapping

import matplotlib

from reports import drawing
from reports.figures.heatmap import heatmap_panel
from reports.figures.histogram import histogram_panel
from reports.figures.lines import curves_panel, lines_panel
from reports.figures.panel import Panel, Table
from reports.figures.plane import plane_panels
from reports.figures.points import points_panel
from reports.figures.series import Series, line_panel

__all__ = ["Panel", "Series", "Table", "draw", "line_panel"]

ONE_PANEL: Mapping[str, Callable[..., Panel | None]] = {
    "Heatmap": heatmap_panel, "Histogram": histogram_panel, "Lines": lines_panel,
    "Points": points_panel,
}  # fmt: skip


def draw(panel: str, spec: Mapping, results, curves, cells=()) -> list[Panel]:
    """The panels of a figure: one, of a `Plane` one a level, and none without finished cells.

    Args:
        panel: id, unique in the page.
        spec: a figure as `to_json` stored it.
        results: `verdicts.Results`.
        curves: name -> what `Store.curves` returns.
        cells: `StoredCell`s, failed ones too, whose arrays a `Plane` shows.

    Raises:
        ValueError: if nothing here draws this kind of figure.
    """
    kind = spec["type"]
    with matplotlib.rc_context(drawing.RENDERING):
        if kind == "Plane":
            return plane_panels(panel, spec, cells)
        if kind == "Curves":
            drawn = curves_panel(panel, spec, curves(spec["y"]))
        elif kind in ONE_PANEL:
            drawn = ONE_PANEL[kind](panel, spec, results)
        else:
            known = ", ".join(sorted([*ONE_PANEL, "Curves", "Plane"]))
            raise ValueError(f"kind of figure must be one of {known}, received {kind!r}")
    return [drawn] if drawn else []
