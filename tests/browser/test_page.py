"""The built page in Chromium: what a reader can see and do, with and without scripts."""

import base64
import os
import shutil

import pytest

from reports.page import build
from tests.reports.synthetic_store import write

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    # Continuous integration must not pass by not looking.
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return build([write(folder / "results.sqlite")], folder / "out").path.as_uri()


def test_it_opens_without_a_complaint_or_a_request(open_page):
    page = open_page()
    assert page.title() == "The lecture, measured"
    assert page.locator(".map .cell").count() == 76


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_scrolls_sideways(open_page, width):
    page = open_page(width=width)
    page.add_style_tag(content=".claim,.idx{content-visibility:visible!important}")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_theme_changes_and_is_kept(open_page):
    page = open_page(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.locator("#theme")
    button.click()
    button.click()
    assert "dark" in button.inner_text()
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    # Lines of charts follow the theme too.
    line = page.locator("[id='C12-b'] path").last
    assert "var(--" in line.get_attribute("style")


def test_the_system_decides_first(open_page):
    dark = open_page(color_scheme="dark").evaluate("getComputedStyle(document.body).color")
    light = open_page(color_scheme="light").evaluate("getComputedStyle(document.body).color")
    assert dark != light


def test_filters_and_search(open_page):
    page = open_page()
    shown = "[...document.querySelectorAll('article.claim[data-claim]')]" + (
        ".filter((c) => !c.classList.contains('hidden')).map((c) => c.id)"
    )
    everything = page.evaluate(shown)
    page.locator("[data-filter='REFUTED']").click()
    assert page.evaluate(shown) == ["C12"]
    assert page.locator(".cell:not(.dim)").count() == 1
    assert "1 claims match" in page.locator("#found").inner_text()
    page.locator("[data-filter='REFUTED']").click()
    assert page.evaluate(shown) == everything
    page.locator("#search").fill("normalized step")
    assert page.evaluate(shown) == ["C35"]
    page.locator("#search").fill("")
    assert page.evaluate(shown) == everything


def test_lecture_mode_by_keyboard(open_page):
    page = open_page()
    visible = "[...document.querySelectorAll('.pv')].filter((c) => c.offsetParent).map((c) => c.id)"
    page.keyboard.press("ArrowRight")  # no shortcut outside lecture mode
    assert page.evaluate("document.body.classList.contains('present')") is False
    page.locator("#present").focus()
    page.keyboard.press("Enter")
    first = page.evaluate(visible)
    assert first == ["cover"]
    page.keyboard.press("ArrowRight")
    second = page.evaluate(visible)
    assert second == ["C12"]
    for other in ("#cover", "#environment", "#sec1 header"):
        assert not page.locator(other).is_visible()
    assert page.evaluate("location.hash") == "#" + second[0]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(visible) == first
    page.keyboard.press("End")
    assert page.evaluate(visible) == ["compare.optimizers"]
    page.keyboard.press("Escape")
    assert len(page.evaluate(visible)) > 2
    assert page.evaluate("document.activeElement.id") == "present"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(color_scheme=scheme)
    page.add_style_tag(content=".claim,.idx{content-visibility:visible!important}")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    response = Axe().run(page).response
    assert len(response["passes"]) > 20  # it did look
    found = response["violations"]
    report = [
        (v["id"], [(n["html"][:120], n["failureSummary"][:200]) for n in v["nodes"][:3]])
        for v in found
    ]
    assert report == []


def test_everything_is_readable_without_scripts(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("article.claim").count() == 8
    assert page.locator("[id='C12'] svg.panel").first.is_visible()
    assert page.locator("#missing").is_visible()
    for control in ("#theme", "#present", "#search"):
        assert not page.locator(control).is_visible()


def test_figures_have_names_and_text(open_page):
    page = open_page()
    names = page.locator("svg[role=img]").evaluate_all(
        "(all) => all.map((s) => s.getAttribute('aria-label'))"
    )
    assert len(names) >= 8 and all(names)
    title = page.locator("[id='C12-b'] text.pt").first.text_content()
    assert title == "Momentum needs the root"


def test_labels_of_a_panel_do_not_overlap_and_are_not_cut(open_page):
    for width in (390, 1280):
        page = open_page(width=width)
        page.add_style_tag(content=".claim{content-visibility:visible!important}")
        boxes = page.evaluate(
            """() => [...document.querySelectorAll('svg.panel')].map((svg) => {
                const card = svg.closest('.claim, .how').getBoundingClientRect();
                return [...svg.querySelectorAll('text.lb, text.tk, text.cl, text.num')].map((t) => {
                    const b = t.getBoundingClientRect();
                    return [svg.id, t.textContent, b.left, b.top, b.right, b.bottom, card.right];
                });
            })"""
        )
        for panel in boxes:
            for i, a in enumerate(panel):
                assert a[4] <= a[6], a  # inside its card
                for b in panel[i + 1 :]:
                    # Line boxes are taller than letters: a few pixels of them may touch.
                    wide = min(a[4], b[4]) - max(a[2], b[2])
                    high = min(a[5], b[5]) - max(a[3], b[3])
                    assert wide <= 1 or high <= 4, (a, b)


def test_cards_are_laid_out_after_a_while_and_nothing_jumps(open_page):
    page = open_page()
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const e of list.getEntries()) window.shift += e.value;
        }).observe({ type: 'layout-shift', buffered: true }); }"""
    )
    # Not `wait_for_function`: the page's policy forbids evaluating strings over and over.
    laid_out = (
        "[...document.querySelectorAll('.claim,.idx')]"
        ".every((c) => getComputedStyle(c).contentVisibility === 'visible')"
    )
    for _ in range(100):
        if page.evaluate(laid_out):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(laid_out)
    assert page.evaluate("window.shift") < 0.02
    # The last card of a capture of the whole page is drawn, not blank.
    shot = page.screenshot(full_page=True)
    box = page.locator("article.claim").last.bounding_box()
    colors = page.evaluate(
        """async ([png, box]) => {
            const image = new Image();
            image.src = 'data:image/png;base64,' + png;
            await image.decode();
            const canvas = document.createElement('canvas');
            canvas.width = Math.floor(box.width); canvas.height = Math.floor(box.height);
            const pen = canvas.getContext('2d');
            pen.drawImage(image, -box.x, -box.y);
            const all = pen.getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let i = 0; i < all.length; i += 4)
                seen.add(all[i] << 16 | all[i + 1] << 8 | all[i + 2]);
            return seen.size;
        }""",
        [base64.b64encode(shot).decode(), box],
    )
    assert colors > 50


def test_formulas_use_the_font_of_the_page(open_page):
    page = open_page()
    found = "document.fonts.load('16px \"STIX Two Math\"', 'x').then((f) => f.map((x) => x.status))"
    assert page.evaluate(found) == ["loaded"]


def test_it_prints(open_page):
    page = open_page()
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    # Eight cards, each on a page of its own, and a cover.
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") >= 9


def test_the_contents_show_where_the_reader_is(open_page):
    from playwright.sync_api import expect  # waits without `eval`, which the page forbids

    page = open_page()
    current = page.locator(".toc a[aria-current=true]")
    expect(current).to_have_attribute("href", "#cover")
    for name in ("sec2", "method"):
        page.evaluate(f"document.getElementById('{name}').scrollIntoView({{behavior: 'instant'}})")
        expect(current).to_have_attribute("href", f"#{name}")
