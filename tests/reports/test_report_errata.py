"""The errata are made from the verdicts: the page is compared with the rules' own word."""

import html
import re

import pytest

from benchmarks import lecture
from benchmarks.store import Store
from benchmarks.verdicts import judge
from reports.page import build
from tests.reports import synthetic_store as synthetic


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("store") / "results.sqlite")


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    return build([store], tmp_path_factory.mktemp("out")).path.read_text()


def articles(page):
    found = re.findall(r'<article class="erratum" id="erratum-(\w+)".*?</article>', page, re.S)
    texts = re.findall(r'<article class="erratum".*?</article>', page, re.S)
    return dict(zip(found, texts, strict=True))


def test_the_list_is_that_of_the_refuted_slides(store, page):
    refuted = set()
    with Store.read(store) as reader:
        for spec in (synthetic.rate(), synthetic.race(), synthetic.bounded()):
            for hypothesis in spec.hypotheses:
                verdict = judge(hypothesis, reader.results(spec.claim))
                if hypothesis.kind == "as stated" and verdict.outcome == "REFUTED":
                    refuted.add(spec.claim)
    assert refuted  # else nothing is shown
    assert articles(page).keys() == refuted


def test_an_erratum_shows_both_forms_the_evidence_and_the_command(store, page):
    text = articles(page)["C12"]
    assert "On the slide" in text and "What holds" in text
    slide, geometric = synthetic.rate().hypotheses
    assert html.escape(slide.statement) in text and html.escape(geometric.statement) in text
    with Store.read(store) as reader:
        n = judge(slide, reader.results("C12")).n
    assert f"n = {n}." in text
    assert "python -m benchmarks run --only C12" in text


def test_notation_is_told_apart_and_links_to_claims(page):
    section = page[page.index('id="errata"') :]
    for claim in lecture.NOTATION:
        assert claim in lecture.CLAIMS
        assert f'<li><a href="#{claim}">{claim}</a>' in section
