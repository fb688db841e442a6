"""What every comparison of trained networks reports."""

from benchmarks.experiment import Measurements


def measured(history, target):
    """A training run as what every comparison reports."""
    curves = ("train_loss", "validation_score", "gradient_norm")
    return Measurements(
        metrics={
            # A run that never gets there, or that diverged, counts one step more than the budget.
            "steps_to_target": history.first_above("validation_score", target).astype(float),
            "train_score": history.scores["train_score"],
            "validation_score": history.scores["validation_score"],
            "test_score": history.scores["test_score"],
        },
        curves={name: history[name] for name in curves},
        axes={name: history.steps.astype(float) for name in curves},
        diverged=history.diverged,
        diverged_at=history.diverged_at,
        compile_seconds=history.compile_seconds,
        run_seconds=history.run_seconds,
    )
