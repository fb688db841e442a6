import pytest

from reports.math import blocks, mathml, rich


@pytest.mark.parametrize(
    ("latex", "present", "absent"),
    [
        (r"\mathcal{L}", "ℒ", "mathvariant"),
        (r"\mathbb{E}[x]", "𝔼", "mathvariant"),
        (r"\arg\min_x f", "arg", "\\arg"),
        (r"\|x\|", 'lspace="0"', "\\|"),
        (r"\lVert x \rVert", "‖", "lVert"),
        (r"\bar f", "<mover", "\\bar"),
        (r"\bar{xy}", "<mi>x</mi><mi>y</mi></mrow><mo", "―"),
        (r"\overline{xy}", 'stretchy="true">‾', "―"),
        (r"L\log n", 'rspace="0.17em">log<', "<mi>log"),
        (r"\arg\max_k s", 'rspace="0.17em">arg</mo><msub><mo form="prefix" lspace="0"', "\\arg"),
        (r"\left\| x \right\|", 'stretchy="true"', 'stretchy="false"'),
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


def test_long_formulas_break_between_their_parts_only():
    html = str(blocks(r"a = b, \quad \begin{cases} x & \quad y \\ z & w \end{cases} \qquad d"))
    assert html.count("<math") == 3
    assert html.count("<mtable") == 1
