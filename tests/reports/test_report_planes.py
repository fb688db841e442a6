import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.experiment import Heatmap, Plane, to_json
from benchmarks.verdicts import CellResult, Results
from reports import drawing, figures
from reports.figures import contours, plane, simplify

NONE = Results(())


def stored(arrays, status="done", reason="", **factors):
    return SimpleNamespace(factors=factors, arrays=arrays, status=status, reason=reason)


def surface(function, n=60, m=50, x=(-3, 5), y=(-2, 3)):
    columns, rows = np.linspace(*x, n), np.linspace(*y, m)
    return {"f": function(*np.meshgrid(columns, rows)), "f.x": columns, "f.y": rows}


def logistic(x, y):
    return 1 / (1 + np.exp(-2 * x + y + 1))


def bowl(x, y):
    return x**2 + 3 * y**2


def planes(spec, *cells):
    return figures.draw("C01-a", to_json(spec), NONE, None, cells)


def canvas(x=(-3, 5), y=(-2, 3)):
    return drawing.Canvas("title", "x", "y", x, y)


def heat(values, **factors):
    n = len(values)
    return CellResult(factors, np.arange(n), {"gain": np.array(values)}, np.zeros(n, bool))


def heatmap(results, log=False):
    spec = Heatmap("depth", "init", "gain", "layers", "start", "Falls with depth", log=log)
    return figures.draw("C02-a", to_json(spec), results, None)


# --- by hand


def test_the_half_is_the_line_that_logistic_regression_puts_there():
    # Its half is 2 x = y + 1; a contour's points lie on it to the interpolation's error.
    drawn = contours.Contours(canvas(), contours.surface_of(surface(logistic), "f", False))
    (line,) = drawn.line(0.5)
    x, y = drawn.canvas.axes.transData.inverted().transform(line).T
    np.testing.assert_allclose(2 * x, y + 1, atol=0.02)
    assert np.ptp(y) == pytest.approx(5, abs=0.1)  # from edge to edge


def test_regions_lie_on_their_side():
    drawn = contours.Contours(canvas(), contours.surface_of(surface(logistic), "f", False))
    back = drawn.canvas.axes.transData.inverted()
    for above, sign in ((True, 1), (False, -1)):
        (region,) = drawn.region(0.9 if above else 0.1, above)
        x, y = back.transform(region).T
        margin = sign * (2 * x - y - 1)
        assert margin.min() == pytest.approx(np.log(9), abs=0.03)


def test_contours_of_a_bowl_are_ellipses_on_both_scales():
    for log in (False, True):
        drawn = contours.Contours(canvas(), contours.surface_of(surface(bowl), "f", log))
        (line,) = drawn.line(2.0)
        x, y = drawn.canvas.axes.transData.inverted().transform(line).T
        np.testing.assert_allclose(bowl(x, y), 2.0, atol=0.1)


def test_squares_carry_the_means_and_the_table_their_intervals():
    results = Results(
        (
            heat([1.0, 3.0], depth=5, init="zeros"), heat([4.0, 6.0], depth=20, init="zeros"),
            heat([7.0, 9.0], depth=5, init="he"), heat([np.inf, np.nan], depth=20, init="he"),
        )
    )  # fmt: skip
    (panel,) = heatmap(results)
    root = ElementTree.fromstring(panel.svg)
    numbers = [t.text for t in root.findall(".//{*}text") if t.attrib["class"] == "num"]
    assert sorted(numbers) == ["2", "5", "8", "not finite"]
    assert panel.table.head == ["start", "5", "20"]
    assert [row[0] for row in panel.table.rows] == ["zeros", "he"]  # the first on top
    assert panel.table.rows[0][1].startswith("2 [") and panel.table.rows[1][2] == "not finite"
    assert "Lowest: 2 at 5, zeros. Highest: 8 at 5, he." in panel.description
    opacities = [float(v) for v in re.findall(r"fill:var\(--c1\);opacity:([\d.]+)", panel.svg)]
    assert sorted(opacities) == pytest.approx([0.06, 0.28, 0.5])


