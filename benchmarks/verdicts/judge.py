"""Judging: compound rules, mutants, what a store remembers, and multiplicity."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks import statistics
from benchmarks.experiment import Hypothesis, Mutant, SpecificationError
from benchmarks.statistics import FAMILY_LEVEL
from benchmarks.verdicts.results import Results
from benchmarks.verdicts.rule import Rule
from benchmarks.verdicts.verdict import REFUTED, SUPPORTED, UNDECIDED, Verdict, worst


@dataclass(frozen=True)
class All(Rule):
    """Several rules that must all hold; the first that fails is the verdict.

    Its own `metric` is that of the first rule.
    """

    rules: tuple = ()

    def check(self, hypothesis, spec):
        if not self.rules:
            raise SpecificationError(f"{hypothesis}: rules must not be empty")
        for rule in self.rules:
            rule.check(hypothesis, spec)

    def changed(self, changes):
        return replace(self, rules=tuple(rule.changed(changes) for rule in self.rules))

    def describe(self):
        return " ".join(rule.describe() for rule in self.rules)

    def decide(self, results):
        return worst([rule.decide(results) for rule in self.rules])


def every(*rules: Rule) -> All:
    """All of these rules must hold."""
    return All(rules[0].metric, tuple(rules))


def rule_from_json(value: Mapping) -> Rule:
    """The rule a stored specification describes, so that judging needs the store alone."""
    kinds = {kind.__name__: kind for kind in _descendants(Rule)}
    if value.get("type") not in kinds:
        raise SpecificationError(f"rule {value.get('type')!r} is not one of {sorted(kinds)}")
    fields = {k: v for k, v in value.items() if k != "type"}
    if "rules" in fields:
        fields["rules"] = tuple(rule_from_json(rule) for rule in fields["rules"])
    return kinds[value["type"]](**fields)


def _descendants(kind: type[Rule]) -> list[type[Rule]]:
    found: list[type[Rule]] = []
    for child in kind.__subclasses__():
        found += [child, *_descendants(child)]
    return found


def hypothesis_from_json(value: Mapping) -> Hypothesis:
    """The inverse of `to_json` for a hypothesis with its rule and mutants."""
    fields = {k: v for k, v in value.items() if k != "type"}
    mutants = tuple(Mutant(m["name"], m["changes"]) for m in fields.pop("mutants"))
    return Hypothesis(**fields | {"rule": rule_from_json(fields["rule"]), "mutants": mutants})


def judge(hypothesis: Hypothesis, results: Results) -> Verdict:
    """Decide one hypothesis and let the same rule look at its mutants.

    A rule that supports the statement and does not refute a wrong form of it cannot tell the two
    apart, so it decides nothing.
    """
    verdict = hypothesis.rule.decide(results)
    found = []
    for mutant in hypothesis.mutants:
        wrong = hypothesis.rule.changed(mutant.changes).decide(results)
        found.append((mutant.name, wrong.outcome, wrong.sentence))
    alive = [name for name, outcome, _ in found if outcome != REFUTED]
    if alive and verdict.outcome == SUPPORTED:
        verdict = replace(
            verdict,
            outcome=UNDECIDED,
            sentence=f"{verdict.sentence} But the rule does not refute the wrong form "
            f"\N{LEFT DOUBLE QUOTATION MARK}{alive[0]}\N{RIGHT DOUBLE QUOTATION MARK}.",
        )
    return replace(verdict, mutants=tuple(found))


def correct_for_multiplicity(verdicts: list[Verdict]) -> list[Verdict]:
    """Holm over all claims of a report; a decisive outcome that does not survive is undecided."""
    tested = [i for i, v in enumerate(verdicts) if v.p is not None]
    adjusted = dict(zip(tested, statistics.holm(verdicts[i].p for i in tested), strict=True))
    out = []
    for i, verdict in enumerate(verdicts):
        if i in adjusted:
            verdict = replace(verdict, p_holm=adjusted[i])
            if verdict.outcome == verdict.decisive and adjusted[i] > FAMILY_LEVEL:
                verdict = replace(
                    verdict,
                    outcome=UNDECIDED,
                    sentence=verdict.sentence + " Not significant after Holm's correction.",
                )
        out.append(verdict)
    return out
