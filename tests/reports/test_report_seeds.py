"""Every seed on a card: the codes, which cells and seeds, and what a page carries of it."""

import json
import re

import numpy as np
import pytest

from benchmarks.experiment import Measurements, Points, spec_hash
from benchmarks.store import Store
from benchmarks.verdicts import Agreement, Difference, Within, every
from reports import seeds
from reports.load import load
from reports.page import build
from tests.reports import synthetic_store as synthetic

DRAW = np.random.default_rng(0)


def parsed(claim):
    found = seeds.seeds_of(claim)
    data = json.loads(found.json)
    count = data["seeds"] if isinstance(data["seeds"], int) else len(data["seeds"])
    for metric in data["metrics"]:
        for row in metric["rows"]:
            start, step, log, text = row[8:]
            row.append(seeds.decode(seeds.Coded(start, step, bool(log), text), count))
    return data, {metric["name"]: metric for metric in data["metrics"]}


def stored(path, spec, measure, seeds=None):
    with Store.open(path, create=True) as store:
        run = store.start_run("lecture", "x", {})
        synthetic.save(store, run, spec, measure, seeds=seeds)
        return next(c for c in load([store]).claims if c.claim == spec.claim)


def test_codes_by_hand():
    row = seeds.encode(np.array([2.0, 3.0, 0.0, np.nan]))
    # Codes 3 (the smallest), 65535 (the largest), 2 (zero), 1 (diverged); two bytes, little-endian.
    assert row.data == "AwD//wIAAQA=" and (row.start, row.log) == (2.0, False)
    assert row.step == pytest.approx(1 / 65_532, rel=1e-5)
    alike = seeds.encode(np.full(9, 0.1))
    assert (alike.start, alike.data) == (0.1, "")
    there = np.array([True, False])
    assert np.isnan(seeds.decode(seeds.encode(np.array([0.1, 0.1]), there), 2)[1])


@pytest.mark.parametrize(
    "values",
    [
        DRAW.normal(3, 1e-7, 50),
        DRAW.normal(0, 1, 50),
        10 ** DRAW.uniform(-16, 3, 50),
        np.concatenate([[0.0, 0.0], 10 ** DRAW.uniform(-16, 3, 5)]),
        np.array([np.inf, 1.0, np.nan, 2.0]),
        np.array([1e307, -1e307, 3.0]),
        np.array([5e-324, 1e-300, 1.0]),
        np.full(3, np.nan),
        np.array([-4.0]),
    ],
)
def test_values_come_back_to_a_part_of_their_range(values):
    found = seeds.decode(seeds.encode(values), len(values))
    good = np.isfinite(values)
    assert np.array_equal(np.isfinite(found), good)
    assert np.array_equal(found == 0, np.where(good, values, 1) == 0)
    if not good.any():
        return
    kept = values[good]
    span = kept.max() / 65_532 - kept.min() / 65_532
    positive = kept[kept > 0]
    relative = np.ptp(np.log(positive)) / 65_532 if kept.min() >= 0 else 0
    # Half a step, and a little for the digits of start and step.
    allowed = 0.54 * np.maximum(span, relative * np.abs(kept)) + 1e-15 * np.abs(kept)
    assert (np.abs(found[good] - kept) <= allowed).all()


def test_a_card_carries_the_stores_values(tmp_path):
    claim = stored(tmp_path / "x.sqlite", synthetic.rate(), synthetic.measure_rate)
    data, metrics = parsed(claim)
    assert list(metrics) == ["exponent", "steps"] and data["seeds"] == 14
    (row,) = metrics["exponent"]["rows"]  # the one cell that the rule looks at
    cells = {c.label: c.metrics for c in claim.cells}
    np.testing.assert_allclose(
        row[-1], cells["optimizer=momentum, kappa=10"]["exponent"], rtol=5e-4
    )
    assert data["cells"][row[0]] == "momentum, kappa 10"
    assert metrics["steps"]["log"] and len(metrics["steps"]["rows"]) == 6
    for row, values in zip(metrics["steps"]["rows"], cells.values(), strict=True):
        np.testing.assert_allclose(row[-1], values["steps"], rtol=5e-4)
        assert row[4] == pytest.approx(np.mean(values["steps"]), rel=1e-7)
        assert row[5] < row[4] < row[6]
    roles = [row[1] for row in metrics["steps"]["rows"]]
    assert roles == ["m-gd"] * 3 + ["m-mom"] * 3  # as in the claim's figure