def test_a_path_is_told_from_its_start_to_its_end():
    path = np.array([[-2.0, 1.0], [np.nan, 0.0], [1.0, 0.5], [2.0, 2.5]])
    (panel,) = planes(
        Plane("a", "b", "t", surface="f", paths=("way",)), stored(surface(bowl) | {"way": path})
    )
    assert "way: from (−2, 1) to (2, 2.5) in 3 steps." in panel.description
    rows = [row for row in panel.table.rows if row[0].startswith("way")]
    assert [row[:3] for row in rows] == [
        ["way, step 0", "−2", "1"],
        ["way, step 2", "1", "0.5"],
        ["way, step 3", "2", "2.5"],
    ]
    assert float(rows[-1][3]) == pytest.approx(bowl(2.0, 2.5), rel=0.1)  # at the nearest node


# --- theory: what is simplified stays within its tolerance


def test_simplified_lines_stay_within_the_tolerance():
    angle = np.linspace(0, 2 * np.pi, 400)
    circle = 100 * np.stack([np.cos(angle), np.sin(angle)], 1)
    few = simplify.simplified(circle)
    radii = np.hypot(*simplify.refined(few, 0.5).T)
    assert len(few) < 80 and np.all(np.abs(radii - 100) <= simplify.TOLERANCE + 1e-9)
    assert len(simplify.at_most(circle, 20)) <= 20


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("high", [0.3, 7.0, 8e5])
def test_levels_are_round_inside_and_not_too_many(high, log):
    found = contours.levels(high / 1e7, high, log)
    assert 4 <= len(found) <= 14
    assert all(high / 1e7 < a < b < high for a, b in zip(found, found[1:], strict=False))


# --- the page's rules


def full():
    draw = np.random.default_rng(3)
    extra = {
        "data": draw.normal(1, 1, (200, 2)), "data.label": np.arange(200) % 3,
        "way": np.cumsum(draw.normal(0, 0.03, (20000, 2)), 0),
    }  # fmt: skip
    return stored(surface(lambda x, y: np.sin(3 * x) * np.cos(3 * y) + 1.1) | extra, k=1)


@pytest.mark.parametrize("log", [False, True])
def test_a_panel_is_small_well_formed_named_and_themed(log):
    spec = Plane("a", "b", "A <title>", surface="f", points=("data",), paths=("way",), log=log)
    (panel,) = planes(spec, full())
    root = ElementTree.fromstring(panel.svg)
    assert root.attrib["role"] == "img" and root.attrib["aria-label"] == "A <title>"
    assert root.find("{*}desc").text == panel.description
    assert not re.search(r"#[0-9a-f]{6}", panel.svg)  # every color is the theme's
    assert all(i.startswith("C01-a") for i in re.findall(r'id="([^"]+)"', panel.svg))
    assert len(panel.svg) < 60_000  # with many contours, a long path and 200 points
    assert planes(spec, full()) == [panel]


def test_a_field_of_a_probability_is_small():
    (panel,) = planes(
        Plane("a", "b", "t", surface="f", probability=True), stored(surface(logistic))
    )
    assert len(panel.svg) < 10_000
    assert "edges at 0.1, 0.25, 0.5, 0.75, 0.9; the line is one half" in panel.description
    wavy = surface(lambda x, y: np.sin(3 * x) * np.cos(3 * y) / 2 + 0.5)
    (panel,) = planes(Plane("a", "b", "t", surface="f", probability=True), stored(wavy))
    assert len(panel.svg) < 40_000


def test_what_lies_between_0_and_1_is_a_probability_only_if_that_is_said():
    cell = stored(surface(logistic))
    (plain,) = planes(Plane("a", "b", "t", surface="f"), cell)
    assert "contours of f" in plain.description and "var(--c5)" not in plain.svg
    (bands,) = planes(Plane("a", "b", "t", surface="f", probability=True), cell)
    assert "the line is one half" in bands.description and "var(--c5)" in bands.svg


