"""The vocabulary of an experiment: frozen records, free of TensorFlow.

An experiment file states a claim, the rule that will judge it, and a function that measures. It
neither plots nor judges. Everything here is data, so a specification can be hashed, stored beside
its results and shown years later without the code that produced it.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from benchmarks import lecture

LENSES = ("convergence", "stability", "generalization")
STREAMS = ("initial weights", "data", "batches", "noise")
KINDS = ("as stated", "as corrected")


# Of a field that older specifications lack: where it is empty it is left out of their hash.
ADDED = {"added": True}


class SpecificationError(ValueError):
    """A specification that cannot be judged or run; the message names the field."""


@dataclass(frozen=True)
class Metric:
    """One number a trial. `better` is "lower", "higher" or None where neither is.

    With `partial`, cells where the number means nothing leave it out; a rule that reads it has to
    choose its cells.
    """

    label: str
    unit: str
    better: str | None = None
    partial: bool = field(default=False, metadata=ADDED)


@dataclass(frozen=True)
class Mutant:
    """A wrong form that the hypothesis's own rule has to reject.

    `changes` replaces fields of that rule, usually `metric` or `where`, so that the rule looks at
    what the wrong form measured instead.
    """

    name: str
    changes: Mapping


@dataclass(frozen=True)
class Hypothesis:
    """A statement and the rule, fixed beforehand, that decides it.

    Args:
        id: claim and a short name, "C12.geometric".
        statement: one sentence that the rule can refute.
        rule: an object of `benchmarks.verdicts`.
        kind: "as stated" on the slide, or "as corrected".
        formula: LaTeX, shown beside the statement.
        mutants: wrong forms that the same rule must refute.
    """

    id: str
    statement: str
    rule: Any  # a benchmarks.verdicts.Rule; that module imports this one
    kind: str = "as corrected"
    formula: str = ""
    mutants: tuple[Mutant, ...] = ()


# --- figures: what to draw, said in the experiment's own names -------------------------------


@dataclass(frozen=True)
class Curves:
    """Curves over their own axis (steps, layers, ...), one color a level of `by`.

    Draws the median (`center="mean"` for the mean) with its 99 % interval, or every run when
    `runs` is True. Theory (dashed) and the slide's form (dotted) come from
    `Measurements.theory` and `.slide` under the same name; `theory_label` says
    which theory, where that word alone does not.
    """

    y: str
    x_label: str
    y_label: str
    title: str
    by: str | None = None
    where: Mapping = field(default_factory=dict)
    log: str = ""  # "", "x", "y" or "xy"
    center: str = "median"
    runs: bool = False
    theory_label: str = field(default="", metadata=ADDED)


@dataclass(frozen=True)
class Lines:
    """A metric against a numeric factor, one color a level of `by`, mean and 99 % interval."""

    x: str
    y: str
    x_label: str
    y_label: str
    title: str
    by: str | None = None
    where: Mapping = field(default_factory=dict)
    log: str = ""
    theory: str | None = None  # a metric that holds the theoretical value
    theory_label: str = field(default="", metadata=ADDED)  # at its line


@dataclass(frozen=True)
class Points:
    """A metric for each level of a categorical factor: every seed as a dot, mean and interval."""

    x: str
    y: str
    x_label: str
    y_label: str
    title: str
    by: str | None = None
    where: Mapping = field(default_factory=dict)
    log: str = ""
    reference: float | None = None  # a dashed horizontal line
    reference_label: str = field(default="", metadata=ADDED)  # at that line


@dataclass(frozen=True)
class Histogram:
    """The distribution of a metric over seeds, one color a level of `by`."""

    x: str
    x_label: str
    title: str
    by: str | None = None
    where: Mapping = field(default_factory=dict)
    log: str = ""
    reference: float | None = None  # a dashed vertical line: the theory
    slide: float | None = None  # a dotted vertical line: the slide's value
    reference_label: str = field(default="", metadata=ADDED)  # at the dashed line


@dataclass(frozen=True)
class Heatmap:
    """The mean of a metric over the product of two factors, one square a pair, a number in each."""

    x: str
    y: str
    value: str
    x_label: str
    y_label: str
    title: str
    where: Mapping = field(default_factory=dict)
    log: bool = False


@dataclass(frozen=True)
class Plane:
    """A picture in the plane, from `Measurements.arrays`: one panel a level of `by`.

    Args:
        x_label, y_label, title: what the axes and the panel say.
        surface: a name; the arrays `name` (rows, columns), `name.x` (columns,) and `name.y` (rows,)
            are drawn as contours.
        points: names of arrays (n, 2); the array `name.label` (n,), if there is one, gives each
            point its class.
        paths: names of arrays (steps, 2): ways from a hollow mark to a filled one; NaN breaks one.
        by: factor whose levels become panels.
        where: levels that choose the cells.
        log: whether the contours' levels are spaced logarithmically.
        lines: names of arrays (points, 2): curves without ends; NaN breaks one.
        probability: whether the surface is the probability of a class: bands, with its half as a
            line.
        pixels: whether the surface is an image, drawn as squares instead of contours.
        across: a factor whose levels stand side by side, those of `by` below each other: small
            multiples without ticks, of which each shows its own range.
    """

    x_label: str
    y_label: str
    title: str
    surface: str | None = None
    points: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    by: str | None = None
    where: Mapping = field(default_factory=dict)
    log: bool = False
    lines: tuple[str, ...] = field(default=(), metadata=ADDED)
    probability: bool = field(default=False, metadata=ADDED)
    pixels: bool = field(default=False, metadata=ADDED)
    across: str | None = field(default=None, metadata=ADDED)


# --- results of one cell ----------------------------------------------------------------------


@dataclass
class Measurements:
    """What `measure` returns for one cell: every seed at once, in the order it was given.

    Args:
        metrics: name -> `(seeds,)`; those declared `partial` may be left out.
        curves: name -> `(seeds, points)`.
        axes: name of a curve -> `(points,)`, its x values; without one, 0, 1, 2, ...
        theory, slide: name of a curve -> `(points,)`, what theory, or the slide, predicts.
        arrays: name -> anything else a picture needs, once a cell.
        diverged: `(seeds,)` of bool: runs whose loss stopped being finite. Their metrics may be
            NaN; those of the others may not.
        diverged_at: `(seeds,)`, the step of it, -1 where it did not happen.
        compile_seconds, run_seconds: wall time of the cell, apart.
    """

    metrics: Mapping[str, np.ndarray]
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    axes: Mapping[str, np.ndarray] = field(default_factory=dict)
    theory: Mapping[str, np.ndarray] = field(default_factory=dict)
    slide: Mapping[str, np.ndarray] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    diverged: np.ndarray | None = None
    diverged_at: np.ndarray | None = None
    compile_seconds: float = 0.0
    run_seconds: float = 0.0

    def check(self, experiment: "Experiment", seeds: int) -> None:
        """Refuse wrong names, wrong shapes and unexplained NaN, in one line each."""
        needed = {name for name, metric in experiment.metrics.items() if not metric.partial}
        missing = needed - set(self.metrics)
        unknown = set(self.metrics) - set(experiment.metrics)
        if missing or unknown:
            raise ValueError(
                f"metrics must be those declared: missing {sorted(missing)}, "
                f"undeclared {sorted(unknown)}"
            )
        diverged = np.zeros(seeds, bool) if self.diverged is None else np.asarray(self.diverged)
        if diverged.shape != (seeds,):
            raise ValueError(f"diverged must have shape ({seeds},), received {diverged.shape}")
        for name, values in self.metrics.items():
            values = np.asarray(values, float)
            if values.shape != (seeds,):
                raise ValueError(
                    f"metric {name!r} must have shape ({seeds},), received {values.shape}"
                )
            bad = ~np.isfinite(values) & ~diverged
            if bad.any():
                raise ValueError(
                    f"metric {name!r} is {values[bad][0]} for seed number {int(np.argmax(bad))}, "
                    "which is not marked as diverged"
                )
        for name, values in self.curves.items():
            shape = np.shape(values)
            if len(shape) != 2 or shape[0] != seeds:
                raise ValueError(
                    f"curve {name!r} must have shape ({seeds}, points), received {shape}"
                )
            for kind in ("axes", "theory", "slide"):
                other = getattr(self, kind).get(name)
                if other is not None and np.shape(other) != shape[1:]:
                    raise ValueError(
                        f"{kind}[{name!r}] must have shape {shape[1:]}, received {np.shape(other)}"
                    )


# --- cells and experiments --------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One combination of the factors, on one device, with the profile's budget.

    Factors and budget are read as attributes: `cell.optimizer`, `cell.steps`.
    """

    factors: Mapping
    budget: Mapping
    device: str = "cpu"

    def __getattr__(self, name):
        for values in ("factors", "budget"):
            mapping = object.__getattribute__(self, values)
            if name in mapping:
                return mapping[name]
        raise AttributeError(f"a cell has no factor or budget entry {name!r}")

    def __reduce__(self):  # __getattr__ would recurse while unpickling
        return (Cell, (dict(self.factors), dict(self.budget), self.device))

    @property
    def label(self) -> str:
        """The factors in one line, for people."""
        return ", ".join(f"{k}={v}" for k, v in self.factors.items()) or "(single cell)"


