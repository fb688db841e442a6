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