def test_lines_have_no_ends_and_are_told_as_lines():
    way, gap = np.array([[-2.0, 1.0], [1.0, 0.5]]), np.full((1, 2), np.nan)
    cell = stored(surface(bowl) | {"chord": way, "net": np.concatenate([way, gap, way + 1])})
    (panel,) = planes(Plane("a", "b", "t", surface="f", lines=("chord", "net")), cell)
    assert "chord: a line from (−2, 1) to (1, 0.5)." in panel.description
    assert "net: 2 lines." in panel.description and "hollow" not in panel.description
    assert "— chord" in panel.svg and "chord, point 1" in [row[0] for row in panel.table.rows]
    (marked,) = planes(Plane("a", "b", "t", surface="f", paths=("chord", "net")), cell)
    assert marked.svg.count("stroke:var(--surface)") == panel.svg.count("stroke:var(--surface)") + 2


@pytest.mark.parametrize(
    ("name", "n", "above"), [("fit", 150, True), ("fit", 20, False), ("edges", 150, False)]
)
def test_lines_lie_above_many_points_but_edges_of_a_graph_below_its_nodes(name, n, above):
    nodes = np.random.default_rng(3).normal(0, 1, (n, 2))
    cell = stored({"nodes": nodes, "edges": nodes[:3], "fit": nodes[:3] + 0.5})
    (panel,) = planes(Plane("a", "b", "t", points=("nodes",), lines=(name,)), cell)
    line, dots = (panel.svg.index(part) for part in ("stroke:var(--ink);", "fill:var(--c1)"))
    assert (line > dots) == above


def grid_cells(skip=()):
    draw = np.random.default_rng(4)
    for data, n in (("moons", 40), ("rings", 90), ("blobs", 7)):
        points = {"data": draw.normal(0, 1, (n, 2)), "data.label": np.arange(n) % 2}
        for i in range(7):
            if (data, i) not in skip:
                yield stored(surface(lambda x, y, i=i: logistic(x, y * i)) | points,
                             data=data, method=f"kind {chr(97 + i)}")  # fmt: skip


GRID = Plane(
    "first", "second", "All of them", surface="f", points=("data",), probability=True,
    by="method", across="data",
)  # fmt: skip


def test_small_multiples_are_two_small_panels_without_ticks_and_with_one_legend():
    panels = planes(GRID, *grid_cells())
    assert [p.id for p in panels] == ["C01-a1", "C01-a2"]
    assert [len(p.table.rows) for p in panels] == [4, 3]
    for panel in panels:
        root = ElementTree.fromstring(panel.svg)
        texts = {kind: [t.text for t in root.findall(".//{*}text") if t.attrib["class"] == kind]
                 for kind in ("tk", "lb", "cl")}  # fmt: skip
        assert texts["lb"] == ["● class 0", "■ class 1"] and texts["cl"] == []
        assert texts["tk"][-3:] == ["moons", "rings", "blobs"]
        assert not any(re.fullmatch(r"[\d.−]+", text) for text in texts["tk"])
        assert len(panel.svg) < 4000 * 3 * len(panel.table.rows)
    assert planes(GRID, *grid_cells()) == panels


def test_small_multiples_know_what_their_fields_hold():
    (first, _) = planes(GRID, *grid_cells())
    grid = surface(lambda x, y: logistic(x, y * 2))["f"]
    assert first.table.rows[2] == ["kind c", *[f"{np.mean(grid > 0.5):.2f}"] * 3]


def test_a_missing_multiple_keeps_its_place():
    (first, _) = planes(GRID, *grid_cells(skip={("rings", 1)}))
    assert ">not run<" in first.svg and "kind b, rings: not run" in first.description
    assert first.table.rows[1][2] == "–"


def test_optional_fields_of_a_plane_leave_the_hash_of_those_without_them():
    assert set(to_json(Plane("a", "b", "t", surface="f"))) == {
        "type", "x_label", "y_label", "title", "surface", "points", "paths", "by", "where", "log",
    }  # fmt: skip


