import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import lecture
from benchmarks.store import Store
from benchmarks.verdicts import Verdict, correct_for_multiplicity, judge, number
from reports.__main__ import app
from reports.load import fill, load
from reports.page import MAX_BYTES, build
from reports.wording import powers, rounded
from tests.reports import synthetic_store as synthetic


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("store") / "results.sqlite")


@pytest.fixture(scope="module")
def built(store, tmp_path_factory):
    return build([store], tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def page(built):
    return built.path.read_text()


@pytest.fixture(scope="module")
def claims(built):
    return json.loads((built.path.parent / "claims.json").read_text())


def card(page, claim):
    return re.search(rf'<article class="claim pv" id="{claim}".*?</article>', page, re.S).group()


def test_states(built):
    states = {c.claim: c.state for c in built.report.claims}
    expected = {
        "C12": "REFUTED", "C35": "SUPPORTED", "C23": "UNDECIDED", "C37": "PICTURE ONLY",
        "C36": "PARTIAL", "C33": "ERROR", "C60": "ERROR",
    }  # fmt: skip
    assert {k: v for k, v in states.items() if v != "NOT RUN"} == expected
    assert len(states) == 76


def test_numbers_are_those_of_the_rules_applied_to_the_trials(store, claims, page):
    # The oracle: the specification as written here, its rule, and the store's own trials.
    verdicts, names = [], []
    with Store.read(store) as reader:
        for spec in (synthetic.rate(), synthetic.race(), synthetic.bounded()):
            for hypothesis in spec.hypotheses:
                verdicts.append(judge(hypothesis, reader.results(spec.claim)))
                names.append(hypothesis.id)
        other = synthetic.pictures().hypotheses[0]
        verdicts.append(judge(other, reader.results("C37")))
        names.append(other.id)
    rows = {row["hypothesis"]: row for row in claims if row["hypothesis"]}
    text = html.unescape(page)
    for name, verdict in zip(names, correct_for_multiplicity(verdicts), strict=True):
        row = rows[name]
        assert row["verdict"] == verdict.outcome
        assert row["effect"] == verdict.effect and row["n"] == verdict.n
        assert row["p_holm"] == verdict.p_holm
        if verdict.interval:
            assert row["interval"] == list(verdict.interval)
        shown = number(verdict.effect)
        if verdict.interval:
            shown = rounded(verdict.effect, *verdict.interval)
        assert f": {powers(shown)}" in text


def test_chips_agree_with_the_verdicts(page, claims):
    for row in claims:
        if row["hypothesis"]:
            assert row["verdict"] in card(page, row["claim"])
    mended = card(page, "C12")
    assert mended.index("REFUTED") < mended.index("SUPPORTED")
    assert "The correction holds" in mended
    assert page.count('<span class="fix">') == 1


def test_a_finding_carries_the_numbers(built):
    claim = next(c for c in built.report.claims if c.claim == "C12")
    slide = claim.hypotheses[0].verdict
    assert claim.finding.startswith("Steps grow with exponent 0.5")
    assert f"is {number(slide.effect)} [{number(slide.interval[0])}, " in claim.finding


def test_a_sentence_written_beforehand_is_dropped_when_it_did_not_come_out(built):
    claim = next(c for c in built.report.claims if c.claim == "C23")
    assert "Depth wins" not in claim.finding


def test_findings_cannot_reach_into_objects():
    verdict = Verdict("SUPPORTED", 2.5, None, (2.0, 3.0), 0.99, 7, (1, None), "x", "s")
    assert fill("{a.low} to {a_high}, {a:.1f}, {n}", {"a": verdict}) == "2 to 3, 2.5, 7"
    assert fill("{a.__class__}", {"a": verdict}) == ""


def test_everything_from_the_store_is_escaped(page):
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "killed &lt;b&gt;by&lt;/b&gt; the kernel" in page
    assert "SyntaxError: &lt;i&gt;" in page
    assert "A &lt;fast&gt; processor" in page


def test_the_page_requests_nothing(page):
    assert not re.search(r'(?:src|href)="(?!#|data:,)', page)
    assert "url(" not in re.sub(r"url\((?:#|data:font/woff2;)", "", page)
    assert "@import" not in page


def test_ids_are_unique(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(ids)


def test_sections_claims_hypotheses_and_comparisons_have_addresses(page, built):
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    assert {f"sec{n}" for n in range(1, 9)} | {"C12.slide", "C12.geometric"} <= ids
    assert {c.claim for c in built.report.claims} | {"compare.optimizers"} <= ids
    assert '<a href="#C12.slide">As stated.</a>' in card(page, "C12")


def test_partial_and_failed_claims_say_what_is_missing(page):
    assert "1 of 3 cells have not run" in card(page, "C36")
    assert "python -m benchmarks run --only C36" in card(page, "C36")
    assert "failed after 3 attempts" in card(page, "C33")
    assert "c60_tied.py, line 12" in card(page, "C60")


def test_mutants_code_and_provenance_are_shown(page):
    text = card(page, "C12")
    assert "<b>1/t bound</b>: refuted" in text
    assert "class Adam" in text
    assert "<b>14</b> seeds, <b>6</b> cells" in text
    assert "keras 3.15.1" in text


def test_comparisons_show_three_lenses(page):
    text = card(page, "compare.optimizers")
    for lens in ("Convergence", "Stability", "Generalization"):
        assert f"<b>{lens}:</b>" in text
    assert "100 % at 1" in text  # Adam diverges there


def test_a_rebuild_is_identical_to_the_byte(store, built, tmp_path):
    again = build([store], tmp_path)
    for file in sorted(p for p in built.path.parent.rglob("*") if p.is_file()):
        other = again.path.parent / file.relative_to(built.path.parent)
        assert file.read_bytes() == other.read_bytes(), file.name


def test_size(built):
    # Seven cards here; seventy of the fattest must fit.
    assert built.size < MAX_BYTES / 5


def test_figures_are_files_too(built):
    files = sorted((built.path.parent / "figures").glob("*.svg"))
    assert len(files) == built.figures == 10
    assert "--c1:" in files[0].read_text()


def test_an_empty_store_gives_a_page_that_says_so(tmp_path):
    Store.open(tmp_path / "empty.sqlite", create=True).close()
    built = build([tmp_path / "empty.sqlite"], tmp_path / "out")
    page = built.path.read_text()
    assert "76 of 76" in page and "The store has no run." in page
    rows = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert len(rows) == 76 and {row["verdict"] for row in rows} == {"NOT RUN"}


def test_too_few_seeds_withhold_the_verdict(tmp_path):
    with Store.open(tmp_path / "short.sqlite", create=True) as store:
        run = store.start_run("lecture", "run --seeds 3", synthetic.ENVIRONMENT)
        synthetic.save(store, run, synthetic.race(), synthetic.measure_error, seeds=3)
        claim = next(c for c in load([store]).claims if c.claim == "C23")
    assert claim.state == "PARTIAL"
    assert claim.hypotheses[0].verdict is None
    assert "3 of 9 seeds" in claim.problems[0]


def test_stores_are_never_pooled(store, tmp_path):
    with Store.open(tmp_path / "other.sqlite", create=True) as other:
        run = other.start_run("lecture", "run", synthetic.ENVIRONMENT)
        synthetic.save(other, run, synthetic.bounded(), synthetic.measure_bounded, seeds=50)
        synthetic.save(other, run, synthetic.experiment("C01"), synthetic.measure_error)
    with Store.read(store) as first, Store.read(tmp_path / "other.sqlite") as second:
        claims = {c.claim: c for c in load([first, second]).claims}
    assert claims["C35"].seeds == 40  # the first store's
    assert claims["C01"].state == "SUPPORTED"


def test_a_rule_that_fails_is_an_error_of_its_claim_alone(tmp_path):
    def broken(cell, seeds):
        return synthetic.Measurements(metrics={"error": np.zeros(len(seeds))})

    with Store.open(tmp_path / "x.sqlite", create=True) as store:
        run = store.start_run("lecture", "run", synthetic.ENVIRONMENT)
        spec = synthetic.experiment(
            "C01", factors={"size": (3, 5)},
            hypotheses=(synthetic.Hypothesis(
                "C01.slope", "Grows.", synthetic.Slope("error", "size", 1.0, 0.1)),),
            figure=synthetic.Points("size", "error", "size", "error", "Zero"),
        )  # fmt: skip
        synthetic.save(store, run, spec, broken)
        claim = next(c for c in load([store]).claims if c.claim == "C01")
    assert claim.state in ("ERROR", "PARTIAL")
    assert "three levels" in claim.problems[0]


@pytest.mark.parametrize("content", [None, b"this is not a database, it is a text file"])
def test_a_missing_or_corrupt_store_is_one_line_and_exit_2(tmp_path, content):
    path = tmp_path / "results.sqlite"
    if content:
        path.write_bytes(content)
    result = CliRunner().invoke(
        app, ["build", "--store", str(path), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_command_prints_where_what_and_how_long(store, tmp_path):
    result = CliRunner().invoke(app, ["build", "--store", str(store), "--out", str(tmp_path)])
    assert result.exit_code == 0
    assert "index.html" in result.stdout and "REFUTED" in result.stdout
    assert re.search(r"\d+\.\d s\)", result.stdout)


def test_a_comparison_without_results_or_with_gaps_is_not_ranked(tmp_path):
    def page(name, **more):
        with Store.open(tmp_path / f"{name}.sqlite", create=True) as store:
            run = store.start_run("lecture", "run", synthetic.ENVIRONMENT)
            synthetic.save(store, run, synthetic.optimizers(), synthetic.measure_contender, **more)
        return build([tmp_path / f"{name}.sqlite"], tmp_path / name).path.read_text()

    assert "No cell of this comparison has finished." in page("none", skip=15)
    gaps = page("gaps", skip=4)
    assert "4 of 15 cells have not run" in gaps
    assert "No ranks while cells are missing." in gaps


def test_the_finished_report_is_complete_and_small_enough_to_mail():
    folder = Path(__file__).parents[2] / "reports" / "example"
    page = (folder / "index.html").read_bytes()
    assert len(page) < 6_000_000
    rows = json.loads((folder / "claims.json").read_text())
    verdicts = {row["claim"]: row["state"] for row in rows}
    assert verdicts.keys() == lecture.CLAIMS.keys()
    assert not {"NOT RUN", "PARTIAL", "ERROR", "STALE"} & set(verdicts.values())
    for claim in verdicts:
        assert f'id="{claim}"'.encode() in page
