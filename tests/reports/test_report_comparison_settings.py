"""A comparison repeated under settings: each on its own, folded, and drawn over a number."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.experiment import Measurements, spec_hash
from benchmarks.store import Store
from reports.comparison import compare
from reports.comparison_figures import compared
from reports.load import load
from reports.page import build
from tests.reports import synthetic_store as synthetic
from tests.reports.test_report_comparison import tuned

SIZES = (100, 1000)
SPEC = replace(
    synthetic.optimizers(),
    name="sizes",
    tuning=("learning_rate", (1e-3, 1e-2, 1e-1)),
    settings={"activation": ("tanh", "ReLU"), "training_images": SIZES},
    seeds=6,
)
NOISE = np.array([-2, 1, 0, 2, -1, 0]) / 1000


def score(cell):
    """Adam is best on few images, SGD on many; the best rate falls with the images."""
    who = {"SGD": 0.0, "Momentum": 0.01, "Adam": 0.02}[cell.optimizer]
    base = 0.7 - who if cell.training_images == 1000 else 0.4 + who
    best = 1e-2 if cell.training_images == 1000 else 1e-1
    base += 0.1 * (cell.activation == "ReLU")
    return base - 0.1 * abs(np.log10(cell.learning_rate / best))


def measure(cell, seeds):
    values = score(cell) + NOISE
    return Measurements(
        metrics={
            "steps_to_target": np.full(6, 201.0), "train_score": values + 0.05,
            "validation_score": values, "test_score": values - 0.01,
        },
        curves={"train_loss": np.exp(-np.linspace(0, 1, 5) * score(cell)) + NOISE[:, None]},
    )  # fmt: skip


def written(path, missing=()):
    with Store.open(path, create=True) as store:
        run = store.start_run("lecture", "run", synthetic.ENVIRONMENT)
        store.save_specification(SPEC, file="x.py", source={})
        for i, cell in enumerate(SPEC.cells()):
            if i not in missing:
                store.save_cell(spec_hash(SPEC), cell, "v", run, range(6), measure(cell, range(6)))
    return path


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("settings")
    return build([written(folder / "s.sqlite")], folder).path.read_text()


@pytest.fixture
def parts(tmp_path):
    with Store.read(written(tmp_path / "s.sqlite")) as store:
        (view,) = load([store]).comparisons
        yield compared(view)


def test_everything_is_chosen_and_ranked_within_its_setting(parts):
    found = {part.label: part for part in parts.parts}
    assert list(found) == [
        "tanh, training images 100", "tanh, training images 1000",
        "ReLU, training images 100", "ReLU, training images 1000",
    ]  # fmt: skip
    few, many = found["tanh, training images 100"], found["ReLU, training images 1000"]
    assert [c.chosen for c in few.result.contenders] == [0.1] * 3
    assert [c.chosen for c in many.result.contenders] == [0.01] * 3
    # By hand: 0.4 + 0.02 - 0.01 on average for Adam on few, 0.7 + 0.1 - 0.01 for SGD on many.
    assert few.result.contenders[2].test.estimate == pytest.approx(0.41)
    assert many.result.contenders[0].test.estimate == pytest.approx(0.79)
    assert few.result.rankings[2].winner == "Adam"
    assert many.result.rankings[2].winner == "SGD"
    assert all(part.result.rankings[0].winner is None for part in parts.parts)  # all are at 201
    assert all(part.complete for part in parts.parts)


def test_a_panel_for_each_of_the_other_settings_goes_over_the_numeric_one(parts):
    assert [panel.title for panel in parts.panels] == [
        "Accuracy, test against training images: tanh",
        "Accuracy, test against training images: ReLU",
    ]
    head, *rows = [parts.panels[0].table.head, *parts.panels[0].table.rows]
    assert head[0] == "training images" and "SGD (n = 6)" in head
    assert [row[0] for row in rows] == ["100", "1000"]
    assert rows[0][1].startswith("0.39") and rows[1][1].startswith("0.69")
    assert (
        "99 % interval" in parts.panels[0].table.caption and "Mean" in parts.panels[0].table.caption
    )


def test_the_grid_has_a_row_a_setting_with_scores_and_winners(page):
    grid = page[page.index("every setting") :]
    grid = grid[: grid.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", grid[grid.index("<tbody>") :], re.S)
    assert len(rows) == 4
    cells = [re.sub("<[^>]+>", "", c) for c in re.findall(r"<t[hd].*?</t[hd]>", rows[0], re.S)]
    assert cells[:2] == ["tanh", "100"]
    assert re.match(r"0\.41\d* \[0\.40", cells[4])  # Adam
    assert cells[5:] == ["no clear winner", "no clear winner", "Adam"]
    assert rows[3].count("<b>SGD</b>") == 1


def test_details_are_folded_and_need_no_script(page):
    article = page[page.index('id="compare.sizes"') :]
    article = article[: article.index("</article>")]
    for label in ("tanh, training images 100", "ReLU, training images 1000"):
        assert f"<details><summary>{label}</summary>" in article
    assert article.count("<b>Generalization:</b>") == 4
    assert "<script" not in article and "js-only" not in article
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_setting_with_gaps_alone_is_not_ranked(tmp_path):
    page = build([written(tmp_path / "g.sqlite", missing=(0,))], tmp_path).path.read_text()
    assert "1 of 36 cells have not run" in page
    assert page.count("No ranks while cells are missing.") == 1
    assert page.count("not ranked") == 3  # once a lens
    assert page.count("<b>Generalization:</b>") == 3


def test_without_tuning_values_in_numbers_stability_is_not_ranked():
    names = {"a": [tuned("x", [0.7, 0.6], [0.5, 0.6], [10, 20])]}
    names["b"] = [tuned("x", [0.8, 0.9], [0.7, 0.8], [1, 2])]
    lenses = [ranking.lens for ranking in compare(names, margin=0.1).rankings]
    assert lenses == ["convergence", "generalization"]


def test_a_comparison_without_settings_is_drawn_as_before(tmp_path):
    path = Path(tmp_path / "plain.sqlite")
    with Store.open(path, create=True) as store:
        run = store.start_run("lecture", "run", synthetic.ENVIRONMENT)
        synthetic.save(store, run, synthetic.optimizers(), synthetic.measure_contender)
    page = build([path], tmp_path).path.read_text()
    assert 'id="compare-optimizers-loss"' in page and 'id="compare-optimizers-tuning"' in page
    assert "every setting" not in page and "setting at a time" not in page
