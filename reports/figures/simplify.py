"""Fewer points for lines that look the same, so that a page stays small."""

import numpy as np

TOLERANCE = 0.25  # units that a simplified line may be off: below what one can see


def simplified(line: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Douglas and Peucker's choice of points: no other lies further than this from the chords.

    >>> simplified(np.array([[0, 0], [1, 0.1], [2, 0], [2, 2]])).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]
    """
    line = np.asarray(line, float)
    kept = np.zeros(len(line), bool)
    kept[[0, -1]] = True
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        offsets, chord = line[first + 1 : last] - line[first], line[last] - line[first]
        length = np.hypot(*chord)
        cross = offsets[:, 0] * chord[1] - offsets[:, 1] * chord[0]
        distances = np.abs(cross) / length if length > 1e-9 else np.hypot(*offsets.T)
        furthest = int(np.argmax(distances))
        if distances[furthest] > tolerance:
            middle = first + 1 + furthest
            kept[middle] = True
            spans += [(first, middle), (middle, last)]
    return line[kept]


def at_most(line: np.ndarray, most: int) -> np.ndarray:
    """The same with so many points at most, coarser where it has to be."""
    tolerance = TOLERANCE
    found = simplified(line, tolerance)
    while len(found) > most:
        tolerance *= 1.5
        found = simplified(line, tolerance)
    return found


def refined(line: np.ndarray, step: float = 5.0) -> np.ndarray:
    """Points along a line, none further than `step` from the next.

    >>> refined(np.array([[0.0, 0.0], [0.0, 10.0]])).tolist()
    [[0.0, 0.0], [0.0, 5.0], [0.0, 10.0]]
    """
    lengths = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, along[-1], int(np.ceil(along[-1] / step)) + 1)
    return np.stack([np.interp(at, along, line[:, i]) for i in (0, 1)], axis=1)
