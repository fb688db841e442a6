import re
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.experiment import Curves, Histogram, Lines, Points, to_json
from benchmarks.verdicts import CellResult, Results, Verdict
from reports import drawing, figures
from reports.page import environment
from reports.strip import strip


def cell(values, **factors):
    n = len(values)
    return CellResult(factors, np.arange(n), {"error": np.array(values)}, np.zeros(n, bool))


def no_curves(name):
    return []


def test_labels_move_apart_and_stay_inside():
    places = drawing.declump([98, 99, 100, 5], [10, 10, 10, 10], 0, 100)
    order = np.sort(places)
    assert np.all(np.diff(order) >= 10 - 1e-9)
    assert order[0] >= 5 - 1e-9 and order[-1] <= 95 + 1e-9
    assert places[0] < places[1] < places[2]


def test_optimizers_keep_their_colors():
    roles = drawing.colors(["Adam", "ReLU", "SGD", "tanh"])
    assert roles["Adam"] == "m-adam" and roles["SGD"] == "m-gd"
    assert len(set(roles.values())) == 4


def test_variants_of_a_method_are_told_apart_and_its_own_name_keeps_its_color():
    roles = drawing.colors(["momentum 0", "momentum 0.9", "momentum 0.99"])
    assert set(roles.values()) <= set(drawing.PALETTE) and len(set(roles.values())) == 3
    roles = drawing.colors(["He with slope", "He", "LeCun"])
    assert roles["He"] == "m-rms" and roles["LeCun"] == "m-gd"
    assert roles["He with slope"] in drawing.PALETTE


def positions(panel, role):
    """`(words, x, y)` of the texts of a class."""
    found = re.findall(
        rf'<text class="{role}"[^>]*? x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<', panel.svg
    )
    return [(words, float(x), float(y)) for x, y, words in found]


def points_of(levels, **more):
    cells = [cell([0.5, 0.75, 1.0], form=level) for level in levels]
    spec = to_json(Points("form", "error", "form of the loss", "accuracy", "Same", **more))
    (panel,) = figures.draw("p", spec, Results(tuple(cells)), no_curves)
    return panel


@pytest.mark.parametrize(
    "levels", [("a", "b"), ("with all brackets", "as it is printed here", "sum")]
)
def test_names_in_several_lines_leave_room_for_the_axis(levels):
    panel = points_of([*levels, *"cdef"])
    lowest = max(y for _, _, y in positions(panel, "tk"))
    (label,) = [y for words, _, y in positions(panel, "al") if words == "form of the loss"]
    assert label - lowest >= 15  # of 13.4 units on a phone
    assert label + 4 <= float(re.search(r'viewBox="0 0 420 ([\d.]+)"', panel.svg)[1])


def test_a_long_label_begins_inside_the_panel():
    label = "share of the way from one weight vector to another"
    results = Results(tuple(cell([s, s + 1.0], size=s) for s in (3, 5)))
    spec = Lines("size", "error", label, "error", "Grows", theory="error")
    (panel,) = figures.draw("p", to_json(spec), results, no_curves)
    ((_, end, _),) = [found for found in positions(panel, "al") if found[0] == label]
    assert end - 7.4 * len(label) >= 0 and end <= drawing.WIDTH


def test_a_long_word_stays_whole_where_its_neighbors_are_short():
    names = [
        n for n, _, _ in positions(points_of(["dense", "convolution", "no", "two", "k"]), "tk")
    ]
    assert "convolution" in names
    names = [n for n, _, _ in positions(points_of([f"convolution{i}" for i in "abcdefg"]), "tk")]
    assert not any(len(name) > 7 for name in names if not name[0].isdigit())


def test_a_share_has_no_axis_above_one_and_an_interval_beyond_is_not_hidden():
    assert drawing.limits([[1.0, 1.0]], False, ends=True)[1] < 1.01
    assert drawing.limits([[0.2, 0.9], [1.05]], False, ends=True)[1] > 1.05
    assert drawing.limits([[-0.1, 1.0]], False, ends=True)[0] < -0.1
    numbers = [n for n, x, _ in positions(points_of(["a"]), "tk") if x < 52]
    assert max(map(float, numbers)) == 1.0


def test_numbers_below_are_evenly_spaced():
    stored = [({}, np.linspace(2.14, 3.1, 9), np.ones((1, 9)), None, None)]
    spec = to_json(Curves("error", "step", "error", "Flat"))
    (panel,) = figures.draw("p", spec, Results(()), lambda name: stored)
    below = max(y for _, _, y in positions(panel, "tk"))
    shown = [float(n) for n, _, y in positions(panel, "tk") if y == below]
    assert len(shown) >= 2 and np.ptp(np.diff(shown)) < 1e-9


