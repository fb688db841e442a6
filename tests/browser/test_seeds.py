"""Every seed in Chromium: the numbers are the store's, and each way to a seed leads there."""

import os
import re
import shutil

import numpy as np
import pytest

from benchmarks.experiment import Hypothesis, Measurements, Metric, Points
from benchmarks.store import Store
from benchmarks.verdicts import Sign, Within, every
from reports.page import build
from tests.reports import synthetic_store as synthetic

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here"),
]
LEVELS = ("momentum", "Adam", "a level with <i>markup</i> and a name that is far too long for it")


def spec():
    return synthetic.experiment(
        "C23", factors={"optimizer": LEVELS}, seeds=30,
        metrics={"loss": Metric("final loss", "nat"), "steps": Metric("steps", "1")},
        hypotheses=(
            Hypothesis("C23.sign", "Adam ends lower.",
                       Sign("loss", "optimizer", "momentum", "Adam")),
            Hypothesis("C23.steps", "Some steps.", every(*(
                Within("steps", 0, None, where={"optimizer": name}) for name in LEVELS))),
        ),
        figure=(Points("optimizer", "loss", "optimizer", "loss", "Losses", log="y"),),
    )  # fmt: skip


def measure(cell, seeds):
    """Losses over nine decades, one of them zero; one seed diverges."""
    draw = np.random.default_rng(len(cell.optimizer))
    loss = 10 ** draw.uniform(-9, 0, len(seeds))
    loss[4] = 0.0
    lost = (np.arange(len(seeds)) == 7) & (cell.optimizer == LEVELS[2])
    steps = np.where(lost, np.nan, draw.normal(123, 1, len(seeds)))
    return Measurements(metrics={"loss": loss, "steps": steps}, diverged=lost)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    with Store.open(folder / "x.sqlite", create=True) as store:
        run = store.start_run("lecture", "x", synthetic.ENVIRONMENT)
        synthetic.save(store, run, spec(), measure)
    return build([folder / "x.sqlite"], folder / "out").path.as_uri()


def values(level, metric):
    cell = next(c for c in spec().cells() if c.optimizer == LEVELS[level])
    return measure(cell, np.arange(30)).metrics[metric]


def opened(page):
    page.locator("#C23 summary", has_text="Every seed").click()
    figure = page.locator("#live-seeds-C23")
    figure.locator("svg.panel").wait_for()
    return figure


def step_to(figure, seed):
    figure.locator("#seeds-C23-seed").evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", str(seed)
    )
    return figure.locator(".read").inner_text()


def parsed(text):
    """A number as the page writes it: −1.5·10⁻³."""
    text = text.replace("−", "-")
    if found := re.fullmatch(r"(?:(.+)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        power = found[2].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        return float(found[1] or 1) * 10.0 ** int(power)
    return float(text)


def test_every_value_said_is_the_stores(open_page):
    figure = opened(open_page())
    a, b = values(0, "loss"), values(1, "loss")
    for seed in range(30):
        said = re.match(
            rf"Seed {seed}: (\S+) nat in momentum; (\S+) nat in Adam", step_to(figure, seed)
        )
        # Three digits: half a unit of the last one is at most 5e-3 of the number.
        np.testing.assert_allclose(
            [parsed(v) for v in said.groups()], [a[seed], b[seed]], rtol=5.1e-3
        )
        for shown, value in zip(said.groups(), (a[seed], b[seed]), strict=True):
            assert parsed(shown) == pytest.approx(float(f"{value:.2e}"), rel=1.1e-2)


def test_the_numbers_behind_it(open_page):
    figure = opened(open_page())
    figure.locator("#seeds-C23-metric").select_option("steps")
    step_to(figure, 7)
    figure.locator(".nums summary").click()
    figure.locator(".nums tr").first.wait_for()
    rows = figure.locator(".nums tr").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.textContent))"
    )
    assert rows[0] == ["cell", "seeds", "diverged", "mean [99 %]", "seed 7"]
    assert [row[:3] for row in rows[1:]] == [
        ["momentum", "30", "0"], ["Adam", "30", "0"], [LEVELS[2], "30", "1"],
    ]  # fmt: skip
    assert rows[3][4] == "diverged"
    kept = values(2, "steps")
    kept = kept[np.isfinite(kept)]
    assert parsed(rows[3][3].split()[0]) == pytest.approx(kept.mean(), rel=5e-3)
    assert "1 of 30 diverged" in figure.locator("svg.panel").inner_html()


