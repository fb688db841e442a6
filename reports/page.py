"""Views to files: the page, the verdicts as data, and the figures. Nothing in them is a request."""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from benchmarks import lecture
from benchmarks.experiment import LENSES
from benchmarks.store import Store
from benchmarks.verdicts import number
from reports import live
from reports.comparison_figures import compared
from reports.devices import agreements, costs
from reports.drawing import tick_label
from reports.drawn import Drawn, draw_all, figure_specs, keeping
from reports.extras import Extras, extras_of
from reports.figures import Panel
from reports.load import (
    CORRECTED,
    ERROR,
    NOT_RUN,
    PARTIAL,
    PICTURE_ONLY,
    STALE,
    STATED,
    STATES,
    ClaimView,
    HypothesisView,
    Report,
    load,
)
from reports.math import blocks, mathml, rich
from reports.seeds import seeds_of
from reports.strip import strip
from reports.table_files import table_csv
from reports.wording import adds, axis_name, powers, rounded

HERE = Path(__file__).parent
GLYPH = {
    "SUPPORTED": "sup", "REFUTED": "ref", "UNDECIDED": "und", PICTURE_ONLY: "pic",
    NOT_RUN: "not", PARTIAL: "part", ERROR: "err", STALE: "old",
}  # fmt: skip
MAX_BYTES = 6_000_000  # so that the page can be mailed, and opens at once
SOURCE_LINES = 140  # of an excerpt: a layer file is at most about 120


@dataclass(frozen=True)
class Built:
    """What a build wrote."""

    path: Path
    report: Report
    size: int
    figures: int
    warnings: tuple[str, ...]


def claims_json(report: Report) -> list[dict]:
    """Every judged hypothesis, and every claim without one, as plain values."""
    rows = []
    for claim in report.claims:
        base = {
            "claim": claim.claim, "title": claim.title, "section": claim.section,
            "lens": claim.lens or None, "state": claim.state,
            "device": claim.device if claim.cells else None, "stale": claim.state == STALE,
            "spec_hash": claim.stored.hash if claim.stored else None,
        }  # fmt: skip
        for view in claim.hypotheses:
            verdict = view.verdict
            row: dict[str, object] = {
                "hypothesis": view.id, "kind": view.kind, "statement": view.hypothesis.statement,
                "rule": view.rule, "verdict": view.state, "reason": view.reason or None,
            }  # fmt: skip
            numbers = dict.fromkeys(
                ("effect", "expected", "interval", "confidence", "n", "region", "p", "p_holm")
            )
            if verdict:
                numbers = {key: plain(getattr(verdict, key)) for key in numbers}
                row["sentence"] = verdict.sentence
                row["mutants"] = [
                    {"name": name, "verdict": outcome} for name, outcome, _ in verdict.mutants
                ]
            rows.append(base | row | numbers)
        if not claim.hypotheses:
            rows.append(base | {"hypothesis": None, "verdict": claim.state})
    return rows


def plain(value):
    """A value that JSON can hold: infinities and NaN become None."""
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def seconds(value: float | None) -> str:
    """A duration in a unit that fits.

    >>> seconds(0.0123), seconds(75), seconds(7300)
    ('12 ms', '75 s', '122 min')
    """
    if value is None:
        return "unknown"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.0f} s" if value < 600 else f"{value / 60:.0f} min"


def percent(value: float) -> str:
    """A share in percent, with the digits that four-sigma levels need."""
    return f"{100 * value:.4g} %"


def share(value: float) -> str:
    """A share of seeds or resamples in whole percent, but never rounded up to all of them.

    >>> share(0.9975), share(1.0), share(0.0004)
    ('over 99 %', '100 %', 'under 1 %')
    """
    if 0.99 < value < 1:
        return "over 99 %"
    return "under 1 %" if 0 < value < 0.01 else f"{100 * value:.0f} %"


def resampled(value: float) -> str:
    """A share of resamples, which can neither show that something is certain nor impossible.

    >>> resampled(0.0), resampled(0.25), resampled(1.0)
    ('under 1 %', '25 %', 'over 99 %')
    """
    return "over 99 %" if value > 0.99 else share(max(value, 0.001))


def short(value: float) -> str:
    """Three digits, for wide tables."""
    return f"{value:.3g}"


