"""What a `Plane` shows: which cells share a panel, and what their arrays hold."""

import zipfile
from collections.abc import Mapping

import numpy as np

from reports import drawing
from reports.figures.contours import Surface, surface_of
from reports.figures.panel import level_name, levels_of, matches

PARTS = ("", ".x", ".y", ".label")  # of an array's name
MOST = 300  # points a panel
CLASSES = ("c1", "c5", "c3", "c6", "c2", "c8", "c4", "c7")  # colors; the first two as in `contours`


class Picture:
    """What one panel shows: arrays of one or several cells over the same ground."""

    def __init__(self, title: str, spec: Mapping):
        self.title, self.spec, self.name = title, spec, ""
        self.notes: list[str] = []
        self.surface: Surface | None = None
        self.classes: list[tuple[str, np.ndarray]] = []
        self.paths: list[tuple[str, np.ndarray]] = []
        self.lines: list[tuple[str, np.ndarray]] = []

    def take_ground(self, arrays: Mapping) -> None:
        """The surface and the points, or notes of what is missing."""
        if self.spec["surface"]:
            try:
                share = bool(self.spec.get("probability"))
                self.surface = surface_of(arrays, self.spec["surface"], self.spec["log"], share)
            except ValueError as error:
                self.notes.append(str(error))
        for name in self.spec["points"]:
            points = self._pairs(arrays, name)
            if points is None:
                continue
            labels = np.asarray(arrays.get(f"{name}.label", np.zeros(0)))
            plain = name.replace("_", " ")
            if labels.shape != (len(points),):
                self.classes.append((plain, points))
                continue
            word = "class" if len(self.spec["points"]) == 1 else plain
            for label in np.unique(labels):
                known = label if isinstance(label, str) else f"{word} {label:g}"
                self.classes.append((str(known), points[labels == label]))

    def take_paths(self, arrays: Mapping, cell_name: str) -> None:
        """Paths and lines, named after their cell where several share the panel."""
        kinds = ((self.spec["paths"], self.paths), (self.spec.get("lines", ()), self.lines))
        single = sum(len(names) for names, _ in kinds) == 1
        for names, found in kinds:
            for name in names:
                path = self._pairs(arrays, name)
                if path is not None:
                    plain = [name.replace("_", " ")] * (not single or not cell_name)
                    found.append((" ".join([cell_name, *plain]).strip(), path))

    def _pairs(self, arrays, name) -> np.ndarray | None:
        values = arrays.get(name)
        if values is None:
            self.notes.append(f"array {name!r} is not in the store")
            return None
        if np.ndim(values) != 2 or np.shape(values)[1] != 2:
            self.notes.append(f"array {name!r} must have shape (n, 2), received {np.shape(values)}")
            return None
        return np.asarray(values, float)

    @property
    def marks(self) -> np.ndarray:
        """Where points and paths are, which words had better not cover."""
        found = np.concatenate([np.zeros((0, 2)), *self._drawn])
        return found[np.all(np.isfinite(found), axis=1)]

    @property
    def limits(self) -> tuple:
        """Ranges of both axes: the surface's, else what holds everything."""
        if self.surface:
            axes = self.surface.x, self.surface.y
            # A pixel reaches half a step beyond its place.
            parts = [np.ptp(v) / (len(v) - 1) / 2 if self.spec.get("pixels") else 0 for v in axes]
            ranges = zip(axes, parts, strict=True)
            return tuple((float(v.min() - half), float(v.max() + half)) for v, half in ranges)
        return tuple(drawing.limits([v[:, i] for v in self._drawn], False) for i in (0, 1))

    @property
    def empty(self) -> bool:
        """Whether nothing can be drawn."""
        return not (self.surface or self._drawn)

    @property
    def every(self) -> int:
        """One point of so many is drawn."""
        return max(1, -(-sum(len(points) for _, points in self.classes) // MOST))

    @property
    def shown(self) -> float:
        """Points that are drawn."""
        return sum(len(points) for _, points in self.classes) / self.every

    @property
    def _drawn(self) -> list[np.ndarray]:
        return [values for _, values in (*self.classes, *self.paths, *self.lines)]


def picture_of(spec: Mapping, cells) -> Picture:
    """The one picture of cells that share their ground; of others the first."""
    if not cells:
        found = Picture(spec["title"], spec)
        found.notes.append("not run")
        return found
    return _of_level(spec["title"], spec, cells)[0]


def pictures_of(spec: Mapping, cells) -> list[Picture]:
    """One picture a level of `by`; failed cells leave notes, not gaps."""
    found = [(c.factors, c) for c in cells if matches(c.factors, spec["where"])]
    out = []
    for level, group in levels_of(found, spec["by"]):
        title = spec["title"]
        if spec["by"]:
            title += f" ({level_name(spec['by'], level)})"
        out += _of_level(title, spec, [cell for _, cell in group])
    return out


def _of_level(title, spec, cells) -> list[Picture]:
    """One picture where all cells have the same ground, which their paths share; else more."""
    pictures: dict = {}
    notes, loaded = [], []
    for cell in cells:
        name = _told_apart(cell, cells)
        try:
            if cell.status != "done":
                raise ValueError(f"failed: {cell.reason}")
            loaded.append((name, cell.arrays))
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            notes.append(f"{name}: {error}".removeprefix(": "))
    for name, arrays in loaded:
        named = {f"{n}{end}" for n in (spec["surface"], *spec["points"]) for end in PARTS}
        ground = [k for k in arrays if k in named]
        key = tuple((k, np.asarray(arrays[k]).tobytes()) for k in sorted(ground))
        if key not in pictures:
            pictures[key] = Picture(title, spec)
            pictures[key].take_ground(arrays)
            pictures[key].name = name
        pictures[key].take_paths(arrays, name)
    out = list(pictures.values()) or [Picture(title, spec)]
    if len(out) > 1:
        for picture in out:
            picture.title += f" [{picture.name}]"
    out[0].notes += notes
    return out


def _told_apart(cell, cells) -> str:
    """A cell's levels of those factors in which it differs from the others."""
    differing = [f for f in cell.factors if len({str(c.factors.get(f)) for c in cells}) > 1]
    return ", ".join(level_name(f, cell.factors[f]) for f in differing)