def test_an_image_is_drawn_pixel_by_pixel():
    image = np.array([[0.0, 0.0, 1.0], [0.5, np.nan, 1.0]])
    cell = stored({"f": image, "f.x": np.arange(3.0), "f.y": np.arange(2.0)})
    (panel,) = planes(Plane("a", "b", "t", surface="f", pixels=True), cell)
    shapes = re.findall(r'd="([^"]*)" style="fill:var\(--ink\);opacity:([\d.]+)"', panel.svg)
    assert [float(opacity) for _, opacity in shapes] == [0.425, 0.85]
    assert [path.count("M") for path, _ in shapes] == [1, 1]  # both ones in one rectangle
    assert "from 0 at (0, 0) to 1. Stronger is higher." in panel.description
    width, height = (float(n) for n in re.search(r"h([\d.]+)v(-[\d.]+)", shapes[1][0]).groups())
    assert -height == pytest.approx(2 * width, abs=0.3)  # one unit on both axes


def test_rectangles_cover_every_pixel_once_with_its_value():
    values = np.random.default_rng(7).integers(0, 3, (13, 17)).repeat(2, 0)
    covered = np.full(values.shape, -1)
    for (bottom, top, first, last), value in contours.rectangles(values):
        assert np.all(covered[bottom:top, first:last] == -1)
        covered[bottom:top, first:last] = value
    np.testing.assert_array_equal(covered, values)


def test_cells_over_one_ground_share_a_panel_and_methods_keep_their_colors():
    ways = {"Adam": [[0, 0], [1, 1]], "momentum": [[0, 0], [2, 1]]}
    cells = [
        stored(surface(bowl) | {"way": np.array(way, float)}, optimizer=name)
        for name, way in ways.items()
    ]
    (panel,) = planes(Plane("a", "b", "t", surface="f", paths=("way",)), *cells)
    assert "stroke:var(--m-adam)" in panel.svg and "stroke:var(--m-mom)" in panel.svg
    assert "Adam: from (0, 0) to (1, 1)" in panel.description
    other = stored(surface(lambda x, y: x + y) | {"way": np.zeros((2, 2))}, optimizer="SGD")
    panels = planes(Plane("a", "b", "t", surface="f", paths=("way",)), *cells, other)
    assert [p.id for p in panels] == ["C01-a1", "C01-a2"]
    assert panels[1].title == "t [SGD]"


def test_levels_become_panels():
    cells = [stored(surface(bowl), data=d) for d in ("blobs", "moons", "rings")]
    panels = planes(Plane("a", "b", "t", surface="f", by="data"), *cells)
    assert [p.title for p in panels] == ["t (blobs)", "t (moons)", "t (rings)"]
    where = {"data": "moons"}
    assert [p.id for p in planes(Plane("a", "b", "t", surface="f", where=where), *cells)] == [
        "C01-a"
    ]


def test_paths_keep_off_the_colors_of_classes():
    roles = plane._colors(["normal", "Adam", "distance"], 2)
    assert roles["Adam"] == "m-adam" and roles["normal"] == "ink"
    assert not set(roles.values()) & set(plane.CLASSES[:2])


def test_values_of_contours_stand_away_from_points():
    column = np.stack([np.full(40, 1.0), np.linspace(-2, 1, 40)], 1)
    cell = stored(surface(lambda x, y: np.cosh(y) + 0 * x) | {"data": column})
    (panel,) = planes(Plane("a", "b", "t", surface="f", points=("data",)), cell)
    words = re.findall(r'class="cl"[^>]*? x="([\d.]+)"', panel.svg)
    (at, _) = canvas().place(1.0, 0.0)
    assert words and all(abs(float(x) - at) > 15 for x in words)


@pytest.mark.parametrize(("x", "y"), [((0, 1), (0, 1)), ((0, 2), (0, 1)), ((-1, 1), (-2, 4))])
def test_both_axes_have_one_unit_where_ranges_are_alike(x, y):
    margin, depth = plane._frame(x, y, ["a label"])
    width = drawing.WIDTH - drawing.LEFT - margin
    assert width / (x[1] - x[0]) == pytest.approx(depth / (y[1] - y[0]))
    assert margin >= drawing.margin_for(["a label"]) - 1e-9 and depth <= plane.DEPTH + 1e-9


def test_other_units_get_axes_of_their_own():
    margin, depth = plane._frame((0, 1), (0, 3.01), [])
    assert (margin, depth) == (drawing.margin_for([]), 204)


