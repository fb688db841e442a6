"""The documentation says what the code does, all of it, and nothing else."""

import inspect
import re

import keras
import pytest

import suite
from benchmarks.lecture import CLAIMS
from docs import tables
from docs.build import LIBRARY, library_page
from docs.lessons import ROOT, SECTIONS, lesson, named_claims, named_sections, public_names
from docs.markdown import markdown
from suite._left_out import LEFT_OUT

PUBLIC = public_names()
TWINS = [
    pytest.param(getattr(suite, package), name, id=name)
    for package in ("layers", "losses", "initializers", "optimizers")
    for name in getattr(suite, package).__all__
    if inspect.isclass(getattr(getattr(keras, package), name, None))
]
LEFT = [
    pytest.param(cls, name, *entry, id=f"{cls}-{name}")
    for cls, arguments in LEFT_OUT.items()
    for name, entry in arguments.items()
]
# Arguments without a default, by name.
REQUIRED = {"units": 4, "filters": 4, "kernel_size": 2, "pool_size": 2}


def defaults(cls):
    """The optional arguments that a constructor names, or that it may pass on to a base class."""
    return {
        name: parameter.default
        for base in reversed(cls.__mro__)
        for name, parameter in inspect.signature(base.__init__).parameters.items()
        if parameter.default is not parameter.empty
    }


def make(cls, **arguments):
    """An instance; `layer` is what wrappers wrap."""
    required = {
        name: keras.layers.SimpleRNN(3) if name == "layer" else REQUIRED[name]
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    return cls(**required, **arguments)


def test_library_page_is_up_to_date():
    """`python -m docs.build` writes it anew."""
    assert LIBRARY.read_text(encoding="utf-8") == library_page()


def test_library_page_leads_to_files():
    links = re.findall(r"\]\(\.\./([^)]+)\)", LIBRARY.read_text(encoding="utf-8"))
    assert len(links) > len(PUBLIC)
    for link in set(links):
        assert (ROOT / link).is_file(), link


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: f"{public.package}.{public.name}")
def test_every_name_has_its_place_in_the_lecture(public, lecture_table):
    assert public.sections
    assert set(public.sections) <= SECTIONS.keys()
    assert set(public.claims) <= CLAIMS.keys()
    assert f"[{public.package}.{public.name}]" in lecture_table


@pytest.fixture(scope="module")
def lecture_table():
    return tables.lecture(lambda public: f"[{public.package}.{public.name}]")


def test_every_claim_has_a_section():
    assert {c for claims in SECTIONS.values() for c in named_claims(claims)} == CLAIMS.keys()


@pytest.mark.parametrize(
    "text, sections, claims",
    [
        ('Lecture section "Sequences", claims C65\nto C67.', ("Sequences",), "C65 C66 C67"),
        ('Lecture section "Skip connections", claim C49.', ("Skip connections",), "C49"),
        (
            'Lecture sections "A" (tanh; C12,\nC15) and "B" (C58). Not "C".',
            ("A", "B"),
            "C12 C15 C58",
        ),
        ("Counts (C26 to C28, C65).", (), "C26 C27 C28 C65"),
        (
            'Lecture section "Equivariance", claims B2\nto B4, C64.',
            ("Equivariance",),
            "C64 B2 B3 B4",
        ),
        ('Colors like #C12345 and "words" are no claims.', (), ""),
    ],
)
def test_docstrings_are_read(text, sections, claims):
    assert named_sections(text) == sections
    assert named_claims(text) == tuple(claims.split())


@pytest.mark.parametrize("cls, name, unused, reason", LEFT)
def test_what_is_left_out_exists_in_keras_and_is_refused_here(cls, name, unused, reason):
    theirs, ours = getattr(keras.layers, cls), getattr(suite.layers, cls)
    assert name not in inspect.signature(ours).parameters
    for value in unused:
        make(theirs, **{name: value})
        make(ours, **{name: value})
    with pytest.raises((TypeError, ValueError)):  # so Keras looks at the name
        make(theirs, **{f"no_{name}": unused[0]})
    with pytest.raises(ValueError, match=re.escape(f"{name} is left out ({reason}), received 'x'")):
        make(ours, **{name: "x"})


@pytest.mark.parametrize("package, name", TWINS)
def test_every_argument_of_keras_is_taken_or_left_out(package, name):
    theirs = getattr(getattr(keras, package.__name__.rpartition(".")[2]), name)
    assert forgotten(getattr(package, name), theirs) == []


def test_a_forgotten_argument_is_noticed(monkeypatch):
    monkeypatch.delitem(LEFT_OUT["Dense"], "lora_rank")  # in the signature of Keras's class
    monkeypatch.delitem(LEFT_OUT["Conv2D"], "lora_rank")  # passed on to Keras's base class
    assert forgotten(suite.layers.Dense, keras.layers.Dense) == ["lora_rank"]
    assert forgotten(suite.layers.Conv2D, keras.layers.Conv2D) == ["lora_rank"]


def forgotten(ours, theirs):
    """Arguments that Keras's class accepts at their default, and ours does not even name."""
    known = inspect.signature(ours).parameters.keys() | LEFT_OUT.get(ours.__name__, {}).keys()
    return [
        name
        for name, default in defaults(theirs).items()
        if name not in known and accepts(theirs, name, default) and not accepts(ours, name, default)
    ]


def accepts(cls, argument, default):
    try:
        make(cls, **{argument: default})
    except (TypeError, ValueError):
        return False
    return True


def test_sections_of_docstrings_become_headings():
    page = markdown(inspect.getdoc(suite.layers.BatchNormalization))
    assert re.findall("^###### (.*)", page, re.MULTILINE) == [
        "Args",
        "Shapes",
        "Raises",
        "Example",
        "Reference",
    ]
    assert "\n    z = (x - mean(x)) / sqrt(var(x) + epsilon)" in page
    assert "\n- `center`: whether there is a `beta`.\n" in page


def test_every_file_says_its_lesson():
    for public in PUBLIC:
        assert lesson(public.module), public.module
