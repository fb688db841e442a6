"""Numbers and sentences as people write them: minus signs, powers, units, and digits that count."""

import math
import re
from collections.abc import Mapping

from benchmarks.verdicts import Verdict, number
from reports.drawing import SUPERSCRIPT

MINUS = re.compile(r"(?<![\w.)\]])-(?=\.?\d|inf\b)")
SCIENTIFIC = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?)0*(\d+)(?!\w|\.\d)")
INFINITE = re.compile(r"(?<![\w.])inf(?!\w)")
# A number and what belongs to it stay on one line.
JOINED = re.compile(r"(?<=\d) (?=%|(?:ms|s|min|kB|MB|decades?|nat|steps?|seeds?)\b)")
FEW = 3.0  # a half-width that begins with less than this needs a second digit: 0.12, but 0.9


def powers(text: str) -> str:
    """Signs, powers of ten, infinities and spaces as in print.

    >>> powers("class e2e, not 1e+05, at most 7.11e-14, in [-0.5, 2-3].")
    'class e2e, not 1·10⁵, at most 7.11·10⁻¹⁴, in [−0.5, 2-3].'
    >>> powers("between -inf and 1; 64 x 200; info")
    'at most 1; 64 × 200; info'
    """
    shown = SCIENTIFIC.sub(_power, str(text))
    shown = INFINITE.sub("∞", MINUS.sub("\N{MINUS SIGN}", shown))
    shown = re.sub("between \N{MINUS SIGN}∞ and ", "at most ", shown)
    shown = re.sub(r"between (\S+) and ∞", r"at least \1", shown)
    shown = re.sub(r"(?<=\d) x (?=\d)", " × ", shown)
    shown = re.sub(r"(?<=[\w)]) - (?=[\w(])", " \N{MINUS SIGN} ", shown)
    return JOINED.sub("\N{NO-BREAK SPACE}", shown)


def _power(match: re.Match) -> str:
    mantissa, sign, exponent = match.groups()
    if sign != "-" and int(exponent) < 4:  # 2.9e+02 comes from rounding, not from size
        return f"{float(match.group()):g}"
    return f"{mantissa}·10" + (sign.replace("+", "") + exponent).translate(SUPERSCRIPT)


def rounded(value: float, low: float | None, high: float | None) -> str:
    """An estimate and its interval with the digits that the interval's width supports.

    >>> rounded(-0.02285, -0.03049, -0.01521), rounded(76.737, 55.26, 98.22)
    ('−0.023 [−0.030, −0.015]', '77 [55, 98]')
    """
    if low is None or high is None:
        return number(value)
    half = (high - low) / 2
    plain = f"{number(value)} [{number(low)}, {number(high)}]"
    if not (math.isfinite(half) and half > 0):
        return plain
    first = math.floor(math.log10(half))
    places = -first + (half / 10.0**first < FEW)
    if places > 6 or max(abs(v) for v in (value, low, high)) >= 1e5:
        return plain
    digits = [f"{v:.{max(places, 0)}f}".replace("-", "\N{MINUS SIGN}") for v in (value, low, high)]
    return "{} [{}, {}]".format(*digits)


def axis_name(verdict: Verdict, metrics: Mapping, used: list[str]) -> str:
    """What the effect is, with the metric's label instead of its name in the code, and its unit."""
    label, unit = verdict.label, ""
    for name in sorted(used, key=len, reverse=True):
        metric = metrics.get(name)
        words = name.replace("_", " ")
        if not metric or not re.search(rf"\b{re.escape(words)}\b", label):
            continue
        pattern = rf"\b{re.escape(words)}\b"
        label = re.sub(pattern, metric["label"].replace("\\", r"\\"), label, count=1)
        # Ratios, exponents and shares of seeds have no unit.
        bare = label.startswith(("exponent of", "share of")) or " over " in verdict.label
        unit = "" if bare or metric["unit"] in ("1", "", None) else metric["unit"]
        break
    label = re.sub(r"\b(mean|largest) (?=(?:mean|largest)\b)", "", label)
    return f"{label} ({unit})" if unit and unit not in label else label


def adds(verdict: Verdict) -> str:
    """What a verdict's sentence says beyond its effect, interval and n, which stand beside it.

    >>> from benchmarks.verdicts import Verdict
    >>> adds(Verdict("SUPPORTED", 1.0, None, None, None, 7, (0, 2), "slope", "Slope 1, n = 7."))
    ''
    """
    sentence = verdict.sentence
    match = re.match(r"(?:All \d+|\d+ of \d+) parts [^:]*:\s*", sentence)
    prefix = match.group().strip() if match else ""
    rest = sentence[match.end() if match else 0 :]
    repeats = rest.lower().startswith(verdict.label.lower())
    repeats |= rest.startswith("The largest of") and " times as much" not in rest
    if not repeats:
        return sentence
    if not prefix:
        return ""
    head, _, tail = prefix.removesuffix(":").partition(";")
    return f"{head}; shown is {tail.strip()}." if tail else f"{head}; one of them is shown."
