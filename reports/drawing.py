"""From matplotlib to SVG that belongs to the page.

Text stays text, the ground is transparent, and every color is a role: a CSS variable that the
page's theme sets. Ids are prefixed by the panel's, nothing depends on the time or on a counter,
and paths are written relative with one decimal, so that a rebuild is byte for byte the same and a
panel costs about 10 kB.
"""

import copy
import io
import itertools
import re
import textwrap
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.transforms import Affine2D, IdentityTransform

WIDTH, HEIGHT = 420, 300  # units of a panel: two abreast, and text stays 11 to 14 px
LEFT, TOP, BOTTOM = 52, 50, 46
LETTER = 8.9  # units: a semibold letter at the phone's 13.4, in the widest system font
NAME = 8.0  # the same at a mark below, which is lighter
MARGIN = 16.0  # units on the right, without labels
HAIR = 0.015  # of a range: a line at its very end is still seen whole

FIXED = {  # a color -> who always has it, one of each kind: optimizers, initializers, ...
    "m-gd": (
        "gd", "gradient descent", "sgd", "lecun", "none", "dense", "mlp", "multilayer perceptron",
    ),
    "m-mom": ("momentum", "heavy ball", "glorot", "batch normalization", "cnn", "convolutional"),
    "m-rms": ("rmsprop", "he", "whitening", "equivariant", "group-equivariant"),
    "m-adam": ("adam", "orthogonal", "residual", "augmented"),
    "m-newt": ("newton", "recurrent", "lstm"),
    "m-nest": ("nesterov", "gru", "neural ode"),
    "m-you": ("yours", "bidirectional"),
}  # fmt: skip
METHODS = {name: role for role, names in FIXED.items() for name in names}
PALETTE = tuple(f"c{i}" for i in range(1, 9))  # ordered by hue: levels, numeric or not
ROLES = ("ink", "ink2", "ink3", "grid", "surface", "ref", "sup", *FIXED)
# A color that no one else uses stands for each role until the SVG is written.
SENTINEL = {role: f"#0001{i + 1:02x}" for i, role in enumerate((*ROLES, *PALETTE))}
MARKERS = "osD^vPXp"
RENDERING: Any = {  # matplotlib types its keys one by one
    "svg.fonttype": "none",
    "svg.hashsalt": "figures",
    "path.simplify": True,
    "path.simplify_threshold": 0.3,  # units: below what one can see
    "font.family": "DejaVu Sans",  # ships with matplotlib: layout is the same on every machine
    "text.parse_math": False,
}


def method_of(name: str) -> str | None:
    """The fixed color of a level that is named like a method.

    >>> method_of("Adam (corrected)"), method_of("Gradient descent"), method_of("ReLU")
    ('m-adam', 'm-gd', None)
    """
    name = name.lower()
    if name in METHODS:
        return METHODS[name]
    for key, role in METHODS.items():
        if re.match(rf"{key}\b", name):
            return role
    return None


