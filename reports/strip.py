"""The verdict strip: the rule as a picture.

A tinted region is where the statement survives, fixed before the run; the dot and the bar are what
was measured. Inside: supported. Outside: refuted. Across an edge: undecided.
"""

import math

from markupsafe import Markup, escape

from benchmarks.verdicts import Verdict, number
from reports.drawing import tick_label, ticks

LEFT, RIGHT, TOP, AXIS = 12.0, 408.0, 30.0, 67.0


def strip(panel: str, verdict: Verdict, stated: bool) -> Markup:
    """The strip as inline SVG, or nothing where the effect is not a number.

    Args:
        panel: id, unique in the page.
        verdict: what the rule found.
        stated: whether the statement is the slide's: its expected value is then dotted.
    """
    bottom, top = verdict.region
    # A sign test with few pairs asks for more than all of them: no region can hold.
    empty = bottom is not None and top is not None and bottom > top
    edges = [] if empty else [e for e in verdict.region if e is not None and math.isfinite(e)]
    shown = [verdict.effect, *(verdict.interval or ()), *edges]
    shown += [] if verdict.expected is None else [verdict.expected]
    if not all(math.isfinite(v) for v in shown):
        return Markup()
    positive = all(v > 0 for v in shown)
    log = positive and (verdict.log or max(shown) / min(shown) > 1000)
    forward = math.log10 if log else float
    low, high = forward(min(shown)), forward(max(shown))
    if high - low < 1e-12 * max(abs(high), 1e-300):
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    pad = 0.16 * (high - low)
    low, high = low - pad, high + pad

    def at(value: float) -> float:
        place = LEFT + (forward(value) - low) / (high - low) * (RIGHT - LEFT)
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
        label = f"{word} {tick_label(verdict.expected)}"
        out.append(
            f'<text class="lb {kind}-t" x="{x}" y="22" text-anchor="{anchor}">{label}</text>'
        )
    middle = (TOP + AXIS) / 2
    if verdict.interval:
        a, b = (at(v) for v in verdict.interval)
        b = max(b, a + 0.5)
        out.append(f'<path class="ci" d="M{a} {middle}H{b}"/>')
    out.append(f'<circle class="est" cx="{at(verdict.effect)}" cy="{middle}" r="5"/>')
    out.append(f'<path class="axis" d="M{LEFT} {AXIS}H{RIGHT}"/>')
    last = -99.0
    positions = ticks(10**low, 10**high, True) if log else ticks(low, high, False)
    for tick in positions:
        x, name = at(tick), tick_label(tick)
        half = 4.2 * len(name)
        if x - half < max(last, 0) or x + half > 420:
            continue
        last = x + half + 6
        out.append(f'<path class="tick" d="M{x} {AXIS}v4"/>')
        out.append(f'<text class="tk" x="{x}" y="{AXIS + 17}" text-anchor="middle">{name}</text>')
    words = verdict.label + (" (log)" if log else "")
    words = words if len(words) <= 58 else words[:57] + "…"
    out.append(f'<text class="al" x="{RIGHT}" y="101" text-anchor="end">{escape(words)}</text>')
    measured = number(verdict.effect)
    if verdict.interval:
        measured += f", interval {number(verdict.interval[0])} to {number(verdict.interval[1])}"
    region = " to ".join("open" if e is None else number(e) for e in verdict.region)
    description = escape(
        f"{verdict.label}: measured {measured}. The statement survives in the region {region}. "
        f"{verdict.outcome.capitalize()}."
    )
    return Markup(
        f'<svg class="panel strip" id="{panel}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 420 108" role="img" aria-label="Effect against the rule" '
        f'aria-describedby="{panel}-d"><desc id="{panel}-d">{description}</desc>'
        f"{''.join(out)}</svg>"
    )