def test_lines_that_were_not_measured_have_the_name_that_is_asked_for():
    panel = points_of(["a", "b"], reference=0.5, reference_label="guessing")
    assert ">guessing<" in panel.svg and panel.key == ("Dashed: guessing.",)
    assert points_of(["a", "b"], reference=0.5).key == ("Dashed: reference.",)
    results = Results((cell(np.linspace(0, 1, 9), size=3),))
    spec = Histogram("error", "error", "t", reference=0.3, slide=0.5, reference_label="mean")
    (panel,) = figures.draw("p", to_json(spec), results, no_curves)
    assert panel.key == ("Dashed: mean.", "Dotted: the slide.") and ">mean<" in panel.svg
    stored = [({}, np.arange(3), np.ones((2, 3)), np.ones(3), None)]
    spec = Curves("error", "step", "error", "t", theory_label="bound")
    (panel,) = figures.draw("p", to_json(spec), Results(()), lambda name: stored)
    assert panel.key == ("Dashed: bound.",) and ">bound<" in panel.svg


def test_a_level_called_slide_is_no_dotted_line():
    stored = [({"form": f}, np.arange(3), np.ones((2, 3)), None, None) for f in ("slide", "Adam")]
    spec = Curves("error", "step", "error", "t", by="form")
    (panel,) = figures.draw("p", to_json(spec), Results(()), lambda name: stored)
    assert ">slide<" in panel.svg and panel.key == ()


def test_what_moves_below_on_a_phone_is_complete_and_leaves_nothing_behind():
    stored = [
        ({"form": f"{i}{i}"}, np.arange(3), np.full((2, 3), 1 + i / 100), np.ones(3), np.ones(3))
        for i in range(7)
    ]
    spec = Curves("error", "step", "error", "t", by="form")
    (panel,) = figures.draw("p", to_json(spec), Results(()), lambda name: stored)
    assert [name for _, name, _ in panel.legend[-3:]] == ["form 66", "theory", "slide"]
    assert [stroke for _, _, stroke in panel.legend[-3:]] == ["", "dashed", "dotted"]
    root = ElementTree.fromstring(panel.svg)
    leaders = [g for g in root.findall(".//{*}g") if g.attrib.get("class") == "ld"]
    assert len(leaders) >= 3 and all(len(g) == 1 for g in leaders)
    macros = environment().get_template("macros.html.j2").module
    below = re.findall(r"<li><i style=\"([^\"]*)\"></i>([^<]*)", macros.figures("C01", [panel], ""))
    assert below[-1] == ("border-color:var(--ref);border-top-style:dotted", "slide")
    assert len(below) == 9 and below[0] == ("border-color:var(--c1)", "form 00")


def test_new_fields_leave_the_hash_of_specifications_without_them():
    spec = Points("size", "error", "size", "error", "t", reference=0.0)
    assert set(to_json(spec)) == {
        "type", "x", "y", "x_label", "y_label", "title", "by", "where", "log", "reference",
    }  # fmt: skip
    assert "theory_label" not in to_json(Curves("error", "step", "error", "t"))
    assert "reference_label" not in to_json(Histogram("error", "error", "t"))


def test_numbers_that_are_not_positive_break_a_line_on_a_log_axis():
    values = np.array([[1.0, 0.1, 0.0, 0.01, 0.001]])
    stored = [({}, np.arange(5), values, None, None)]
    spec = to_json(Curves("error", "step", "error", "Falls", log="y"))
    (panel,) = figures.draw("p", spec, Results(()), lambda name: stored)
    lines = re.findall(
        r'd="(M[^"]*)" clip-path="[^"]*" style="fill:none;stroke:var\(--c1\)', panel.svg
    )
    assert len(lines) == 2
    assert "1 values are zero or negative" in panel.description


