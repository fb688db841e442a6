"""The verdict strip: the rule as a picture.

A tinted region is where the statement survives, fixed before the run; the dot and the bar are what
was measured. Inside: supported. Outside: refuted. Across an edge: undecided. Where one value is
predicted there is no region: the bar has to hold the line that marks it.
"""

import math
import textwrap

from markupsafe import Markup, escape

from benchmarks.verdicts import Verdict, number
from reports.drawing import tick_label, ticks
from reports.wording import powers, rounded

LEFT, RIGHT, TOP, AXIS = 12.0, 408.0, 30.0, 67.0
BREAK = 34.0  # units between a zero and the first decade of a log axis


def strip(
    panel: str, verdict: Verdict, stated: bool, label: str = "", agreement: bool = False
) -> Markup:
    """The strip as inline SVG, or nothing where the effect is not a number.

    Args:
        panel: id, unique in the page.
        verdict: what the rule found.
        stated: whether the statement is the slide's: its expected value is then dotted.
        label: what the effect is; the verdict's own words without it.
        agreement: whether the bar has to hold the expected value, instead of lying in a region.
    """
    label = label or verdict.label
    bottom, top = verdict.region
    # A sign test with few pairs asks for more than all of them: no region can hold.
    empty = agreement or (bottom is not None and top is not None and bottom > top)
    edges = [] if empty else [e for e in verdict.region if e is not None and math.isfinite(e)]
    shown = [verdict.effect, *(verdict.interval or ()), *edges]
    shown += [] if verdict.expected is None else [verdict.expected]
    if not all(math.isfinite(v) for v in shown):
        return Markup()
    positive = [v for v in shown if v > 0]
    zero = verdict.log and len(positive) < len(shown) and min(shown) == 0 and bool(positive)
    log = zero or (len(positive) == len(shown) and (verdict.log or max(shown) / min(shown) > 1000))
    forward = math.log10 if log else float
    low, high = forward(min(positive if log else shown)), forward(max(shown))
    if zero:
        low = min(low, high - 3)  # decades that show how far below zero is
    if high - low < 1e-12 * max(abs(high), 1e-300):
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    pad = 0.16 * (high - low)
    low, high = low - pad, high + pad
    start = LEFT + BREAK if zero else LEFT

    def at(value: float) -> float:
        if log and value <= 0:
            return LEFT
        place = start + (forward(value) - low) / (high - low) * (RIGHT - start)
        return round(min(max(place, LEFT), RIGHT), 1)

    out = []
    left = LEFT if bottom is None or not math.isfinite(bottom) else at(bottom)
    right = RIGHT if top is None or not math.isfinite(top) else at(top)
    width = max(round(right - left, 1), 1.5)
    if not empty:
        out.append(
            f'<rect class="zone" x="{left}" y="{TOP}" width="{width}" height="{AXIS - TOP}"/>'
        )
    for edge in edges:
        out.append(f'<path class="edge" d="M{at(edge)} {TOP}V{AXIS}"/>')
    if verdict.expected is not None:
        kind = word = "slide" if stated else "theory"
        if verdict.expected in edges:
            kind, word = "theory", "bound"
        x = at(verdict.expected)
        anchor = "start" if x < 70 else "end" if x > 350 else "middle"
        out.append(f'<path class="{kind}" d="M{x} {TOP}V{AXIS}"/>')
        words = f"{word} {tick_label(verdict.expected)}"
        out.append(
            f'<text class="lb {kind}-t" x="{x}" y="22" text-anchor="{anchor}">{words}</text>'
        )
    middle = (TOP + AXIS) / 2
    if verdict.interval:
        a, b = (at(v) for v in verdict.interval)
        b = max(b, a + 0.5)
        out.append(f'<path class="ci" d="M{a} {middle}H{b}"/>')
    out.append(f'<circle class="est" cx="{at(verdict.effect)}" cy="{middle}" r="5"/>')
    out.append(f'<path class="axis" d="M{LEFT} {AXIS}H{RIGHT}"/>')
    marks, shift = _marks(low, high, log, verdict.expected)
    words = label + (" (log)" if log else "")
    if shift is not None:
        words = f"difference from {tick_label(shift)}"
    last = -99.0
    for tick, name in [(0.0, "0"), *marks] if zero else marks:
        x = at(tick)
        half = 4.2 * len(name)
        if x - half < max(last, 0) or x + half > 420:
            continue
        last = x + half + 6
        out.append(f'<path class="tick" d="M{x} {AXIS}v4"/>')
        out.append(f'<text class="tk" x="{x}" y="{AXIS + 17}" text-anchor="middle">{name}</text>')
    lines = textwrap.wrap(powers(words), 52)[:3]
    for i, line in enumerate(lines):
        y = 101 + 15 * i
        out.append(f'<text class="al" x="{RIGHT}" y="{y}" text-anchor="end">{escape(line)}</text>')
    measured = rounded(verdict.effect, *(verdict.interval or (None, None)))
    region = " to ".join("open" if e is None else powers(number(e)) for e in verdict.region)
    rule = f"The statement survives in the region {region}."
    if agreement:
        rule = f"The bar has to hold {powers(number(verdict.expected))}."
    description = escape(
        f"{label}: measured {powers(measured)}. {rule} {verdict.outcome.capitalize()}."
    )
    return Markup(
        f'<svg class="panel strip" id="{panel}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 420 {93 + 15 * len(lines)}" role="img" aria-label="Effect against the rule" '
        f'aria-describedby="{panel}-d"><desc id="{panel}-d">{description}</desc>'
        f"{''.join(out)}</svg>"
    )


def _marks(low, high, log, expected) -> tuple[list[tuple[float, str]], float | None]:
    """Ticks with their names, as offsets from a center where the digits would not differ."""
    positions = ticks(10**low, 10**high, True) if log else ticks(low, high, False)
    names = [tick_label(tick) for tick in positions]
    if len(set(names)) == len(names):
        return list(zip(positions, names, strict=True)), None
    center = (10**low + 10**high) / 2 if log else (low + high) / 2
    center = center if expected is None else expected
    ends = (10**low, 10**high) if log else (low, high)
    offsets = ticks(ends[0] - center, ends[1] - center, False)
    return [(center + offset, tick_label(offset)) for offset in offsets], center
