"""The deck: which claims it shows, and what its first screen, keys and print do."""

import os
import re
import shutil

import pytest
from typer.testing import CliRunner

from reports.__main__ import app
from reports.slides import NothingToShow, deck
from tests.reports import synthetic_store as synthetic

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("store") / "results.sqlite")


def shown(page):
    return re.findall(r'<p class="cid">([BC]\d+) · ', page)


def test_it_shows_the_chosen_claims_with_formulas_and_figures(store, tmp_path):
    path, count = deck([store], tmp_path / "deck.html", ["c12", "C3?"], "Week <1>")
    page = path.read_text()
    assert shown(page) == ["C12", "C33", "C35", "C36", "C37"] and count == 5  # also what failed
    assert "<title>Week &lt;1&gt;</title>" in page
    assert "<script>alert" not in page
    assert page.count("On the slide") >= 1 and page.count("<svg") > 5
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_all_that_ran_by_default_and_a_clear_refusal(store, tmp_path):
    assert "C23" in shown(deck([store], tmp_path / "all.html", [], "All")[0].read_text())
    with pytest.raises(NothingToShow, match="must match a claim with a result, received C02"):
        deck([store], tmp_path / "none.html", ["C02"], "None")
    result = CliRunner().invoke(
        app, ["slides", "--store", str(store), "--only", "X*", "--out", str(tmp_path / "x.html")]
    )
    assert result.exit_code == 2 and not (tmp_path / "x.html").exists()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here")
def test_keys_turn_the_slides_and_the_address_keeps_them(store, tmp_path):
    from playwright.sync_api import expect, sync_playwright  # `expect` needs no `eval`

    path, _ = deck([store], tmp_path / "deck.html", ["C12", "C37"], "Two")
    complaints = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("console", lambda m: complaints.append(m.text))
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(path.as_uri())
        visible = (
            "[...document.querySelectorAll('.slide')].filter(s => s.offsetParent).map(s => s.id)"
        )
        seen = [page.evaluate(visible)]
        for _ in range(3):
            page.keyboard.press("ArrowRight")
            seen.append(page.evaluate(visible))
        assert seen == [["s0"], ["s1"], ["s2"], ["live-of-C37"]]
        assert page.evaluate("location.hash") == "#live-of-C37"
        expect(page.locator("#live-race .read")).not_to_be_empty()
        page.reload()
        assert page.evaluate(visible) == ["live-of-C37"]
        bare = browser.new_context(java_script_enabled=False).new_page()
        bare.goto(path.as_uri())
        assert bare.locator(".slide >> visible=true").count() == 3
        browser.close()
    assert complaints == []