def test_compared_cells_lie_side_by_side_and_theory_is_marked(tmp_path):
    spec = synthetic.experiment(
        "C23", factors={"optimizer": ("momentum", "gradient descent", "Adam"), "size": (3, 5)},
        metrics={name: synthetic.Metric(name, "1") for name in ("error", "theory")},
        hypotheses=(
            synthetic.Hypothesis("C23.a", "Errs more.", every(*(
                Difference("error", "optimizer", "Adam", "momentum", where={"size": size})
                for size in (3, 5)))),
            synthetic.Hypothesis("C23.b", "As predicted.",
                                 Agreement("error", "theory", where={"optimizer": "Adam"})),
        ),
        seeds=20,
    )  # fmt: skip

    def measure(cell, seeds):
        error = DRAW.normal(cell.size, 1, len(seeds))
        return Measurements(metrics={"error": error, "theory": np.full(len(seeds), 1.5)})

    data, metrics = parsed(stored(tmp_path / "x.sqlite", spec, measure))
    names = [data["cells"][row[0]] for row in metrics["error"]["rows"]]
    assert names == ["momentum, size 3", "Adam, size 3", "momentum, size 5", "Adam, size 5"]
    assert metrics["error"]["linked"] == [0, 2]
    assert {row[7] for row in metrics["error"]["rows"]} == {1.5}


def test_it_stays_small_and_says_what_is_left_out(tmp_path):
    spec = synthetic.experiment(
        "C23", factors={"size": tuple(range(40))}, seeds=300,
        hypotheses=(synthetic.Hypothesis("C23.a", "Small.", every(*(
            Within("error", -9, 9, where={"size": size}) for size in range(40)))),),
        figure=(Points("size", "error", "size", "error", "Errors"),),
    )  # fmt: skip

    def measure(cell, seeds):
        return Measurements(metrics={"error": DRAW.normal(0, 1, len(seeds))})

    claim = stored(tmp_path / "x.sqlite", spec, measure)
    data, metrics = parsed(claim)
    found = seeds.seeds_of(claim)
    assert "The first 83 of 300 seeds are drawn. The first 24 of 40 cells are drawn." in found.key
    assert data["seeds"] == 83 and len(metrics["error"]["rows"]) == seeds.ROWS
    assert len(found.json.encode()) < 8_000
    assert {row[2] for row in metrics["error"]["rows"]} == {300}  # what the mean is over


def test_diverged_seeds_are_counted_and_missing_ones_are_absent(tmp_path):
    spec = synthetic.experiment("C23", factors={"optimizer": ("</script>", "Adam")}, seeds=6,
        hypotheses=(synthetic.Hypothesis("C23.a", "Small.", every(*(
            Within("error", -9, 9, where={"optimizer": name}) for name in ("</script>", "Adam")
        ))),))  # fmt: skip
    with Store.open(tmp_path / "x.sqlite", create=True) as store:
        run = store.start_run("lecture", "x", {})
        store.save_specification(spec, file="x.py", source={})
        numbers = {"</script>": [0, 2, 5], "Adam": [5, 0, 1, 2, 3, 4]}
        for cell in spec.cells():
            of = np.array(numbers[cell.optimizer])
            lost = (of == 2) & (cell.optimizer == "Adam")
            error = np.where(lost, np.inf, of + 1.0)
            found = Measurements(metrics={"error": error}, diverged=lost)
            store.save_cell(spec_hash(spec), cell, "v", run, of, found)
        claim = next(c for c in load([store]).claims if c.claim == "C23")
    assert claim.state == "PARTIAL"  # yet what there is can be seen
    data, metrics = parsed(claim)
    first, second = metrics["error"]["rows"]
    np.testing.assert_allclose(first[-1], [1, np.nan, 3, np.nan, np.nan, 6], rtol=1e-4)
    np.testing.assert_allclose(second[-1], [1, 2, np.nan, 4, 5, 6], rtol=1e-4)
    assert first[2:4] == [3, 0] and second[2:4] == [6, 1]
    assert data["seeds"] == 6 and data["cells"][0] == "</script>"
    assert "<" not in seeds.seeds_of(claim).json


def test_a_page_has_one_a_claim_and_the_script_once(tmp_path):
    page = build([synthetic.write(tmp_path / "x.sqlite")], tmp_path / "out").path.read_text()
    blocks = re.findall(r'<script type="application/json">(.*?)</script>', page, re.S)
    assert len(blocks) == len(re.findall(r'data-live="seeds-C\d+"', page)) == 5
    assert all(json.loads(block)["metrics"] for block in blocks)
    assert page.count("Every seed of a claim: a row a cell") == 1


def test_without_a_result_there_is_none(tmp_path):
    Store.open(tmp_path / "empty.sqlite", create=True).close()
    page = build([tmp_path / "empty.sqlite"], tmp_path / "out").path.read_text()
    assert 'data-live="seeds-' not in page and "Every seed of a claim" not in page
