"""The base of all rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from benchmarks.experiment import Experiment, SpecificationError
from benchmarks.verdicts.results import Results, allows
from benchmarks.verdicts.verdict import Verdict


@dataclass(frozen=True)
class Rule:
    """What rules share: the metric, the cells they look at, and the check of a specification."""

    metric: str
    where: Mapping = field(default_factory=dict, kw_only=True)

    def check(self, hypothesis: str, spec: Experiment) -> None:
        """Refuse names that the experiment does not declare."""
        for metric in self.metrics_used():
            if metric not in spec.metrics:
                raise SpecificationError(
                    f"{hypothesis}: rule uses metric {metric!r}, which metrics does not declare"
                )
        for factor in [*self.where, *self.factors_used()]:
            if factor not in spec.factors:
                raise SpecificationError(
                    f"{hypothesis}: rule uses factor {factor!r}, which factors does not declare"
                )

    def refuse_pooling(self, hypothesis: str, spec: Experiment) -> None:
        """Refuse cells that differ in more than this rule compares.

        Their values are no independent draws of one quantity, so an interval over all of them
        would be too narrow.
        """
        for factor, levels in spec.factors.items():
            kept = [level for level in levels if allows(self.where.get(factor, levels), level)]
            if len(kept) > 1 and factor not in self.factors_used():
                raise SpecificationError(
                    f"{hypothesis}: rule pools the levels of {factor!r}; fix one by where, or use "
                    "every(...) with a rule for each"
                )

    def metrics_used(self) -> list[str]:
        """Metrics the rule reads."""
        return [self.metric]

    def factors_used(self) -> list[str]:
        """Factors the rule reads besides `where`."""
        return []

    def changed(self, changes: Mapping) -> "Rule":
        """The same rule looking at something else: how a mutant is judged."""
        return replace(self, **changes)

    def describe(self) -> str:
        """The rule in words, for the page."""
        raise NotImplementedError

    def decide(self, results: Results) -> Verdict:
        """Judge finished trials."""
        raise NotImplementedError
