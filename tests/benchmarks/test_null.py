"""The null control: silent where levels are equal, loud where a seed leaks into the numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.null import NullResult, most_allowed, null_control
from benchmarks.verdicts import CellResult, Difference, Ratio, Results, Sign, every

SEEDS = 200
RULES = {
    "difference": Difference("value", "method", "a", "b"),
    "ratio": Ratio("value", "method", "a", "b", of="sd"),
    "sign": Sign("value", "method", "a", "b"),
}


def control(values, *rules):
    """The control of rules over `2 * SEEDS` values of level a."""
    hypothesis = SimpleNamespace(id="C12.x", rule=every(*rules))
    cell = CellResult(
        {"method": "a"}, np.arange(2 * SEEDS), {"value": values}, np.zeros(2 * SEEDS, bool)
    )
    return null_control([hypothesis], Results((cell,)), SEEDS)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_false_positives_come_as_often_as_the_confidence_says(rule):
    rng = np.random.default_rng(0)
    repeats = 60
    found = sum(control(rng.normal(3, 1, 2 * SEEDS), rule)[0].found for _ in range(repeats))
    # More than 4 of 60 at a rate of 1 % has probability 0.3 %; the seed is fixed besides.
    assert found <= 4


@pytest.mark.parametrize("name", RULES)
def test_a_difference_between_the_seeds_is_found(name):
    values = np.random.default_rng(0).normal(3, 1, 2 * SEEDS)
    values[SEEDS:] = 5 + 3 * (values[SEEDS:] - 3)
    (result,) = control(values, RULES[name])
    assert result.found and result.trials == SEEDS


def test_every_rule_of_a_hypothesis_is_controlled():
    values = np.random.default_rng(0).normal(3, 1, 2 * SEEDS)
    results = control(values, *RULES.values())
    assert [r.rate for r in results] == pytest.approx([0.01, 0.01, 2 * 2**-14])


def test_how_many_are_allowed():
    results = [NullResult("C12.x", "", 5, False, 0.01)] * 100
    # Binomial(100, 0.01): P(X <= 3) = 0.982, P(X <= 4) = 0.997.
    assert most_allowed(results) == 4
    assert most_allowed([]) == 0


def test_the_command_runs_first_levels_twice_and_keeps_them_apart(
    command, experiments, tmp_path, log
):
    store = tmp_path / "results.sqlite"
    code, out, err = command(
        "run", "--null", "--only", "C12", "--devices", "cpu", "--workers", 1, "--store", store,
        "--experiments", experiments,
    )  # fmt: skip
    assert (code, err) == (0, "")
    # The fixture's value grows with the seed, which no honest experiment's does.
    assert "1 of 1 comparisons found a difference" in out
    trials = log.read_text().splitlines()
    assert sorted({line.split()[1] for line in trials}) == ["3"]
    assert sorted({int(line.split()[3]) for line in trials}) == list(range(10))
    assert not store.exists() and (tmp_path / "results.null.sqlite").exists()


def test_the_command_refuses_a_number_of_seeds(command, experiments, tmp_path):
    code, _, err = command(
        "run", "--null", "--seeds", 3, "--store", tmp_path / "x.sqlite",
        "--experiments", experiments,
    )  # fmt: skip
    assert code == 2 and "--null takes twice an experiment's seeds, received --seeds 3" in err
