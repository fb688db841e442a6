"""The null control and the comparison with an earlier store, on the page and against the stores."""

import re
import shutil

import pytest

from benchmarks.changes import changes
from benchmarks.null import null_controls, null_path
from benchmarks.store import Store
from reports.page import build
from tests.reports import synthetic_store as synthetic


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store, an earlier one that differs in one claim, and a null control beside the first."""
    folder = tmp_path_factory.mktemp("stores")
    new = synthetic.write(folder / "results.sqlite")
    old = folder / "old.sqlite"
    spec = synthetic.race()
    with Store.open(old, create=True) as store:
        synthetic.save(store, store.start_run("lecture", "x", {}), spec, shifted)
    shutil.copy(new, null_path(new))
    return new, old


def shifted(cell, seeds):
    found = synthetic.measure_error(cell, seeds)
    return type(found)(metrics={name: values + 5 for name, values in found.metrics.items()})


def section(page, name):
    return re.search(rf'<section class="sec end" id="{name}".*?</section>', page, re.S).group()


def test_the_page_counts_what_the_stores_show(stores, tmp_path):
    new, old = stores
    page = build([new], tmp_path, baseline=old).path.read_text()
    with Store.read(old) as first, Store.read(new) as second:
        found = changes(first, second)
    assert found.shifts and found.only_new  # else nothing is shown
    text = section(page, "runs")
    assert f"{len(found.shifts)} of {found.compared} metrics moved beyond noise" in text
    assert ", ".join(found.only_new) in text
    with Store.read(null_path(new)) as store:
        nulls = null_controls(store, "cpu")
    assert f"Of {len(nulls)} such comparisons" in section(page, "method")


def test_without_them_the_page_says_what_would_give_them(stores, tmp_path):
    new, _ = stores
    alone = shutil.copy(new, tmp_path / "alone.sqlite")
    page = build([alone], tmp_path / "out").path.read_text()
    assert "--baseline" in section(page, "runs")
    assert "run --null" in section(page, "method")