@pytest.mark.parametrize(
    "spec",
    [
        Lines("size", "error", "size", "error", "A <title>"),
        Points("size", "error", "size", "error", "A <title>", reference=0.3),
        Histogram("error", "error", "A <title>", by="size", reference=0.3, slide=0.5),
    ],
)
def test_a_panel_is_well_formed_named_and_themed(spec):
    draw = np.random.default_rng(5)
    results = Results(tuple(cell(draw.normal(0.3, 0.1, 11), size=s) for s in (3, 5, 9)))
    (panel,) = figures.draw("C01-a", to_json(spec), results, no_curves)
    root = ElementTree.fromstring(panel.svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "A <title>"
    assert root.find("{*}desc").text == panel.description
    assert not re.search(r"#[0-9a-f]{6}", panel.svg)  # every color is the theme's
    assert figures.draw("C01-a", to_json(spec), results, no_curves) == [panel]
    assert len(panel.table.rows) == 3
    assert all(i.startswith("C01-a") for i in re.findall(r'id="([^"]+)"', panel.svg))


def test_tables_show_what_was_drawn():
    results = Results((cell([1.0, 3.0], size=3), cell([5.0, 9.0], size=5)))
    spec = to_json(Lines("size", "error", "size", "error", "Grows"))
    (panel,) = figures.draw("p", spec, results, no_curves)
    rows = panel.table.rows
    assert [row[0] for row in rows] == ["3", "5"]
    assert rows[0][1].startswith("2 [") and rows[1][1].startswith("7 [")


def test_a_figure_without_cells_has_no_panel():
    spec = to_json(Lines("size", "error", "size", "error", "Grows", where={"kind": "x"}))
    results = Results((cell([1.0], size=3, kind="y"),))
    assert figures.draw("p", spec, results, no_curves) == []


def verdict(**more):
    fields = dict(
        outcome="SUPPORTED", effect=2.0, expected=2.1, interval=(1.5, 2.5), confidence=0.99, n=7,
        region=(1.0, 3.0), label="effect <b>", sentence="",
    )  # fmt: skip
    return Verdict(**(fields | more))


def test_the_strip_puts_the_dot_where_the_rule_says():
    root = ElementTree.fromstring(strip("s", verdict(), stated=False))
    rect, dot = root.find("{*}rect").attrib, root.find("{*}circle").attrib
    left, width = float(rect["x"]), float(rect["width"])
    # The region is [1, 3] and the effect 2: halfway.
    assert float(dot["cx"]) == pytest.approx(left + width / 2, abs=0.2)
    assert "effect <b>" in root.find("{*}desc").text


@pytest.mark.parametrize(
    "more",
    [
        {"region": (None, 3.0)}, {"region": (1.0, None), "interval": None, "confidence": None},
        {"region": (1.1, 1.0)}, {"effect": 1e-16, "interval": None, "log": True, "expected": 1e-9},
        {"region": (0.0, 0.0), "effect": 0.0, "interval": None, "expected": 0.0},
    ],
)  # fmt: skip
def test_strips_of_every_shape_stay_inside(more):
    root = ElementTree.fromstring(strip("s", verdict(**more), stated=True))
    for node in root.findall(".//{*}circle"):
        assert 0 <= float(node.attrib["cx"]) <= 420


def test_a_single_value_has_a_line_and_no_region():
    root = ElementTree.fromstring(strip("s", verdict(), stated=False, agreement=True))
    assert root.find("{*}rect") is None
    kinds = [path.attrib["class"] for path in root.findall(".//{*}path")]
    assert "theory" in kinds and "edge" not in kinds
    assert "has to hold 2.1" in root.find("{*}desc").text


def test_a_zero_stands_at_the_left_end_of_a_log_axis():
    exact = verdict(effect=0.0, interval=None, region=(None, 1e-9), expected=1e-9, log=True)
    root = ElementTree.fromstring(strip("s", exact, stated=False))
    assert float(root.find("{*}circle").attrib["cx"]) == 12.0
    names = [t.text for t in root.findall(".//{*}text") if t.attrib["class"] == "tk"]
    assert names[0] == "0" and "10⁻⁹" in names


def test_ticks_that_would_read_alike_show_the_difference():
    narrow = verdict(
        effect=2 / 3, interval=None, expected=2 / 3, region=(2 / 3 - 1e-12, 2 / 3 + 1e-12)
    )
    root = ElementTree.fromstring(strip("s", narrow, stated=False))
    names = [t.text for t in root.findall(".//{*}text") if t.attrib["class"] == "tk"]
    assert len(set(names)) == len(names) and "10⁻¹²" in names
    assert "difference from 0.6667" in [t.text for t in root.findall(".//{*}text")]


def test_no_strip_without_a_number():
    assert strip("s", verdict(effect=float("nan")), stated=False) == ""


def test_ticks_are_round_and_inside():
    assert drawing.ticks(0.3, 9.9, False) == [2.0, 4.0, 6.0, 8.0]
    assert drawing.ticks(0.9, 1200, True) == [1.0, 10.0, 100.0, 1000.0]
    assert len(drawing.ticks(1e-12, 1e2, True)) <= 7


def test_a_cell_without_the_metric_is_not_in_the_figure():
    other = CellResult({"arm": "b"}, np.arange(2), {"other": np.ones(2)}, np.zeros(2, bool))
    results = Results((cell([1.0, 2.0], arm="a"), other))
    spec = to_json(Points("arm", "error", "arm", "error", "One arm"))
    (panel,) = figures.draw("C12-a", spec, results, no_curves)
    assert [row[0] for row in panel.table.rows] == ["a"]
