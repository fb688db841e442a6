"""What withholds a verdict, and rules in words; the rules themselves have their own tests."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.experiment import Experiment, Hypothesis, Measurements, Metric, spec_hash
from benchmarks.judging import judge_all
from benchmarks.store import Store
from benchmarks.verdicts import AtMost, every

PARTS = [AtMost("error", 9, where={"rate": rate}) for rate in (3, 1)]
SPEC = Experiment(
    claim="C33",
    lens="convergence",
    hypotheses=(
        Hypothesis("C33.one", "It is small.", AtMost("error", 9)),
        Hypothesis("C33.both", "Both are small.", every(*PARTS, AtMost("other", 7))),
    ),
    measure=lambda cell, seeds: None,
    metrics={"error": Metric("error", "1"), "other": Metric("other", "1")},
    figure=(),
    factors={"rate": (3, 1)},
    seeds=4,
)


def judged(path, seeds, spec=SPEC):
    """Judgments where cell i has `seeds[i]` seeds: none stored for 0, a failure for None."""
    with Store.open(path / "a.sqlite", create=True) as store:
        store.save_specification(spec, file="a.py", source={})
        run = store.start_run("lecture", "run", {})
        for cell, n in zip(spec.cells(), seeds, strict=True):
            if n is None:
                store.save_failure(spec_hash(spec), cell, "v1", run, "it broke", 3)
            elif n:
                values = {"error": np.full(n, 2.0), "other": np.full(n, 5.0)}
                store.save_cell(
                    spec_hash(spec), cell, "v1", run, range(n), Measurements(metrics=values)
                )
        return judge_all(store)


@pytest.mark.parametrize(
    ("seeds", "reason"),
    [
        ((0, 0), "not run on this device"),
        ((4, 0), "1 of 2 cells have not run"),
        ((None, 4), "1 of 2 cells failed"),
        ((3, 3), "3 of 4 seeds"),
        ((4, 1), "1 of 4 seeds"),
        ((9, 3), "3 of 4 seeds"),
        ((4, 4), ""),
        ((4, 16), ""),
    ],
)
def test_what_is_not_complete_is_not_judged(tmp_path, seeds, reason):
    found = judged(tmp_path, seeds)
    assert [j.reason for j in found] == [reason, reason]
    assert [j.verdict is None for j in found] == [bool(reason)] * 2


def test_what_parts_of_a_rule_have_in_common_is_said_once(tmp_path):
    one, both = judged(tmp_path, (4, 4))
    first, second = AtMost("error", 9).describe(), AtMost("other", 7).describe()
    assert one.rule_in_words == first
    assert both.rule_in_words == f"In each of 2 parts of the data: {first} {second}"


def test_the_seeds_of_the_stored_specification_count(tmp_path):
    assert {j.reason for j in judged(tmp_path, (4, 4), replace(SPEC, seeds=14))} == {
        "4 of 14 seeds"
    }
