"""Rules that judge. Each is fixed in an experiment's file before anything runs.

A rule sees only stored trials. It draws a region where the statement survives and an interval of
what was measured: interval inside, SUPPORTED; outside, REFUTED; across an edge, UNDECIDED. The
regions come from arithmetic, statistics or theory, never from tuning.
"""

from benchmarks.verdicts.against_theory import EPSILON, Agreement, AtMost, Identity, Slope, Within
from benchmarks.verdicts.between_levels import Difference, Paired, Ratio, Sign
from benchmarks.verdicts.judge import (
    All,
    correct_for_multiplicity,
    every,
    hypothesis_from_json,
    judge,
    rule_from_json,
)
from benchmarks.verdicts.results import CellResult, MissingResults, Results, allows
from benchmarks.verdicts.rule import Rule
from benchmarks.verdicts.verdict import (
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Verdict,
    judge_interval,
    number,
)

__all__ = [
    "EPSILON",
    "REFUTED",
    "SUPPORTED",
    "UNDECIDED",
    "Agreement",
    "All",
    "AtMost",
    "CellResult",
    "Difference",
    "Identity",
    "MissingResults",
    "Paired",
    "Ratio",
    "Results",
    "Rule",
    "Sign",
    "Slope",
    "Verdict",
    "Within",
    "allows",
    "correct_for_multiplicity",
    "every",
    "hypothesis_from_json",
    "judge",
    "judge_interval",
    "number",
    "rule_from_json",
]
