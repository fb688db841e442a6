"""What a module of the library computes with, read from its imports and those of what it imports.

An import at the top is needed always; one inside a function is needed for a part only.
"""

import ast
from functools import cache

from docs.lessons import file_of, home, tree

NUMPY = "NumPy; Keras only for a Keras model that is handed in"
ANY = "Keras on any backend: TensorFlow, JAX, torch"
TWO = "Keras on TensorFlow and JAX, the whole or a part: its page says which"
TENSORFLOW = "TensorFlow"
KINDS = (ANY, TWO, TENSORFLOW, NUMPY)


def kind(module):
    """One of `KINDS`.

    Example:
        >>> kind("suite.training.train")
        'TensorFlow'
    """
    always, sometimes = needs(module)
    if "tensorflow" in always or "tensorflow_datasets" in always | sometimes:
        return TENSORFLOW
    if "keras" not in always:
        return NUMPY
    return TWO if {"tensorflow", "jax"} <= sometimes else ANY


@cache
def needs(module):
    """The packages from outside that a module imports always, and those that it may import."""
    always, sometimes, seen = set(), set(), set()
    todo = [(module, True)]
    while todo:
        name, certain = todo.pop()
        if (name, certain) in seen:
            continue
        seen.add((name, certain))
        for imported, at_top in imports(name):
            if imported.split(".")[0] == "suite":
                todo.append((imported, certain and at_top))
            else:
                (always if certain and at_top else sometimes).add(imported.split(".")[0])
    return always, sometimes


@cache
def imports(module):
    """Pairs of an imported module and whether the import is at the top of the file."""
    syntax = tree(module)
    found = []
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [imported_from(node.module, alias.name) for alias in node.names]
        else:
            continue
        found += [(name, node in syntax.body) for name in names]
    return found


def imported_from(module, name):
    """The module that `from module import name` reads: a submodule, or what a package passes on."""
    if module.split(".")[0] != "suite":
        return module
    if file_of(f"{module}.{name}").exists():
        return f"{module}.{name}"
    return home(module, name)
