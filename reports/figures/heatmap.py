"""`Heatmap`: the mean of a metric over two factors, with a number in each square."""

from collections.abc import Mapping

import numpy as np

from benchmarks import statistics
from benchmarks.verdicts import number
from reports.drawing import LEFT, LETTER, NAME, WIDTH, Canvas, tick_label
from reports.figures.marks import draw_pieces
from reports.figures.panel import Panel, Table, cells_of, level_name, with_interval

FAINT, STRONG = 0.06, 0.5  # opacities: a number in ink stays legible on both grounds
MARGIN = 10.0  # on the right
DIGIT = 7.8  # units, on a phone
GAP = 0.75  # units of ground around each square


def heatmap_panel(panel: str, spec: Mapping, results) -> Panel | None:
    """`Heatmap`: squares without a finished cell stay empty and say so."""
    cells = [cell for _, cell in cells_of(results, spec, "value")]
    if not cells:
        return None
    columns = _ordered([c.factors[spec["x"]] for c in cells])
    rows = _ordered([c.factors[spec["y"]] for c in cells], upward=True)
    names = [[level_name("", level).strip(" :") for level in axis] for axis in (columns, rows)]
    found = [[_mean(cells, spec, column, row) for column in columns] for row in rows]
    means = np.array([[mean for mean, _ in row] for row in found])
    finite = means[np.isfinite(means)]
    span = float(np.ptp(finite)) if len(finite) else 0.0
    canvas = _canvas(spec, columns, *names)
    for (i, j), shade in np.ndenumerate(_shades(means, spec["log"])):
        _square(canvas, i, j, shade, *found[i][j], span)
    down = range(len(rows))[::-1]
    table = Table(
        f"Mean of {spec['value'].replace('_', ' ')} with 99 % interval, by {spec['y_label']} "
        f"(down) and {spec['x_label']} (across)",
        [spec["y_label"], *names[0]],
        [[names[1][i], *(text for _, text in found[i])] for i in down],
    )
    description = _in_words(spec, means, names)
    if any(", over" in text for row in found for _, text in row):
        description += " Squares join cells that differ in other factors, without interval."
    svg = canvas.svg(panel, spec["title"], description)
    return Panel(panel, spec["title"], svg, description, table)


def _mean(cells, spec, column, row) -> tuple[float, str]:
    """The number of a square, NaN for none, and what the table says."""
    here = [
        c.metrics[spec["value"]]
        for c in cells
        if c.factors[spec["x"]] == column and c.factors[spec["y"]] == row
    ]
    if not here:
        return np.nan, "not run"
    values = np.concatenate(here)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.nan, "not finite"
    if len(here) > 1:  # of several quantities: no draws of one, so no interval
        return float(finite.mean()), f"{number(float(finite.mean()))}, over {len(here)} cells"
    interval = statistics.mean_interval(finite)
    text = with_interval(interval.estimate, interval.low, interval.high)
    lost = len(values) - len(finite)
    return interval.estimate, text + (f", {lost} of {len(values)} not finite" if lost else "")


def _ordered(levels, upward=False) -> list:
    """Numbers by size, others as they appear: from the left, or from the top."""
    found = list(dict.fromkeys(levels))
    if _numeric(found):
        return sorted(found)
    return found[::-1] if upward else found


def _numeric(levels) -> bool:
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in levels)


def _canvas(spec, levels: list, columns: list[str], rows: list[str]) -> Canvas:
    left = float(np.clip(7 + LETTER * max(map(len, rows)), LEFT, 124))
    side = (WIDTH - left - MARGIN) / len(columns)
    depth = len(rows) * float(np.clip(0.7 * side, 26, 60))
    named = list(enumerate(columns))
    if _numeric(levels):  # a number in two lines would be another number
        named = named[:: int(np.ceil(NAME * (max(map(len, columns)) + 1) / side))]
    return Canvas(
        spec["title"], spec["x_label"], spec["y_label"], (-0.5, len(columns) - 0.5),
        (-0.5, len(rows) - 0.5), margin=MARGIN, x_names=named,
        y_names=list(enumerate(rows)), left=left, depth=depth, grid=False,
    )  # fmt: skip


def _shades(means: np.ndarray, log: bool) -> np.ndarray:
    """Opacities, from the lowest mean to the highest; NaN where a square stays empty."""
    shown = np.where(np.isfinite(means), means, np.nan)
    if log:
        # What has no logarithm is fainter than anything that has.
        shown = np.log10(np.where(shown > 0, shown, np.nan))
    if not np.isfinite(shown).any():
        return np.where(np.isfinite(means), FAINT, np.nan)
    low, high = np.nanmin(shown), np.nanmax(shown)
    part = (shown - low) / (high - low) if high > low else np.where(np.isnan(shown), shown, 0.5)
    shades = FAINT + (STRONG - FAINT) * part
    return np.where(np.isnan(shades) & np.isfinite(means), 0.0, shades)


def _square(canvas: Canvas, i, j, shade: float, mean: float, text: str, span: float) -> None:
    """A square with the longest form of its number that fits, none coarser than a fifth of all."""
    corners = [(j + a, i + b) for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
    square = canvas.axes.transData.transform(corners)
    square += GAP * np.sign(square.mean(axis=0) - square)
    if shade > 0:
        draw_pieces(canvas, [square], "c1", opacity=shade)
    else:
        draw_pieces(canvas, [square[[0, 1, 2, 3, 0]]], None, "ink3", width=0.8)
    room = int(np.ptp(square[:, 0]) / DIGIT)
    tries = [text.split(" [")[0].split(",")[0]]
    if np.isfinite(mean):
        tries += [tick_label(float(f"{mean:.{digits}g}")) for digits in (3, 2)]
        tries += [
            tick_label(round(mean, places) + 0.0) for places in (2, 1, 0) if 5 * 10**-places < span
        ]
    else:
        tries.append("–")
    words = next((words for words in tries if len(words) <= room), None)
    if words:
        x, y = canvas.place(j, i)
        canvas.text(x, y + 4, words, "num", ha="center")


def _in_words(spec, means: np.ndarray, names) -> str:
    what = spec["value"].replace("_", " ")
    parts = [f"Mean of {what} by {spec['x_label']} and {spec['y_label']}."]
    if np.isfinite(means).any():
        for word, find in (("Lowest", np.nanargmin), ("Highest", np.nanargmax)):
            i, j = np.unravel_index(find(means), means.shape)
            parts.append(f"{word}: {number(float(means[i, j]))} at {names[0][j]}, {names[1][i]}.")
        scale = ", on a logarithmic scale" if spec["log"] else ""
        parts.append(f"Darker is higher{scale}.")
    empty = int(np.isnan(means).sum())
    if empty:
        parts.append(f"{empty} of {means.size} squares are empty: not run, or not finite.")
    return " ".join(parts)
