"""`Plane`: a surface, points and paths, one panel a level."""

from collections.abc import Mapping

import numpy as np

from benchmarks.verdicts import number
from reports import drawing
from reports.drawing import LEFT, WIDTH, Canvas
from reports.figures.contours import BANDS, draw_pixels, draw_surface
from reports.figures.marks import cloud, dots, draw_path
from reports.figures.multiples import grid_panels
from reports.figures.panel import Panel, Table
from reports.figures.pictures import CLASSES, Picture, pictures_of

SIZE, SMALLEST, FEW = 6.5, 4.0, 100  # of a point, where there are many, and how many are not
CORNERS = 1500  # of all paths of a panel
DEPTH, NOTE = 270, 100  # of a panel where both axes have one unit, and of one that is empty
ALIKE = 3  # ranges that differ by more than this factor get axes of their own units
NODES = 5  # of the surface in each direction, in the table
GLYPHS = dict(zip(drawing.MARKERS, "●■◆▲▼✚✖⬟", strict=True))
LINE = "—"  # before the name of a line
MANY = 4  # pieces of a line: more are a net, which is thin


def plane_panels(panel: str, spec: Mapping, cells) -> list[Panel]:
    """`Plane`: `cells` are the claim's `StoredCell`s, failed ones too."""
    if spec.get("across"):
        return grid_panels(panel, spec, cells)
    found = pictures_of(spec, cells)
    names = [panel] if len(found) == 1 else [f"{panel}{i + 1}" for i in range(len(found))]
    return [_draw(name, picture) for name, picture in zip(names, found, strict=True)]


def _frame(x, y, words: list[str]) -> tuple[float, float]:
    """Margin on the right and height of the plot; equal units where the ranges are alike."""
    margin = drawing.margin_for(words)
    width, across, up = WIDTH - LEFT - margin, x[1] - x[0], y[1] - y[0]
    if not 1 / ALIKE <= across / up <= ALIKE:
        return margin, drawing.HEIGHT - drawing.TOP - drawing.BOTTOM
    unit = min(width / across, DEPTH / up)
    return WIDTH - LEFT - unit * across, unit * up


def _draw(panel: str, picture: Picture) -> Panel:
    x, y = picture.limits
    classes = [name for name, _ in picture.classes]
    paths = [name for name, _ in picture.paths]
    lines = [name for name, _ in picture.lines]
    roles = _colors([*paths, *lines], len(classes))
    words = [f"● {name}" for name in (*classes, *paths)] + [f"{LINE} {name}" for name in lines]
    words = words if len(words) > 1 else []
    margin, depth = _frame(x, y, words)
    spec = picture.spec
    empty = picture.empty
    canvas = Canvas(
        picture.title, spec["x_label"], spec["y_label"], x, y, margin=margin,
        depth=NOTE if empty else depth, grid=picture.surface is None,
        x_names=[] if empty else None, y_names=[] if empty else None,
    )  # fmt: skip
    canvas.leaders = False  # what is named lies anywhere, not at the right
    parts = [
        *_draw_ground(canvas, picture), *_draw_points(canvas, picture, bool(words)),
        *_draw_lines(canvas, picture, roles, bool(words)),
    ]  # fmt: skip
    for i, note in enumerate(picture.notes[:4]):
        canvas.note(note, i)
    parts += [f"Not shown: {note}." for note in picture.notes]
    parts.append("One run, so no interval.")
    description = " ".join(parts)
    svg = canvas.svg(panel, picture.title, description)
    return Panel(panel, picture.title, svg, description, _table(picture))


def _draw_ground(canvas: Canvas, picture: Picture) -> list[str]:
    """The surface; returns it in words."""
    if not picture.surface:
        return []
    if picture.spec.get("pixels"):
        draw_pixels(canvas, picture.surface)
        return [_surface_in_words(picture.surface, []) + " Stronger is higher."]
    contours = draw_surface(canvas, picture.surface, picture.marks)
    return [_surface_in_words(picture.surface, contours)]


def _draw_points(canvas: Canvas, picture: Picture, named: bool) -> list[str]:
    """The classes, a marker and a color each; returns them in words."""
    every, parts = picture.every, []
    size = float(np.clip(SIZE * np.sqrt(FEW / max(picture.shown, 1)), SMALLEST, SIZE))
    (left, right), (bottom, top) = canvas.x, canvas.y
    for i, (name, points) in enumerate(picture.classes):
        marker, role = drawing.MARKERS[i % 8], CLASSES[i % 8]
        kept = points[np.all(np.isfinite(points), axis=1)]
        inside = kept[np.all((kept >= (left, bottom)) & (kept <= (right, top)), axis=1)]
        cloud(canvas, inside[::every], role, marker, size)
        parts.append(f"{name}: {len(points)} points" + _around(kept))
        if len(points) > len(inside):
            parts.append(f"Outside: {len(points) - len(inside)} of them.")
        if named and len(kept):
            canvas.label(kept[:, 1].mean(), f"{GLYPHS[marker]} {name}", role)
    if every > 1:
        parts.append(f"One point of {every} is drawn.")
    return parts


