import numpy as np
import pytest

from reports.comparison import (
    ComparisonResult,
    Ranking,
    Tuned,
    compare,
    decades_of,
    decide,
    rank,
    usable_range,
)


def tuned(value, validation, test, steps, train=None, diverged=None):
    n = len(validation)
    return Tuned(
        value,
        np.arange(n),
        {
            "validation_score": np.array(validation, float),
            "test_score": np.array(test, float),
            "train_score": np.array(train or test, float),
            "steps_to_target": np.array(steps, float),
        },
        np.array(diverged or [False] * n),
    )


@pytest.fixture
def result():
    # Worked by hand. "fast": medians 0.5, 0.9, 0.88, diverged; chosen 0.01, usable 0.01 to 0.1.
    fast = [
        tuned(0.001, [0.4, 0.5, 0.6], [0.3, 0.3, 0.3], [101, 101, 101]),
        tuned(0.01, [0.9, 0.89, 0.91], [0.8, 0.9, 0.7], [20, 30, 10], train=[0.9, 0.9, 0.9]),
        tuned(0.1, [0.88, 0.87, 0.89], [0.99, 0.99, 0.99], [5, 5, 5]),
        tuned(1.0, [0.95, 0.95, 0.95], [1, 1, 1], [1, 1, 1], diverged=[True] * 3),
    ]
    slow = [
        tuned(0.001, [0.2, 0.2, 0.2], [0.1, 0.1, 0.1], [101, 101, 101]),
        tuned(0.01, [0.7, 0.6, 0.65], [0.5, 0.6, 0.4], [101, 90, 80]),
    ]
    return compare({"fast": fast, "slow": slow}, margin=0.05, budget=100)


def test_the_tuning_value_is_chosen_on_validation_and_not_on_test(result):
    fast, slow = result.contenders
    assert fast.chosen == 0.01  # 0.1 has the better test score, 1.0 diverges
    assert slow.chosen == 0.01
    assert fast.test.estimate == pytest.approx(0.8)


def test_the_three_lenses_by_hand(result):
    fast, slow = result.contenders
    assert fast.steps.estimate == 20
    assert slow.reached == pytest.approx(2 / 3)
    assert fast.usable == (0.01, 0.1)
    assert fast.decades == pytest.approx(1.0)
    assert slow.decades == 0.0
    assert fast.diverged[-1] == (1.0, 1.0)
    assert fast.spread == pytest.approx(0.1)  # of 0.8, 0.9, 0.7
    assert fast.gap.estimate == pytest.approx(0.1)


def test_further_metrics_are_told_at_the_tuned_value():
    cells = [tuned(rate, [rate] * 3, [0, 0, 0], [1, 1, 1]) for rate in (0.1, 0.2)]
    for cell, values in zip(cells, ([9, 9, 9], [1, 2, 6]), strict=True):
        cell.metrics["fuel"] = np.array(values)
    (contender,) = compare({"car": cells}, margin=0.1).contenders
    assert list(contender.others) == ["fuel"]
    assert contender.others["fuel"].estimate == pytest.approx(3)


def test_a_contender_that_is_always_better_wins(result):
    assert [r.winner for r in result.rankings] == ["fast", "fast", "fast"]
    assert result.rankings[0].ranks["slow"] == (2, 2, 2)


def test_equal_contenders_have_no_clear_winner():
    cells = [tuned(0.01, [0.7, 0.6, 0.65], [0.5, 0.6, 0.4], [10, 20, 30])]
    result = compare({"a": cells, "b": cells}, margin=0.1)
    for ranking in result.rankings:
        assert ranking.winner is None
        assert ranking.first == {"a": 0.5, "b": 0.5}
        assert ranking.ranks["a"][0] == 1.5


def test_lower_scores_can_be_better():
    cells = {
        "a": [tuned(1.0, [0.1, 0.2], [0.1, 0.1], [5, 5]), tuned(2.0, [3, 4], [1, 1], [5, 5])],
        "b": [tuned(1.0, [0.5, 0.6], [0.5, 0.6], [5, 5])],
    }
    result = compare(cells, margin=0.1, sign=-1.0)
    assert result.contenders[0].chosen == 1.0
    assert result.rankings[2].winner == "a"


def test_everything_diverged_has_no_usable_range():
    cells = [tuned(v, [1.0, 1.0], [1, 1], [9, 9], diverged=[True, True]) for v in (0.1, 1.0)]
    result = compare({"a": cells}, margin=0.1)
    assert result.contenders[0].usable is None
    assert result.contenders[0].decades is None


def test_usable_range_stops_at_a_gap():
    medians = np.array([0.89, 0.2, 0.9, 0.85, 0.84, 0.1])
    assert usable_range(medians, 0.05) == (2, 3)
    assert decades_of(("a", "b", "c", "d"), (2, 3)) is None


def test_ranks_share_ties():
    table = np.array([[3.0, 3.0, 1.0]] * 4)
    ranking = rank(["a", "b", "c"], table, "stability")
    assert ranking.first == {"a": 0.5, "b": 0.5, "c": 0.0}
    assert ranking.ranks["b"][0] == 1.5


def test_a_decision_counts_settings_by_hand():
    def setting(**first):
        return ComparisonResult([], [Ranking("stability", first, {})])

    found = decide(
        [
            setting(a=1.0, b=0.0, c=0.0),
            setting(a=0.99, b=0.01, c=0.0),
            setting(a=0.5, b=0.495, c=0.005),
            setting(a=0.0, b=1.0, c=0.0),
        ]
    )
    assert list(found) == ["stability"]  # lenses without a ranking are absent, not ties
    decision = found["stability"]
    assert decision.winners == {"a": 2, "b": 1} and decision.open == 1
    assert decision.ruled_out == ["c"] and decision.settings == 4
