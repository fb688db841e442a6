"""STALE: a verdict of a specification that its experiment no longer has."""

import json
import re
import subprocess
import sys

import pytest

from benchmarks.discover import EXPERIMENTS, specification_in
from benchmarks.experiment import spec_hash, to_json
from benchmarks.store import Store
from reports import page as pages
from reports.load import STALE, current_spec, load
from tests.reports import synthetic_store as synthetic

FILE = "benchmarks/experiments/gradient_based_learning/newton_rate.py"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("stale") / "results.sqlite")


def states(store, current):
    with Store.read(store) as reader:
        return {c.claim: c for c in load([reader], current).claims}


def test_an_installed_experiment_is_found_by_its_file():
    spec = specification_in(EXPERIMENTS.parent.parent / FILE, EXPERIMENTS)
    assert current_spec(FILE) == to_json(spec)
    assert spec_hash(current_spec(FILE)) == spec_hash(spec)


@pytest.mark.parametrize(
    "file", ["x.py", "", "benchmarks/experiments/no.py", "benchmarks/plan.py", "../a.py",
             "benchmarks/experiments/../../reports/page.py", "/etc/passwd", "benchmarks"]
)  # fmt: skip
def test_what_is_no_experiment_of_ours_is_never_imported(file):
    assert current_spec(file) is None


def test_it_needs_no_tensorflow():
    code = f"import sys, reports.load as l; assert l.current_spec({FILE!r}); " + (
        "print([m for m in ('tensorflow', 'keras', 'jax', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_another_hash_makes_a_judged_claim_stale(store):
    before = states(store, lambda file: None)
    after = states(store, lambda file: to_json(synthetic.optimizers()))
    for claim in ("C12", "C35", "C23", "C37"):
        assert after[claim].state == STALE
        assert [h.state for h in after[claim].hypotheses] == [
            h.state for h in before[claim].hypotheses
        ]
    assert before["C12"].mended and not after["C12"].mended
    for claim in ("C36", "C33", "C60", "C01"):  # partial, failed, not run
        assert after[claim].state == before[claim].state


def test_the_same_hash_and_none_change_nothing(store):
    own = states(store, lambda file: to_json(synthetic.rate()))
    assert own["C12"].state == "REFUTED" and own["C35"].state == STALE
    plain = states(store, current_spec)  # experiments of tests are not installed
    assert STALE not in {c.state for c in plain.values()}


@pytest.mark.parametrize(
    "field, value, same", [("finding", "Another.", True), ("seeds", 15, False)]
)
def test_it_says_what_differs(store, field, value, same):
    now = to_json(synthetic.rate()) | {field: value}
    claim = states(store, lambda file: now)["C12"]
    assert claim.state == STALE and claim.differs == (field,)
    assert claim.same_rules is same


def test_the_page_says_so(store, tmp_path, monkeypatch):
    monkeypatch.setattr(
        pages, "load", lambda stores: load(stores, lambda file: to_json(synthetic.bounded()))
    )
    built = pages.build([store], tmp_path)
    page = built.path.read_text()
    card = re.search(r'<article class="claim pv" id="C12".*?</article>', page, re.S).group()
    assert "STALE" in card and "REFUTED" in card and "SUPPORTED" in card
    assert "It differs in claim, lens, hypotheses," in card
    assert "earlier specification" in card and "run --only C12" in card
    assert "STALE" not in re.search(r'<article class="claim pv" id="C35".*?</a', page, re.S).group()
    assert 'data-filter="STALE"' in page and 'class="t-old"' in page
    assert "Judged under an earlier specification" in page  # among the errata
    assert '<h3 class="sub">From an earlier specification</h3>' in page
    rows = {r["claim"]: r for r in json.loads((tmp_path / "claims.json").read_text())}
    assert rows["C12"]["state"] == "STALE" and rows["C12"]["stale"] is True
    assert rows["C35"]["stale"] is False
