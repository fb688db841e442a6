"""From stores to plain views: every claim of the lecture with its state, verdicts and reasons.

Judged by the rules stored beside the trials, and once: pages, tables and `claims.json` all show
these objects.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import lecture
from benchmarks.discover import EXPERIMENTS, specification_in
from benchmarks.experiment import Hypothesis, spec_hash, to_json
from benchmarks.judging import Judgment, gap_in, judge_each
from benchmarks.static_imports import ROOT
from benchmarks.store import Broken, Run, Store, StoredCell, StoredSpecification
from benchmarks.verdicts import (
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Results,
    Rule,
    Verdict,
    correct_for_multiplicity,
    number,
)

PICTURE_ONLY, NOT_RUN, PARTIAL, ERROR = "PICTURE ONLY", "NOT RUN", "PARTIAL", "ERROR"
STALE = "STALE"  # judged, but the experiment has another specification by now
STATES = (SUPPORTED, REFUTED, UNDECIDED, PICTURE_ONLY, STALE, PARTIAL, ERROR, NOT_RUN)
PICTURES = frozenset({"C37"})  # the slide shows an animation and claims nothing that can be refuted
STATED, CORRECTED = "as stated", "as corrected"
# Fields of a specification that show results, and neither make nor judge them.
SHOWN = frozenset({"title", "finding", "limits", "stated", "corrected", "figure", "figures"})


@dataclass(frozen=True)
class HypothesisView:
    """A statement, its rule in words, and what was found; `verdict` is None while withheld."""

    hypothesis: Hypothesis
    rule: str
    verdict: Verdict | None
    state: str
    reason: str = ""

    @property
    def id(self) -> str:
        """Claim and short name."""
        return self.hypothesis.id

    @property
    def kind(self) -> str:
        """As stated, or as corrected."""
        return self.hypothesis.kind

    @property
    def name(self) -> str:
        """The id without its claim."""
        return self.id.partition(".")[2] or self.id

    @property
    def anchor(self) -> str:
        """The id as the end of an address: of letters, digits, dots and dashes."""
        return re.sub(r"[^\w.-]+", "-", self.id)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """A rule's parts, or the rule itself; none for one that cannot be read."""
        rule = self.hypothesis.rule
        return tuple(getattr(rule, "rules", (rule,))) if rule else ()


@dataclass(frozen=True)
class ClaimView:
    """One claim of the lecture, run or not."""

    claim: str
    section: int
    title: str
    state: str
    lens: str = ""
    spec: Mapping = field(default_factory=dict)
    stored: StoredSpecification | None = None
    hypotheses: tuple[HypothesisView, ...] = ()
    cells: tuple[StoredCell, ...] = ()
    device: str = "cpu"
    devices: tuple[str, ...] = ()
    other_devices: tuple[tuple[str, str], ...] = ()  # (device, its verdicts in words)
    problems: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()  # fields of the specification, of a STALE claim
    results: Results = Results(())
    store: Store | None = None
    run: Run | None = None

    def state_of(self, kind: str) -> str | None:
        """The state of all hypotheses of a kind together; None without any."""
        return combined([h.state for h in self.hypotheses if h.kind == kind])

    @property
    def mended(self) -> bool:
        """The slide is refuted and its correction supported: good news, while it is current."""
        if self.state == STALE:
            return False
        return self.state_of(STATED) == REFUTED and self.state_of(CORRECTED) == SUPPORTED

    @property
    def same_rules(self) -> bool:
        """Whether a STALE claim changed in words and pictures alone."""
        return bool(self.differs) and set(self.differs) <= SHOWN

    @property
    def command(self) -> str:
        """What runs this claim again."""
        return f"python -m benchmarks run --only {self.claim}"

    @property
    def finding(self) -> str:
        """One sentence with numbers: the experiment's own, filled in, else the verdicts'."""
        judged = {h.name: h.verdict for h in self.hypotheses if h.verdict}
        template = self.spec.get("finding", "")
        # A sentence written beforehand is shown only if what it tells came out.
        right = self.state_of(CORRECTED) in (None, SUPPORTED)
        if template and right and len(judged) == len(self.hypotheses):
            filled = fill(template, judged)
            if filled:
                return filled
        return " ".join(dict.fromkeys(v.sentence for v in judged.values()))

    @property
    def seeds(self) -> int:
        """Fewest seeds of a finished cell."""
        return min((len(c.seeds) for c in self.cells if c.status == "done"), default=0)


