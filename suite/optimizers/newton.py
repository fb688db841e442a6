"""Newton's method for any model: let the curvature choose the step.

Lecture section "Gradient-based learning", claims C13 to C16. Gradient descent knows the slope and
has to be told a length; the Hessian says how far the slope lasts, in every direction.
"""

from typing import NamedTuple

import keras
from keras import ops

from suite import _arguments as check
from suite.optimizers._armijo import armijo
from suite.optimizers._derivatives import hessian, linearize
from suite.optimizers._newton_direction import by_cholesky, by_conjugate_gradient

SOLVERS = ("cholesky", "conjugate_gradient")
# Of Keras's common arguments: a gradient that is clipped or averaged does not match its Hessian.
WITHOUT_MEANING = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


class NewtonUpdate(NamedTuple):
    """One step, proposed.

    Attributes:
        weights: all variables after the step, one after the other, shape `(parameters,)`.
        loss: before the step.
        gradient_norm: Euclidean, before the step.
        step_size: share `t` of `delta` that was taken; 0 if no step is downhill.
        positive_definite: whether the solver saw positive curvature alone.
    """

    weights: object
    loss: object
    gradient_norm: object
    step_size: object
    positive_definite: object


@keras.saving.register_keras_serializable(package="dl_basics")
class Newton(keras.optimizers.Optimizer):
    """Damped Newton, with a factorized Hessian or with none at all.

        (H + regularization I) delta = -g           g, H: gradient and Hessian of the loss L at w
        w <- w + t delta                            t = learning_rate, halved until it pays

    The step needs the loss as a function, not just its gradient at one point, so a plain
    `keras.Model` cannot run it: put `suite.training.NewtonStep` before the model class, and
    `compile` and `fit` work as usual. Without a model, call `minimize`.

    Give it the whole data set as one batch. A mini-batch's minimum is not the data set's, and the
    better it is found, the more the step follows the noise. One step minimizes a quadratic loss;
    near a minimum with positive definite `H` the number of correct digits doubles with each step.

    The solvers differ in what they do where `H` is indefinite, and both directions lead downhill:

    * `"cholesky"` forms `H`, `parameters^2` numbers, one Hessian-vector product a row, and
      factorizes it in `parameters^3 / 3` multiplications. If it is not positive definite, a
      multiple of the identity is added, doubled until it is.
    * `"conjugate_gradient"` asks for one Hessian-vector product an iteration, each about two
      gradients' worth, and stores five vectors beside the recorded activations. It stops at the
      first direction of negative curvature.

    Works on the TensorFlow and JAX backends. Half precision: weights may be stored in it, the
    system is solved in float32.

    Args:
        learning_rate: first step size tried, a number, a schedule, or a callable without
            arguments. Below 1, convergence is linear, with the rate `1 - learning_rate`.
        solver: `"cholesky"` or `"conjugate_gradient"`.
        damping: `"armijo"` halves the step until `L` falls by 1e-4 of what the slope promises;
            `None` takes it as it is, and may diverge.
        regularization: Levenberg's multiple of the identity, in units of `H`; zero or positive.
        tolerance: conjugate gradients stop at a residual of `min(tolerance, sqrt(|g|)) |g|`, in
            [0, 1); 0 solves to rounding.
        max_iterations: of conjugate gradients in one step; `None` is the number of parameters,
            enough in exact arithmetic.
        **kwargs: `name`. Keras's others, `weight_decay` to `gradient_accumulation_steps`, change
            gradients one by one and are refused; put a penalty into the loss instead.

    Raises:
        ValueError: an argument out of range, unknown, or refused.
        TypeError: when a model without the mix-in hands over gradients.

    Example:
        >>> w = keras.Variable([1.0, 1.0])
        >>> def loss():  # minimum at w = (3, -2), far from round
        ...     return keras.ops.sum(keras.ops.array([100.0, 0.5]) * (w - [3.0, -2.0]) ** 2)
        >>> update = Newton().minimize(loss, [w])
        >>> [round(float(v), 4) for v in w.numpy()]
        [3.0, -2.0]

    Reference:
        Nocedal & Wright 2006, Numerical Optimization, algorithms 3.1, 3.2, 3.3 and 7.1.
    """

    def __init__(
        self,
        learning_rate=1.0,
        solver="cholesky",
        damping="armijo",
        regularization=0.0,
        tolerance=0.5,
        max_iterations=None,
        **kwargs,
    ):
        super().__init__(check.learning_rate(learning_rate), **kwargs)
        for name in WITHOUT_MEANING:
            if kwargs.get(name):
                raise ValueError(f"{name} must be left out of Newton, received {kwargs[name]!r}")
        self.solver = check.choice("solver", solver, SOLVERS)
        self.damping = None if damping is None else check.choice("damping", damping, ("armijo",))
        self.regularization = check.not_negative("regularization", regularization)
        self.tolerance = check.decay("tolerance", tolerance)
        self.max_iterations = max_iterations
        if max_iterations is not None:
            self.max_iterations = check.positive_integer("max_iterations", max_iterations)

    def apply(self, grads, trainable_variables=None):
        raise TypeError(
            "Newton needs the loss as a function, received gradients: define the model as "
            "class Model(suite.training.NewtonStep, keras.Sequential), or call minimize"
        )

    def minimize(self, loss, variables, state=()):
        """Takes one step.

        Args:
            loss: function without arguments that computes a scalar from the variables. It is
                called several times, and what it assigns to variables is forgotten.
            variables: list of `keras.Variable`, all floating point.
            state: variables that `loss` reads and that are not minimized over; needed only inside
                a `keras.StatelessScope`, which holds their present values.

        Returns:
            The `NewtonUpdate`.
        """
        update = self.propose(loss, variables, state)
        self.accept(update, variables)
        return update

    def accept(self, update, variables):
        """Moves the variables to where `propose` pointed, and applies their constraints."""
        if not self.built:
            self.build(variables)
        for variable, value in zip(variables, _parts(update.weights, variables), strict=True):
            self.assign(variable, value)
            if variable.constraint is not None:
                self.assign(variable, variable.constraint(variable))
        self._iterations.assign_add(1)

    def propose(self, loss, variables, state=()):
        """The step that `minimize` would take; nothing is assigned."""
        present = [(variable, variable.value) for variable in state]
        wide = keras.backend.result_type("float32", *(v.dtype for v in variables))
        w = ops.concatenate([ops.cast(ops.reshape(v, [-1]), wide) for v in variables])

        def objective(w):
            mapping = [*present, *zip(variables, _parts(w, variables), strict=True)]
            with keras.StatelessScope(mapping, collect_losses=True):
                return loss()

        value, g, product = linearize(objective, w)
        delta, positive_definite = self._direction(product, g)
        slope = ops.dot(g, delta)
        t = ops.cast(self.learning_rate, wide)
        if self.damping == "armijo":
            t = armijo(objective, w, delta, value, slope, t)
        t = ops.where(ops.isfinite(slope) & ops.isfinite(value), t, ops.zeros_like(t))
        weights = ops.where(t > 0, w + t * delta, w)
        return NewtonUpdate(weights, value, ops.norm(g), t, positive_definite)

    def _direction(self, product, g):
        def regularized(v):
            return product(v) + self.regularization * v

        if self.solver == "cholesky":
            return by_cholesky(hessian(regularized, g), g)
        iterations = self.max_iterations or g.shape[0]
        return by_conjugate_gradient(regularized, g, self.tolerance, iterations)

    def get_config(self):
        return super().get_config() | {
            "solver": self.solver,
            "damping": self.damping,
            "regularization": self.regularization,
            "tolerance": self.tolerance,
            "max_iterations": self.max_iterations,
        }


def _parts(w, variables):
    """The vector, cut into tensors of the variables' shapes and dtypes."""
    first, parts = 0, []
    for variable in variables:
        count = 1
        for size in variable.shape:
            count *= size
        part = ops.reshape(w[first : first + count], variable.shape)
        parts.append(ops.cast(part, variable.dtype))
        first += count
    return parts
