"""`Curves` over their own axis, and `Lines`: a metric against a numeric factor."""

import warnings
from collections.abc import Mapping

import numpy as np

from benchmarks import statistics
from reports.figures.panel import Panel, cells_of, level_name, levels_of, matches
from reports.figures.series import Series, line_panel


def curves_panel(panel: str, spec: Mapping, stored) -> Panel | None:
    """`Curves`: `stored` is what `Store.curves` returned for its name."""
    stored = [c for c in stored if matches(c[0], spec["where"])]
    band = statistics.mean_band if spec["center"] == "mean" else statistics.median_band
    series = []
    for level, cells in levels_of(stored, spec["by"]):
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
        spec["center"], spec.get("theory_label", ""),
    )  # fmt: skip


def lines_panel(panel: str, spec: Mapping, results) -> Panel | None:
    """`Lines`: a metric against a numeric factor."""
    cells = cells_of(results, spec, "y")
    if not cells:
        return None
    series = []
    for level, group in levels_of(cells, spec["by"]):
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
        panel, spec["title"], spec["x_label"], spec["y_label"], series, spec["log"], "mean",
        spec.get("theory_label", ""),
    )  # fmt: skip