def test_a_metric_changes_the_picture_and_rows_follow_its_rules(open_page):
    figure = opened(open_page())
    assert figure.locator("svg .lb").all_text_contents() == [
        "momentum, 1 at zero or below", "Adam, 1 at zero or below",
    ]  # fmt: skip
    assert "(log)" in figure.locator("svg .al").text_content()
    before = figure.locator("svg.panel").inner_html()
    figure.locator("#seeds-C23-metric").select_option("steps")
    assert figure.locator("svg.panel").inner_html() != before
    assert figure.locator("svg").count() == 1
    assert len(figure.locator("svg .lb").all_text_contents()) >= 3


def marked(figure):
    """Where the marked seed is in each row."""
    return figure.locator("svg.panel circle[r='5.5']").evaluate_all(
        "all => all.map(c => [+c.getAttribute('cx'), +c.getAttribute('cy')])"
    )


def test_arrow_keys_step_through_seeds_in_all_rows(open_page):
    figure = opened(open_page())
    before, said = marked(figure), figure.locator(".read").inner_text()
    assert said.startswith("Seed 0:") and len(before) == 2
    figure.locator("#seeds-C23-seed").press("ArrowRight")
    assert figure.locator(".read").inner_text().startswith("Seed 1:")
    after = marked(figure)
    assert all(a != b for a, b in zip(before, after, strict=True))
    # The same height in every row, and a dot of the cloud under each mark.
    dots = figure.locator("svg.panel circle[r='3']").evaluate_all(
        "all => all.map(c => [+c.getAttribute('cx'), +c.getAttribute('cy')])"
    )
    assert all(place in dots for place in after)
    assert figure.locator("#seeds-C23-seed").get_attribute("aria-valuetext") == "1"


def test_pointing_at_a_dot_marks_its_seed(open_page):
    page = open_page(reduced_motion="reduce")
    figure = opened(page)
    dot = figure.locator("svg.panel circle[r='3']").nth(30 + 11)  # Adam, seed 11
    dot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = dot.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = figure.locator(".read").inner_text()
    assert re.match(r"Seed 11: \S+ nat in Adam; \S+ nat in momentum", said)


def test_the_address_keeps_metric_and_seed(open_page):
    page = open_page()
    figure = opened(page)
    figure.locator("#seeds-C23-metric").select_option("steps")
    said = step_to(figure, 12)
    for _ in range(50):
        if "seed=12" in page.evaluate("location.hash"):
            break
        page.wait_for_timeout(50)
    again = open_page(page.evaluate("location.hash"))
    figure = again.locator("#live-seeds-C23")
    figure.locator("svg.panel").wait_for()
    assert figure.is_visible()
    assert figure.locator(".read").inner_text() == said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(color_scheme=scheme)
    page.add_style_tag(content=".claim,.idx{content-visibility:visible!important}")
    figure = opened(page)
    figure.locator(".nums summary").click()
    response = Axe().run(page).response
    found = [(v["id"], [n["html"][:150] for n in v["nodes"][:3]]) for v in response["violations"]]
    assert found == [] and len(response["passes"]) > 20


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_and_labels_do_not_overlap(open_page, width):
    page = open_page(width=width)
    figure = opened(page)
    figure.locator("#seeds-C23-metric").select_option("steps")
    figure.locator(".nums summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = figure.locator("svg text.lb, svg text.tk").evaluate_all(
        "all => all.filter(t => t.textContent).map(t => t.getBoundingClientRect())"
        ".map(b => [b.left, b.top, b.right, b.bottom])"
    )
    panel = figure.locator("svg.panel").bounding_box()
    for i, a in enumerate(boxes):
        assert a[2] <= panel["x"] + panel["width"] + 1
        for b in boxes[i + 1 :]:
            wide = min(a[2], b[2]) - max(a[0], b[0])
            assert wide <= 1 or min(a[3], b[3]) - max(a[1], b[1]) <= 4, (a, b)


def test_without_scripts_nothing_of_it_shows(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("#C23").is_visible()
    assert not page.get_by_text("Every seed").first.is_visible()
    assert page.locator("#C23 .more > details > summary", has_text="The numbers").first.is_visible()
