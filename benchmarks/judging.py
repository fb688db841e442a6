"""Verdicts on what a store holds: each rule on its own trials, then Holm over all of them.

Terminal and page both judge here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.experiment import Hypothesis
from benchmarks.store import Store, StoredCell
from benchmarks.verdicts import (
    MissingResults,
    Results,
    Rule,
    Verdict,
    correct_for_multiplicity,
    hypothesis_from_json,
    judge,
)


@dataclass(frozen=True)
class Judgment:
    """A hypothesis with its verdict, or with the reason why there is none.

    Args:
        claim: whose it is.
        hypothesis: what was judged; without a rule if the stored one could not be read.
        rule_in_words: the rule as sentences.
        verdict: None while results are missing, and for a rule that failed.
        reason: why there is no verdict.
        failed: whether that is the rule's own fault.
    """

    claim: str
    hypothesis: Hypothesis
    rule_in_words: str
    verdict: Verdict | None
    reason: str = ""
    failed: bool = False


def judge_all(store: Store, device: str = "cpu") -> list[Judgment]:
    """Judge every stored hypothesis. Holm's correction needs all of them, not those of one run."""
    found = []
    for stored in store.specifications():
        if stored.kind != "experiment":
            continue
        spec, results = stored.json, store.results(stored.claim, device)
        gap = gap_in(store.cells(stored.claim, device), spec["factors"], spec["seeds"])
        found += judge_each(stored.claim, spec["hypotheses"], results, gap)
    corrected = iter(correct_for_multiplicity([j.verdict for j in found if j.verdict]))
    return [replace(j, verdict=next(corrected)) if j.verdict else j for j in found]


def judge_each(
    claim: str, hypotheses: Sequence[Mapping], results: Results, gap: str = ""
) -> list[Judgment]:
    """The hypotheses of one claim, not yet corrected for how many others there are.

    Args:
        claim: whose they are.
        hypotheses: as the store has them.
        results: the trials.
        gap: what is missing; with it nothing is judged.
    """
    found = []
    for value in hypotheses:
        hypothesis = Hypothesis(value.get("id", "?"), value.get("statement", ""), None)
        hypothesis = replace(hypothesis, kind=value.get("kind", hypothesis.kind))
        words, verdict, reason, failed = "", None, gap, False
        try:
            hypothesis = hypothesis_from_json(value)
            assert isinstance(hypothesis.rule, Rule)  # the line above makes nothing else
            words = rule_in_words(hypothesis.rule)
            if not gap:
                verdict = judge(hypothesis, results)
        except MissingResults as error:
            reason = str(error)
        except Exception as error:  # one rule must not take the others' verdicts along
            reason = f"the rule failed: {type(error).__name__}: {error}".splitlines()[0]
            failed = True
        found.append(Judgment(claim, hypothesis, words, verdict, reason, failed))
    return found


def rule_in_words(rule: Rule) -> str:
    """A rule as sentences; what several parts of it have in common is said once."""
    parts = [part.describe() for part in getattr(rule, "rules", (rule,))]
    times = {text: parts.count(text) for text in parts}
    return " ".join(
        text if n == 1 else f"In each of {n} parts of the data: {text}" for text, n in times.items()
    )


def gap_in(cells: Sequence[StoredCell], factors: Mapping[str, list], seeds: int) -> str:
    """Why the cells are no ground for a verdict: some failed, did not run, or lack seeds."""
    expected = math.prod(len(levels) for levels in factors.values())
    failed = [cell for cell in cells if cell.status == "failed"]
    if failed:
        return f"{len(failed)} of {len(cells)} cells failed"
    if not cells:
        return "not run on this device"
    missing = expected - len(cells)
    if missing:
        return f"{missing} of {expected} cells have not run"
    # The number of seeds was fixed beforehand by the power a claim needs: stopping earlier, where
    # a first look happens to be clear, would decide by chance.
    fewest = min(len(cell.seeds) for cell in cells)
    return f"{fewest} of {seeds} seeds" if fewest < seeds else ""
