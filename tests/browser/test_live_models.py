"""Live pictures of models and of their gradients, against NumPy and SciPy."""

import re
from itertools import combinations
from math import comb

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import optimize, special

from tests.browser.test_live import parsed, put, pytestmark, table, url

__all__ = ["pytestmark", "url"]  # the page of all live pictures, and where Chromium is missing
CLOSE = 6e-3  # three digits


@pytest.fixture
def show(open_page):
    """Opens a picture: `show("field")`."""

    def opened(name):
        figure = open_page().locator(f"#live-{name}")
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".read")).not_to_be_empty()
        return figure

    return opened


def said(figure, pattern):
    """The numbers that a pattern's groups find in the read-out."""
    text = figure.locator(".read").inner_text()
    found = re.search(pattern, text)
    assert found, text
    return [parsed(group) for group in found.groups()]


def rows(figure):
    """The table behind a picture, numbers without the first column `(rows, columns)`."""
    return np.array([[parsed(v) for v in row[1:]] for row in table(figure)[1:]])


def press(figure, key, times):
    for _ in range(times):
        figure.locator(".handle").press(key)


NUMBER = r"([−\d.]+(?:·?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"


def test_the_cross_entropy_of_the_field_is_that_of_its_points(show):
    figure = show("field")
    put(figure, "field-b", -0.75)
    press(figure, "ArrowLeft", 3)
    u, v, entropy, correct, distance = said(
        figure,
        rf"w = \({NUMBER}, {NUMBER}\).*cross-entropy {NUMBER} a sample, {NUMBER} of 24"
        rf".*lies {NUMBER} from",
    )
    w = np.array([u, v])
    np.testing.assert_allclose(w, [1.5 - 3 * 6.4 / 50, -0.5], rtol=CLOSE)
    data = rows(figure)
    x, y = data[:, :2], data[:, 2]
    z = x @ w - 0.75
    np.testing.assert_allclose(data[:, 3], special.expit(z), rtol=0.03)  # x has three digits
    assert entropy == pytest.approx(-special.log_expit(np.where(y == 1, z, -z)).mean(), rel=0.01)
    assert correct == ((special.expit(z) > 0.5) == y).sum()
    assert distance == pytest.approx(0.75 / np.linalg.norm(w), rel=CLOSE)


@pytest.mark.parametrize("norm", [0.5, 3.0])
def test_the_sigmoid_is_as_steep_as_its_weights_are_long(show, norm):
    figure = show("steepness")
    put(figure, "steepness-norm", norm)
    slope, width = said(figure, rf"‖w‖ / 4 = {NUMBER}, .* / ‖w‖ = {NUMBER} \(")
    at = [optimize.brentq(lambda d, p=p: special.expit(norm * d) - p, -9, 9) for p in (0.1, 0.9)]
    assert width == pytest.approx(at[1] - at[0], rel=CLOSE)
    h = 1e-5
    steepest = (special.expit(norm * h) - special.expit(-norm * h)) / (2 * h)
    assert slope == pytest.approx(steepest, rel=CLOSE)
    d = np.linspace(-4, 4, 9)
    above, below = norm * (d + h), norm * (d - h)
    functions = special.expit, special.log_expit, lambda z: special.log_expit(-z)
    slopes = [(f(above) - f(below)) / (2 * h) for f in functions]
    expected = np.stack([special.expit(norm * d), *slopes], axis=1)
    np.testing.assert_allclose(rows(figure), expected, rtol=CLOSE)


@pytest.mark.parametrize("share", [0.7, 0.3])
def test_the_parabola_leads_to_the_minimum_or_away(show, share):
    figure = show("parabola")
    put(figure, "parabola-share", share)

    def loss(w):
        return np.logaddexp(0, w) - share * w

    step = figure.get_by_role("button", name="Step to its bottom")
    if share == 0.7:
        for _ in range(5):
            step.click()
        found, w = rows(figure), 2.4
        for path, value, slope, curvature, _ in found:
            assert path == pytest.approx(w, rel=CLOSE)
            assert value == pytest.approx(loss(w), rel=CLOSE)
            g, h = special.expit(w) - share, special.expit(w) * special.expit(-w)
            assert slope == pytest.approx(g, rel=CLOSE, abs=1e-15)
            assert curvature == pytest.approx(h, rel=CLOSE)
            w = w - g / h
        minimum = optimize.minimize_scalar(loss).x
        assert found[-1][0] == pytest.approx(minimum, rel=CLOSE)
        assert len(found) == 6 and found[-1][-1] < 1e-9
        press(figure, "ArrowRight", 1)
        assert len(rows(figure)) == 1  # a point that was moved is a new start
    else:
        assert "run away" in figure.locator(".read").inner_text()
        for _ in range(6):
            step.click()
        assert "have run away" in figure.locator(".read").inner_text()
        figure.get_by_role("button", name="Back to the start").click()
        press(figure, "ArrowLeft", 15)
        assert "within" in figure.locator(".read").inner_text()


def test_the_parabola_is_the_second_order_model(show):
    figure = show("parabola")
    bottom, promised, reached = said(
        figure, rf"lies at {NUMBER} and promises {NUMBER}; the loss there is {NUMBER}\."
    )
    w, share, h = 2.4, 0.7, 1e-4
    here, above, below = (np.logaddexp(0, v) - share * v for v in (w, w + h, w - h))
    slope, curvature = (above - below) / (2 * h), (above - 2 * here + below) / h**2
    assert bottom == pytest.approx(w - slope / curvature, rel=0.01)
    assert promised == pytest.approx(here - slope**2 / (2 * curvature), rel=CLOSE)
    assert reached == pytest.approx(np.logaddexp(0, bottom) - share * bottom, rel=CLOSE)


