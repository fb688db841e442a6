"""What the docstrings say about the lecture: its sections and claims, for each public name.

A file opens with its lesson: `Lecture section "Activation normalization", claims C46 to C48.` The
docstring of a name may say which claims are its own, and a package's docstring speaks for the
files that name none.
"""

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import suite

ROOT = Path(suite.__file__).parents[1]

# The sections in slide order, with the claims that are made or used there.
SECTIONS = {
    "Logistic regression": "C01 to C09, C17 to C19",
    "Gradient-based learning": "C10 to C18",
    "Deep networks": "C20 to C25",
    "Gradients of deep networks": "C06, C24, C26 to C30, C65",
    "Stochastic gradient descent": "C30 to C37",
    "Exploding and vanishing gradients": "C38 to C43",
    "Activation normalization": "C44 to C48",
    "Skip connections": "C49",
    "Learning theory": "C50 to C59",
    "Convolutional networks": "C60 to C64",
    "Sequences": "C65 to C68",
    "LSTM and its variants": "C67 to C69",
    "Graph neural networks": "C70",
    "Equivariance": "B1 to B6",
}


@dataclass(frozen=True)
class Public:
    """A public name of the library, and where it is taught."""

    package: str
    name: str
    module: str
    sections: tuple[str, ...]
    claims: tuple[str, ...]

    @property
    def value(self):
        """The class, function or constant itself."""
        return getattr(getattr(suite, self.package), self.name)


def named_sections(text):
    r"""The sections that a docstring names in sentences about the lecture.

    Example:
        >>> named_sections('Lecture sections "Deep networks" (tanh) and "Sequences". Not "this".')
        ('Deep networks', 'Sequences')
        >>> named_sections('Beyond the lecture\'s "Learning theory" (C58).')
        ('Learning theory',)
    """
    sentences = re.findall(r"\blecture(?:'s| sections?) [^.]*", text, re.IGNORECASE)
    return tuple(re.findall(r'"([^"]+)"', " ".join(sentences)))


def named_claims(text):
    """The claims that a docstring names, with those between the ends of a range.

    Example:
        >>> named_claims("claims C46 to C48, and C12, C15 (C58)")
        ('C12', 'C15', 'C46', 'C47', 'C48', 'C58')
    """
    found = {
        (letter, int(number))
        for letter, number in re.findall(r"\b(C(?=\d\d\b)|B(?=\d\b))(\d+)", text)
    }
    for letter, first, last in re.findall(r"\b([BC])(\d+)\s+to\s+\1(\d+)\b", text):
        found.update((letter, number) for number in range(int(first), int(last)))
    # The lecture's first, then what goes beyond it.
    slides = (f"C{number:02}" for letter, number in sorted(found) if letter == "C")
    beyond = (f"B{number}" for letter, number in sorted(found) if letter == "B")
    return (*slides, *beyond)


def section_of(claim):
    """The first section with the claim.

    Example:
        >>> section_of("C48")
        'Activation normalization'
    """
    return next(title for title, claims in SECTIONS.items() if claim in named_claims(claims))


@cache
def public_names():
    """Every public name, package by package, in the order of `__all__`."""
    return tuple(
        taught(package, name)
        for package in suite.__all__
        for name in getattr(suite, package).__all__
    )


def taught(package, name):
    """A public name with its sections and claims: its own, else its file's, else its package's."""
    value = getattr(getattr(suite, package), name)
    module = home(f"suite.{package}", name)
    own = inspect.getdoc(value) if callable(value) else None
    texts = [own or "", lesson(module), lesson(f"suite.{package}")]
    text = next((text for text in texts if named_sections(text) or named_claims(text)), "")
    claims = named_claims(text)
    sections = named_sections(text) or tuple(dict.fromkeys(map(section_of, claims)))
    return Public(package, name, module, sections, claims)


def home(package, name):
    """The module that the package imports the name from.

    Example:
        >>> home("suite.layers", "Dense")
        'suite.layers.dense'
    """
    for node in ast.walk(tree(package)):
        if isinstance(node, ast.ImportFrom) and name in (alias.name for alias in node.names):
            return node.module
    return package


def lesson(module):
    """The docstring of a module, read from its file: some are imported only when needed."""
    return ast.get_docstring(tree(module)) or ""


@cache
def tree(module):
    """The syntax tree of a module of the library."""
    return ast.parse(file_of(module).read_text(encoding="utf-8"))


def file_of(module):
    """The file of a module of the library.

    Example:
        >>> file_of("suite.layers.dense").relative_to(ROOT).as_posix()
        'suite/layers/dense.py'
    """
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