@dataclass(frozen=True)
class Experiment:
    """A claim of the lecture, put to a test that it can fail.

    Args:
        claim: id in the lecture, "C33".
        lens: one of `LENSES`.
        hypotheses: at least one; as stated and, where the slide is wrong, as corrected.
        measure: `(cell, seeds) -> Measurements`, `seeds` an int64 array.
        metrics: name -> `Metric`.
        figure: one or two of `Curves`, `Lines`, `Points`, `Histogram`.
        factors: name -> levels; the cells are their product.
        seeds: how many, fixed by the power the claim needs (say how, in a comment).
        paired: random streams that compared cells share.
        budget: name -> value, read from the cell; the same in every cell.
        smoke: entries of `budget` that the smoke profile replaces.
        title: defaults to the lecture's.
        finding: one sentence for the reader with `{name}` for numbers of the verdicts; see
            `reports`. Empty: the verdicts' own sentences.
        stated, corrected: the slide's formula and the right one, LaTeX.
        figures: pictures of the lecture that this one stands for, "F15".
        components: dotted names of the classes under test, whose source the report shows.
        limits: what this does not show.
    """

    claim: str
    lens: str
    hypotheses: tuple[Hypothesis, ...]
    measure: Callable
    metrics: Mapping[str, Metric]
    figure: tuple
    factors: Mapping[str, tuple] = field(default_factory=dict)
    seeds: int = 14
    paired: tuple[str, ...] = ()
    budget: Mapping = field(default_factory=dict)
    smoke: Mapping = field(default_factory=dict)
    title: str = ""
    finding: str = ""
    stated: str = ""
    corrected: str = ""
    figures: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    limits: str = ""

    def __post_init__(self):
        check_common(self)
        if not self.hypotheses:
            raise SpecificationError(f"{self.claim}: hypotheses must not be empty")
        for hypothesis in self.hypotheses:
            if not hasattr(hypothesis.rule, "decide"):
                raise SpecificationError(
                    f"{hypothesis.id}: rule must come from benchmarks.verdicts, "
                    f"received {hypothesis.rule!r}"
                )
            if hypothesis.kind not in KINDS:
                raise SpecificationError(
                    f"{hypothesis.id}: kind must be one of {KINDS}, received {hypothesis.kind!r}"
                )
            hypothesis.rule.check(hypothesis.id, self)
            for mutant in hypothesis.mutants:
                try:
                    hypothesis.rule.changed(mutant.changes).check(hypothesis.id, self)
                except TypeError as error:
                    raise SpecificationError(
                        f"{hypothesis.id}: mutant {mutant.name!r} changes "
                        f"{sorted(mutant.changes)}, "
                        f"which the rule does not have ({error})"
                    ) from error

    @property
    def section(self) -> int:
        """Number of the lecture section."""
        return lecture.section_of(self.claim)

    @property
    def heading(self) -> str:
        """Its own title, or the lecture's."""
        return self.title or lecture.title_of(self.claim)

    def cells(self, device: str = "cpu", profile: str = "lecture") -> list[Cell]:
        """The product of the factors, with the profile's budget."""
        return product_of_cells(self, device, profile)


