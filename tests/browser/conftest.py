"""Chromium for all browser tests, whose pages are built without PNG and PDF files."""

import shutil

import pytest

from tests.reports.conftest import without_picture_files

__all__ = ["without_picture_files"]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, url):
    """Opens the module's `url`; at the end asserts that it neither complained nor asked for more.

    The page may start at an address within it: `open_page("#C12")`.
    """
    contexts, complaints, requests = [], [], []

    def start(at="", width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text))
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on("request", lambda r: requests.append(r.url))
        page.goto(url + at)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []
    assert {r.partition("#")[0] for r in requests if not r.startswith("data:")} <= {url}
