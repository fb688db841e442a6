import pytest

from reports.math import mathml, rich


@pytest.mark.parametrize(
    ("latex", "present", "absent"),
    [
        (r"\mathcal{L}", "ℒ", "mathvariant"),
        (r"\mathbb{E}[x]", "𝔼", "mathvariant"),
        (r"\arg\min_x f", "arg", "\\arg"),
        (r"\|x\|", 'lspace="0"', "\\|"),
        (r"\lVert x \rVert", "‖", "lVert"),
        (r"\bar f", "<mover", "\\bar"),
        (r"a < b \text{<script>}", "&lt;script&gt;", "<script>"),
    ],
)
def test_formulas_are_mended(latex, present, absent):
    html = str(mathml(latex))
    assert present in html
    assert absent not in html


def test_what_cannot_be_converted_is_shown_as_escaped_code():
    html = str(mathml(r"\begin{<b>"))
    assert "<b>" not in html


def test_text_around_formulas_is_escaped():
    html = str(rich("<i> $x^2$ `a<b`"))
    assert html.startswith("&lt;i&gt; <math")
    assert html.endswith("<code>a&lt;b</code>")