@dataclass(frozen=True)
class Comparison:
    """Contenders on one task under the same tuning budget, seen through three lenses.

    No hypothesis: the result is a table with intervals, and "no clear winner" is allowed. Cells
    are setting x contender x tuning value, every one of them with every seed. A setting is another
    task (a depth, a number of training images): there everything is tuned, ranked and won anew,
    and nothing is pooled over settings.
    Metrics and curves have fixed names, so that every comparison is read the same way:
    metrics `steps_to_target` (NaN-free: the budget + 1 when it was not reached),
    `train_score`, `validation_score`, `test_score`; curves `train_loss`, `validation_score`,
    `gradient_norm`. The tuning value is chosen on `validation_score`, never on the test score.

    Args:
        name: "optimizers", the last part of its id "compare.optimizers".
        contender: (factor name, levels), e.g. ("optimizer", ("SGD", "Adam")).
        tuning: (factor name, levels), e.g. ("learning_rate", (1e-4, ..., 1.0)).
        target: validation score whose first crossing is counted.
        task: one sentence: data, network, budget.
        margin: a tuning value is usable while its median validation score stays within this of
            the contender's best, fixed beforehand.
        settings: factor -> levels under which the whole comparison is repeated.
    """

    name: str
    title: str
    task: str
    contender: tuple[str, tuple]
    tuning: tuple[str, tuple]
    target: float
    margin: float
    measure: Callable
    metrics: Mapping[str, Metric]
    seeds: int = 10
    paired: tuple[str, ...] = ()
    budget: Mapping = field(default_factory=dict)
    smoke: Mapping = field(default_factory=dict)
    components: tuple[str, ...] = ()
    limits: str = ""
    settings: Mapping[str, tuple] = field(default_factory=dict, metadata=ADDED)

    def __post_init__(self):
        check_common(self)
        if set(self.settings) & {self.contender[0], self.tuning[0]}:
            raise SpecificationError(
                f"{self.claim}: settings must differ from contender and tuning, "
                f"received {sorted(self.settings)}"
            )
        needed = {"steps_to_target", "train_score", "validation_score", "test_score"}
        if needed - set(self.metrics):
            raise SpecificationError(
                f"{self.claim}: metrics lack {sorted(needed - set(self.metrics))}"
            )

    @property
    def claim(self) -> str:
        """Its id, in the place where an experiment has its claim."""
        return f"compare.{self.name}"

    @property
    def heading(self) -> str:
        """The title."""
        return self.title

    @property
    def factors(self) -> Mapping[str, tuple]:
        """Settings x contenders x tuning values."""
        return dict(self.settings) | dict((self.contender, self.tuning))

    def cells(self, device: str = "cpu", profile: str = "lecture") -> list[Cell]:
        """Settings x contenders x tuning values, with the profile's budget.

        Smoke, which judges nothing, takes the middle tuning value alone: others run the same code.
        """
        name, values = self.tuning
        middle = values[len(values) // 2]
        return [
            cell
            for cell in product_of_cells(self, device, profile)
            if profile != "smoke" or cell.factors[name] == middle
        ]


def check_common(spec) -> None:
    """What experiments and comparisons have in common is checked in one place."""
    if isinstance(spec, Experiment):
        if spec.claim not in lecture.CLAIMS:
            raise SpecificationError(f"claim must be one of the lecture's, received {spec.claim!r}")
        if spec.lens not in LENSES:
            raise SpecificationError(
                f"{spec.claim}: lens must be one of {LENSES}, received {spec.lens!r}"
            )
    if not isinstance(spec.seeds, int) or spec.seeds < 1:
        raise SpecificationError(f"{spec.claim}: seeds must be positive, received {spec.seeds!r}")
    if not callable(spec.measure):
        raise SpecificationError(f"{spec.claim}: measure must be callable, got {spec.measure!r}")
    for stream in spec.paired:
        if stream not in STREAMS:
            raise SpecificationError(
                f"{spec.claim}: paired must be among {STREAMS}, received {stream!r}"
            )
    for name, levels in spec.factors.items():
        if not isinstance(levels, tuple) or not levels:
            raise SpecificationError(
                f"{spec.claim}: factor {name!r} must be a non-empty tuple, received {levels!r}"
            )
    if set(spec.smoke) - set(spec.budget):
        raise SpecificationError(
            f"{spec.claim}: smoke replaces {sorted(set(spec.smoke) - set(spec.budget))}, "
            "which budget does not have"
        )


def product_of_cells(spec, device: str, profile: str) -> list[Cell]:
    """Every combination of the factors' levels, in the order they are written."""
    budget = dict(spec.budget) | (dict(spec.smoke) if profile == "smoke" else {})
    names = tuple(spec.factors)
    return [
        Cell(dict(zip(names, levels, strict=True)), budget, device)
        for levels in itertools.product(*spec.factors.values())
    ]


# --- serialization: a specification is data ---------------------------------------------------


def to_json(value):
    """A specification as plain JSON values; functions become their qualified names."""
    if is_dataclass(value) and not isinstance(value, type):
        plain = {
            f.name: to_json(getattr(value, f.name))
            for f in fields(value)
            if getattr(value, f.name) or f.metadata != ADDED
        }
        return {"type": type(value).__name__} | plain
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if callable(value):
        return getattr(value, "__qualname__", repr(value))
    return value


def spec_hash(spec) -> str:
    """Content hash of a specification: a threshold moved after the run changes it."""
    text = json.dumps(to_json(spec), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
