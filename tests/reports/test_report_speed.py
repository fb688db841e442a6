"""Components and devices on the page, against the numbers of the file and of the stores."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.store import Store
from reports.devices import compared
from reports.page import build
from reports.speed import SpeedError, speed_path, speed_tables
from tests.reports import synthetic_store as synthetic


def component(name, kind, does, ratio, deviation=3e-16):
    return {
        "name": f"{name} {does}", "kind": kind, "class": name, "does": does,
        "deviation": deviation, "rounding": 1e-12, "ratio": ratio, "limit": 1.1,
        "met": ratio[0] <= 1.1, "microseconds": [7, 6, 8], "keras_microseconds": [9, 8, 10],
    }  # fmt: skip


TABLES = {
    "components": {
        "environment": {"device": "CPU (of a test)", "threads": 1},
        "rows": [
            component("Dense", "layer", "forward", [0.75, 0.71, 0.82]),
            component("Dense", "layer", "training step", [1.25, 1.1, 1.4]),
            component("My<script>", "yours", "forward", [0.9, 0.8, 1.3], deviation=2.5e-7),
            component("Adam", "optimizer", "update", [0.98, 0.95, 1.03]),
        ],
    },
    "modes": {
        "environment": {"problem": "a small one", "steps": 11, "device": "CPU"},
        "rows": [
            {"device": "CPU", "way": way, "compile_seconds": 0.3, "microseconds": [m, m, m],
             "ratio": [m / 50, m / 60, m / 40], "deviation": 0.0 if way == "eager" else 4e-7}
            for way, m in (("eager", 5000), ("train", 50))
        ],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    store = synthetic.write(folder / "results.sqlite")
    speed_path(store).write_text(json.dumps(TABLES))
    return build([store], folder / "out").path.read_text()


def section(page, name):
    return re.search(rf'<section class="sec end" id="{name}".*?</section>', page, re.S).group()


def test_ratios_and_deviations_are_those_of_the_file(page):
    text = section(page, "components")
    assert "0.75 [0.71, 0.82]" in text and "1.25 [1.10, 1.40]" in text
    assert "at most 1.10, missed" in text
    assert "2 classes agree" in text and "1 does not:" in text  # Dense has two passes
    assert 'id="speed-layers"' in text and 'id="speed-others"' in text


def test_what_differs_by_more_than_rounding_is_named(page):
    assert "<code>My&lt;script&gt;</code>: 2.50·10⁻⁷" in section(page, "components")
    assert "My<script>" not in page


def test_first_calls_stand_apart_from_steps(page):
    text = section(page, "devices")
    assert "300 ms" in text and "100 [83.3, 125]" in text


def test_what_was_not_measured_says_how_to(page, tmp_path):
    assert "The training program" not in section(page, "components")
    alone = build([synthetic.write(tmp_path / "alone.sqlite")], tmp_path / "out").path.read_text()
    assert "benchmarks.speed.components --json" in section(alone, "components")
    assert "benchmarks.speed.modes --json" in section(alone, "devices")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"components": {"rows": [{}]}}', '{"x": 1}'])
def test_a_file_of_something_else_is_named(text, tmp_path):
    file = tmp_path / "odd.json"
    file.write_text(text)
    with pytest.raises(SpeedError, match="odd.json") as caught:
        speed_tables(file)
    assert "\n" not in str(caught.value)


def cell(seeds, status="done", **metrics):
    values = {name: np.array(v, float) for name, v in metrics.items()}
    return SimpleNamespace(
        factors={"depth": 3}, seeds=np.array(seeds), metrics=values, status=status
    )


def test_two_devices_are_compared_seed_by_seed():
    first = cell([4, 5, 6], loss=[1.0, 2.0, np.nan], score=[0.0, 0.0, 0.0])
    second = cell([6, 5], loss=[np.nan, 2.5], score=[0.0, 0.0], time=[1.0, 1.0])
    # loss: NaN with NaN, 2 with 2.5 of at most 2.5; score: two zeros
    assert compared([first], [second]) == (4, 3, pytest.approx(0.2))
    assert compared([first], [cell([4], "failed", loss=[1.0])]) == (0, 0, 0.0)


def test_costs_are_those_of_the_store(page, tmp_path):
    store = synthetic.write(tmp_path / "results.sqlite")
    with Store.read(store) as opened:
        done = [
            c
            for spec in opened.specifications()
            for c in opened.cells(spec.claim)
            if c.status == "done" and c.device == "cpu"
        ]
    row = re.search(r'<th scope="row">cpu</th>(.*?)</tr>', section(page, "devices"), re.S).group(1)
    assert f"<td>{len(done)}</td>" in row
