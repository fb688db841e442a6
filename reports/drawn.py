"""Figures of all claims: drawn side by side on all cores, and kept, so that a rebuild is quick.

What was drawn lies in `.drawn/` beside the page, a file a claim, under a key of everything that a
figure depends on: its specification, the cells with their times, and the code that draws.
"""

import hashlib
import json
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from string import ascii_lowercase

from benchmarks.store import Store
from reports import drawing, figures
from reports.figures import Panel, Table
from reports.load import ClaimView, load_claim
from reports.table_files import figure_csv

FEW = 4  # claims that are drawn before another process has started
FORMATS = ("png", "pdf")

Drawn = tuple[list[Panel], list[str]]
_FOLDERS: ContextVar[tuple[Path, Path] | None] = ContextVar("folders", default=None)


def panels_of(claim: ClaimView, files: Path | None = None) -> Drawn:
    """The figures of a claim; what could not be drawn is said, and takes nothing else down.

    Args:
        claim: with its results.
        files: folder for each panel as PNG and PDF, and the data of each figure as CSV.
    """
    if not claim.results.cells:
        return [], []
    drawn, problems = [], []
    for i, spec in enumerate(figure_specs(claim)):
        name = f"{claim.claim}-{ascii_lowercase[i]}"

        def curves(y):
            return store_of(claim).curves(claim.claim, y, claim.device)

        try:
            with drawing.exporting(files, FORMATS):
                panels = figures.draw(name, spec, claim.results, curves, claim.cells)
            if files and panels:
                data = figure_csv(spec, claim.results, curves, claim.cells)
                (files / f"{name}.csv").write_text(data, encoding="utf-8")
        except Exception as error:  # one figure must not cost the page
            problems.append(f"figure {i + 1}: {type(error).__name__}: {error}".splitlines()[0])
            continue
        if not panels:
            problems.append(f"figure {i + 1}: no finished cell with {spec['where'] or 'any level'}")
        drawn += panels
    return drawn, problems


def store_of(claim: ClaimView) -> Store:
    """Where its results lie; a claim with cells has one."""
    assert claim.store is not None
    return claim.store


def figure_specs(claim: ClaimView) -> list[dict]:
    """The figures that a claim's experiment asked for."""
    specs = claim.spec.get("figure", [])
    return list(specs) if isinstance(specs, (list, tuple)) else [specs]


@contextmanager
def keeping(out: Path):
    """Panels that `remembered` draws inside are kept in `out/.drawn`, and written as files."""
    folders = out / ".drawn", out / "figures"
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    token = _FOLDERS.set(folders)
    try:
        with drawing.exporting(folders[1], FORMATS):
            yield
    finally:
        _FOLDERS.reset(token)


def remembered(draw: Callable[..., Panel], name: str, *arguments, **options) -> Panel:
    """`draw(name, ...)`, or what it gave before with the same arguments and the same code."""
    folders = _FOLDERS.get()
    if folders is None:
        return draw(name, *arguments, **options)
    facts = pickle.dumps((arguments, sorted(options.items())))
    key = hashlib.sha256(facts + _code().encode()).hexdigest()
    kept, files = folders
    if found := _read(kept / f"{name}.json", key, files):
        return found[0][0]
    panel = draw(name, *arguments, **options)
    _write(kept / f"{name}.json", key, ([panel], []))
    return panel


def draw_all(claims: Iterable[ClaimView], out: Path) -> dict[str, Drawn]:
    """Figures of every claim by its name, from `out/.drawn` where nothing has changed."""
    claims = list(claims)
    kept, files = out / ".drawn", out / "figures"
    for folder in (kept, files):
        folder.mkdir(parents=True, exist_ok=True)
    found = {c.claim: _read(kept / f"{c.claim}.json", key_of(c), files) for c in claims}
    missing = [claim for claim in claims if found[claim.claim] is None]
    if len(missing) <= FEW:
        fresh = [panels_of(claim, files) for claim in missing]
    else:
        jobs = [(str(store_of(c).path), c.claim, c.device) for c in missing]
        context = multiprocessing.get_context("spawn")  # matplotlib does not survive a fork
        with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
            fresh = list(pool.map(partial(_draw, files=files), jobs))
    for claim, drawn in zip(missing, fresh, strict=True):
        found[claim.claim] = drawn
        _write(kept / f"{claim.claim}.json", key_of(claim), drawn)
    return {name: drawn for name, drawn in found.items() if drawn is not None}


def _draw(job: tuple[str, str, str], files: Path) -> Drawn:
    """In a process of its own, which reads the store itself."""
    path, name, device = job
    with Store.read(Path(path)) as store:
        claim = load_claim(store, store.specification(name))
        assert claim.device == device
        return panels_of(claim, files)


def key_of(claim: ClaimView) -> str:
    """Changes with whatever the figures depend on."""
    cells = [
        [sorted(c.factors.items(), key=str), c.status, c.created, len(c.seeds), c.run_id]
        for c in claim.cells
    ]
    facts = [claim.spec.get("figure"), claim.spec.get("metrics"), claim.device, cells, _code()]
    return hashlib.sha256(json.dumps(facts, default=str, sort_keys=True).encode()).hexdigest()


@cache
def _code() -> str:
    """Of all that draws: our files, and matplotlib's version."""
    import matplotlib

    here = Path(__file__).parent
    sources = sorted([*here.glob("*.py"), *here.glob("figures/*.py"), here / "static/light.css"])
    sources.append(here.parent / "benchmarks" / "statistics.py")
    text = b"".join(path.read_bytes() for path in sources)
    return hashlib.sha256(text + matplotlib.__version__.encode()).hexdigest()


def _write(path: Path, key: str, drawn: Drawn) -> None:
    panels, problems = drawn
    value = {"key": key, "panels": [asdict(p) for p in panels], "problems": problems}
    path.write_text(json.dumps(value), encoding="utf-8")


def _read(path: Path, key: str, files: Path) -> Drawn | None:
    """What was drawn before, if nothing has changed since and its files are still there."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["key"] != key:
            return None
        panels = [_panel(value) for value in found["panels"]]
    except (OSError, ValueError, KeyError, TypeError):  # none, or one that was cut off
        return None
    if all((files / f"{p.id}.{suffix}").exists() for p in panels for suffix in FORMATS):
        return panels, found["problems"]
    return None


def _panel(value: dict) -> Panel:
    legend = tuple((role, name, stroke) for role, name, stroke in value["legend"])
    parts = {"table": Table(**value["table"]), "legend": legend, "key": tuple(value["key"])}
    return Panel(**(value | parts))
