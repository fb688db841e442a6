import pytest

from benchmarks.verdicts import Verdict
from reports.wording import adds, axis_name, powers, rounded


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        ((-0.02046, -0.02946, -0.01146), "−0.020 [−0.029, −0.011]"),
        ((0.948, 0.7197, 1.1763), "0.95 [0.72, 1.18]"),
        ((488.5, 455.4, 521.6), "488 [455, 522]"),
        ((1.5, None, None), "1.5"),
        ((3e-11, 1e-11, 5e-11), "3.00e-11 [1.00e-11, 5.00e-11]"),
    ],
)
def test_digits_end_where_the_interval_does(estimate, shown):
    assert rounded(*estimate) == shown


def test_print_signs():
    text = powers("must lie between -inf and 0.5 at 99 %, 64 x 200 in 5 ms")
    assert text == "must lie at most 0.5 at 99\u00a0%, 64 × 200 in 5\u00a0ms"
    assert powers("2.9e+02 apart, 1e+05") == "290 apart, 1·10⁵"
    assert powers("between 0 and inf") == "at least 0"
    assert powers("information, 2 extra") == "information, 2 extra"


def verdict(label, sentence):
    return Verdict("SUPPORTED", 1.0, None, (0.5, 1.5), 0.99, 7, (0.0, None), label, sentence)


def test_the_axis_has_the_words_of_its_metric():
    metrics = {
        "fd_error": {"label": "deviation from differences", "unit": "1"},
        "drift": {"label": "change of mean square", "unit": "decade"},
    }
    largest = verdict("largest fd error", "")
    assert axis_name(largest, metrics, ["fd_error"]) == "largest deviation from differences"
    change = verdict("drift, depth 4 minus depth 1", "")
    expected = "change of mean square, depth 4 minus depth 1 (decade)"
    assert axis_name(change, metrics, ["drift"]) == expected


def test_a_sentence_that_repeats_is_not_shown_twice():
    assert adds(verdict("drift", "Drift 1 [0.5, 1.5] at 99 %, n = 7.")) == ""
    parts = "All 8 parts hold; the closest to its edge: Drift 1 [0.5, 1.5] at 99 %, n = 7."
    assert adds(verdict("drift", parts)) == "All 8 parts hold; shown is the closest to its edge."
    assert adds(verdict("drift", "Mean 2 against theory 1.")) == "Mean 2 against theory 1."