@dataclass(frozen=True)
class ComparisonView:
    """A stored comparison with its cells on one device."""

    claim: str
    title: str
    spec: Mapping
    stored: StoredSpecification
    cells: tuple[StoredCell, ...]
    device: str
    problems: tuple[str, ...]
    store: Store
    run: Run | None


@dataclass(frozen=True)
class Report:
    """Everything the page shows."""

    claims: tuple[ClaimView, ...]
    comparisons: tuple[ComparisonView, ...]
    runs: tuple[Run, ...]
    broken: tuple[Broken, ...]
    stores: tuple[str, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """All devices that any claim ran on."""
        return tuple(sorted({d for c in self.claims for d in c.devices}))


def combined(states: list[str]) -> str | None:
    """Several statements that must all hold, as one state: the worst.

    >>> combined(["SUPPORTED", "UNDECIDED"]), combined([])
    ('UNDECIDED', None)
    """
    for state in (ERROR, PARTIAL, REFUTED, UNDECIDED, SUPPORTED):
        if state in states:
            return state
    return None


PLACE = re.compile(r"\{([A-Za-z_][\w.\- ]*)(?::([^{}]*))?\}")


def numbers_of(name: str, verdict: Verdict) -> dict[str, object]:
    """What a finding may name: `{name}` is the effect, `{name.low}` and so on the rest."""
    low, high = verdict.interval or (None, None)
    values: dict[str, object] = {
        "effect": verdict.effect, "low": low, "high": high, "n": verdict.n,
        "expected": verdict.expected, "p": verdict.p, "outcome": verdict.outcome.lower(),
        "interval": "no interval" if low is None else f"[{number(low)}, {number(high)}]",
    }  # fmt: skip
    out: dict[str, object] = {name: verdict.effect}
    for key, value in values.items():
        out[f"{name}.{key}"] = out[f"{name}_{key}"] = value
    return out


def fill(template: str, judged: Mapping[str, Verdict]) -> str:
    """A finding with its numbers, or "" if it names one that the verdicts do not have.

    Not `str.format`: the template comes from a file, and must not reach into objects.
    """
    known: dict[str, object] = {}
    for name, verdict in judged.items():
        known |= numbers_of(name, verdict)
    if len(judged) == 1:
        found = numbers_of("", next(iter(judged.values())))
        known |= {key.lstrip("._"): value for key, value in found.items() if key}
    missing = []

    def place(match: re.Match) -> str:
        key, form = match.group(1), match.group(2)
        # The claim may stand in front, as in the hypothesis's id.
        key = re.sub(r"^[BC]\d+\.", "", key)
        if key not in known:
            missing.append(key)
            return ""
        value = known[key]
        if isinstance(value, str):
            return value
        if form:
            try:
                return format(value, form)
            except (ValueError, TypeError):
                pass
        return number(value) if isinstance(value, (int, float)) else "none"

    text = PLACE.sub(place, template)
    return "" if missing else text


def problems_of(spec: Mapping, cells: list[StoredCell]) -> tuple[str, ...]:
    """What keeps a claim from being judged: failed, missing and short cells."""
    found = []
    done = [c for c in cells if c.status == "done"]
    for cell in cells:
        if cell.status != "done":
            tries = f" after {cell.attempts} attempts" if cell.attempts else ""
            found.append(f"{label(cell.factors)}: failed{tries}: {cell.reason}")
        elif len(cell.seeds) < spec.get("seeds", 0):
            found.append(f"{label(cell.factors)}: {len(cell.seeds)} of {spec['seeds']} seeds")
    expected = 1
    for levels in factors_of(spec).values():
        expected *= len(levels)
    absent = expected - len(cells)
    if absent > 0 and (done or cells):
        found.append(f"{absent} of {expected} cells have not run")
    return tuple(found)


def factors_of(spec: Mapping) -> Mapping:
    """Factor -> levels, of an experiment or a comparison."""
    if "contender" in spec:
        return dict(spec.get("settings", {})) | dict((spec["contender"], spec["tuning"]))
    return spec.get("factors", {})


def label(factors: Mapping) -> str:
    """A cell's factors in one line."""
    return ", ".join(f"{k}={v}" for k, v in factors.items()) or "the single cell"


def views_of(judgments: Sequence[Judgment], withheld: str) -> tuple[HypothesisView, ...]:
    """Judgments as the page shows them; `withheld` is the state of a claim that has gaps."""
    views = []
    for j in judgments:
        state = j.verdict.outcome if j.verdict else ERROR if j.failed else withheld or PARTIAL
        reason = "" if withheld and not j.failed else j.reason
        views.append(HypothesisView(j.hypothesis, j.rule_in_words, j.verdict, state, reason))
    return tuple(views)


def load_claim(store: Store, stored: StoredSpecification) -> ClaimView:
    """One claim as one store has it, judged but not yet corrected for multiplicity."""
    spec = stored.json
    devices = tuple(store.devices(stored.claim))
    device = "cpu" if "cpu" in devices or not devices else devices[0]
    cells = [c for c in store.cells(stored.claim) if c.device == device]
    done = [c for c in cells if c.status == "done"]
    problems = problems_of(spec, cells)
    state = ""
    if not cells:
        state = NOT_RUN
    elif not done:
        state = ERROR
    elif problems:
        state = PARTIAL
    results = store.results(stored.claim, device) if done else Results(())
    judgments = judge_each(stored.claim, spec["hypotheses"], results, state)
    views = views_of(judgments, state)
    if not state:
        kinds = [combined([v.state for v in views if v.kind == k]) for k in (STATED, CORRECTED)]
        state = kinds[0] or kinds[1] or ERROR
        if stored.claim in PICTURES and state not in (ERROR, PARTIAL):
            state = PICTURE_ONLY
    problems += tuple(f"{v.id}: {v.reason}" for v in views if v.reason)
    others = []
    for other in devices:
        if other == device:
            continue
        gap = gap_in(store.cells(stored.claim, other), spec["factors"], spec["seeds"])
        there = store.results(stored.claim, other)
        found = views_of(judge_each(stored.claim, spec["hypotheses"], there, gap), gap and PARTIAL)
        others.append((other, ", ".join(f"{v.name}: {v.state.lower()}" for v in found)))
    runs = {run.id: run for run in store.runs()}
    return ClaimView(
        claim=stored.claim, section=lecture.section_of(stored.claim),
        title=spec.get("title") or lecture.title_of(stored.claim), state=state,
        lens=spec.get("lens", ""), spec=spec, stored=stored, hypotheses=views,
        cells=tuple(cells), device=device, devices=devices, other_devices=tuple(others),
        problems=problems, results=results, store=store,
        run=runs.get(cells[-1].run_id) if cells else None,
    )  # fmt: skip


def load_comparison(store: Store, stored: StoredSpecification) -> ComparisonView:
    """One comparison as one store has it."""
    devices = store.devices(stored.claim)
    device = "cpu" if "cpu" in devices or not devices else devices[0]
    cells = [c for c in store.cells(stored.claim) if c.device == device]
    runs = {run.id: run for run in store.runs()}
    return ComparisonView(
        stored.claim, stored.json["title"], stored.json, stored, tuple(cells), device,
        problems_of(stored.json, cells), store, runs.get(cells[-1].run_id) if cells else None,
    )  # fmt: skip


def claim_of_file(file: str) -> str | None:
    """The claim that a file of experiments is named after, if it is.

    >>> claim_of_file("benchmarks/experiments/s2/c12_rate.py"), claim_of_file("x.py")
    ('C12', None)
    """
    match = re.match(r"[cC](\d\d)(?!\d)", Path(file).name)
    return f"C{match[1]}" if match and f"C{match[1]}" in lecture.CLAIMS else None


def current_spec(file: str) -> dict | None:
    """The specification in an experiment's file by now, None where there is no such file.

    A store may name any file; imported are those of our own folder alone.
    """
    path = (ROOT / file).resolve()
    if not (path.is_relative_to(EXPERIMENTS) and path.suffix == ".py" and path.is_file()):
        return None
    try:
        return to_json(specification_in(path, EXPERIMENTS))
    except (Exception, SystemExit):  # says nothing about what was stored
        return None


def load(stores: list[Store], current: Callable[[str], dict | None] = current_spec) -> Report:
    """All claims of the lecture. Where several stores have a claim, the first with results counts.

    Trials of different stores are never pooled: they may come from different machines.

    Args:
        stores: open for reading.
        current: file of an experiment -> its specification by now; None if unknown.
    """
    found: dict[str, ClaimView] = {}
    comparisons: dict[str, ComparisonView] = {}
    broken, runs = [], []
    for store in stores:
        runs += store.runs()
        broken += store.broken()
        for stored in store.specifications():
            if stored.kind == "comparison":
                view = load_comparison(store, stored)
                if stored.claim not in comparisons or not comparisons[stored.claim].cells:
                    comparisons[stored.claim] = view
            elif stored.claim in lecture.CLAIMS:
                view_of = load_claim(store, stored)
                if stored.claim not in found or found[stored.claim].state == NOT_RUN:
                    found[stored.claim] = view_of
    failed = {claim_of_file(b.file): b for b in broken}
    claims = []
    for claim, (section, title) in lecture.CLAIMS.items():
        if claim in failed and (claim not in found or found[claim].state == NOT_RUN):
            file = failed[claim]
            where = f"{file.file}, line {file.line}" if file.line else file.file
            problem = f"{where}: {file.message}"
            claims.append(ClaimView(claim, section, title, ERROR, problems=(problem,)))
        else:
            claims.append(found.get(claim) or ClaimView(claim, section, title, NOT_RUN))
    return Report(
        tuple(aged(claim, current) for claim in corrected(claims)),
        tuple(comparisons.values()), tuple(runs), tuple(broken), tuple(str(s.path) for s in stores),
    )  # fmt: skip


def aged(claim: ClaimView, current: Callable[[str], dict | None]) -> ClaimView:
    """STALE where the specification it ran under is no longer that of its experiment."""
    if claim.stored is None or claim.state in (PARTIAL, ERROR, NOT_RUN):
        return claim
    now = current(claim.stored.file)
    if now is None or spec_hash(now) == claim.stored.hash:
        return claim
    before = claim.stored.json
    differs = tuple(key for key in now if now[key] != before.get(key))
    return replace(claim, state=STALE, differs=differs)


def corrected(claims: list[ClaimView]) -> list[ClaimView]:
    """Holm's correction over every verdict of the report, put back into the claims."""
    verdicts = [h.verdict for c in claims for h in c.hypotheses if h.verdict]
    adjusted = iter(correct_for_multiplicity(verdicts))
    out = []
    for claim in claims:
        views = []
        for view in claim.hypotheses:
            if view.verdict:
                verdict = next(adjusted)
                view = replace(view, verdict=verdict, state=verdict.outcome)
            views.append(view)
        claim = replace(claim, hypotheses=tuple(views))
        if claim.state in (SUPPORTED, REFUTED, UNDECIDED):
            state = claim.state_of(STATED) or claim.state_of(CORRECTED) or ERROR
            claim = replace(claim, state=state)
        out.append(claim)
    return out
