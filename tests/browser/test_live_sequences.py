"""Live pictures of orders, averages, whitening, recurrence, flows, folds, against SciPy."""

import re

import numpy as np
import pytest
from numpy.polynomial import legendre
from playwright.sync_api import expect
from scipy import linalg, signal
from scipy.integrate import solve_ivp

from tests.browser.test_live import parsed, put, pytestmark, table, url

__all__ = ["pytestmark", "url"]  # the page of all live pictures, and where Chromium is missing


@pytest.fixture
def show(open_page):
    """Opens a picture: `show("flow")`."""

    def opened(name, **options):
        figure = open_page(**options).locator(f"#live-{name}")
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".read")).not_to_be_empty()
        return figure

    return opened


def said(figure):
    return figure.locator(".read").inner_text()


def numbers(text):
    """The numbers of a sentence, in order."""
    found = re.findall(r"−?\d[\d.]*(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|−?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", text)
    return [parsed(number.rstrip(".")) for number in found]


class Random:
    """The page's random numbers: mulberry32, and normal ones by Box and Muller."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state + 0x6D2B79F5) % 2**32
        a = self.state
        t = (a ^ a >> 15) * (a | 1) % 2**32
        t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
        return (t ^ t >> 14) / 2**32

    def normal(self):
        radius = np.sqrt(-2 * np.log(1 - self.uniform()))
        return radius * np.cos(2 * np.pi * self.uniform())

    def normals(self, *shape):
        return np.array([self.normal() for _ in range(np.prod(shape))]).reshape(shape)


def cubic_errors(order, seed):
    """Training and test error of the fit of one order, by the pseudoinverse."""
    rng = Random(seed)
    x = np.array([2 * rng.uniform() - 1 for _ in range(10)])
    y = 1.5 * x**3 - x + 0.3 * rng.normals(10)
    k = np.arange(order + 1)

    def basis(x):
        return legendre.legvander(x, order) * np.sqrt(2 * k + 1) / (k + 1)

    at = (np.arange(201) + 0.5) / 201 * 2 - 1
    w = np.linalg.lstsq(basis(x), y, rcond=0)[0]
    return np.mean((basis(x) @ w - y) ** 2), np.mean((basis(at) @ w - 1.5 * at**3 + at) ** 2)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_order_is_fitted_as_by_numpy(show, seed):
    figure = show("degree")
    for _ in range(seed - 1):
        figure.get_by_role("button", name="New data").click()
    for order, training, test, _ in table(figure)[1:]:
        expected = cubic_errors(int(order), seed)
        if int(order) < 9:
            assert parsed(training) == pytest.approx(expected[0], rel=6e-3)
        else:
            assert parsed(training) < 1e-15
        assert parsed(test) == pytest.approx(expected[1], rel=6e-3)


def test_the_median_over_draws_is_that_of_the_draws(show):
    rows = {row[0]: row for row in table(show("degree"))[1:]}
    for order in (3, 9, 25):
        expected = np.median([cubic_errors(order, seed)[1] for seed in range(1, 61)])
        assert parsed(rows[str(order)][3]) == pytest.approx(expected, rel=6e-3)


@pytest.mark.parametrize("alpha, corrected", [(0.5, False), (0.9, True), (0.97, False)])
def test_the_average_is_scipys_filter(show, alpha, corrected):
    figure = show("smoother")
    put(figure, "smoother-alpha", alpha)
    if corrected:
        figure.get_by_label("divide by").click()
    rng = Random(1)
    noise, t = rng.normals(200), np.arange(200)
    gradient = np.sin(4 * np.pi * t / 200) + 0.5 * noise
    average = signal.lfilter([1 - alpha], [1, -alpha], gradient)
    if corrected:
        average = average / (1 - alpha ** (t + 1))
    for step, g, mu, _ in table(figure)[1:]:
        i = int(step) - 1
        assert [parsed(g), parsed(mu)] == pytest.approx([gradient[i], average[i]], rel=6e-3)
    _, left, *_ = numbers(said(figure))
    assert left == pytest.approx(100 * (1 - alpha) / (1 + alpha), rel=6e-3)
    z = rng.normals(100_000)
    share = np.sum(signal.lfilter([1 - alpha], [1, -alpha], z) ** 2) / np.sum(z**2)
    words = re.search(
        r"alone it was (\S+) %.* comes (\S+) steps late, this wave (\S+) ", said(figure)
    )
    assert parsed(words[1]) == pytest.approx(100 * share, rel=6e-3)
    assert parsed(words[2]) == pytest.approx(alpha / (1 - alpha), rel=6e-3)
    _, response = signal.freqz([1 - alpha], [1, -alpha], [2 * np.pi / 100])
    assert parsed(words[3]) == pytest.approx(-np.angle(response[0]) * 100 / 2 / np.pi, rel=6e-3)


@pytest.mark.parametrize("rho", [-0.7, 0.9])
@pytest.mark.parametrize("method", ["none", "batch", "pca", "zca", "cholesky"])
def test_covariances_after_the_map(show, method, rho):
    figure = show("whitening")
    put(figure, "whitening-method", method)
    put(figure, "whitening-rho", rho)
    put(figure, "whitening-sigma", 0.3)
    rows = table(figure)[1:]
    w = np.array([[parsed(v) for v in row[1:3]] for row in rows[:2]])
    before, after = (
        np.array([[parsed(v) for v in row[at]] for row in rows[2:4]])
        for at in (slice(1, 3), slice(3, 5))
    )
    sigma = np.array([[1, 0.3 * rho], [0.3 * rho, 0.09]])
    np.testing.assert_allclose(before, sigma, rtol=6e-3)
    values, vectors = np.linalg.eigh(sigma)
    expected = {
        "none": np.eye(2),
        "batch": np.diag((np.diag(sigma) + 1e-3) ** -0.5),
        "pca": (vectors / np.sqrt(values)).T[::-1],
        "zca": linalg.inv(linalg.sqrtm(sigma)),
        "cholesky": linalg.inv(linalg.cholesky(sigma, lower=True)),
    }[method]
    if method == "pca":  # a principal axis has no sign
        w, expected = (m * np.sign(m[:, :1]) for m in (w, expected))
    np.testing.assert_allclose(w, expected, rtol=6e-3, atol=1e-12)
    np.testing.assert_allclose(after, expected @ sigma @ expected.T, rtol=6e-3, atol=1e-9)
    assert said(figure).endswith("gives I.") == (method in ("pca", "zca", "cholesky"))


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("weight", ["h", "x"])
def test_contributions_sum_to_the_difference_quotient(show, loss, weight):
    figure = show("unrolled")
    put(figure, "unrolled-loss", loss)
    put(figure, "unrolled-weight", weight)
    put(figure, "unrolled-steps", 7)
    put(figure, "unrolled-w", -1.1)
    rows = table(figure)[1:]
    x, y = (np.array([parsed(row[k]) for row in rows[:-1]]) for k in (1, 2))

    def total(copies):
        """The loss where each step has a weight of its own."""
        h, found = 0.0, 0.0
        for t in range(7):
            w = {"h": -1.1, "x": 0.7} | {weight: copies[t]}
            h = np.tanh(w["h"] * h + w["x"] * x[t] + 0.1)
            found += (h - y[t]) ** 2 / 2 if loss == "every" or t == 6 else 0
        return found

    at, step = np.full(7, {"h": -1.1, "x": 0.7}[weight]), 1e-5
    slopes = [(total(at + e) - total(at - e)) / (2 * step) for e in step * np.eye(7)]
    assert [parsed(row[4]) for row in rows[:-1]] == pytest.approx(slopes, rel=6e-3, abs=1e-8)
    shared = (total(at + step) - total(at - step)) / (2 * step)
    assert parsed(rows[-1][4]) == pytest.approx(shared, rel=6e-3)
    assert numbers(said(figure))[-2:] == pytest.approx([shared, shared], rel=6e-4)
    figure.get_by_label("unrolled in time").click()
    assert numbers(said(figure))[0] == pytest.approx(shared, rel=6e-4)


@pytest.mark.parametrize("kind", ["gaussian", "symmetric", "orthogonal", "leaning"])
@pytest.mark.parametrize("rho", [0.85, 1.15])
def test_gradients_are_powers_of_the_matrix(show, kind, rho):
    figure = show("lag")
    put(figure, "lag-matrix", kind)
    put(figure, "lag-rho", rho)
    figure.get_by_label("clip at").click()
    rng = Random(1)
    g = rng.normals(16, 16) / 4
    w = {
        "gaussian": g,
        "symmetric": (g + g.T) / np.sqrt(2),
        # rows by Gram and Schmidt, that is, with a triangle of positive diagonal
        "orthogonal": (lambda q, r: (q * np.sign(np.diag(r))).T)(*np.linalg.qr(g.T)),
        "leaning": np.triu(1.2 * g, 1)
        + np.diag(np.where(np.diag(g) < 0, -1, 1) * np.linspace(1, 0.5, 16)),
    }[kind]
    w = w * rho / np.abs(np.linalg.eigvals(w)).max()
    v = rng.normals(16)
    v /= np.linalg.norm(v)
    norms = []
    for _ in range(501):
        norms.append(np.linalg.norm(v))
        v = w.T @ v
    for lag, norm, law, growth, clipped in table(figure)[1:]:
        t = int(lag)
        assert parsed(norm) == pytest.approx(norms[t], rel=6e-3)
        assert parsed(law) == pytest.approx(rho**t, rel=6e-3)
        assert parsed(clipped) == pytest.approx(min(norms[t], 10), rel=6e-3)
        if t:
            assert parsed(growth) == pytest.approx(norms[t] / norms[t - 1], rel=6e-3)
    slope = np.polyfit(np.arange(100, 501), np.log(norms[100:]), 1)[0]
    fresh = np.log(np.sqrt(16 * np.mean(w**2)))
    words = re.search(r"changes by (\S+) .* ln ρ is (\S+), .* square by (\S+)\. ", said(figure))
    assert [parsed(word) for word in words.groups()] == pytest.approx(
        [slope, np.log(rho), fresh], rel=6e-3
    )


@pytest.mark.parametrize("solver", ["euler", "midpoint", "rk4"])
def test_deviations_are_those_from_scipys_solution(show, solver):
    figure = show("flow")
    put(figure, "flow-solver", solver)
    put(figure, "flow-a", 2.5)
    starts = np.linspace(-2, 2, 9)

    def field(t, z):
        return -2.5 * np.tanh(z)

    solution = solve_ivp(field, (0, 1), starts, rtol=1e-13, atol=1e-14, dense_output=True).sol
    for layers, deviation in table(figure)[1:]:
        n, z, found = int(layers), starts, 0.0
        for k in range(n):
            a = field(0, z)
            b = field(0, z + a / n / 2)
            c = field(0, z + b / n / 2)
            d = field(0, z + c / n)
            z = z + {"euler": a, "midpoint": b, "rk4": (a + 2 * b + 2 * c + d) / 6}[solver] / n
            found = max(found, np.abs(z - solution((k + 1) / n)).max())
        assert parsed(deviation) == pytest.approx(found, rel=6e-3, abs=1e-11)


def test_only_few_layers_let_neighbors_cross(show):
    figure = show("flow")  # slope 3
    for k in range(7):
        put(figure, "flow-layers", k)
        h, z, crossed = 3 / 2**k, np.linspace(-2, 2, 9), np.zeros(8, bool)
        for _ in range(2**k):
            z = z - h * np.tanh(z)
            crossed |= np.diff(z) <= 0
        if crossed.any():
            assert f"{crossed.sum()} of 8 pairs of neighbors lose their order" in said(figure)
        else:
            assert "No two of the nine paths cross" in said(figure)
        assert ("overshoots" in said(figure)) == (h > 1)


def test_a_start_moves_by_keyboard_and_ends_where_it_must(show):
    figure = show("flow")
    put(figure, "flow-layers", 1)
    before = said(figure)
    figure.locator(".handle").press("ArrowUp")
    assert said(figure) != before
    start, end, exact = numbers(said(figure).split("The start")[1])
    first = start - 1.5 * np.tanh(start)
    assert end == pytest.approx(first - 1.5 * np.tanh(first), rel=6e-3)
    assert exact == pytest.approx(np.arcsinh(np.sinh(start) * np.exp(-3)), rel=6e-3)


@pytest.mark.parametrize("folds", [1, 2, 5, 8])
def test_pieces_of_the_folded_map(show, folds):
    figure = show("fold")
    put(figure, "fold-folds", folds)
    assert f"{2**folds} linear pieces" in said(figure)
    assert f"{2 * folds} units side by side have at most {2 * folds + 1}" in said(figure)
    for k, units, stacked, beside, needed in table(figure)[1:]:
        k = int(k)
        x = np.arange(4 * 2**k + 1) / (4 * 2**k)
        for _ in range(k):
            x = 1 - np.abs(2 * x - 1)
        pieces = 1 + np.count_nonzero(np.diff(np.diff(x)))
        expected = [2 * k, pieces, 2 * k + 1, 2**k]
        assert [float(v) for v in (units, stacked, beside, needed)] == expected
    if folds > 4:
        share = np.sqrt(1 - 2 * folds / 2 ** (folds - 1))
        assert f"at least {100 * share:.3g} % of a constant's error" in said(figure)
    path = [parsed(v) for v in said(figure).split("goes ")[1].rstrip(".").split(" → ")]
    expected = [0.3]
    for _ in range(folds):
        expected.append(1 - abs(2 * expected[-1] - 1))
    assert path == pytest.approx(expected, rel=6e-3)


def test_what_was_drawn_comes_back_with_the_address(show):
    figure = show("degree")
    figure.get_by_role("button", name="New data").click()
    sentence = said(figure)
    expect(figure.page).to_have_url(re.compile("degree.data=2"))
    again = show("degree", at=figure.page.evaluate("location.hash"))
    assert said(again) == sentence


def test_play_ends_at_once_where_motion_is_reduced(show):
    figure = show("fold", reduced_motion="reduce")
    figure.get_by_role("button", name="Play").click()
    assert "256 linear pieces" in said(figure)
