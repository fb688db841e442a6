"""The two figures of a comparison: loss at the tuned value, and score against the tuning value."""

import warnings

import matplotlib
import numpy as np

from benchmarks import statistics
from benchmarks.experiment import Curves
from reports import drawing, figures
from reports.comparison import ComparisonResult, Tuned
from reports.load import ComparisonView


def tuned_cells(view: ComparisonView) -> tuple[dict[str, list[Tuned]], float]:
    """Contender -> its finished cells by tuning value, and the sign of a better score."""
    (who, names), (what, values) = view.spec["contender"], view.spec["tuning"]
    sign = -1.0 if view.spec["metrics"]["validation_score"]["better"] == "lower" else 1.0
    found: dict[str, list[Tuned]] = {}
    for name in names:
        cells = [c for c in view.cells if c.status == "done" and c.factors[who] == name]
        cells.sort(key=lambda c: values.index(c.factors[what]))
        if cells:
            found[str(name)] = [
                Tuned(c.factors[what], c.seeds, c.metrics, c.diverged) for c in cells
            ]
    return found, sign


def comparison_panels(
    view: ComparisonView, result: ComparisonResult, contenders: dict[str, list[Tuned]]
) -> list[figures.Panel]:
    """Convergence at the tuned value, and robustness to the tuning."""
    panels = []
    slug = view.claim.replace(".", "-").replace(" ", "-")
    with matplotlib.rc_context(drawing.RENDERING):
        loss = _loss(view, result, slug)
        if loss:
            panels.append(loss)
        panels.append(_tuning(view, result, contenders, slug))
    return panels


def _loss(view, result, slug):
    who, what = view.spec["contender"][0], view.spec["tuning"][0]
    stored = view.store.curves(view.claim, "train_loss", view.device)
    series = []
    for contender in result.contenders:
        for factors, axis, values, _, _ in stored:
            if str(factors[who]) != contender.name or factors[what] != contender.chosen:
                continue
            values = np.asarray(values, float)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # diverged runs
                center, low, high = statistics.median_band(
                    np.where(np.isnan(values), np.inf, values)
                )
            axis = np.asarray(axis, float)
            series.append(figures.Series(contender.name, axis, center, low, high, n=len(values)))
    if not series:
        return None
    positive = all(np.nanmin(s.center) > 0 for s in series)
    spec = Curves("train_loss", "step", "training loss", "Training loss at each tuned value")
    return figures.line_panel(
        f"{slug}-loss", spec.title, spec.x_label, spec.y_label, series, "y" if positive else ""
    )


def _tuning(view, result, contenders, slug):
    what = view.spec["tuning"][0].replace("_", " ")
    series = []
    for contender in result.contenders:
        rows = contender.validation
        numeric = all(isinstance(v, (int, float)) for v, *_ in rows)
        x = np.array([float(v) if numeric else i for i, (v, *_) in enumerate(rows)])
        columns = np.array([[m, low, high] for _, m, low, high in rows], float)
        columns[~np.isfinite(columns)] = np.nan
        n = len(contenders[contender.name][0].seeds)
        series.append(figures.Series(contender.name, x, *columns.T, n=n, markers=True))
    log = "x" if all((s.x > 0).all() and s.x.max() / s.x.min() >= 100 for s in series) else ""
    label = view.spec["metrics"]["validation_score"]["label"]
    return figures.line_panel(
        f"{slug}-tuning", f"How much the {what} matters", what, label, series, log
    )