def effect(view: HypothesisView) -> str:
    """Effect with its interval, as cards show it."""
    verdict = view.verdict
    if verdict is None:
        return ""
    if verdict.interval:
        return rounded(verdict.effect, *verdict.interval)
    return f"{number(verdict.effect)} (no interval)"


def named(claim: ClaimView, view: HypothesisView) -> str:
    """What the effect of a verdict is, in the words of its metric."""
    used = [str(getattr(rule, "metric", "")) for rule in view.rules]
    return axis_name(view.verdict, claim.spec["metrics"], used) if view.verdict else ""


def agrees(view: HypothesisView) -> bool:
    """Whether the interval has to hold one value, instead of lying in a region."""
    verdict = view.verdict
    if not verdict or not verdict.interval or verdict.expected is None:
        return False
    if not any(type(rule).__name__ == "Agreement" for rule in view.rules):
        return False
    # Of a compound rule another part may be the one that is shown.
    low, high = verdict.region
    if low is None or high is None:
        return True
    width = verdict.interval[1] - verdict.interval[0]
    return math.isclose(high - low, width, rel_tol=1e-6)


def excerpt(text: str) -> str:
    """Source code, at a length that a page can carry."""
    lines = text.rstrip().splitlines()
    if len(lines) <= SOURCE_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[:SOURCE_LINES], f"# ... {len(lines) - SOURCE_LINES} more lines"])


def versions(environment: Mapping) -> str:
    """Library versions of a run in one line."""
    found = environment.get("libraries") or {}
    shown = [name for name in ("tensorflow", "keras", "numpy") if name in found]
    return ", ".join(f"{name} {found[name]}" for name in shown)


def wide(claim: ClaimView) -> bool:
    """Whether a formula needs the whole width: about 34 symbols fill half a card."""
    formulas = (claim.spec.get("stated", ""), claim.spec.get("corrected", ""))
    return max(len(mathml(latex).striptags()) for latex in formulas) > 34


KEYS = {  # how to read each kind of figure
    "Curves": "Solid: measured, with its 99 % band.",
    "Lines": "Solid: measured, with its 99 % band.",
    "Points": "Dots: single seeds. Marker and bar: mean with its 99 % interval.",
    "Histogram": "Shares of trials.",
    "Heatmap": "Numbers in squares: means, whose 99 % intervals stand in the table.",
    "Plane": "Pictures in the plane: one run each, so without interval.",
}


def caption(claim: ClaimView, panels: list[Panel]) -> str:
    """What the figures of a claim show, and over how many seeds."""
    specs = figure_specs(claim)
    keys = dict.fromkeys(KEYS[spec["type"]] for spec in specs if spec["type"] in KEYS)
    if any(spec.get("runs") for spec in specs):
        keys["Thin: single runs."] = None
    keys |= dict.fromkeys(sentence for panel in panels for sentence in panel.key)
    return f"{claim.seeds} seeds a cell. {' '.join(keys)}"


def environment() -> jinja2.Environment:
    """Templates with their filters; text from a store is escaped."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "math": blocks, "powers": powers, "rich": rich,
        "number": number, "share": share, "resampled": resampled, "short": short,
        "seconds": seconds, "percent": percent, "excerpt": excerpt, "tick": tick_label,
    }  # fmt: skip
    env.globals |= {
        "caption": caption, "effect": effect, "glyph": GLYPH, "strip": strip,
        "versions": versions, "wide": wide, "adds": adds, "named": named, "agrees": agrees,
        "rounded": rounded, "STATED": STATED, "CORRECTED": CORRECTED,
    }  # fmt: skip
    return env


def static(name: str) -> str:
    """A file of the folder `static`."""
    return (HERE / "static" / name).read_text()


def stylesheet() -> str:
    """Colors by theme, charts and page, in one."""
    light, dark = minified(static("light.css")), minified(static("dark.css"))
    font = base64.b64encode((HERE / "static" / "stix-two-math-subset.woff2").read_bytes()).decode()
    return (
        # Android has no font for formulas.
        '@font-face{font-family:"STIX Two Math";font-display:swap;'
        f'src:local("STIX Two Math"),url(data:font/woff2;base64,{font}) format("woff2")}}'
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root:not([data-theme=light])"
        f"{{{dark}}}}}:root[data-theme=dark]{{{dark}}}"
        + minified(static("style.css"))
        + minified(static("figure.css"))
        + minified(live.style())
        # Paper is white, whatever the screen was.
        + f"@media print{{:root:root:root{{{light}--bg:#fff}}}}"
    )


def minified(css: str) -> str:
    """Style without comments and line breaks."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return re.sub(r"\s*\n\s*", "", css).strip()


