r"""LaTeX to MathML that browsers render by themselves, and plain text around it.

`latex2mathml` leaves a few things that MathML Core does not understand; they are mended here. Its
own serializer also turns `&lt;` back into `<`, so the tree is serialized by the standard library.
"""

import html
import re
import unicodedata
from itertools import pairwise
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

# MathML Core ignores mathvariant except "normal": the letter itself has to be the right one.
VARIANTS = {
    "script": "SCRIPT",
    "bold-script": "BOLD SCRIPT",
    "double-struck": "DOUBLE-STRUCK",
    "fraktur": "FRAKTUR",
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "sans-serif": "SANS-SERIF",
    "monospace": "MONOSPACE",
}
FUNCTIONS = frozenset(("log", "ln", "exp", "sin", "cos", "tan", "tanh", "det", "arg"))
OPERATORS = frozenset(("arg", "max", "min", "sup", "lim"))  # else spaced like relations
# Commands that the converter does not know, in terms that it does.
REPLACEMENTS = (
    (r"\\arg(?![a-z])", r"\\operatorname{arg}"),
    (r"\\mathrm(?=\s*\{[A-Za-z]+\})", r"\\text"),  # a single letter would lose its uprightness
    (r"\\bm(?![a-z])", r"\\mathbf"),
    (r"\\(?:l|r)Vert(?![a-z])", r"\\|"),
    (r"\\tfrac(?![a-z])", r"\\frac"),
    # Its own bar is misplaced over tall letters.
    (r"\\bar\s*(?:\{([^{}]*)\}|(\\[A-Za-z]+|[A-Za-z]))", r"\\overline{\1\2}"),
)


def letter(character: str, variant: str) -> str:
    """A letter in a mathematical alphabet, or unchanged where Unicode has none.

    >>> letter("L", "script"), letter("E", "double-struck"), letter("7", "script")
    ('ℒ', '𝔼', '7')
    """
    style = VARIANTS.get(variant)
    if style is None or not character.isascii() or not character.isalnum():
        return character
    kind = "DIGIT" if character.isdigit() else "CAPITAL" if character.isupper() else "SMALL"
    what = unicodedata.name(character).split()[-1]
    # A handful of letters were encoded before the mathematical block, under their old names.
    for name in (f"MATHEMATICAL {style} {kind} {what}", f"{style} {kind} {what}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return character


def _mend(element) -> None:
    for node in element.iter():
        if node.text:
            node.text = html.unescape(node.text)
        variant = node.attrib.get("mathvariant")
        if variant in VARIANTS:
            del node.attrib["mathvariant"]
            node.text = "".join(letter(c, variant) for c in node.text or "")
        fence = node.attrib.get("fence") == "true"  # of \left and \right: grows as it should
        if node.tag == "mo" and node.text in ("‖", "∥", "|", "/") and not fence:
            # As operators these get the spacing of relations, which tears a norm apart.
            node.attrib |= {"lspace": "0", "rspace": "0", "stretchy": "false"}
        if node.tag == "mo" and node.text == "―" and "accent" in node.attrib:
            # This dash keeps its length; an overline grows over all of what it covers.
            node.text = "\N{OVERLINE}"
            node.attrib |= {"stretchy": "true"}
        if node.tag == "mo" and (node.text or "") in ("↑", "↓"):
            node.attrib["stretchy"] = "false"  # says "rises", and is no fence
        if node.tag == "mo" and (node.text or "") in OPERATORS:
            node.attrib |= {"form": "prefix", "lspace": "0", "rspace": "0.17em"}
        for name, after in pairwise(node):
            # Names of functions get no space by themselves, and stick to what follows: "logn".
            if name.tag == "mi" and name.text in FUNCTIONS and after.text not in ("(", "&#x00028;"):
                name.tag = "mo"
                name.attrib |= {"form": "prefix", "lspace": "0.17em", "rspace": "0.17em"}
        if node.tag == "mi" and (node.text or "").startswith("\\"):
            node.text = node.text[1:]


def mathml(latex: str, display: bool = False) -> Markup:
    r"""A formula as MathML; as code, escaped, where the converter gives up.

    >>> "<script>" in mathml(r"\text{<script>}")
    False
    """
    source = latex.strip().strip("$")
    for pattern, replacement in REPLACEMENTS:
        source = re.sub(pattern, replacement, source)
    try:
        element = convert_to_element(source, display="block" if display else "inline")
        _mend(element)
        element.attrib.pop("xmlns", None)
        return Markup(ElementTree.tostring(element, encoding="unicode"))  # escaped by ElementTree
    except Exception:  # any failure of the converter: the source is still worth showing
        return Markup("<code>") + escape(latex) + Markup("</code>")


def pieces(latex: str) -> list[str]:
    r"""A formula cut at the wide spaces that are in no group, so that lines can break there.

    >>> pieces(r"a = b, \quad c_{d \quad e} \qquad f")
    ['a = b,', 'c_{d \\quad e}', 'f']
    """
    out, depth, start = [], 0, 0
    for match in re.finditer(r"\\(?:begin|left|end|right|qquad|quad)(?![A-Za-z])|\\.|[{}]", latex):
        token = match.group()
        if token in ("{", r"\begin", r"\left"):
            depth += 1
        elif token in ("}", r"\end", r"\right"):
            depth -= 1
        elif token in (r"\quad", r"\qquad") and depth == 0:
            out.append(latex[start : match.start()].strip())
            start = match.end()
    return [piece for piece in (*out, latex[start:].strip()) if piece]


def blocks(latex: str) -> Markup:
    """A displayed formula, as one element a piece."""
    return Markup("").join(mathml(piece, display=True) for piece in pieces(latex))


def rich(text: str) -> Markup:
    """Plain text, escaped, in which `$...$` are formulas and backquotes are code."""
    out = Markup()
    for part in re.split(r"(\$[^$]+\$|`[^`]+`)", text):
        if len(part) > 2 and part[0] == part[-1] == "$":
            out += mathml(part)
        elif len(part) > 2 and part[0] == part[-1] == "`":
            out += Markup("<code>") + escape(part[1:-1]) + Markup("</code>")
        else:
            out += escape(part)
    return out
