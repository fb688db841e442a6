"""Small multiples: a `Plane` with `across`, whose little pictures stand in rows and columns."""

from collections.abc import Mapping

import numpy as np

from reports.drawing import LETTER, WIDTH, Canvas, wrap
from reports.figures.contours import draw_surface
from reports.figures.marks import draw_path, draw_pieces, specks
from reports.figures.panel import Panel, Table, level_name, levels_of, matches
from reports.figures.pictures import CLASSES, Picture, picture_of

ROWS = 5  # in a panel; what is more stands in a panel beside it
SHAPE = 0.8  # height of a picture over its width
GAP, MARGIN = 4.0, 10.0  # units between pictures, and on the right
BANDS = (0.1, 0.5, 0.9)  # fewer than in a large picture
CORNERS = 120  # of the regions of a picture, about 1 kB
SPECKS, DOT = 100, 3.2  # points of a picture, and their size
GLYPHS = "●■"  # of two classes; a third has a color alone


def grid_panels(panel: str, spec: Mapping, cells) -> list[Panel]:
    """The levels of `by` below each other, at most `ROWS` in a panel; those of `across` beside."""
    found = [(c.factors, c) for c in cells if matches(c.factors, spec["where"])]
    columns = [level for level, _ in levels_of(found, spec["across"])]
    rows = [
        (_plain(spec["by"], level), [_picture(spec, group, column) for column in columns])
        for level, group in levels_of(found, spec["by"])
    ]
    names = [_plain(spec["across"], column) for column in columns]
    left = float(np.clip(9 + LETTER * _columns([name for name, _ in rows]), 20, 124))
    each = -(-len(rows) // max(-(-len(rows) // ROWS), 1))
    parts = [rows[i : i + each] for i in range(0, len(rows), max(each, 1))]
    ids = [panel] if len(parts) == 1 else [f"{panel}{i + 1}" for i in range(len(parts))]
    return [
        _draw(name, spec, names, part, left, part is not parts[0])
        for name, part in zip(ids, parts, strict=True)
    ]


def _plain(factor, level) -> str:
    return "" if level is None else level_name(factor, level)


def _picture(spec, group, column) -> Picture:
    """What the cells of one row and column show: there should be a single one."""
    return picture_of(spec, [c for factors, c in group if factors[spec["across"]] == column])


def _draw(panel: str, spec, columns: list[str], rows: list, left: float, further: bool) -> Panel:
    title = spec["title"] + ", continued" * further
    side = (WIDTH - left - MARGIN) / len(columns)
    canvas = Canvas(
        title, "", f"{spec['x_label']} across, {spec['y_label']} up", (0, len(columns)),
        (len(rows), 0), margin=MARGIN, x_names=[(j + 0.5, name) for j, name in enumerate(columns)],
        y_names=[(i + 0.5, name) for i, (name, _) in enumerate(rows)], left=left,
        depth=len(rows) * SHAPE * side, grid=False,
    )  # fmt: skip
    notes = []
    for i, (name, pictures) in enumerate(rows):
        for j, picture in enumerate(pictures):
            _tile(canvas, i, j, picture)
            notes += [f"{name}, {columns[j]}: {note}" for note in picture.notes]
    classes = list(dict.fromkeys(n for _, ps in rows for p in ps for n, _ in p.classes))
    _legend(canvas, classes)
    parts = [f"{len(rows)} rows of {len(columns)} pictures, one run each, so no interval."]
    if spec["surface"]:
        what = spec["surface"].replace("_", " ")
        bands = ", ".join(f"{band:g}" for band in BANDS)
        parts.append(
            f"Bands of {what}, with edges at {bands}; the line is one half."
            if spec.get("probability")
            else f"Contours of {what}; darker is lower."
        )
    parts += [f"Not shown: {note}." for note in notes]
    description = " ".join(parts)
    svg = canvas.svg(panel, title, description)
    return Panel(panel, title, svg, description, _table(title, spec, columns, rows))


def _columns(names: list[str]) -> int:
    """Letters in a line that let each name stand in two."""
    longest = max((len(word) for name in names for word in name.split()), default=0)
    while any(len(wrap(name, longest)) > 2 for name in names):
        longest += 1
    return longest


def _tile(canvas: Canvas, i: int, j: int, picture: Picture) -> None:
    """One picture in its row and column."""
    (x0, y0), (x1, y1) = canvas.place(j, i), canvas.place(j + 1, i + 1)
    if picture.empty:
        canvas.text((x0 + x1) / 2, (y0 + y1) / 2 + 4, "not run", "tk", ha="center")
        return
    x, y = picture.limits
    width, height = x1 - x0 - GAP, y1 - y0 - GAP
    tile = canvas.inset(x0 + GAP / 2, y0 + GAP / 2, width, height, x, y)
    if picture.surface:
        draw_surface(tile, picture.surface, bands=BANDS, corners=CORNERS)
    for k, (_, points) in enumerate(picture.classes):
        kept = points[np.all(np.isfinite(points), axis=1)]
        inside = kept[np.all((kept >= (x[0], y[0])) & (kept <= (x[1], y[1])), axis=1)]
        every = max(1, -(-len(inside) // (SPECKS // len(picture.classes))))
        across, up = inside[::every].T
        specks(tile, across, up, CLASSES[k % 8], DOT, square=GLYPHS[k % 2] == "■")
    for _, line in (*picture.lines, *picture.paths):
        draw_path(tile, line, "ink", 1.2, 60)
    corners = tile.axes.transAxes.transform([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
    draw_pieces(tile, [corners], None, "ink3", width=0.6, over=1)


def _legend(canvas: Canvas, classes: list[str]) -> None:
    """The classes below the pictures, where other panels name their axis."""
    at = canvas.left
    for k, name in enumerate(classes[: len(CLASSES)]):
        words = f"{GLYPHS[k % 2]} {name}"
        canvas.text(at, canvas.height - 6, words, "lb", color=CLASSES[k])
        at += LETTER * (len(words) + 1)


def _table(title, spec, columns, rows) -> Table:
    """A number for each picture: how much of it lies above one half, or its lowest value."""
    share = bool(spec.get("probability"))

    def shown(picture) -> str:
        if not picture.surface:
            return "–"
        values = picture.surface.values[np.isfinite(picture.surface.values)]
        if not len(values):
            return "–"
        return f"{np.mean(values > 0.5):.2f}" if share else f"{values.min():.3g}"

    what = "Share of each picture above one half" if share else "Lowest value in each picture"
    head = [(spec["by"] or "").replace("_", " "), *columns]
    return Table(f"{what}: {title}", head, [[name, *map(shown, ps)] for name, ps in rows])
