"""Live pictures: what the page computes in the reader's browser, one file a picture.

A file in `pictures/` opens with a comment that says where the picture stands and what it shows:

    /* claim: C11
    title: One step of gradient descent after the other
    alt: Contours of a bowl; a point moves down them step by step. */

Shared parts are in `parts.js`. Pictures illustrate; they take no part in a verdict.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import lecture

HERE = Path(__file__).parent
HEADER = re.compile(r"/\*\s*claim: *(\S+)\s+title: *(.+?)\s+alt: *(.+?)\s*\*/\s*", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A live picture: its name, the claim whose card carries it, its words and its script."""

    name: str
    claim: str
    title: str
    alt: str
    script: str


def read(path: Path) -> Picture:
    """The picture in a file.

    Raises:
        ValueError: the opening comment is missing, or names no claim of the lecture.
    """
    text = path.read_text(encoding="utf-8")
    found = HEADER.match(text)
    if not found:
        raise ValueError(f"{path.name} must open with a comment of claim, title and alt")
    claim, title, alt = (" ".join(words.split()) for words in found.groups())
    if claim not in lecture.CLAIMS:
        raise ValueError(f"{path.name}: claim must be one of the lecture's, received {claim!r}")
    return Picture(path.stem, claim, title, alt, text[found.end() :])


def pictures() -> list[Picture]:
    """All live pictures, in the order of the lecture."""
    order = list(lecture.CLAIMS)
    found = [read(path) for path in sorted((HERE / "pictures").glob("*.js"))]
    return sorted(found, key=lambda picture: order.index(picture.claim))


def scripts(shown: list[Picture], others: Sequence[str] = ()) -> list[str]:
    """The parts, then each picture in a scope of its own; nothing where no picture is shown.

    Args:
        shown: the pictures.
        others: further scripts that use the parts.
    """
    if not shown and not others:
        return []
    parts = (HERE / "parts.js").read_text(encoding="utf-8")
    return [parts, *(f"(() => {{\n{picture.script}}})();\n" for picture in shown), *others]


def style() -> str:
    """Their style."""
    return (HERE / "live.css").read_text(encoding="utf-8")