def colors(levels: list[str]) -> dict[str, str]:
    """One role a level: methods keep theirs, others take the palette in order, spread out."""
    wanted = {level: method_of(level) for level in levels}
    found: dict[str, str] = {}
    for level, role in wanted.items():
        # Variants of one method, "momentum 0.5" and "momentum 0.9", are told apart by the palette.
        alone = list(wanted.values()).count(role) == 1 or level.lower() in METHODS
        if role and alone and role not in found.values():
            found[level] = role
    rest = [level for level in levels if level not in found]
    if len(rest) == 1 and len(levels) == 1:
        return found | {rest[0]: "c1"}
    spread = np.linspace(0, len(PALETTE) - 1, len(rest)).round().astype(int)
    places = range(len(rest)) if len(rest) > len(PALETTE) else spread
    return found | {level: PALETTE[i % len(PALETTE)] for level, i in zip(rest, places, strict=True)}


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def tick_label(value: float) -> str:
    """A number on an axis: plain where short, a power of ten otherwise.

    >>> tick_label(0.25), tick_label(1e-6), tick_label(30000), tick_label(-2)
    ('0.25', '10⁻⁶', '3·10⁴', '−2')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4g}".replace("-", "−")
    exponent = int(np.floor(np.log10(abs(value)) + 1e-9))
    mantissa = f"{value / 10.0**exponent:.3g}".replace("-", "−")
    power = "10" + str(exponent).translate(SUPERSCRIPT)
    return power if mantissa == "1" else f"{mantissa}·{power}"


def ticks(low: float, high: float, log: bool, most: int = 6) -> list[float]:
    """Round positions inside the range, a handful."""
    if log:
        first, last = np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9)
        decades = np.arange(first, last + 1)
        if len(decades) >= 3:
            step = int(np.ceil(len(decades) / most))
            return [10.0**d for d in decades[::step]]
        places = [m * 10.0**d for d in np.arange(first - 1, last + 1) for m in (1, 2, 5)]
        inside = [p for p in places if low * (1 - 1e-9) <= p <= high * (1 + 1e-9)]
        if len(inside) >= 2:
            return inside
    locator = matplotlib.ticker.MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10])
    return [float(t) + 0.0 for t in locator.tick_values(low, high) if low <= t <= high]


def limits(values, log: bool, pad: float = 0.04, ends: bool = False) -> tuple[float, float]:
    """A range that holds the finite (on a log axis: positive) values, with air.

    With `ends` there is none below 0 where nothing is negative, nor above 1 where all are shares.

    >>> limits([[0.0, 0.5, 1.0]], False), limits([[0.0, 0.5, 1.0]], False, ends=True)
    ((-0.04, 1.04), (-0.015, 1.015))
    """
    values = np.concatenate([np.ravel(np.asarray(v, float)) for v in values] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    if log:
        values = values[values > 0]
        # Beyond these float32 has under- or overflowed: drawing it would flatten the rest.
        values = np.clip(values, 1e-30, 1e30)
    if not len(values):
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if log:
        if high / low < 1.5:
            low, high = low / 1.5, high * 1.5
        margin = (high / low) ** pad
        return low / margin, high * margin
    margin = pad * (high - low)
    if high - low <= 1e-12 * max(abs(high), abs(low), 1e-300):
        margin = abs(high) / 10 or 1.0
    first, last = low - margin, high + margin
    hair = HAIR * max(high - low, margin)
    if ends and low >= 0:
        first = max(first, -hair)
        last = min(last, 1 + hair) if high <= 1 else last
    return first, last


def declump(wanted: list[float], heights: list[float], low: float, high: float) -> list[float]:
    """Positions near the wanted ones whose boxes do not overlap, inside [low, high].

    >>> declump([10, 11, 50], [8, 8, 8], 0, 100)
    [6.5, 14.5, 50.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list] = []  # [center, height, members]
    for i in order:
        blocks.append([float(wanted[i]), heights[i], [i]])
        while True:
            top = blocks[-1]
            top[0] = min(max(top[0], low + top[1] / 2), max(high - top[1] / 2, low + top[1] / 2))
            if len(blocks) < 2 or blocks[-2][0] + blocks[-2][1] / 2 <= top[0] - top[1] / 2:
                break
            below = blocks[-2]
            members = below[2] + top[2]
            weight = len(below[2]) + len(top[2])
            center = (below[0] * len(below[2]) + top[0] * len(top[2])) / weight
            blocks[-2:] = [[center, below[1] + top[1], members]]
    out = [0.0] * len(wanted)
    for center, height, members in blocks:
        at = center - height / 2
        for i in members:
            out[i] = at + heights[i] / 2
            at += heights[i]
    return out


def wrap(words: str, columns: int, **rules) -> list[str]:
    """Lines of at most so many letters; equations stay whole, names in CamelCase need not.

    >>> wrap("LSTM b = 0", 8), wrap("MessagePassing", 10), wrap("GlorotNormal", 12)
    (['LSTM', 'b = 0'], ['Message', 'Passing'], ['GlorotNormal'])
    """
    words = re.sub(r" ([=≤≥<>]) ", "\u00a0\\1\u00a0", words)
    words = " ".join(
        word if len(word) <= columns else re.sub("\u00a0|(?<=[a-z])(?=[A-Z])", " ", word)
        for word in words.split(" ")
    )
    return [s.replace("\u00a0", " ") for s in textwrap.wrap(words, columns, **rules)] or [""]


def axis_label(words: str, log: bool) -> str:
    """A label that says when its axis is logarithmic, once."""
    return words + " (log)" if log and "(log" not in words else words


PAINTED = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")
_EXPORT: ContextVar[tuple[Path | None, tuple[str, ...]]] = ContextVar("export", default=(None, ()))


@contextmanager
def exporting(folder: Path | None, formats: tuple[str, ...]):
    """Panels drawn inside are written as files, too."""
    token = _EXPORT.set((folder, formats))
    try:
        yield
    finally:
        _EXPORT.reset(token)


