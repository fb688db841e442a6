"""Figures as files, their data as CSV against the store, and what a rebuild draws again."""

import csv
import io
import json
import re

import numpy as np
import pytest
from matplotlib import image

from benchmarks.store import Store
from reports import drawn
from reports.drawing import SENTINEL, light_colors
from reports.load import load
from reports.page import build
from reports.table_files import figure_csv
from tests.reports import synthetic_store as synthetic


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store.read(synthetic.write(tmp_path_factory.mktemp("store") / "a.sqlite")) as store:
        yield store


@pytest.fixture(scope="module")
def claims(store):
    return [claim for claim in load([store]).claims if claim.results.cells]


@pytest.fixture(scope="module")
def out(claims, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    drawn.draw_all(claims, folder)
    return folder


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def data(store, claim, figure):
    def curves(name):
        return store.curves(claim, name)

    return rows(figure_csv(figure, store.results(claim), curves, store.cells(claim)))


def figures_of(store, claim):
    found = store.specification(claim).json["figure"]
    return found if isinstance(found, list) else [found]


def test_curves_are_their_median_and_their_levels(store):
    figure = next(f for f in figures_of(store, "C12") if f["type"] == "Curves")
    found = data(store, "C12", figure)
    for factors, axis, values, _theory, _slide in store.curves("C12", figure["y"]):
        if factors["optimizer"] != "gradient descent":
            continue  # the figure does not show it
        mine = [r for r in found if float(r["kappa"]) == factors["kappa"]]
        np.testing.assert_array_equal([float(r["axis"]) for r in mine], axis)
        medians = np.median(values, axis=0)
        np.testing.assert_allclose([float(r["median"]) for r in mine], medians, rtol=1e-12)
        assert {r["seeds"] for r in mine} == {str(len(values))}
    assert {r["optimizer"] for r in found} == {"gradient descent"}


def test_points_are_the_trials(store):
    (figure,) = figures_of(store, "C23")
    found = data(store, "C23", figure)
    for cell in store.results("C23").cells:
        mine = [r for r in found if r["optimizer"] == cell.factors["optimizer"]]
        assert [int(r["seed"]) for r in mine] == cell.seeds.tolist()
        assert [float(r["error"]) for r in mine] == cell.metrics["error"].tolist()


def test_planes_are_their_arrays(store):
    figure = next(f for f in figures_of(store, "C37") if f["type"] == "Plane")
    found = data(store, "C37", figure)
    cell = store.cells("C37")[0]
    mine = [r for r in found if all(str(v) == r[k] for k, v in cell.factors.items())]
    path = [(float(r["x"]), float(r["y"])) for r in mine if r["array"] == "path"]
    np.testing.assert_allclose(path, np.asarray(cell.arrays["path"], float))
    surface = [float(r["value"]) for r in mine if r["array"] == "loss"]
    np.testing.assert_allclose(surface, np.asarray(cell.arrays["loss"], float).ravel())


def test_pictures_have_the_light_themes_colors(out, claims):
    sentinels = {tuple(int(v[i : i + 2], 16) for i in (1, 3, 5)) for v in SENTINEL.values()}
    light = {tuple(int(v[i : i + 2], 16) for i in (1, 3, 5)) for v in light_colors().values()
             if len(v) == 7}  # fmt: skip
    names = sorted(path.stem for path in (out / "figures").glob("*.png"))
    assert len(names) >= 6
    for name in names:
        picture = (image.imread(out / "figures" / f"{name}.png") * 255).round().astype(int)
        pixels = picture[..., :3]
        assert (picture[..., 3:] == 255).all() and (pixels[0, -1] == 255).all()  # on white
        assert pixels.shape[1] == 840
        colors, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
        seen = dict(zip(map(tuple, colors.tolist()), counts.tolist(), strict=True))
        # Blends at the edge of dark lines may hit one; a line of that color has hundreds.
        assert sum(seen.get(color, 0) for color in sentinels) < 30
        assert len(seen.keys() & light) >= 2
        assert (out / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_a_rebuild_draws_only_what_changed(out, claims, monkeypatch):
    first = drawn.draw_all(claims, out)
    asked = []
    real = drawn.panels_of

    def watched(claim, files=None):
        asked.append(claim.claim)
        return real(claim, files)

    monkeypatch.setattr(drawn, "panels_of", watched)
    assert drawn.draw_all(claims, out) == first and asked == []
    (out / ".drawn" / "C23.json").write_text('{"key": "cut o')
    (out / "figures" / "C35-a.pdf").unlink()
    kept = json.loads((out / ".drawn" / "C12.json").read_text())
    (out / ".drawn" / "C12.json").write_text(json.dumps(kept | {"key": "of another day"}))
    assert drawn.draw_all(claims, out) == first
    assert sorted(asked) == ["C12", "C23", "C35"]


def test_processes_draw_the_same(out, claims, tmp_path, monkeypatch):
    monkeypatch.setattr(drawn, "FEW", 0)
    assert drawn.draw_all(claims, tmp_path) == drawn.draw_all(claims, out)
    for path in (out / "figures").iterdir():
        assert (tmp_path / "figures" / path.name).read_bytes() == path.read_bytes(), path.name


def test_every_figure_of_a_page_has_its_numbers_as_a_file(store, tmp_path):
    """Comparisons, too: their tables, as they stand on the page."""
    folder = build([store.path], tmp_path).path.parent / "figures"
    svg, tables = ({p.stem for p in folder.glob(f"*.{s}")} for s in ("svg", "csv"))
    assert any(name.startswith("compare-") for name in tables)
    # The panels of one claim's figure share a table: "C20-b1" and "C20-b2" have "C20-b".
    assert {re.sub(r"^([BC]\d+-[a-z])\d+$", r"\1", name) for name in svg} == tables
    name = next(folder.glob("compare-*-loss.csv"))
    found = rows(name.read_text())
    assert found and all(row.values() for row in found)
