"""What the page knows of its live pictures without a browser."""

import re

import pytest

from benchmarks import lecture
from reports import live


def test_every_picture_has_a_claim_words_and_a_name_of_its_own():
    found = live.pictures()
    assert len({p.name for p in found}) == len(found) >= 13
    for p in found:
        assert p.claim in lecture.CLAIMS and p.title and len(p.alt) > 60
        assert re.search(rf'^live\("{p.name}",', p.script)
        assert "fetch(" not in p.script and "http" not in p.script


@pytest.mark.parametrize(
    "text, words",
    [
        ("live('x')", "x.js must open with a comment of claim, title and alt"),
        (
            "/* claim: C99\ntitle: T\nalt: A */",
            "claim must be one of the lecture's, received 'C99'",
        ),
    ],
)
def test_a_header_that_says_too_little(tmp_path, text, words):
    path = tmp_path / "x.js"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(words)):
        live.read(path)


def test_no_scripts_without_pictures():
    assert live.scripts([]) == []