# --- edges


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (stored({}, "failed", "out of memory"), "failed: out of memory"),
        (stored({}), "array 'f' is not in the store"),
        (stored({"f": np.ones((3, 4)), "f.x": np.arange(4)}), "array 'f.y' is not in the store"),
        (stored({"f": np.ones((3, 4)), "f.x": np.arange(3), "f.y": np.arange(4)}),
         "array 'f' must have shape (4, 3), received (3, 4)"),
        (stored(surface(bowl) | {"data": np.ones(5)}), "array 'data' must have shape (n, 2)"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_the_panel(cell, words):
    (panel,) = planes(Plane("a", "b", "t", surface="f", points=("data",)), cell)
    ElementTree.fromstring(panel.svg)
    assert words in panel.description
    shown = " ".join(re.findall(r'class="lb"[^>]*>([^<]*)<', panel.svg)).replace("&#39;", "'")
    assert words.split(", received")[0].split(" (n")[0] in shown


def test_an_array_that_cannot_be_read_is_said_too():
    class Damaged(SimpleNamespace):
        @property
        def arrays(self):
            raise ValueError("no npz archive")

    (panel,) = planes(
        Plane("a", "b", "t", surface="f"), Damaged(factors={}, status="done", reason="")
    )
    assert "Not shown: no npz archive." in panel.description


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: np.full_like(x, 7.0), lambda x, y: np.full_like(x, np.nan),
        lambda x, y: np.full_like(x, -1.0), lambda x, y: np.where(x > 0, np.inf, x + 10),
        lambda x, y: np.zeros_like(x), lambda x, y: np.where(x > 1, 1e300, 1e-300),
    ],
)  # fmt: skip
def test_surfaces_without_contours_still_make_a_panel(function, log):
    (panel,) = planes(Plane("a", "b", "t", surface="f", log=log), stored(surface(function)))
    ElementTree.fromstring(panel.svg)
    assert "nan" not in re.sub("finan", "", panel.svg.lower())


def test_a_path_that_diverges_does_not_break_the_drawing():
    path = 10.0 ** np.arange(0, 400, 2)[:, None].clip(0, 300) * [[1.0, -1.0]]
    for more in ({"surface": "f"}, {}):
        spec = Plane("a", "b", "t", paths=("way",), **more)
        (panel,) = planes(spec, stored(surface(bowl) | {"way": path}))
        ElementTree.fromstring(panel.svg)
        numbers = [
            float(n)
            for n in re.findall(r"-?\d+\.?\d*", " ".join(re.findall(r' d="([^"]*)', panel.svg)))
        ]
        assert max(map(abs, numbers)) < 1e5


def test_heatmaps_of_one_value_of_zeros_and_with_holes():
    for values in ([5.0, 5.0], [0.0, 0.0], [np.nan, np.nan], [-1.0, 2.0]):
        for log in (False, True):
            cells = (heat(values, depth=3, init="a"), heat(values, depth=5, init="b"))
            (panel,) = heatmap(Results(cells), log)
            ElementTree.fromstring(panel.svg)
            assert panel.svg.count(">not run<") == 2
            assert [row[1:].count("not run") for row in panel.table.rows] == [1, 1]


def test_no_interval_over_cells_that_differ_in_more():
    cells = tuple(heat([v, v + 2], depth=3, init="a", data=d) for v, d in ((1.0, "x"), (5.0, "y")))
    (panel,) = heatmap(Results(cells))
    assert panel.table.rows == [["a", "4, over 2 cells"]]
    assert "without interval" in panel.description


def test_numbers_of_an_axis_are_dropped_rather_than_wrapped():
    rates = np.geomspace(1e-6, 3e-1, 13)
    cells = [heat([r, r], depth=float(r), init="a") for r in rates]
    (panel,) = heatmap(Results(tuple(cells)), log=True)
    names = re.findall(r'class="tk"[^>]*>([^<]*)<', panel.svg)
    assert set(names) <= {drawing.tick_label(float(r)) for r in rates} | {"a"}
    assert len(names) >= 4


def test_a_kind_that_nobody_draws_is_refused_by_name():
    with pytest.raises(ValueError, match="received 'Pie'"):
        figures.draw("C01-a", {"type": "Pie"}, NONE, None)
