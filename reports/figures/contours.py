"""A surface over the plane: bands of a probability, or contours of anything else."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from reports.drawing import Canvas, tick_label
from reports.figures.marks import draw_pieces
from reports.figures.simplify import TOLERANCE, refined, simplified

CORNERS, COARSE = 1500, 0.7  # of all regions, about 12 kB; beyond it, this tolerance
BANDS = (0.1, 0.25, 0.5, 0.75, 0.9)  # of a probability
SHADES = 9  # of an image
ROOM = 20.0  # units between the middle of a word and a mark
LOW, HIGH = "c1", "c5"  # blue and amber: far apart for color-blind readers too


@dataclass(frozen=True)
class Surface:
    """Values `(rows, columns)` over `x` `(columns,)` and `y` `(rows,)`."""

    name: str
    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    log: bool = False
    probability: bool = False

    def nearest(self, x: float, y: float) -> float:
        """The value at the grid's nearest node, NaN outside."""
        if not (self.x.min() <= x <= self.x.max() and self.y.min() <= y <= self.y.max()):
            return float("nan")
        row, column = np.argmin(np.abs(self.y - y)), np.argmin(np.abs(self.x - x))
        return float(self.values[row, column])


def surface_of(arrays, name: str, log: bool, probability: bool = False) -> Surface:
    """The stored surface of this name.

    Raises:
        ValueError: if an array is missing, or shapes do not belong together.
    """
    found = {}
    for key in (name, f"{name}.x", f"{name}.y"):
        if key not in arrays:
            raise ValueError(f"array {key!r} is not in the store")
        found[key] = np.asarray(arrays[key], float)
    values, x, y = found.values()
    if values.shape != (len(y), len(x)) or min(values.shape) < 2:
        raise ValueError(
            f"array {name!r} must have shape ({len(y)}, {len(x)}), received {values.shape}"
        )
    return Surface(name, x, y, values, log, probability)


def levels(low: float, high: float, log: bool) -> list[float]:
    """About eight round values strictly between two others.

    >>> levels(0.02, 500.0, True)
    [0.1, 1.0, 10.0, 100.0]
    >>> levels(0.0, 8.0, False)
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    if not low < high:
        return []
    if log:
        decades = np.log10(high) - np.log10(low)
        steps = (1,) if decades > 4 else (1, 3) if decades > 2 else (1, 1.5, 2, 3, 5, 7)
        exponents = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)))
        every = int(np.ceil(decades / 10))
        found = [float(m * 10.0**e) for e in exponents[::every] for m in steps]
    else:
        locator = matplotlib.ticker.MaxNLocator(8, steps=[1, 2, 2.5, 5, 10])
        found = [float(v) + 0.0 for v in locator.tick_values(low, high)]
    return [v for v in found if low < v < high]


class Contours:
    """Lines and regions of a surface, in the canvas's units."""

    def __init__(self, canvas: Canvas, surface: Surface):
        self.canvas, self.surface, self.tolerance = canvas, surface, TOLERANCE
        values = np.ma.masked_invalid(surface.values)
        # Interpolated on the scale that is drawn, where such surfaces are straighter.
        self.values = np.ma.log10(np.ma.masked_less_equal(values, 0)) if surface.log else values
        self.axes = Figure().add_subplot()

    def _scaled(self, level):
        return np.log10(level) if self.surface.log else level

    def _pieces(self, drawn) -> list[np.ndarray]:
        transform = self.canvas.axes.transData
        paths = [
            p for path in drawn.get_paths() for p in path.to_polygons(transform, closed_only=False)
        ]
        return [simplified(p, self.tolerance) for p in paths if len(p) > 1]

    def line(self, level: float) -> list[np.ndarray]:
        """Where the surface has this value."""
        at = [self._scaled(level)]
        return self._pieces(self.axes.contour(self.surface.x, self.surface.y, self.values, at))

    def region(self, level: float, above: bool) -> list[np.ndarray]:
        """Where it is at least, or at most, this."""
        at, low, high = self._scaled(level), self.values.min() - 1, self.values.max() + 1
        between = [at, high] if above else [low, at]
        if not between[0] < between[1]:
            return []
        return self._pieces(
            self.axes.contourf(self.surface.x, self.surface.y, self.values, between)
        )


def draw_pixels(canvas: Canvas, surface: Surface) -> None:
    """A square a value, in `SHADES` shades; alike neighbors are one rectangle."""
    values = np.where(np.isfinite(surface.values), surface.values, np.nan)
    if np.isnan(values).all():
        return
    low, high = np.nanmin(values), np.nanmax(values)
    part = (values - low) / (high - low) if high > low else np.zeros_like(values)
    shades = np.where(np.isnan(part), 0, np.round(part * (SHADES - 1))).astype(int)
    pieces: dict[int, list[np.ndarray]] = {}
    for (bottom, top, first, last), shade in rectangles(shades):
        if shade:
            x, y = (
                (v[0] + (np.array(ends) - 0.5) * np.ptp(v) / (len(v) - 1)).tolist()
                for v, ends in ((surface.x, (first, last)), (surface.y, (bottom, top)))
            )
            corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
            pieces.setdefault(shade, []).append(canvas.axes.transData.transform(corners))
    for shade in sorted(pieces):
        draw_pieces(canvas, pieces[shade], "ink", opacity=round(0.85 * shade / (SHADES - 1), 3))


