"""The speed tables that `python -m benchmarks.speed...` wrote, as the page shows them.

Ratios of times that were taken in turns mean something on another machine; the microseconds do
not, and are shown as what they are.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

from benchmarks.verdicts import number
from reports import drawing
from reports.drawing import Canvas
from reports.figures.marks import DASHED, dots
from reports.figures.panel import Panel, Table

ROW, LONG = 28, 21  # units a class; letters of a name before it takes two lines
TWO = {"forward": ("c7", "o", "●"), "training step": ("c2", "D", "◆")}  # passes of a layer
ONE = TWO["training step"]


class SpeedError(Exception):
    """A file that holds no speed tables."""


@dataclass(frozen=True)
class SpeedTables:
    """All tables of a file; one that was not measured has no rows.

    Args:
        components: a class of ours against Keras's of the same name, a row for each pass.
        panels: the same, drawn.
        modes: eager, graph, XLA and `train`, by device.
        training: heading -> contenders of `train`.
        environments: table -> what its numbers depend on.
    """

    components: tuple[dict, ...] = ()
    panels: tuple[Panel, ...] = ()
    modes: tuple[dict, ...] = ()
    training: dict[str, list[dict]] = field(default_factory=dict)
    environments: dict[str, dict] = field(default_factory=dict)

    @property
    def apart(self) -> list[dict]:
        """Classes that differ from Keras's by more than rounding, each with its worst pass."""
        found: dict[str, dict] = {}
        for row in self.components:
            worst = found.get(row["class"])
            if row["deviation"] > max(row["rounding"], worst["deviation"] if worst else 0):
                found[row["class"]] = row
        return list(found.values())


def speed_path(store: Path) -> Path:
    """Where the tables lie, unless another file is named.

    >>> speed_path(Path("runs/results.sqlite")).as_posix()
    'runs/results.speed.json'
    """
    return store.with_suffix(".speed.json")


def speed_tables(file: Path) -> SpeedTables:
    """Reads and draws them.

    Raises:
        SpeedError: the file is not one of ours; one line that names it.
    """
    try:
        tables = json.loads(file.read_text(encoding="utf-8"))
        rows = {name: table["rows"] for name, table in tables.items()}
        training: dict[str, list[dict]] = {}
        for row in rows.get("training", []):
            training.setdefault(row["group"], []).append(row)
        components = tuple(rows.get("components", ()))
        return SpeedTables(
            components,
            tuple(_panels(components)),
            tuple(rows.get("modes", ())),
            training,
            {name: dict(table["environment"]) for name, table in tables.items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__} {error}".splitlines()[0]
        raise SpeedError(f"{file}: no speed tables ({reason})") from None


def _panels(rows: Sequence[dict]) -> Iterator[Panel]:
    halves: dict[str, list[dict]] = {"layers": [], "others": []}
    for row in rows:
        halves["layers" if row["does"] in TWO else "others"].append(row)
    titles = {
        "layers": "Layers and activations: our time over Keras's",
        "others": "Losses, updates, draws: our time over Keras's",
    }
    with matplotlib.rc_context(drawing.RENDERING):
        for name, half in halves.items():
            if half:
                yield _panel(f"speed-{name}", titles[name], half)


def _panel(name: str, title: str, rows: list[dict]) -> Panel:
    """A row a class; a mark for each pass, with the 10 % to 90 % quantiles of the rounds."""
    classes = list(dict.fromkeys(row["class"] for row in reversed(rows)))
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])", " ", c) if len(c) > LONG else c for c in classes]
    does = [name for name in TWO if any(row["does"] == name for row in rows)]
    bounds = [value for row in rows for value in row["ratio"]]
    low, high = drawing.limits([bounds, [0.5, 2.0]], log=True, pad=0.06)
    canvas = Canvas(
        title, "time over Keras's", " " * bool(does), (low, high), (-0.5, len(classes) - 0.5), "x",
        y_names=list(enumerate(names)), left=16 + drawing.LETTER * LONG, depth=ROW * len(classes),
        x_ticks=[t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10) if low < t < high],
    )  # fmt: skip
    for i, words in enumerate(does):
        role, _, sign = TWO[words]
        canvas.text(140 * i, 32, f"{sign} {words}", "lb", color=role)
    one = canvas.place(1, 0)[0]
    canvas.rule([one, one], [canvas.top, canvas.height - drawing.BOTTOM], "ink", 1.6, DASHED)
    for row in rows:
        role, marker, _ = TWO.get(row["does"], ONE)
        y = float(classes.index(row["class"]))
        if len(does) > 1:  # one above the other
            y += 0.16 if row["does"] == "forward" else -0.16
        middle, *ends = row["ratio"]
        at = [canvas.place(value, y)[0] for value in ends]
        height = canvas.place(middle, y)[1]
        canvas.rule(at, [height, height], role, 2.2, over=True)
        dots(canvas, [middle], [y], role, marker, 7.0)
    shown = "; ".join(f"{row['name']} {row['ratio'][0]:.2f}" for row in rows)
    head = ["class", "does", "time over Keras's", "promised", "deviation", "rounding allows"]
    cells = [
        [
            row["class"], row["does"],
            "{:.2f} [{:.2f}, {:.2f}]".format(*row["ratio"]),
            f"at most {row['limit']:.2f}" + ("" if row["met"] else ", missed"),
            number(row["deviation"]), number(row["rounding"]),
        ]
        for row in rows
    ]  # fmt: skip
    caption = "Median and 10 % to 90 % quantile of the rounds; deviation in float64"
    svg = canvas.svg(name, title, shown)
    return Panel(name, title, svg, shown, Table(caption, head, cells))