def _draw_lines(canvas: Canvas, picture: Picture, roles, named: bool) -> list[str]:
    """Lines and paths, which few points lie above and many below; returns them in words."""
    most = CORNERS // max(len(picture.paths) + len(picture.lines), 1)
    over = canvas.layer() if picture.shown > FEW else canvas
    parts = []
    for name, line in picture.lines:
        on = canvas if _joins(line, picture.classes) else over
        parts.append(_draw_line(on, name, line, roles[name], named, most))
    for i, (name, path) in enumerate(picture.paths):
        on = canvas if _joins(path, picture.classes) else over
        parts.append(_draw_path(on, name, path, roles[name], i, named, most))
    if picture.paths:
        parts.append("Paths start at hollow marks and end at filled ones.")
    return parts


def _colors(paths: list[str], classes: int) -> dict[str, str]:
    """Methods keep their colors; other paths take those that no class has."""
    roles = drawing.colors(paths)
    if classes:
        free = ("ink", *CLASSES[min(classes, len(CLASSES) - 1) :])
        others = [name for name in paths if roles[name] in drawing.PALETTE]
        roles |= {name: free[i % len(free)] for i, name in enumerate(others)}
    return roles


def _draw_path(canvas, name, path, role, i, named, most) -> str:
    """One path with its ends; returns it in words."""
    marker = drawing.MARKERS[i % 8]
    draw_path(canvas, path, role, 1.8, most)
    kept = path[np.all(np.isfinite(path), axis=1)]
    if not len(kept):
        return f"{name}: no finite point."
    first, last = kept[0], kept[-1]
    dots(canvas, first[:1], first[1:], "surface", "o", 6.0, edge=role)
    if canvas.x[0] <= last[0] <= canvas.x[1]:
        dots(canvas, last[:1], last[1:], role, marker, 7.5)
    if named:
        canvas.label(last[1], f"{GLYPHS[marker]} {name}", role)
    steps = len(path) - 1
    return f"{name}: from {_place(first)} to {_place(last)} in {steps} steps."


def _draw_line(canvas, name, line, role, named, most) -> str:
    """One line without ends; returns it in words."""
    pieces = _pieces(line)
    draw_path(canvas, line, role, 1.8 if pieces <= MANY else 1.1, most)
    known = np.all(np.isfinite(line), axis=1)
    if not known.any():
        return f"{name}: no finite point."
    if named:
        canvas.label(line[known][-1][1], f"{LINE} {name}", role)
    if pieces > 1:
        return f"{name}: {pieces} lines."
    return f"{name}: a line from {_place(line[known][0])} to {_place(line[known][-1])}."


def _pieces(line) -> int:
    """How many lines it is that NaN keeps apart."""
    known = np.all(np.isfinite(line), axis=1)
    return int(np.sum(np.diff(known.astype(int), prepend=0) == 1))


def _joins(line, classes) -> bool:
    """Whether it leads from point to point, as edges of a graph, which lie below the nodes."""
    points = [tuple(p) for _, points in classes for p in np.round(points, 9)]
    ends = line[np.all(np.isfinite(line), axis=1)]
    return bool(points) and {tuple(p) for p in np.round(ends, 9)} <= set(points)


def _place(point) -> str:
    return f"({number(float(point[0]))}, {number(float(point[1]))})"


def _around(points) -> str:
    return f" around {_place(points.mean(axis=0))}." if len(points) else "."


def _surface_in_words(surface, lines) -> str:
    name = surface.name.replace("_", " ")
    finite = surface.values[np.isfinite(surface.values)]
    if not len(finite):
        return f"{name} is nowhere finite."
    low, high = float(finite.min()), float(finite.max())
    row, column = np.unravel_index(np.nanargmin(surface.values), surface.values.shape)
    lowest = _place((surface.x[column], surface.y[row]))
    ends = f"from {number(low)} at {lowest} to {number(high)}"
    if surface.probability:
        edges = ", ".join(f"{band:g}" for band in BANDS)
        half = "; the line is one half" if lines else ", nowhere one half"
        return f"Bands of {name}, {ends}, with edges at {edges}{half}."
    if not lines:
        return f"{name} is {number(low)} all over." if low == high else f"{name}, {ends}."
    spacing = "logarithmic " * surface.log
    return f"{len(lines)} {spacing}contours of {name}, {ends}; darker is lower."


def _table(picture: Picture) -> Table:
    """Nodes of the surface, centers of the classes, and starts, middles and ends of the lines."""
    rows = []
    surface = picture.surface

    def row(what, x, y, value):
        known = number(value) if np.isfinite(value) else "–"
        rows.append([what, number(float(x)), number(float(y)), known])

    if surface:
        name = surface.name.replace("_", " ")
        across, up = (
            np.unique(np.linspace(0, len(axis) - 1, NODES).round().astype(int))
            for axis in (surface.x, surface.y)
        )
        for i in up[::-1]:
            for j in across:
                row(name, surface.x[j], surface.y[i], float(surface.values[i, j]))
    for name, points in picture.classes:
        kept = points[np.all(np.isfinite(points), axis=1)]
        if len(kept):
            rows.append([f"{name}, mean of {len(kept)}", *map(number, kept.mean(axis=0)), "–"])
    every = [(name, "step", path) for name, path in picture.paths]
    every += [(name, "point", line) for name, line in picture.lines]
    for name, word, path in every:
        steps = np.flatnonzero(np.all(np.isfinite(path), axis=1))
        for i in np.unique(steps[[0, len(steps) // 2, -1]]) if len(steps) else ():
            value = surface.nearest(*path[i]) if surface else float("nan")
            row(f"{name}, {word} {i}", path[i][0], path[i][1], value)
    head = ["what", picture.spec["x_label"], picture.spec["y_label"], "value"]
    return Table(f"Numbers of {picture.title}, from one run", head, rows)
