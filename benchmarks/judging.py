"""Verdicts on everything a store holds: each rule on its own trials, then Holm over all of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.experiment import Hypothesis
from benchmarks.store import Store, StoredCell
from benchmarks.verdicts import (
    MissingResults,
    Rule,
    Verdict,
    correct_for_multiplicity,
    hypothesis_from_json,
    judge,
)


@dataclass(frozen=True)
class Judgment:
    """A hypothesis with its verdict, or with the reason why there is none yet."""

    claim: str
    hypothesis: Hypothesis
    verdict: Verdict | None
    reason: str = ""

    @property
    def rule(self) -> Rule:
        """The rule that decides it."""
        rule = self.hypothesis.rule
        assert isinstance(rule, Rule)  # `hypothesis_from_json` makes nothing else
        return rule

    @property
    def rule_in_words(self) -> str:
        """The rule as sentences; what several parts of it have in common is said once."""
        parts = [part.describe() for part in getattr(self.rule, "rules", (self.rule,))]
        times = {text: parts.count(text) for text in parts}
        return " ".join(
            text if n == 1 else f"In each of {n} parts of the data: {text}"
            for text, n in times.items()
        )


def judge_all(store: Store, device: str = "cpu") -> list[Judgment]:
    """Judge every stored hypothesis. Holm's correction needs all of them, not those of one run."""
    found = []
    for stored in store.specifications():
        if stored.kind != "experiment":
            continue
        cells = store.cells(stored.claim, device)
        results = store.results(stored.claim, device)
        gap = _gap(cells, stored.json["factors"], stored.json["seeds"])
        for value in stored.json["hypotheses"]:
            hypothesis = hypothesis_from_json(value)
            verdict, reason = None, gap
            if not gap:
                try:
                    verdict = judge(hypothesis, results)
                except MissingResults as error:
                    reason = str(error)
                except Exception as error:  # one rule must not take the others' verdicts along
                    reason = f"the rule failed: {type(error).__name__}: {error}"
            found.append(Judgment(stored.claim, hypothesis, verdict, reason))
    corrected = iter(correct_for_multiplicity([j.verdict for j in found if j.verdict]))
    return [Judgment(j.claim, j.hypothesis, next(corrected), "") if j.verdict else j for j in found]


def _gap(cells: list[StoredCell], factors: Mapping[str, list], seeds: int) -> str:
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