def test_the_foot_is_the_nearest_point_of_the_boundary(show):
    figure = show("distance")
    for name, value in (("angle", 120), ("norm", 2), ("b", 1.5)):
        put(figure, f"distance-{name}", value)
    press(figure, "ArrowDown", 4)
    w = 2 * np.array([np.cos(np.radians(120)), np.sin(np.radians(120))])
    x = np.array([1.9, 0.9 - 4 * 3.6 / 50])
    nearest = optimize.minimize(
        lambda p: ((p - x) ** 2).sum(), x, constraints={"type": "eq", "fun": lambda p: w @ p + 1.5}
    ).x
    score = w @ x + 1.5
    found = rows(figure)
    np.testing.assert_allclose(found[:3], [w, x, nearest], rtol=CLOSE)
    signed = np.sign(score) * np.linalg.norm(x - nearest)
    np.testing.assert_allclose(found[3], [score, signed], rtol=CLOSE)
    np.testing.assert_allclose(found[4], [0.75, special.expit(score)], rtol=CLOSE)
    augmented = said(figure, rf"would say {NUMBER}:")[0]
    assert augmented == pytest.approx(score / np.linalg.norm([*w, 1.5]), rel=CLOSE)


@pytest.mark.parametrize("kind", ["steps", "lines"])
@pytest.mark.parametrize("name", ["kink", "sine", "root"])
def test_the_largest_error_stays_below_the_modulus(show, kind, name):
    figure = show("bumps")
    put(figure, "bumps-f", name)
    put(figure, "bumps-kind", kind)
    f = {
        "kink": lambda x: np.abs(np.sin(6 * x - 3)) + 0.3 * (2 * x - 1),
        "sine": lambda x: 0.5 + 0.5 * np.sin(2 * np.pi * x),
        "root": np.sqrt,
    }[name]
    x = np.linspace(0, 1, 1921)
    values = f(x)
    for units, error, bound in table(figure)[1:]:
        n = int(units)
        knots = np.linspace(0, 1, n + 1)
        if kind == "lines":
            y = np.interp(x, knots, f(knots))
        else:
            middles = (knots[1:] + knots[:-1]) / 2
            y = f(0) + special.expit(80 * n * (x[:, None] - middles)) @ np.diff(f(knots))
        assert parsed(error) == pytest.approx(np.abs(y - values).max(), rel=CLOSE)
        size = 2 * 1920 // n + 1
        windows = np.lib.stride_tricks.sliding_window_view(values, size)
        modulus = (windows.max(axis=1) - windows.min(axis=1)).max()
        assert parsed(bound) == pytest.approx(modulus, rel=CLOSE)
        assert parsed(error) <= parsed(bound)


def test_flat_steps_break_a_bound_for_steep_ones_and_that_is_said(show):
    figure = show("bumps")
    put(figure, "bumps-f", "sine")
    put(figure, "bumps-n", 16)
    put(figure, "bumps-steep", 0.2)
    error, bound = said(figure, rf"error is {NUMBER} at .* above ω\(2/n\) = {NUMBER}, which")
    x, knots = np.linspace(0, 1, 1921), np.linspace(0, 1, 61)
    values, rises = (0.5 + 0.5 * np.sin(2 * np.pi * z) for z in (x, knots))
    middles = (knots[1:] + knots[:-1]) / 2
    y = 0.5 + special.expit(0.2 * 60 * (x[:, None] - middles)) @ np.diff(rises)
    assert error == pytest.approx(np.abs(y - values).max(), rel=CLOSE)
    assert error > bound == pytest.approx(np.abs(values[64:] - values[:-64]).max(), rel=CLOSE)


@pytest.mark.parametrize("scaled", [True, False])
def test_the_cloud_of_batches_spreads_by_the_law(show, scaled):
    figure = show("minibatch")
    if not scaled:
        figure.get_by_label("with the factor").click()
    # A batch of one shows each sample's gradient: circles of the cloud, in the panel's units.
    put(figure, "minibatch-m", 1)
    panel = figure.locator("svg.panel").first
    circles = panel.locator("g[fill='var(--c1)'] circle").evaluate_all(
        "all => all.map(c => [+c.getAttribute('cx'), +c.getAttribute('cy')])"
    )
    pixels = np.array(circles) - [(52 + 412) / 2, (52 + 254) / 2]
    each = pixels / [360, -202] * [21.4, 12] / (8 if scaled else 1)
    full = each.sum(axis=0)
    for m, (count, found, law) in enumerate(rows(figure), start=1):
        factor = 8 / m if scaled else 1
        sums = factor * np.array([each[list(c)].sum(axis=0) for c in combinations(range(8), m)])
        assert count == comb(8, m) == len(sums)
        expected = np.sqrt(((sums - full) ** 2).sum(axis=1).mean())
        assert found == pytest.approx(expected, rel=0.02, abs=0.05)  # circles stand at 0.1 pixels
        assert law == pytest.approx(found, rel=1e-9, abs=1e-9)
        if m == 1:
            share = said(figure, r"of 1: .*?\(" + NUMBER)[0]
            assert share == pytest.approx(sums.mean(axis=0)[0], rel=0.02, abs=0.05)