@cache
def light_colors() -> dict[str, str]:
    """Role -> color of the light theme, from the page's style."""
    text = (Path(__file__).parent / "static" / "light.css").read_text()
    return {name: value for name, value in re.findall(r"--([\w-]+):(#\w+);", text)}


def _real(color: np.ndarray, real: dict[str, str]):
    """A sentinel's color with the same opacity; any other color as it is."""
    red, green, blue, opacity = map(float, color)
    found = real.get(matplotlib.colors.to_hex((red, green, blue)))
    return color if found is None else matplotlib.colors.to_rgba(found, opacity)


class Canvas:
    """One panel: title, axes drawn by the chart rules, and labels at the lines.

    Args:
        title: the finding, in words.
        x, y: ranges; `log` names the logarithmic ones.
        margin: units kept free on the right for labels.
        x_names: (place, name) of levels that are no numbers.
        y_names: the same on the left, where `left` units are free for them.
        x_ticks: numbers to mark, instead of round ones.
        columns: letters in a line of the title.
        depth: height of the plot itself, which the panel's follows.
        grid: whether lines lead from the marks on the left across the plot.
    """

    def __init__(
        self, title, x_label, y_label, x, y, log="", margin=MARGIN, x_names=None, x_ticks=None,
        columns=48, y_names=None, left=LEFT, depth=HEIGHT - TOP - BOTTOM, grid=True,
    ):  # fmt: skip
        # 48 characters of 14-unit semibold fit into 420 units in any system font.
        self.title = textwrap.wrap(title, columns) or [""]
        extra = 18 * (len(self.title) - 1)
        self.top = TOP + extra + (0 if y_label else -18)
        self.left, self.right = left, WIDTH - margin
        below = self._below(x_names, x)
        # Further lines of names take the place of the label, which moves down.
        self.bottom = BOTTOM + 12 * (max([len(lines) for _, lines in below], default=1) - 1)
        self.height = TOP + extra + depth + self.bottom
        self.figure = Figure(figsize=(WIDTH / 72, self.height / 72), dpi=72)
        self.figure.patch.set_visible(False)
        self.axes = self.figure.add_axes(
            (
                self.left / WIDTH,
                self.bottom / self.height,
                (self.right - self.left) / WIDTH,
                (self.height - self.bottom - self.top) / self.height,
            )
        )
        self.axes.set_axis_off()
        self.axes.set_xscale("log" if "x" in log else "linear")
        self.axes.set_yscale("log" if "y" in log else "linear")
        self.x, self.y, self.log = x, y, log
        self._limit()
        self.leaders = True  # from lines that end on the right to their labels
        self.labels: list[tuple[float, str, str, str]] = []
        for i, line in enumerate(self.title):
            self.text(0, 14 + 18 * i, line, "pt", size=14)
        if y_label:
            self.text(0, 32 + extra, axis_label(y_label, "y" in log), "al")
        label = axis_label(x_label, "x" in log)
        # A long one begins with the panel instead of ending with its axis.
        end = float(np.clip(NAME * len(label), self.right, WIDTH))
        self.text(end, self.height - 6, label, "al", ha="right")
        for name, (at, shift) in self._rows(y_names):
            if grid:
                self.rule([left, self.right], [at, at], "grid", 1)
            self.text(left - 7, at + 4 + shift, name, "tk", ha="right")
        bottom = self.height - self.bottom
        self.rule([left, self.right], [bottom, bottom], "ink2", 1.2)
        if x_names is not None:
            for at, lines in below:
                for i, line in enumerate(lines):
                    where = self.place(at, y[0])[0]
                    self.text(where, bottom + 16 + 13 * i, line, "tk", ha="center")
        else:
            for tick in self._marked(x_ticks):
                at = self.place(tick, y[0])[0]
                self.rule([at, at], [bottom, bottom + 4], "ink2", 1)
                self.text(at, bottom + 17, tick_label(tick), "tk", ha="center")

    def _below(self, names, x) -> list[tuple]:
        """What stands below: (place, its lines), words unbroken where neighbors leave room."""
        if not names:
            return []
        unit = (self.right - self.left) / (x[1] - x[0])
        step = unit * (names[1][0] - names[0][0] if len(names) > 1 else x[1] - x[0])
        room = WIDTH - self.left - unit * (names[-1][0] - x[0])  # right of the last

        def wrapped(columns: int, broken: bool) -> list[list[str]]:
            rules = {"max_lines": 3, "placeholder": "…", "break_long_words": broken}
            return [wrap(name, columns, **rules) for _, name in names]

        def apart(lines: list[list[str]]) -> bool:
            widths = [NAME * max(map(len, those)) for those in lines]
            pairs = [(a + b) / 2 for a, b in itertools.pairwise(widths)]
            return max(pairs, default=0) < step - 2 and widths[-1] / 2 <= room

        least = min(max(int(step / NAME), 3), 14)
        tries = [wrapped(columns, broken=False) for columns in range(14, 2, -1)]
        lines = next((lines for lines in tries if apart(lines)), wrapped(least, broken=True))
        return [(at, those) for (at, _), those in zip(names, lines, strict=True)]

    def _marked(self, wanted) -> list[float]:
        """Places of numbers on the axis below: so few that their names stand apart."""
        if wanted is None:
            low, high = self.x
            for most in range(6, 2, -1):
                found = ticks(low, high, "x" in self.log, most)
                if len(self._apart(found)) == len(found):
                    return found
            wanted = found
        return self._apart(wanted)

    def _apart(self, places) -> list[float]:
        """Those whose names do not touch the one before."""
        kept, last = [], -np.inf
        for tick in places:
            at = self.place(tick, self.y[0])[0]
            if at - last >= 8.2 * len(tick_label(tick)) + 6:  # 13.6-unit digits on a phone
                kept.append(tick)
                last = at
        return kept

    def _rows(self, names) -> list[tuple]:
        """What stands on the left: (words, (its height, how far below it)), a line each."""
        if names is None:
            low, high = self.y
            marks = ticks(low, high, "y" in self.log)
            return [(tick_label(t), (self.place(self.x[0], t)[1], 0)) for t in marks]
        rows = []
        for at, name in names:
            lines = wrap(name, max(int((self.left - 7) / LETTER), 4))[:2]
            where = self.place(self.x[0], at)[1]
            for i, line in enumerate(lines):
                rows.append((line, (where, 13 * i - 6.5 * (len(lines) - 1))))
        return rows

    def _limit(self):
        self.axes.set_xlim(*self.x)
        self.axes.set_ylim(*self.y)

    def inset(self, left, top, width, height, x, y) -> "Canvas":
        """A picture inside this one, with ranges of its own and nothing around it; in units."""
        box = (left, self.height - top - height, width, height)
        inner = copy.copy(self)
        inner.axes = self.figure.add_axes(tuple(np.array(box) / np.tile((WIDTH, self.height), 2)))
        inner.axes.set_axis_off()
        inner.x, inner.y, inner.log, inner.labels = x, y, "", []
        inner._limit()
        return inner

    def layer(self) -> "Canvas":
        """The same plot once more, above marks; labels are shared."""
        above = copy.copy(self)
        above.axes = self.figure.add_axes(self.axes.get_position(), zorder=2.5)
        above.axes.set_axis_off()
        above.axes.set_xscale(self.axes.get_xscale())
        above.axes.set_yscale(self.axes.get_yscale())
        above._limit()
        return above

    def place(self, x, y) -> tuple[float, float]:
        """Data -> units from the top left corner."""
        self._limit()
        px, py = self.axes.transData.transform((x, y))
        return float(px), float(self.height - py)

    def text(self, x, y, words, role, ha="left", color="ink", size=12):
        """Words at units from the top left; `role` becomes their CSS class."""
        self.figure.text(
            x / WIDTH, 1 - y / self.height, words, ha=ha, va="baseline", fontsize=size,
            color=SENTINEL[color], parse_math=False, gid=f"cls-{role}",
        )  # fmt: skip

    def rule(self, x, y, color, width, dashes=None, over=False, role=""):
        """A straight line in units, under the data unless `over`; `role` as for `text`."""
        line = matplotlib.lines.Line2D(
            np.asarray(x) / WIDTH, 1 - np.asarray(y) / self.height, color=SENTINEL[color],
            linewidth=width, transform=self.figure.transFigure, zorder=3 if over else -1,
        )  # fmt: skip
        if role:
            line.set_gid(f"cls-{role}")
        if dashes:
            line.set_dashes(dashes)
        line.set_dash_capstyle("round" if dashes and dashes[0] < 1 else "butt")
        line.set_solid_capstyle("butt")
        self.figure.add_artist(line)

    def band(self, x, low, high, color, opacity=0.17):
        """A shaded interval; on a log axis what is not positive is cut at the axis."""
        x, low, high = (np.asarray(v, float) for v in (x, low, high))
        kept = np.isfinite(low) & np.isfinite(high) & np.isfinite(x)
        if "x" in self.log:
            kept &= x > 0
        if "y" in self.log:
            kept &= high > 0
        if kept.sum() < 2:
            return
        low = np.clip(low, *self.y)
        high = np.clip(high, *self.y)
        points = np.concatenate([np.stack([x, high], 1)[kept], np.stack([x, low], 1)[kept][::-1]])
        patch = Polygon(
            points, closed=True, facecolor=SENTINEL[color], alpha=opacity, edgecolor="none"
        )
        self.axes.add_patch(patch)

    def label(self, y_value, words, color, kind=""):
        """A label that will stand at the end of its line."""
        value = y_value
        if not np.isfinite(value):
            value = self.y[1]
        self.labels.append((float(np.clip(value, *self.y)), words, color, kind))

    def note(self, words, place=0):
        """What is missing, inside the plot, on line `place`."""
        columns = max(int((self.right - self.left - 16) / 7.6), 12)
        lines = textwrap.wrap(words, columns)[:3]
        for i, line in enumerate(lines):
            y = self.top + 20 + 52 * place + 16 * i
            self.text(self.left + 8, y, line, "lb", color="ink2")

    def finish(self) -> None:
        """Write the labels on the right, moved apart where they would overlap."""
        if not self.labels:
            return
        columns = max(int((WIDTH - self.right - 12) / LETTER), 6)
        wrapped = [wrap(words, columns)[:3] for _, words, _, _ in self.labels]
        wanted = [self.place(self.x[1], value)[1] for value, _, _, _ in self.labels]
        heights = [14.5 * len(lines) + 2 for lines in wrapped]
        lowest = self.height - self.bottom + 8
        places = declump(wanted, heights, self.top - 6, lowest)
        for (_, _, color, kind), lines, at, target, height in zip(
            self.labels, wrapped, places, wanted, heights, strict=True
        ):
            if self.leaders and abs(at - target) > 5:
                self.rule([self.right + 1, self.right + 8], [target, at], color, 0.8, role="ld")
            for i, line in enumerate(lines):
                y = at - height / 2 + 14.5 * i + 12
                self.text(self.right + 10, y, line, f"lb {kind}".strip(), color=color)

    def svg(self, panel: str, label: str, description: str) -> str:
        """The panel as inline SVG, named for people who cannot see it."""
        self._limit()
        self.finish()
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self.figure.savefig(out, format="svg", metadata=nothing)
        folder, formats = _EXPORT.get()
        if folder:
            self._export(folder / panel, formats)
        return tidy(out.getvalue(), panel, label, description)

    def _export(self, path: Path, formats: tuple[str, ...]) -> None:
        """Files for a paper or a slide, on white, in the colors of the light theme."""
        self.figure.patch.set_visible(True)
        light = light_colors()
        real = {matplotlib.colors.to_hex(SENTINEL[role]): light[role] for role in SENTINEL}
        for artist in self.figure.findobj():
            for part in PAINTED:
                get, put = (getattr(artist, f"{verb}_{part}", None) for verb in ("get", "set"))
                if get is None or put is None:
                    continue
                was = np.atleast_2d(matplotlib.colors.to_rgba_array(get()))
                now = [_real(color, real) for color in was]
                if np.any(was != np.array(now)):  # leaves "none" as it is
                    put(now if len(now) > 1 else now[0])
            # Marks stand in pixels of 72 to the inch, and have to grow with the picture.
            if isinstance(Artist.get_transform(artist), IdentityTransform):
                scale = Affine2D().scale(1 / 72) + self.figure.dpi_scale_trans
                artist.set_transform(scale)
        for name in formats:
            metadata = {"Software": None} if name == "png" else {"CreationDate": None}
            # Twice the resolution of the screen: sharp on a projector.
            self.figure.savefig(
                path.with_name(f"{path.name}.{name}"), format=name, dpi=144, facecolor="white",
                metadata=metadata,
            )  # fmt: skip


