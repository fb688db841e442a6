"""Lines and dots on a canvas; seaborn draws ready-made numbers only."""

import matplotlib
import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from reports.drawing import SENTINEL, Canvas
from reports.figures.simplify import at_most

POINTS = 120  # of a drawn curve: finer than a pixel at 300 units
DASHED, DOTTED = (4, 3), (0.1, 2.1)  # in line widths


def thin(x: np.ndarray, log: bool, most: int = POINTS) -> np.ndarray:
    """Positions of at most `most` points, even as the axis shows them."""
    if len(x) <= most:
        return np.arange(len(x))
    if log:
        positive = np.flatnonzero(x > 0)
        wanted = np.geomspace(x[positive[0]], x[-1], most)
        return np.unique(np.searchsorted(x, wanted).clip(positive[0], len(x) - 1))
    return np.unique(np.linspace(0, len(x) - 1, most).round().astype(int))


def draw_line(canvas: Canvas, x, y, role, width, dashes=None, opacity=1.0) -> None:
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


def dots(canvas: Canvas, x, y, role, marker, size=7.0, opacity=1.0, edge="surface") -> None:
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
        patch = PathPatch(
            vertices, transform=None, facecolor=SENTINEL[role], alpha=opacity,
            edgecolor=SENTINEL[edge] if edge else "none", linewidth=1.0 if edge else 0,
            zorder=4 if edge else 2,
        )  # fmt: skip
        canvas.figure.add_artist(patch)


def specks(canvas: Canvas, x, y, role, size, opacity=1.0, square=False) -> None:
    """Small round dots as one path: strokes of no length with round ends, 20 bytes each."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    low, high = canvas.y
    inside = np.isfinite(x) & (low <= y) & (y <= high)
    if "y" in canvas.log:
        inside &= y > 0
    if not inside.any():
        return
    places = canvas.axes.transData.transform(np.stack([x, y], 1)[inside])
    reach = np.array([size if square else 0.1, 0.0])
    strokes = [Path([place - reach / 2, place + reach / 2]) for place in places]
    path = Path.make_compound_path(*strokes)
    path.should_simplify = False
    patch = PathPatch(
        path, transform=None, facecolor="none", edgecolor=SENTINEL[role], alpha=opacity,
        linewidth=size, capstyle="butt" if square else "round", zorder=2,
    )  # fmt: skip
    canvas.figure.add_artist(patch)


def cloud(canvas: Canvas, points, role, marker, size=6.5) -> None:
    """Many markers at `points` `(n, 2)`, finite and inside the axes, as one path.

    Of straight strokes: a fifth of the bytes of markers of their own.
    """
    shape = matplotlib.markers.MarkerStyle(marker)
    outline = shape.get_path().transformed(shape.get_transform())
    fine = np.asarray(outline.to_polygons()[0])
    corners = fine[:: max(1, len(fine) // 16)] * size  # a circle comes as a fine polygon
    places = canvas.axes.transData.transform(points)
    draw_pieces(canvas, [corners + place for place in places], role, "surface", width=0.8, over=2)


def draw_pieces(
    canvas: Canvas, pieces, face, edge=None, *, width=0.0, opacity=1.0, over=-0.5
) -> None:
    """Polygons, or with `face` None open lines, as one path.

    Pieces are arrays `(corners, 2)` in units from the lower left corner. What is `over` something
    covers it; rules lie at -1, what the axes hold at 0.
    """
    pieces = [piece for piece in pieces if len(piece) > 1]
    if not pieces:
        return
    path = Path.make_compound_path(
        *[Path(_closed(piece) if face else piece, closed=bool(face)) for piece in pieces]
    )
    # Simplified by then: matplotlib would do it to lines and not to what they bound.
    path.should_simplify = False
    patch = PathPatch(
        path, transform=None, facecolor=SENTINEL[face] if face else "none", alpha=opacity,
        edgecolor=SENTINEL[edge] if edge else "none", linewidth=width, zorder=over,
    )  # fmt: skip
    canvas.figure.add_artist(patch)


def _closed(piece):
    return piece if np.array_equal(piece[0], piece[-1]) else np.concatenate([piece, piece[:1]])


def draw_path(canvas: Canvas, path, role, width, most: int) -> None:
    """A path in the plane; what is not finite breaks it, and the axes' frame cuts it."""
    (left, right), (low, high) = canvas.x, canvas.y
    # Far outside values would make coordinates that renderers cannot hold.
    far = 20 * np.array([right - left, high - low])
    points = np.clip(np.asarray(path, float), (left, low) - far, (right, high) + far)
    lost = ~np.all(np.isfinite(points), axis=1)
    pieces = [
        piece[np.all(np.isfinite(piece), axis=1)]
        for piece in np.split(points, np.flatnonzero(lost))
    ]
    for piece in pieces:
        if len(piece) < 2:
            continue
        thinned = at_most(
            canvas.axes.transData.transform(piece), max(most * len(piece) // len(points), 20)
        )
        kept = canvas.axes.transData.inverted().transform(thinned)
        (line,) = canvas.axes.plot(*kept.T, color=SENTINEL[role], linewidth=width)
        line.set_solid_joinstyle("round")
        canvas._limit()
