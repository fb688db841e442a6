"""What a run of `newton` leaves behind."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NewtonHistory:
    """What `newton` did. Entry 0 of every path belongs to the start.

    Attributes:
        weights: shape `(steps + 1, features)`; of a model, all trainable weights one after the
            other, `(steps + 1, parameters)`.
        losses: summed negative log-likelihood, in nats, or the model's loss, shape `(steps + 1,)`.
        gradient_norms: Euclidean norm of the gradient, shape `(steps + 1,)`.
        step_sizes: share of the Newton step that was taken, in (0, 1], shape `(steps,)`.
        outcome: `"converged"`, or why the method stopped: `"no finite minimum"`,
            `"Hessian not positive definite"`, `"no descent"`, `"diverged"`, `"out of steps"`.
    """

    weights: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    step_sizes: np.ndarray
    outcome: str

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return len(self.step_sizes)

    @property
    def converged(self) -> bool:
        """Whether the last weights are a minimum, within the tolerance."""
        return self.outcome == "converged"