def margin_for(labels: list[str]) -> float:
    """Units that the widest label needs, at most 132: longer ones are wrapped."""
    longest = max((len(label) for label in labels), default=0)
    return MARGIN if not longest else min(18 + LETTER * longest, 132.0)


def _number(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return text if text not in ("-0", "") else "0"


def _short(value: float) -> str:
    """As paths may have it: without the zero before the point.

    >>> _short(-0.5), _short(0.0), _short(10.0)
    ('-.5', '0', '10')
    """
    return re.sub(r"^(-?)0\.", r"\1.", _number(value))


def _relative(match: re.Match) -> str:
    """A path of M and L commands, relative and with one decimal, without accumulated rounding."""
    tokens = re.findall(r"[A-Za-z]|-?\d+(?:\.\d+)?(?:e-?\d+)?", match.group(1))
    if any(t in "CQSTAHV" for t in tokens if t.isalpha()):
        short = re.sub(r"-?\d+\.\d+", lambda m: _number(float(m.group())), match.group(1))
        return f' d="{" ".join(short.split())}"'
    out, at, i, command = [], (0.0, 0.0), 0, ""
    while i < len(tokens):
        if tokens[i].isalpha():
            command = tokens[i]
            i += 1
            if command in "zZ":
                out.append("z")
            continue
        x, y = round(float(tokens[i]), 1), round(float(tokens[i + 1]), 1)
        i += 2
        if command == "M":
            out.append(f"M{_number(x)} {_number(y)}")
        elif (x, y) != at or len(tokens) < 8:
            dx, dy = _short(round(x - at[0], 1)), _short(round(y - at[1], 1))
            if dy == "0":
                out.append(f"h{dx}")
            elif dx == "0":
                out.append(f"v{dy}")
            else:
                out.append(f"l{dx}{'' if dy.startswith('-') else ' '}{dy}")
        at = (x, y)
    return f' d="{"".join(out)}"'


def tidy(svg: str, panel: str, label: str, description: str) -> str:
    """Strip what matplotlib adds for files, and fit the drawing into the page."""
    from markupsafe import escape

    body = svg[svg.index("<svg") :]
    view = re.findall(r'viewBox="([^"]+)"', body)[0]
    body = body[body.index(">") + 1 : body.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.S)
    body = re.sub(r'<g id="cls-([\w -]+?)"', r'<g class="\1"', body)
    body = re.sub(r'<g id="[^"]+"', "<g", body)
    body = re.sub(r'\bid="([mpCh][\w]+)"', rf'id="{panel}-\1"', body)
    body = re.sub(r"url\(#(\w+)\)", rf"url(#{panel}-\1)", body)
    body = re.sub(r'xlink:href="#(\w+)"', rf'href="#{panel}-\1"', body)
    body = re.sub(r' d="([^"]*)"', _relative, body)
    body = re.sub(
        r' (x|y|width|height|transform)="([^"]*)"',
        lambda m: (
            f' {m[1]}="' + re.sub(r"-?\d+\.\d+", lambda n: _number(float(n.group())), m[2]) + '"'
        ),
        body,
    )
    body = re.sub(r' transform="rotate\(-?0 [^"]*"', "", body)
    body = re.sub(r"font: ?([\d.]+)px[^;\"]*", r"font-size: \1px", body)
    body = re.sub(r" ?font-family: [^;\"]*;?", "", body)
    body = re.sub(r"font-size: 1[24]px;? ?", "", body)  # the class says it, and phones enlarge it
    for role, sentinel in SENTINEL.items():
        body = body.replace(sentinel, f"var(--{role})")
    body = body.replace("#000000", "currentColor")
    body = re.sub(r"stroke-linejoin: \w+;? ?|stroke-linecap: square;? ?", "", body)
    body = re.sub(r' style="(.*?);? *"', lambda m: f' style="{m[1].replace("; ", ";")}"', body)
    body = re.sub(r"(<text[^>]*?)fill: var\(--ink\);?", r"\1", body)  # the class says it
    body = re.sub(r"(?<=[a-z]): (?=[^<>]*>)", ":", body)
    body = body.replace("text-anchor:start;", "").replace(' style=""', "").replace(';"', '"')
    body = re.sub(r">\s+<", "><", body)
    for _ in range(4):
        body = re.sub(r"<g></g>|<g/>|<defs></defs>|<defs/>", "", body)
        body = re.sub(r"<g>(<(?:path|text)[^>]*(?:/>|>[^<]*</text>))</g>", r"\1", body)
    body = re.sub(
        r'<g class="([^"]+)"><text([^>]*)>([^<]*)</text></g>', r'<text class="\1"\2>\3</text>', body
    )
    return (
        f'<svg class="panel" id="{panel}" xmlns="http://www.w3.org/2000/svg" viewBox="{view}" '
        f'role="img" aria-label="{escape(label)}" aria-describedby="{panel}-d">'
        f'<desc id="{panel}-d">{escape(description)}</desc>{body.strip()}</svg>'
    )
