"""Writes `docs/library.md` and, with pdoc, the API reference: `docs/out/index.html`.

    python -m docs.build        or: tox -e docs

A file with public names has a page: its lesson, then each class with its equation, shapes, errors,
example and source. Nothing is loaded from the network, when the pages are built or when read.
"""

import ast
import importlib
import re
import shutil
import sys
from pathlib import Path

from docs import tables
from docs.lessons import file_of, lesson, public_names, tree
from docs.markdown import markdown

DOCS = Path(__file__).parent
OUT = DOCS / "out"
LIBRARY = DOCS / "library.md"


def to_source(public):
    """A link from `library.md` to the file."""
    return f"[`{public.name}`](../{public.module.replace('.', '/')}.py)"


def to_page(public):
    """A link from the opening page of the reference."""
    return f"[`{public.name}`]({public.module.replace('.', '/')}.html#{public.name})"


def library_page():
    """The text of `library.md`."""
    return f"""# The library and the lecture

`python -m docs.build` writes this page from the docstrings, so change those. The full reference,
with equations, shapes, errors and examples, comes from `tox -e docs`.

{tables.opening(to_source)}"""


def pages():
    """Modules with a page, in order, each with the names that it shows.

    They are the packages, the files that public names come from, and files that their package's
    docstring speaks of; these show all that they define.
    """
    shown = {"suite": []}
    for public in public_names():
        shown.setdefault(f"suite.{public.package}", [])
        shown.setdefault(public.module, []).append(public.name)
    for package in list(shown):
        for module in re.findall(rf"`({package}\.\w+)`", lesson(package)):
            if module not in shown and file_of(module).exists():
                shown[module] = defined(module)
    return dict(sorted(shown.items()))


def defined(module):
    """The names that a file defines for others."""
    kinds = (ast.ClassDef, ast.FunctionDef)
    names = [node.name for node in tree(module).body if isinstance(node, kinds)]
    return [name for name in names if not name.startswith("_")]


def write_reference(out):
    """Renders all pages into a folder."""
    import pdoc

    shown = pages()
    parts = {name: [page for page in shown if package_of(page) == name] for name in shown}
    env = pdoc.render.env
    env.filters |= {"to_markdown": markdown, "is_shown": is_shown}
    env.globals["imported_from"] = {p.module: f"suite.{p.package}" for p in public_names()}
    env.globals["parts"] = {name: inside for name, inside in parts.items() if inside}
    env.globals["tables"] = {name: opening(name) for name in env.globals["parts"]}
    pdoc.render.configure(template_directory=DOCS / "templates")
    modules = {name: importlib.import_module(name) for name in shown}
    for name, names in shown.items():
        modules[name].__all__ = names
    documented = {name: pdoc.doc.Module(module) for name, module in modules.items()}
    shutil.rmtree(out, ignore_errors=True)
    for name, module in documented.items():
        path = out / f"{name.replace('.', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pdoc.render.html_module(module, documented), encoding="utf-8")
    (out / "index.html").write_text(pdoc.render.html_index(documented), encoding="utf-8")
    (out / "search.js").write_text(pdoc.render.search_index(documented), encoding="utf-8")


def opening(package):
    """The tables on the page of a package."""
    if package == "suite":
        return tables.opening(to_page)
    name = package.removeprefix("suite.")
    return tables.contents(name, lambda public: to_page(public).replace("(suite/", "("))


def package_of(module):
    """The module above."""
    return module.rpartition(".")[0]


def is_shown(doc):
    """Of a module, the names it is to show; of a class, what is explained in its own file."""
    if doc.kind == "module":
        return True
    if "." not in doc.qualname:
        return doc.name in sys.modules[doc.modulename].__all__
    first_line = doc.docstring.partition("\n")[0]
    explained = first_line and first_line in file_of(doc.modulename).read_text(encoding="utf-8")
    return bool(explained) and not doc.name.startswith("_")


if __name__ == "__main__":
    LIBRARY.write_text(library_page(), encoding="utf-8")
    write_reference(OUT)