def render(
    report: Report, extras: Extras, drawn: Mapping[str, Drawn]
) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """The page, its figures by file name, and warnings."""
    warnings: list[str] = []
    files: dict[str, str] = {}
    cards: dict[str, dict] = {}
    for claim in report.claims:
        panels, problems = drawn.get(claim.claim, ([], []))
        cards[claim.claim] = {"panels": panels, "problems": problems, "seeds": seeds_of(claim)}
        files |= {f"{panel.id}.svg": panel.svg for panel in panels}
        warnings += [f"{claim.claim}: {problem}" for problem in problems]
    comparisons = [compared(view) for view in report.comparisons]
    for panel in [p for item in comparisons for p in item.every_panel] + [*extras.speed.panels]:
        files[f"{panel.id}.svg"] = panel.svg
        files[f"{panel.id}.csv"] = table_csv(panel.table)
    by_section = {s: [c for c in report.claims if c.section == s] for s in lecture.SECTIONS}
    counts = {state: sum(c.state == state for c in report.claims) for state in STATES}
    # A live picture stands on its claim's card, so it needs one.
    shown = [p for p in live.pictures() if cards[p.claim]["panels"] or cards[p.claim]["problems"]]
    scripts = [
        static(name) for name in ("theme.js", "toc.js", "filter.js", "lecture.js", "idle.js")
    ]
    every = [static("seeds.js")] if any(card["seeds"] for card in cards.values()) else []
    scripts += live.scripts(shown, every)
    stated = [c for c in report.claims if c.state_of(STATED)]
    template = environment().get_template("page.html.j2")
    page = template.render(
        report=report, cards=cards, compared=comparisons, sections=lecture.SECTIONS, live=shown,
        by_section=by_section, counts=counts, states=STATES, lenses=LENSES,
        errata=[c for c in stated if c.state_of(STATED) == "REFUTED"], judged=len(stated),
        notation=lecture.NOTATION, extras=extras, run=report.runs[-1] if report.runs else None,
        devices={"costs": costs(report), "agreements": agreements(report)},
        style=Markup(stylesheet()),  # our own files: nothing from the store
        scripts=[Markup(script) for script in scripts],
    )  # fmt: skip

    return page, files, tuple(warnings)


def build(
    paths: list[Path], out: Path, baseline: Path | None = None, speed: Path | None = None
) -> Built:
    """Read stores, judge, draw, and write `index.html`, `claims.json` and `figures/`."""
    stores = [Store.read(path) for path in paths]
    report = load(stores)
    drawn = draw_all([claim for claim in report.claims if claim.cells], out)
    with keeping(out):  # those that are no claim's
        page, files, warnings = render(report, extras_of(stores, baseline, speed), drawn)
    size = len(page.encode())
    if size > MAX_BYTES:
        warnings += (f"the page has {size} bytes, more than the {MAX_BYTES} it should",)
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    remove_old(folder, {Path(name).stem for name in files})
    for name, text in files.items():
        (folder / name).write_text(standalone(text) if name.endswith(".svg") else text)
    (out / "claims.json").write_text(
        json.dumps(claims_json(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    (out / "index.html").write_text(page)
    for store in stores:
        store.close()
    return Built(out / "index.html", report, size, sum(n.endswith(".svg") for n in files), warnings)


def remove_old(folder: Path, panels: set[str]) -> None:
    """Files of an earlier build: a figure without a card would mislead."""
    # A figure of several panels, "C20-b1" and "C20-b2", has its data in one table, "C20-b.csv".
    tables = {re.sub(r"^([BC]\d+-[a-z])\d+$", r"\1", panel) for panel in panels}
    for path in folder.iterdir():
        kept = tables if path.suffix == ".csv" else panels
        if path.suffix in (".svg", ".png", ".pdf", ".csv") and path.stem not in kept:
            path.unlink()


def standalone(svg: str) -> str:
    """A figure as a file of its own: with the light theme's colors and text sizes."""
    tokens = f":root{{{minified(static('light.css'))}}}" + minified(static("figure.css"))
    head, body = svg.split(">", 1)
    return f"{head}><style>{tokens}</style>{body}\n"
