"""Live pictures in Chromium: every control redraws, and the numbers are those of SciPy."""

import os
import re
import shutil

import numpy as np
import pytest
from markupsafe import Markup
from scipy import signal, special

from reports import live
from reports.page import environment, stylesheet

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here"),
]
PICTURES = live.pictures()
PAGE = """{% from "macros.html.j2" import live_picture with context %}<!DOCTYPE html>
<html lang="en" class="js"><head><meta charset="utf-8"><title>Live pictures</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">
<style>{{ style }}</style></head><body><main><h1>Live</h1><h2>All</h2><h3>Of them</h3>
{% for picture in pictures %}<article id="{{ picture.claim }}">{{ live_picture(picture) }}</article>
{% endfor %}</main>
{% for script in scripts %}<script>{{ script }}</script>{% endfor %}</body></html>
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    page = (
        environment()
        .from_string(PAGE)
        .render(
            pictures=PICTURES,
            style=Markup(stylesheet()),
            scripts=[Markup(script) for script in live.scripts(PICTURES)],
            **{"cards": {}, "sections": {}},
        )
    )
    path = tmp_path_factory.mktemp("live") / "live.html"
    path.write_text(page)
    return path.as_uri()


def picture(page, name):
    """A picture that has been built, because it came near."""
    figure = page.locator(f"#live-{name}")
    figure.scroll_into_view_if_needed()
    page.wait_for_function(f"document.querySelector('#live-{name} .read').textContent")
    return figure


def change(control):
    """One step of a control by keyboard, or a click."""
    kind = control.evaluate("e => e.getAttribute('type') || e.tagName.toLowerCase()")
    if kind == "select":
        n, at = control.evaluate("e => [e.options.length, e.selectedIndex]")
        control.select_option(index=(at + 1) % n)
    elif kind in ("checkbox", "button"):
        control.click()
    elif kind == "range":
        value, largest = (float(v) for v in control.evaluate("e => [e.value, e.max]"))
        control.press("ArrowLeft" if value >= largest else "ArrowRight")
    else:
        control.press("ArrowLeft")
        control.press("ArrowDown")


def table(figure):
    """The numbers behind a picture, as shown: rows of text."""
    if not figure.locator(".nums").evaluate("e => e.open"):
        figure.locator(".nums summary").click()
        figure.locator(".nums tr").first.wait_for()
    return figure.locator(".nums tr").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )


def parsed(text):
    """A number as the page writes it: −1.5·10⁻³."""
    text = text.replace("−", "-").replace("∞", "inf")
    if found := re.fullmatch(r"(?:(.+)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        power = found[2].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        return float(found[1] or 1) * 10.0 ** int(power)
    return float(text)


def put(figure, name, value):
    figure.locator(f"#{name}").evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", str(value)
    )


@pytest.mark.parametrize("name", [p.name for p in PICTURES])
def test_every_control_redraws(open_page, name):
    page = open_page()
    figure = picture(page, name)
    assert figure.locator("svg.panel").count()
    controls = figure.locator("input, select, .controls button, .handle")
    count = controls.count()
    assert count
    for i in range(count):
        control = controls.nth(i)
        if not control.is_visible():  # shown for some choices only
            continue
        before = figure.inner_html()
        change(control)
        page.wait_for_timeout(60)
        assert figure.inner_html() != before, control.evaluate("e => e.outerHTML")
    assert figure.locator(".read").inner_text().endswith((".", ". "))
    assert len(table(figure)) > 1


def test_the_address_keeps_what_was_set(open_page, url):
    page = open_page()
    figure = picture(page, "descent")
    put(figure, "descent-kappa", 3)
    figure.locator(".handle").press("ArrowRight")
    said = figure.locator(".read").inner_text()
    page.wait_for_function("location.hash.includes('descent.kappa=3')")
    again = open_page(page.evaluate("location.hash"))
    assert picture(again, "descent").locator(".read").inner_text() == said


def test_play_runs_and_stops_and_respects_reduced_motion(open_page):
    figure = picture(open_page(), "descent")
    put(figure, "descent-step", 0)
    button = figure.get_by_role("button", name="Play")
    button.click()
    figure.page.wait_for_function("+document.getElementById('descent-step').value > 1")
    figure.get_by_role("button", name="Pause").click()
    figure = picture(open_page(reduced_motion="reduce"), "descent")
    put(figure, "descent-step", 0)
    figure.get_by_role("button", name="Play").click()
    assert figure.locator("#descent-step").input_value() == "40"


def test_a_point_can_be_dragged(open_page):
    figure = picture(open_page(), "race")
    said = figure.locator(".read").inner_text()
    box = figure.locator(".handle").bounding_box()
    mouse = figure.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + 40, box["y"] - 30, steps=3)
    mouse.up()
    assert figure.locator(".read").inner_text() != said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(color_scheme=scheme)
    for p in PICTURES:
        table(picture(page, p.name))
    response = Axe().run(page).response
    assert len(response["passes"]) > 15
    found = [(v["id"], [n["html"][:150] for n in v["nodes"][:3]]) for v in response["violations"]]
    assert found == []


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_scrolls_sideways(open_page, width):
    page = open_page(width=width)
    for p in PICTURES:
        picture(page, p.name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- the numbers ----------------------------------------------------------------------------


def test_descent_is_that_of_the_closed_form(open_page):
    figure = picture(open_page(), "descent")
    put(figure, "descent-kappa", 5)
    put(figure, "descent-rate", 0.7)
    start, eta = np.array([-2.6, 1.2]), 0.7 * 2 / 5
    for step, u, v, loss in table(figure)[1:]:
        w = start * (1 - eta * np.array([1, 5])) ** int(step)
        assert parsed(loss) == pytest.approx((w[0] ** 2 + 5 * w[1] ** 2) / 2, rel=6e-3)
        assert [parsed(u), parsed(v)] == pytest.approx(list(w), rel=6e-3)


def test_the_race_is_that_of_numpy(open_page):
    figure = picture(open_page(), "race")
    put(figure, "race-surface", "ravine")
    rows = {row[0]: row for row in table(figure)[1:]}
    for name, rate in (("Gradient descent", 0.01), ("Momentum", 0.01), ("Adam", 0.1)):
        w, m, v = np.array([-3.5, 1.2]), 0.0, 0.0
        for t in range(400):
            if (w[0] ** 2 + 30 * w[1] ** 2) / 2 < 1e-4:
                break
            g = w * [1, 30]
            if name == "Adam":
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
                debiased = m / (1 - 0.9 ** (t + 1)), v / (1 - 0.999 ** (t + 1))
                w = w - rate * debiased[0] / (np.sqrt(debiased[1]) + 1e-7)
            else:
                m = (0.9 if name == "Momentum" else 0) * m + g
                w = w - rate * m
        else:
            t = "not within 400"
        assert rows[name][2] == str(t)


@pytest.mark.parametrize(
    "name, function",
    [
        ("sigmoid", special.expit),
        ("softplus", lambda z: np.logaddexp(0, z)),
        ("silu", lambda z: z * special.expit(z)),
        ("gelu", lambda z: z * special.ndtr(z)),
    ],
)
def test_activations_are_those_of_scipy(open_page, name, function):
    figure = picture(open_page(), "activations")
    put(figure, "activations-f", name)
    for z, value, slope in table(figure)[1:]:
        z, h = parsed(z), 1e-5
        assert parsed(value) == pytest.approx(function(z), rel=6e-3, abs=1e-6)
        difference = (function(z + h) - function(z - h)) / (2 * h)
        assert parsed(slope) == pytest.approx(difference, rel=6e-3, abs=1e-6)


@pytest.mark.parametrize("flip", [False, True])
def test_the_sliding_kernel_is_scipys(open_page, flip):
    figure = picture(open_page(), "sliding")
    # The kernel with one weight shifts the image, which shows the image itself.
    put(figure, "sliding-kernel", "point")
    seen = np.array([parsed(v) for _, v in table(figure)[1:]]).reshape(6, 6)  # image[:6, 2:]
    put(figure, "sliding-kernel", "corner")
    if flip:
        figure.get_by_label("flip it").click()
    out = np.array([parsed(v) for _, v in table(figure)[1:]]).reshape(6, 6)
    kernel = np.array([[2.0, 1, 0], [1, 0, -1], [0, 0, -1]])
    operation = signal.convolve2d if flip else signal.correlate2d
    np.testing.assert_allclose(out[:4, 2:], operation(seen, kernel, "valid"), atol=0.05)


def test_the_memory_of_an_lstm_is_the_product_of_its_gates(open_page):
    figure = picture(open_page(), "gates")
    put(figure, "gates-forget", 3)
    f, c = special.expit(3), 0.5 * np.tanh(2)
    for time, memory, output, gate in table(figure)[2:]:
        expected = c * f ** (int(time) - 1)
        assert parsed(memory) == pytest.approx(expected, rel=6e-3)
        assert parsed(output) == pytest.approx(0.5 * np.tanh(expected), rel=6e-3)
        assert parsed(gate) == pytest.approx(f, rel=6e-3)


def test_backpropagation_is_a_difference_quotient(open_page):
    figure = picture(open_page(), "sweep")
    found = {row[0]: parsed(row[2]) for row in table(figure)[1:]}

    def loss(x, w, b, y):
        return (np.tanh(w * x + b) - y) ** 2 / 2

    at, h = {"x": 1.5, "w": -0.8, "b": 0.4, "y": 0.9}, 1e-6
    for name in at:
        above, below = (loss(**(at | {name: at[name] + d})) for d in (h, -h))
        assert found[name] == pytest.approx((above - below) / (2 * h), rel=6e-3)


def test_the_square_closes_where_the_layer_knows_the_rotation(open_page):
    figure = picture(open_page(), "square")
    for layer, turn, closes in (
        ("p4", "1", True), ("p4", "2", True), ("p4", "shift", True), ("pooled", "1", True),
        ("plain", "1", False), ("plain", "shift", True), ("blur", "1", True),
    ):  # fmt: skip
        put(figure, "square-layer", layer)
        put(figure, "square-turn", turn)
        said = figure.locator(".read").inner_text()
        assert said.startswith("Largest difference between the two ways: 0.") == closes, layer


def test_gcn_rounds_are_powers_of_its_matrix(open_page):
    figure = picture(open_page(), "messages")
    put(figure, "messages-graph", "star")
    put(figure, "messages-round", 3)
    a = np.eye(8)
    a[0, 1:] = a[1:, 0] = 1
    d = np.diag(a.sum(0) ** -0.5)
    expected = np.linalg.matrix_power(d @ a @ d, 3)[:, 0]
    assert [parsed(row[2]) for row in table(figure)[1:]] == pytest.approx(list(expected), rel=6e-3)
