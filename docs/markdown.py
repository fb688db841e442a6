"""Docstrings as Markdown: their sections become headings, and their arguments lists.

pdoc reads Google's style too, but takes every line that ends in a colon for a section.
"""

import re
from textwrap import dedent, indent

LISTS = ("Args", "Attributes", "Raises")
PROSE = ("Returns", "Shapes", "Example", "Reference")
_SECTION = re.compile(rf"^({'|'.join(LISTS + PROSE)}):\n((?:\n|[ ]+.*(?:\n|\Z))+)", re.MULTILINE)


def markdown(docstring):
    r"""The docstring with its sections as headings.

    Example:
        >>> print(markdown("Sum.\n\nArgs:\n    x, y: numbers,\n        real.\n"))
        Sum.
        <BLANKLINE>
        ###### Args
        <BLANKLINE>
        - `x, y`: numbers,
          real.
        <BLANKLINE>
    """
    return _SECTION.sub(_section, docstring)


def _section(match):
    name, body = match[1], dedent(match[2]).strip("\n")
    if name in LISTS:
        items = re.split(r"\n(?=\S)", body)
        body = "\n".join(_item(item) for item in items)
    return f"###### {name}\n\n{body}\n"


def _item(item):
    head, colon, text = item.partition(":")
    if not colon or "\n" in head:
        return f"- {indent(dedent(item), '  ').strip()}"
    first, _, rest = text.strip().partition("\n")
    return f"- `{head}`: {first}" + (f"\n{indent(dedent(rest), '  ')}" if rest else "")
