"""Chosen claims as slides: statement, formulas, picture and verdict, in one file."""

from fnmatch import fnmatchcase
from pathlib import Path

from markupsafe import Markup

from benchmarks import lecture
from benchmarks.store import Store
from reports import live
from reports.drawn import panels_of
from reports.load import load
from reports.page import environment, minified, static, stylesheet


class NothingToShow(ValueError):
    """No claim of the stores matches."""


def deck(paths: list[Path], out: Path, only: list[str], title: str) -> tuple[Path, int]:
    """Write the deck.

    Args:
        paths: stores, as for the page.
        out: the file that is written.
        only: globs of claims, "C1*"; all that have a result if empty.
        title: of the first slide.

    Returns:
        the file, and how many claims it shows.

    Raises:
        NothingToShow: no claim with a result matches.
    """
    stores = [Store.read(path) for path in paths]
    report = load(stores)
    wanted = [glob.upper() for glob in only] or ["*"]
    claims = [
        claim
        for claim in report.claims
        if claim.cells and any(fnmatchcase(claim.claim, glob) for glob in wanted)
    ]
    if not claims:
        raise NothingToShow(f"only must match a claim with a result, received {', '.join(wanted)}")
    cards = {claim.claim: {"panels": panels_of(claim)[0]} for claim in claims}
    names = set(cards)
    pictures = [picture for picture in live.pictures() if picture.claim in names]
    scripts = [static("slides.js"), *live.scripts(pictures)]
    page = (
        environment()
        .get_template("slides.html.j2")
        .render(
            title=title, claims=claims, cards=cards, sections=lecture.SECTIONS, live=pictures,
            style=Markup(stylesheet() + minified(static("slides.css"))),
            scripts=[Markup(script) for script in scripts],
        )
    )  # fmt: skip
    for store in stores:
        store.close()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out, len(claims)
