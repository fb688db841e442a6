"""The tables of the documentation, in Markdown; each row comes from the code it speaks of.

`link(public)` says where a name leads: to its page in the reference, to its file in `library.md`.
"""

import inspect
from itertools import groupby

from benchmarks.lecture import CLAIMS
from docs.backends import KINDS, kind
from docs.lessons import SECTIONS, lesson, named_claims, public_names
from suite._left_out import LEFT_OUT
from suite.activations import PROPERTIES


def opening(link):
    """All tables, each under its heading."""
    return f"""## From the lecture to the library

Sections in the order of the slides; a claim is a statement of the lecture that an experiment
tests.

{lecture(link)}

## Activations by their properties

Slopes: the range of the derivative. Mean and second moment are those of `f(z)` for a unit normal
`z`; the second moment is by how much a layer's weights must be smaller for the signal to keep its
size.

{activations(link)}

## Arguments of Keras that are left out

They are accepted at the values given here, which mean "not used", so that a class can be swapped
for Keras's. Any other value is refused with the reason.

{left_out(link)}

## What runs where

{backends(link)}
"""


def lecture(link):
    """Lecture section, class, claims."""
    rows = []
    for section in SECTIONS:
        names = [(p, claims_in(section, p)) for p in public_names() if section in p.sections]
        names.sort(key=lambda pair: (pair[1] or ("none",), pair[0].package))
        for (claims, package), group in groupby(names, lambda pair: (pair[1], pair[0].package)):
            titles = "<br>".join(f"{claim} {CLAIMS[claim][1]}" for claim in claims)
            links = _links((public for public, _ in group), link)
            rows.append((section, f"`suite.{package}`: {links}", titles))
            section = ""
    return _table(("Lecture section", "Class or function", "Claims"), rows)


def claims_in(section, public):
    """The claims of a name; if it has several sections, those of this one."""
    if len(public.sections) == 1:
        return public.claims
    return tuple(claim for claim in public.claims if claim in named_claims(SECTIONS[section]))


def left_out(link):
    """The arguments of Keras's classes that ours do not have, with the reason."""
    where = {public.name: public for public in public_names() if public.package == "layers"}
    rows = [
        (link(where[cls]), f"`{name}`", ", ".join(f"`{value!r}`" for value in unused), reason)
        for cls, arguments in sorted(LEFT_OUT.items())
        for name, (unused, reason) in arguments.items()
    ]
    return _table(("Class", "Argument", "Accepted", "Why it is left out"), rows)


def activations(link):
    """The properties by which the lecture chooses an activation."""
    where = {public.name: public for public in public_names() if public.package == "activations"}
    rows = [
        (
            link(where[name]),
            f"{p.range}",
            f"{p.slopes}",
            p.saturates,
            p.symmetry,
            "; ".join(
                f"at {k.position:.4g}: {k.slope_below:.4g} to {k.slope_above:.4g}" for k in p.kinks
            )
            or "none",
            "yes" if p.monotone else f"no, lowest at {p.minimum[0]:.4g}",
            f"{p.mean:.4f}",
            f"{p.second_moment:.4f}",
        )
        for name, p in PROPERTIES.items()
    ]
    columns = ("Function", "Range", "Slopes", "Saturates", "Symmetry", "Kinks: slope")
    return _table((*columns, "Monotone", "Mean", "Second moment"), rows)


def backends(link):
    """What each name computes with."""
    names = public_names()
    rows = []
    for what in KINDS:
        chosen = [public for public in names if kind(public.module) == what]
        cells = [
            f"`suite.{package}`: {_links(group, link)}"
            for package, group in groupby(chosen, lambda public: public.package)
        ]
        rows.append((what, "<br>".join(cells)))
    return _table(("Needs", "Classes and functions"), rows)


def contents(package, link):
    """The public names of a package, each with the first line of its docstring."""
    names = [public for public in public_names() if public.package == package]
    rows = [(link(public), _first_line(public)) for public in names]
    return _table(("Name", "What it is"), rows)


def _first_line(public):
    if callable(public.value):
        return inspect.getdoc(public.value).partition("\n")[0]
    return f"Data. {lesson(public.module).partition(chr(10))[0]}"


def _links(group, link):
    return ", ".join(link(public) for public in group)


def _table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
