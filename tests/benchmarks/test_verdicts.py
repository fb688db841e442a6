"""Every rule on results made by hand: what it supports, what it refutes, what it leaves open."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    SpecificationError,
    spec_hash,
    to_json,
)
from benchmarks.statistics import Interval
from benchmarks.verdicts import (
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Agreement,
    AtMost,
    CellResult,
    Difference,
    Identity,
    MissingResults,
    Ratio,
    Results,
    Sign,
    Slope,
    Verdict,
    Within,
    correct_for_multiplicity,
    every,
    hypothesis_from_json,
    judge,
    rule_from_json,
)
from benchmarks.verdicts.verdict import p_at

SEEDS = 14


def cell(seeds=SEEDS, factors=None, **metrics):
    values = {k: np.broadcast_to(np.asarray(v, float), (seeds,)) for k, v in metrics.items()}
    return CellResult(factors or {}, np.arange(seeds), values, np.zeros(seeds, bool))


def one(**metrics):
    return Results((cell(**metrics),))


NOISE = np.random.default_rng(0).normal(size=SEEDS)


def test_identity_bound_is_64_k_epsilon():
    rule = Identity("gap", terms=3)
    assert rule.bound == 64 * 3 * 2.0**-52
    assert rule.decide(one(gap=rule.bound * 0.99)).outcome == SUPPORTED
    assert rule.decide(one(gap=rule.bound * 1.01)).outcome == REFUTED


def test_at_most_is_decided_by_the_worst_trial():
    gaps = np.linspace(0, 1, SEEDS)
    assert AtMost("gap", 1.0).decide(one(gap=gaps)).outcome == SUPPORTED
    assert AtMost("gap", 0.99).decide(one(gap=gaps)).outcome == REFUTED


@pytest.mark.parametrize(
    "center, outcome", [(2.0, SUPPORTED), (2.1, UNDECIDED), (2.5, REFUTED), (1.5, REFUTED)]
)
def test_within_has_three_outcomes(center, outcome):
    rule = Within("order", low=1.9, high=2.1, expected=2.0)
    assert rule.decide(one(order=center + 0.02 * NOISE)).outcome == outcome


def test_within_can_use_the_median():
    values = np.full(SEEDS, 2.0) + 0.001 * NOISE
    values[0] = 1e6  # one wild run moves the mean, not the median
    assert Within("x", 1.9, 2.1).decide(one(x=values)).outcome == UNDECIDED
    assert Within("x", 1.9, 2.1, statistic="median").decide(one(x=values)).outcome == SUPPORTED


def test_the_median_has_the_p_of_the_sign_test():
    values = np.arange(1.0, 21.0)  # 17 of 20 lie above 3.5
    verdict = Within("x", 3.5, None, statistic="median").decide(Results((cell(20, x=values),)))
    assert verdict.outcome == SUPPORTED
    assert verdict.p == pytest.approx(binomtest(17, 20).pvalue)


@pytest.mark.parametrize("low, outcome", [(-1.0, SUPPORTED), (0.0, SUPPORTED), (0.5, REFUTED)])
def test_a_median_of_equal_values_is_that_value(low, outcome):
    """A rule that always chooses the same from a grid: the interval has no width."""
    verdict = Within("x", low, None, statistic="median").decide(one(x=np.zeros(SEEDS)))
    assert verdict.outcome == outcome
    assert verdict.p == (1.0 if low == 0 else pytest.approx(2 * 0.5**SEEDS))


def test_an_interval_without_width_has_the_p_of_its_level():
    interval = Interval(1.2, 1.2, 1.2, 0.99, 50)
    assert p_at(interval, 1.2) == 1
    assert p_at(interval, 1.0) == pytest.approx(0.01)


def test_agreement_compares_every_cell_with_its_own_theory():
    rng = np.random.default_rng(1)
    good = [cell(400, {"n": n}, x=rng.normal(n, 1, 400), theory=float(n)) for n in (4, 16)]
    rule = Agreement("x", expected="theory")
    assert rule.decide(Results(tuple(good))).outcome == SUPPORTED
    bad = cell(400, {"n": 64}, x=rng.normal(64.5, 1, 400), theory=64.0)  # 10 standard errors off
    assert rule.decide(Results((*good, bad))).outcome == REFUTED


def test_agreement_that_cannot_tell_the_rival_is_undecided():
    x = np.random.default_rng(2).normal(1.0, 1.0, SEEDS)
    results = one(x=x, theory=1.0, rival=1.1)
    assert Agreement("x", "theory").decide(results).outcome == SUPPORTED
    assert Agreement("x", "theory", rival="rival").decide(results).outcome == UNDECIDED


def test_agreement_of_a_deterministic_value():
    assert Agreement("x", "theory").decide(one(x=0.3, theory=0.3)).outcome == SUPPORTED
    assert Agreement("x", "theory").decide(one(x=0.3, theory=0.31)).outcome == REFUTED


def growth(exponent, by=None):
    return [
        cell(
            SEEDS,
            {"kappa": kappa} | ({"optimizer": by} if by else {}),
            steps=7 * kappa**exponent * np.exp(0.01 * np.roll(NOISE, kappa)),
        )
        for kappa in (10, 100, 1000)
    ]


def test_slope_by_level_contains_theory_and_excludes_the_rival():
    results = Results((*growth(1.0, "gd"), *growth(0.5, "momentum")))
    right = Slope("steps", "kappa", {"gd": 1.0, "momentum": 0.5}, within=0.05, by="optimizer")
    rival = Slope("steps", "kappa", {"gd": 1.0, "momentum": 1.0}, within=0.05, by="optimizer")
    assert right.decide(results).outcome == SUPPORTED
    assert rival.decide(results).outcome == REFUTED


def test_a_slope_needs_three_levels():
    with pytest.raises(MissingResults, match="three levels"):
        Slope("steps", "kappa", 1.0, within=0.1).decide(Results(tuple(growth(1.0)[:2])))


def two_levels(difference):
    return Results(
        (
            cell(SEEDS, {"arm": "a"}, score=NOISE + difference),
            cell(SEEDS, {"arm": "b"}, score=NOISE),
        )
    )


def test_sign_needs_unanimous_seeds_at_fourteen():
    rule = Sign("score", "arm", "a", "b")
    assert rule.decide(two_levels(1.0)).outcome == SUPPORTED
    assert rule.decide(two_levels(-1.0)).outcome == REFUTED
    mixed = np.ones(SEEDS)
    mixed[3] = -1  # 13 of 14: p = 15 / 2^14, above the level
    assert rule.decide(two_levels(mixed)).outcome == UNDECIDED


def test_pairs_are_aligned_by_seed_not_by_position():
    a = CellResult({"arm": "a"}, np.array([2, 0, 1]), {"score": np.array([2.5, 0.5, 1.5])}, None)
    b = CellResult({"arm": "b"}, np.array([0, 1, 2]), {"score": np.array([0.0, 1.0, 2.0])}, None)
    left, right = Results((a, b)).paired("score", "arm", "a", "b")
    np.testing.assert_array_equal(left - right, [0.5, 0.5, 0.5])


@pytest.mark.parametrize("shift, outcome", [(3.0, SUPPORTED), (0.0, UNDECIDED), (-3.0, REFUTED)])
def test_difference_uses_the_pairs(shift, outcome):
    jitter = shift + 0.5 * np.roll(NOISE, 1)
    assert Difference("score", "arm", "a", "b").decide(two_levels(jitter)).outcome == outcome


def test_ratio_of_spreads():
    rng = np.random.default_rng(4)
    results = Results(
        (
            cell(500, {"arm": "a"}, score=rng.normal(0, 2, 500)),
            cell(500, {"arm": "b"}, score=rng.normal(0, 1, 500)),
        )
    )
    assert Ratio("score", "arm", "a", "b", of="sd").decide(results).outcome == SUPPORTED
    assert Ratio("score", "arm", "b", "a", of="sd").decide(results).outcome == REFUTED


def test_every_rule_must_hold():
    results = one(a=0.5, b=2.0)
    assert every(AtMost("a", 1), AtMost("b", 3)).decide(results).outcome == SUPPORTED
    assert every(AtMost("a", 1), AtMost("b", 1)).decide(results).outcome == REFUTED


def test_a_mutant_is_judged_by_the_same_rule():
    hypothesis = Hypothesis(
        "C31.unbiased", "s", Identity("right", terms=8),
        mutants=(Mutant("no factor", {"metric": "wrong"}),),
    )  # fmt: skip
    verdict = judge(hypothesis, one(right=0.0, wrong=0.375))
    assert verdict.outcome == SUPPORTED
    assert verdict.mutants[0][:2] == ("no factor", REFUTED)


def test_missing_cells_withhold_the_verdict():
    with pytest.raises(MissingResults, match="arm"):
        AtMost("score", 1, where={"arm": "c"}).decide(two_levels(0.0))


def verdict_with(p, outcome=SUPPORTED):
    return Verdict(outcome, 0.0, None, None, None, 1, (None, None), "", "", p=p, decisive=outcome)


def test_holm_takes_back_what_does_not_survive_the_family():
    verdicts = correct_for_multiplicity(
        [verdict_with(1e-9), verdict_with(0.008), verdict_with(None)]
    )
    assert [v.outcome for v in verdicts] == [SUPPORTED, SUPPORTED, SUPPORTED]
    verdicts = correct_for_multiplicity([verdict_with(0.008), verdict_with(0.009)])
    assert [v.outcome for v in verdicts] == [UNDECIDED, UNDECIDED]  # 0.016 > 0.01


def specification(rule, **changes):
    fields = {
        "claim": "C12",
        "lens": "convergence",
        "hypotheses": (Hypothesis("C12.rate", "s", rule),),
        "measure": lambda cell, seeds: Measurements({"steps": seeds}),
        "metrics": {"steps": Metric("steps", "step")},
        "figure": (Lines("kappa", "steps", "kappa", "steps", "t"),),
        "factors": {"kappa": (10, 100, 1000)},
    }
    return Experiment(**fields | changes)


RULES = [
    AtMost("steps", 3.0, where={"kappa": 10}),
    Identity("steps", terms=3),
    Within("steps", 0.0, None, expected=1.0, where={"kappa": 10}),
    Agreement("steps", expected="steps"),
    Slope("steps", "kappa", 1.0, within=0.1),
    Sign("steps", "kappa", 10, 100),
    Difference("steps", "kappa", 10, 100),
    Ratio("steps", "kappa", 10, 100, of="sd"),
    every(AtMost("steps", 1.0), Within("steps", None, 2.0, where={"kappa": 10})),
]


@pytest.mark.parametrize("where", [{}, {"kappa": (10, 100)}])
def test_an_interval_over_pooled_levels_is_refused(where):
    with pytest.raises(SpecificationError, match="C12.rate: rule pools the levels of 'kappa'"):
        specification(Within("steps", 0.0, None, where=where))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_rule_survives_json(rule):
    stored = json.loads(json.dumps(to_json(rule)))
    assert rule_from_json(stored) == rule
    hypothesis = Hypothesis("C12.rate", "s", rule, mutants=(Mutant("m", {"metric": "steps"}),))
    assert hypothesis_from_json(json.loads(json.dumps(to_json(hypothesis)))) == hypothesis
    specification(rule)  # accepted
    assert rule.describe()


def test_the_hash_moves_with_the_threshold_and_only_then():
    original = spec_hash(specification(AtMost("steps", 3.0)))
    assert original == spec_hash(specification(AtMost("steps", 3.0)))
    assert original != spec_hash(specification(AtMost("steps", 3.1)))


@pytest.mark.parametrize(
    "rule, message",
    [
        ("more than 3", "rule must come from benchmarks.verdicts, received 'more than 3'"),
        (None, "rule must come from benchmarks.verdicts, received None"),
        (AtMost("stepps", 3.0), "metric 'stepps', which metrics does not declare"),
        (AtMost("steps", 3.0, where={"kapa": 1}), "factor 'kapa', which factors does not declare"),
        (Sign("steps", "kappa", 10, 11), "factor 'kappa' has no level 11"),
    ],
)
def test_a_specification_that_cannot_be_judged_is_refused(rule, message):
    with pytest.raises(SpecificationError, match=message):
        specification(rule)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"claim": "C99"}, "claim must be one of the lecture's, received 'C99'"),
        ({"lens": "speed"}, "lens must be one of .* received 'speed'"),
        ({"seeds": 0}, "seeds must be positive, received 0"),
        ({"hypotheses": ()}, "hypotheses must not be empty"),
        ({"paired": ("weather",)}, "paired must be among .* received 'weather'"),
        ({"factors": {"kappa": []}}, "factor 'kappa' must be a non-empty tuple"),
        ({"smoke": {"steps": 1}}, "which budget does not have"),
    ],
)
def test_bad_fields_are_named(changes, message):
    with pytest.raises(SpecificationError, match=message):
        specification(AtMost("steps", 3.0), **changes)


@pytest.mark.parametrize(
    "measurements, message",
    [
        (Measurements({"other": np.ones(3)}), "missing \\['steps'\\], undeclared \\['other'\\]"),
        (Measurements({"steps": np.ones(4)}), "shape \\(3,\\), received \\(4,\\)"),
        (Measurements({"steps": [1, np.nan, 2]}), "'steps' is nan for seed number 1"),
        (
            Measurements({"steps": np.ones(3)}, curves={"loss": np.ones((2, 5))}),
            "curve 'loss' must have shape \\(3, points\\), received \\(2, 5\\)",
        ),
        (
            Measurements(
                {"steps": np.ones(3)}, curves={"loss": np.ones((3, 5))}, axes={"loss": np.ones(4)}
            ),
            "axes\\['loss'\\] must have shape \\(5,\\), received \\(4,\\)",
        ),
    ],
)
def test_measurements_are_checked(measurements, message):
    with pytest.raises(ValueError, match=message):
        measurements.check(specification(AtMost("steps", 3.0)), 3)


def test_a_diverged_run_may_have_nan():
    measurements = Measurements({"steps": [1, np.nan, 2]}, diverged=np.array([False, True, False]))
    measurements.check(specification(AtMost("steps", 3.0)), 3)


def test_the_part_closest_to_its_edge_is_shown():
    results = one(a=0.2, b=0.9)
    verdict = every(AtMost("a", 1.0), AtMost("b", 1.0)).decide(results)
    assert verdict.effect == 0.9
    assert verdict.sentence.startswith("All 2 parts hold; the closest to its edge: The largest")


def test_the_clearest_failure_is_shown():
    results = one(a=1.5, b=7.0, c=0.0)
    verdict = every(*(AtMost(m, 1.0) for m in "abc")).decide(results)
    assert (verdict.outcome, verdict.effect) == (REFUTED, 7.0)
    assert verdict.sentence.startswith("2 of 3 parts fail")


def test_support_by_parts_rests_on_the_weakest_test():
    rng = np.random.default_rng(5)
    results = Results(
        tuple(
            cell(SEEDS, {"arm": arm}, clear=shift * 9 + NOISE, faint=shift + 0.7 * values)
            for arm, shift, values in (
                ("a", 1.0, rng.normal(size=SEEDS)),
                ("b", 0.0, rng.normal(size=SEEDS)),
            )
        )
    )
    parts = [Difference(m, "arm", "a", "b").decide(results) for m in ("clear", "faint")]
    both = every(*(Difference(m, "arm", "a", "b") for m in ("clear", "faint"))).decide(results)
    assert [v.outcome for v in parts] == [SUPPORTED, SUPPORTED]
    assert both.p == max(v.p for v in parts if v.p is not None)


def test_a_rule_that_lets_a_wrong_form_live_decides_nothing():
    hypothesis = Hypothesis(
        "C31.unbiased", "s", AtMost("right", 1.0), mutants=(Mutant("twice", {"metric": "wrong"}),)
    )
    verdict = judge(hypothesis, one(right=0.1, wrong=0.2))
    assert verdict.outcome == UNDECIDED
    assert "does not refute the wrong form “twice”" in verdict.sentence


def test_where_may_name_several_levels():
    results = Results(tuple(cell(SEEDS, {"kappa": k}, gap=float(k)) for k in (1, 5, 7)))
    rule = AtMost("gap", 6.0, where={"kappa": (1, 5)})
    assert rule.decide(results).outcome == SUPPORTED
    stored = rule_from_json(json.loads(json.dumps(to_json(rule))))
    assert stored.decide(results).outcome == SUPPORTED
    assert AtMost("gap", 6.0).decide(results).outcome == REFUTED


def test_support_at_two_edges_rests_on_the_nearer_one():
    difference = 0.9 + 0.1 * NOISE / NOISE.std(ddof=1)
    results = two_levels(difference)
    verdict = Difference("score", "arm", "a", "b", low=0.0, high=1.05).decide(results)
    a, b = results.paired("score", "arm", "a", "b")
    assert verdict.outcome == SUPPORTED
    assert verdict.p == pytest.approx(ttest_1samp(a - b, 1.05).pvalue)


def test_agreement_has_students_p():
    x = np.random.default_rng(6).normal(0.4, 1.0, 15)
    verdict = Agreement("x", "theory").decide(Results((cell(15, x=x, theory=0.0),)))
    assert verdict.p == pytest.approx(ttest_1samp(x, 0.0).pvalue)


@pytest.mark.parametrize(
    "rule, values",
    [
        (Within("x", 0.0, 1.0), [0.5]),  # one trial says nothing about spread
        (Within("x", 0.0, 1.0, statistic="median"), [0.5, 0.6]),  # covers the median at 50 %
        (Agreement("x", "theory"), [0.0, 10.0]),  # an interval of 50000 holds any theory
    ],
)
def test_too_few_trials_decide_nothing(rule, values):
    results = Results((cell(len(values), x=np.array(values), theory=1000.0),))
    assert rule.decide(results).outcome == UNDECIDED


def test_a_diverged_trial_withholds_the_verdict():
    values = np.where(np.arange(SEEDS) == 3, np.nan, 0.5)
    with pytest.raises(MissingResults, match="1 of 14 trials diverged and have no 'x'"):
        AtMost("x", 1.0).decide(one(x=values))


def test_a_number_that_a_cell_left_out_withholds_the_verdict():
    some = Results((cell(factors={"arm": "a"}, x=0.5), cell(factors={"arm": "b"}, y=0.5)))
    assert AtMost("x", 1.0, where={"arm": "a"}).decide(some).outcome == SUPPORTED
    for rule in (AtMost("x", 1.0), Sign("x", "arm", "a", "b")):
        with pytest.raises(MissingResults, match="'b'} has no 'x'"):
            rule.decide(some)


def test_only_partial_metrics_may_be_left_out():
    whole, partial = Metric("steps", "step"), Metric("extra", "1", partial=True)
    spec = specification(AtMost("steps", 3.0), metrics={"steps": whole, "extra": partial})
    Measurements({"steps": np.zeros(2)}).check(spec, 2)
    with pytest.raises(ValueError, match=r"missing \['steps'\]"):
        Measurements({"extra": np.zeros(2)}).check(spec, 2)


def test_a_mutant_that_the_rule_cannot_look_at_is_refused():
    rule = AtMost("steps", 3.0)
    for changes in ({"bund": 3}, {"metric": "stepps"}):
        with pytest.raises(SpecificationError, match="bund|stepps"):
            specification(
                rule, hypotheses=(Hypothesis("C12.r", "s", rule, mutants=(Mutant("m", changes),)),)
            )