def rectangles(values: np.ndarray) -> list[tuple[tuple[int, int, int, int], int]]:
    """Of equal values: `(bottom, top, first, last)`, the ends excluded, and the value.

    >>> rectangles(np.array([[0, 1, 1], [2, 1, 1]]))
    [((0, 1, 0, 1), 0), ((0, 2, 1, 3), 1), ((1, 2, 0, 1), 2)]
    """
    done, growing = [], dict[tuple[int, int, int], int]()
    for i, row in enumerate([*values, values[0][:0]]):  # nothing is alike beyond the last
        starts = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist()][: len(row)]
        ends = [*starts[1:], len(row)][: len(starts)]
        runs = [(a, b, int(row[a])) for a, b in zip(starts, ends, strict=True)]
        done += [((j, i, a, b), v) for (a, b, v), j in growing.items() if (a, b, v) not in runs]
        growing = {run: growing.get(run, i) for run in runs}
    return sorted(done)


def draw_surface(
    canvas: Canvas, surface: Surface, marks=None, bands=BANDS, corners=CORNERS
) -> list[float]:
    """Fill, lines, and, away from `marks` if given, their values; returns the levels of lines."""
    contours = Contours(canvas, surface)
    if contours.values.count() == 0:
        return []
    finite = surface.values[np.isfinite(surface.values)]
    finite = finite[finite > 0] if surface.log else finite
    low, high = float(finite.min()), float(finite.max())
    if surface.probability:
        filled = [(band, False) for band in bands if band <= 0.5]
        filled += [(band, True) for band in bands if band >= 0.5]
        named = [band for band in bands if low < band < high]
        lines = [band for band in named if band == 0.5]
        below, opacity, color, width = LOW, 0.15, "ink", 1.8
    else:
        named = lines = levels(low, high, surface.log)
        filled = [(level, False) for level in lines]
        below, opacity, color, width = "ink3", 0.055, "ink3", 0.8
    regions = {key: contours.region(*key) for key in filled}
    if sum(len(piece) for pieces in regions.values() for piece in pieces) > corners:
        contours.tolerance = COARSE
        regions = {key: contours.region(*key) for key in filled}
    for (_, above), pieces in regions.items():
        draw_pieces(canvas, pieces, HIGH if above else below, opacity=opacity)
    named = sorted(named, key=lambda level: level not in lines)  # lines first, then edges of bands
    found = {level: contours.line(level) for level in named}
    for level in lines:
        draw_pieces(canvas, found[level], None, color, width=width, over=-0.4)
    if marks is not None:
        few = marks[:: max(1, len(marks) // 1000)]
        _name(canvas, found, canvas.axes.transData.transform(few))
    return lines


def _name(canvas: Canvas, found: dict[float, list[np.ndarray]], marks: np.ndarray) -> None:
    """Values on their lines, along a ray to the lower right, where they leave room."""
    middle = np.array(canvas.axes.transAxes.transform((0.5, 0.5)))
    corner = np.array(canvas.axes.transAxes.transform((1.0, 0.0)))
    ray = (corner - middle) / np.hypot(*(corner - middle))
    low = canvas.axes.transAxes.transform((0, 0))
    high = canvas.axes.transAxes.transform((1, 1))
    taken: list[tuple[np.ndarray, float]] = []
    for level, pieces in found.items():
        name = tick_label(level)
        half = np.array([4.0 * len(name), 8.0])  # a little more than the digits of a phone
        points = np.concatenate([refined(piece) for piece in pieces] or [np.zeros((0, 2))])
        free = np.all((points > low + half) & (points < high - half), axis=1)
        for place, width in taken:
            gap = np.abs(points - place)
            free &= (gap[:, 0] > half[0] + width + 3) | (gap[:, 1] > 17)
        if not free.any():
            continue
        points = points[free]
        ahead = (points - middle) @ ray
        aside = np.abs((points - middle) @ np.array([-ray[1], ray[0]]))
        covered = np.zeros(len(points))
        for mark in marks:
            covered = np.maximum(covered, ROOM - np.hypot(*(points - mark).T))
        place = points[np.argmin(aside - np.minimum(ahead, 0) + 8 * covered)]
        taken.append((place, half[0]))
        canvas.text(place[0], canvas.height - place[1] + 4, name, "cl", ha="center")
