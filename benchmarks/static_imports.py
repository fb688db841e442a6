"""Which file does a name come from? Answered by reading source, never by importing it.

So the code version of an experiment, and the source of the classes it tests, are known without
TensorFlow.
"""

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # the checkout


@dataclass(frozen=True)
class Import:
    """One imported name: `from module import name as bound`, or `import module`."""

    module: str
    name: str | None
    bound: str


def file_of(module: str, root: Path = ROOT) -> Path | None:
    """The file of a dotted module name, or None if the checkout has none."""
    path = root.joinpath(*module.split("."))
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    file = path.with_name(path.name + ".py")
    return file if file.is_file() else None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def parse(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return _parsed(file.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module, module: str, is_package: bool) -> list[Import]:
    """Every import in a file, those inside functions included; relative ones made absolute."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(a.name, None, a.asname or a.name) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = len(parts) - node.level + is_package
                origin = ".".join([*parts[:kept], *([node.module] if node.module else [])])
            found += [Import(origin, a.name, a.asname or a.name) for a in node.names]
    return found


def modules_of(imported: Import, root: Path = ROOT) -> list[str]:
    """The modules whose code an import needs.

    A package's `__init__` that only passes a name on leads to the module that defines the name,
    not to everything else the package exports: another layer's change does not concern it.
    """
    if imported.name is None:
        return [imported.module]
    inner = f"{imported.module}.{imported.name}"
    if file_of(inner, root):
        return [inner]
    file = file_of(imported.module, root)
    if file is None:
        return []
    if file.name == "__init__.py":
        for passed in imports_of(parse(file), imported.module, True):
            if passed.bound == imported.name and passed.name is not None:
                return modules_of(passed, root) or [imported.module]
    return [imported.module]


def source_of(dotted: str, root: Path = ROOT) -> str | None:
    """The source of the class or function with this dotted name, None if there is none."""
    module, _, name = dotted.rpartition(".")
    if not module:
        return None
    for defining in modules_of(Import(module, name, name), root):
        file = file_of(defining, root)
        if file is None:
            continue
        text = file.read_text(encoding="utf-8")
        for node in parse(file).body:
            if getattr(node, "name", None) == name:
                return ast.get_source_segment(text, node)
        if defining == dotted:  # a whole module
            return text
    return None
