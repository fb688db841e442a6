"""A comparison repeated under settings: its cells, its specification, its store."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.experiment import (
    Comparison,
    Measurements,
    Metric,
    SpecificationError,
    spec_hash,
    to_json,
)
from benchmarks.store import Store

NAMES = ("steps_to_target", "train_score", "validation_score", "test_score")


def measure(cell, seeds):
    return Measurements(metrics={name: cell.depth + 0.0 * seeds for name in NAMES})


PLAIN = Comparison(
    name="toys", title="Toys", task="None.", contender=("toy", ("top", "ball")),
    tuning=("rate", (1, 10, 100)), target=0.9, margin=0.1, measure=measure,
    metrics={name: Metric(name, "1") for name in NAMES}, seeds=3,
)  # fmt: skip
SETTINGS = {"floor": ("wood", "stone"), "depth": (2, 8)}
SET = replace(PLAIN, settings=SETTINGS)


def test_cells_are_settings_by_contenders_by_tuning_values_a_setting_at_a_time():
    cells = SET.cells()
    assert len(cells) == 2 * 2 * 2 * 3
    assert [c.factors for c in cells[:2]] == [
        {"floor": "wood", "depth": 2, "toy": "top", "rate": rate} for rate in (1, 10)
    ]
    # Contender and tuning value vary fastest, so that a program compiled for a setting is kept.
    assert {(c.floor, c.depth) for c in cells[:6]} == {("wood", 2)}


def test_smoke_takes_one_tuning_value_of_every_contender_under_every_setting():
    cells = SET.cells(profile="smoke")
    assert len(cells) == 2 * 2 * 2
    assert {cell.rate for cell in cells} == {10}


def test_a_comparison_without_settings_is_the_same_specification_as_before_there_were_any():
    assert "settings" not in to_json(PLAIN)
    assert to_json(SET)["settings"] == {"floor": ["wood", "stone"], "depth": [2, 8]}
    assert len({spec_hash(PLAIN), spec_hash(SET), spec_hash(replace(PLAIN, settings={}))}) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": (1, 2)}, "settings must differ from contender and tuning"),
        ({"depth": ()}, "factor 'depth' must be a non-empty tuple"),
        ({"depth": 3}, "factor 'depth' must be a non-empty tuple"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(SpecificationError, match=message):
        replace(PLAIN, settings=settings)


def test_the_store_keeps_cells_of_all_settings_in_order(tmp_path):
    with Store.open(tmp_path / "s.sqlite", create=True) as store:
        run = store.start_run("lecture", "run", {})
        store.save_specification(SET, file="x.py", source={})
        for cell in reversed(SET.cells()):
            store.save_cell(spec_hash(SET), cell, "v1", run, range(3), measure(cell, np.arange(3)))
        found = store.cells("compare.toys")
    assert [c.factors for c in found] == [c.factors for c in SET.cells()]
