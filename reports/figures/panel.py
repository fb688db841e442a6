"""What every kind of figure becomes, and how its cells are chosen and named."""

import re
from dataclasses import dataclass

import numpy as np

from benchmarks.verdicts import allows, number
from reports import drawing
from reports.wording import rounded


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure."""

    caption: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Panel:
    """A drawn figure: SVG, what it shows in words, and its numbers."""

    id: str
    title: str
    svg: str
    description: str
    table: Table
    # (role, name, "", "dashed" or "dotted"), where labels are too many for phones
    legend: tuple[tuple[str, str, str], ...] = ()
    key: tuple[str, ...] = ()  # what its dashed and dotted lines are, a sentence each


def level_name(factor: str | None, value) -> str:
    """How a level is called at its line: words by themselves, numbers with their factor.

    >>> level_name("kappa", 100), level_name("optimizer", "Adam"), level_name("skip", True)
    ('kappa 100', 'Adam', 'skip: yes')
    """
    if factor is None:
        return "measured"
    name = factor.replace("_", " ")
    if isinstance(value, bool):
        return f"{name}: {'yes' if value else 'no'}"
    if isinstance(value, (int, float)):
        return f"{name} {drawing.tick_label(value)}"
    text = str(value).replace("_", " ")
    return f"{name} {text}" if re.fullmatch(r"[\d.e+-]+", text) else text


def matches(factors, where) -> bool:
    """Whether a cell has these levels, which may have become text on the way through JSON."""
    return all(allows(wanted, factors.get(k)) for k, wanted in where.items())


def cells_of(results, spec, axis: str) -> list[tuple]:
    """(levels, cell) of the cells a figure asks for; one without its metric has nothing to show."""
    return [
        (cell.factors, cell)
        for cell in results.cells
        if matches(cell.factors, spec["where"]) and spec[axis] in cell.metrics
    ]


def levels_of(cells, by):
    """(level, its cells), in order of appearance."""
    if not by:
        return [(None, list(cells))]
    levels = list(dict.fromkeys(c[0].get(by) for c in cells))
    return [(level, [c for c in cells if c[0].get(by) == level]) for level in levels]


def with_interval(center, low, high) -> str:
    """Estimate and interval, as tables show them."""
    if low is None or not np.isfinite(low) or low == high:
        return number(float(center)) if np.isfinite(center) else "not finite"
    return rounded(float(center), float(low), float(high))
