"""The data behind each figure as CSV: one file a figure, one row a value, nothing rounded."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from benchmarks import statistics
from reports.figures.panel import Table, matches


def figure_csv(spec: Mapping, results, curves: Callable, cells=()) -> str:
    """A figure's data; arguments as for `reports.figures.draw`.

    Curves become their center and band, since a thousand of them are no table; everything else
    is the trials themselves.
    """
    rows = list(_rows(spec, results, curves, cells))
    # Levels first, then what was measured; cells may differ in what they have.
    heads = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, heads, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def table_csv(table: Table) -> str:
    """A table of the page, as it stands there: for figures whose numbers are summaries."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([table.head, *table.rows])
    return out.getvalue()


def _rows(spec, results, curves, cells) -> Iterator[dict]:
    kind, where = spec["type"], spec["where"]
    if kind == "Curves":
        for factors, axis, values, theory, slide in curves(spec["y"]):
            if matches(factors, where):
                yield from _band(spec, dict(factors), axis, values, theory, slide)
    elif kind == "Plane":
        names = [*spec["points"], *spec["paths"], *spec.get("lines", ())]
        names = [spec["surface"], *names] if spec["surface"] else names
        for cell in cells:
            if cell.status == "done" and matches(cell.factors, where):
                for name in names:
                    yield from _array(dict(cell.factors), name, cell.arrays)
    else:
        wanted = [spec.get(key) for key in ("x", "y", "value", "theory")]
        for cell in results.cells:
            if not matches(cell.factors, where):
                continue
            names = [name for name in wanted if name in cell.metrics]
            for i, seed in enumerate(cell.seeds):
                values = {name: float(cell.metrics[name][i]) for name in names}
                yield dict(cell.factors) | {"seed": int(seed)} | values


def _band(spec, factors, axis, values, theory, slide) -> Iterator[dict]:
    """Center and 99 % band at each point of the axis, with what theory and slide say."""
    band = statistics.mean_band if spec["center"] == "mean" else statistics.median_band
    values = np.asarray(values, float)
    with np.errstate(all="ignore"):
        center, low, high = band(np.where(np.isnan(values), np.inf, values))
    for i, at in enumerate(np.asarray(axis, float)):
        row = {"axis": float(at), spec["center"]: float(center[i]), "low": float(low[i])}
        row |= {"high": float(high[i]), "seeds": len(values)}
        row |= {"theory": float(theory[i])} if theory is not None else {}
        yield factors | row | ({"slide": float(slide[i])} if slide is not None else {})


def _array(factors, name, arrays) -> Iterator[dict]:
    """The entries of a surface with their place, or the points of a path in order."""
    if name not in arrays:
        return
    values = np.asarray(arrays[name])
    if f"{name}.x" in arrays:
        for i, y in enumerate(np.asarray(arrays[f"{name}.y"], float)):
            for j, x in enumerate(np.asarray(arrays[f"{name}.x"], float)):
                yield factors | {"array": name, "x": float(x), "y": float(y),
                                 "value": float(values[i, j])}  # fmt: skip
        return
    labels = arrays.get(f"{name}.label")
    for i, (x, y) in enumerate(values):
        row = factors | {"array": name, "x": float(x), "y": float(y)}
        yield row | ({"label": str(labels[i])} if labels is not None else {})
