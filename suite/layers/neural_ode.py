"""The neural ordinary differential equation: a residual network of continuous depth.

Lecture section "LSTM and its variants", claim C69. It is listed there among recurrent networks,
but it has no sequence of inputs: its time is the depth, and all of its depths share their weights.
"""

import keras
from keras import ops
from keras.src.backend.common.variables import AutocastScope

from suite import _arguments as check
from suite._configured import Configured
from suite.ode import SOLVERS, solve, solve_with_adjoint
from suite.ode.integrate import check_control

GRADIENTS = ("backpropagation", "adjoint")


@keras.saving.register_keras_serializable(package="dl_basics")
class NeuralODE(Configured, keras.layers.Layer):
    """Follows a learned vector field from the input to the output.

        dz/dt = field(z)   or   field([z, t])        z(t0) = x        y = z(t1)

    With Euler's method and `L` steps over a unit of time this is `z <- z + field(z) / L`, `L`
    times: a residual network with shared weights and branches scaled by `1 / L`. The map is
    invertible, and trajectories of a field without time do not cross.

    `gradient="backpropagation"` differentiates the computed solution exactly and stores every
    stage of every step; `"adjoint"` solves a second equation backward in time, in memory that
    does not grow with the steps, for twice the evaluations and a gradient up to the solver's
    error (`suite.ode.solve_with_adjoint`).

    The field has to be one function during a solve: it runs in inference mode (no dropout, the
    moving statistics of a normalization, no losses of its outputs) and its state is not updated.
    The state is carried in at least float32 under mixed precision too; the field computes in
    whatever its own policy says.

    Args:
        field: a layer or model that maps a state to its derivative, of the same shape.
        t0: the time of the input.
        t1: the time of the output.
        solver: `"euler"`, `"midpoint"`, `"rk4"` or `"dormand_prince5"`.
        steps: number of equal steps; `None` for error control, with `"dormand_prince5"` only.
        rtol: tolerated error of a step, relative to the state.
        atol: tolerated error of a step, absolute.
        max_steps: the most attempts that error control gets.
        gradient: `"backpropagation"` or `"adjoint"` (not on the torch backend).
        time_dependent: whether the field's input is the state with the time appended to it as
            one more feature.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output the same. A mask passes through.

    Raises:
        ValueError: `field` is not a layer, another argument none of the above; when built, the
            field's output has another shape than the state; when called, `max_steps` attempts do
            not reach `t1`. A compiled program cannot raise: there the output is NaN.

    Example:
        >>> import numpy as np
        >>> turn = keras.layers.Dense(2, use_bias=False)
        >>> layer = NeuralODE(turn, t1=np.pi / 2)
        >>> layer.build((None, 2))
        >>> layer.set_weights([np.array([[0.0, 1.0], [-1.0, 0.0]])])
        >>> y = layer(np.array([[3.0, 0.0]]))  # a quarter turn
        >>> np.abs(y - [[0.0, 3.0]]).max() < 1e-3
        np.True_

    Reference:
        Chen et al. 2018, "Neural Ordinary Differential Equations", equation 2.
    """

    def __init__(
        self,
        field,
        t0=0.0,
        t1=1.0,
        solver="rk4",
        steps=10,
        rtol=1e-3,
        atol=1e-6,
        max_steps=1000,
        gradient="backpropagation",
        time_dependent=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(field, keras.layers.Layer):
            raise ValueError(f"field must be a layer or a model, received {field!r}")
        self.field = field
        self.t0 = check.finite("t0", t0)
        self.t1 = check.finite("t1", t1)
        self.solver = check.choice("solver", solver, SOLVERS)
        check_control(SOLVERS[solver], steps, rtol, atol, max_steps)
        self.steps = steps
        self.rtol = rtol
        self.atol = atol
        self.max_steps = max_steps
        self.gradient = check.choice("gradient", gradient, GRADIENTS)
        self.time_dependent = check.flag("time_dependent", time_dependent)
        self.supports_masking = True

    def build(self, input_shape):
        state_shape = tuple(input_shape)
        extra = 1 if self.time_dependent else 0
        field_input = (*state_shape[:-1], state_shape[-1] + extra)
        # A symbolic call builds fields that are made of other layers, too.
        derivative = self.field(keras.KerasTensor(field_input, dtype=self.compute_dtype))
        if tuple(derivative.shape) != state_shape:
            raise ValueError(
                f"field must return a derivative of the state's shape {state_shape}, "
                f"received {tuple(derivative.shape)}"
            )

    def call(self, x):
        with self._unrounded():
            trainable = [ops.copy(v) for v in self.field.trainable_variables]
            field = self._pure_field()
        control = {"solver": self.solver, "steps": self.steps, "max_steps": self.max_steps}
        control |= {"rtol": self.rtol, "atol": self.atol}
        if self.gradient == "adjoint":
            y = solve_with_adjoint(field, x, trainable, self.t0, self.t1, **control)
        else:
            y = solve(lambda z, t: field(z, t, *trainable), x, self.t0, self.t1, **control)
        return ops.cast(y, self.compute_dtype)

    def _pure_field(self):
        """The field as a function of state, time and weights that changes nothing."""
        fixed = [(v, ops.copy(v)) for v in self.field.non_trainable_variables]

        def field(z, t, *weights):
            if self.time_dependent:
                time = ops.ones_like(z[..., :1]) * ops.cast(t, z.dtype)
                z = ops.concatenate([z, time], axis=-1)
            mapping = [*zip(self.field.trainable_variables, weights, strict=True), *fixed]
            with self._unrounded(), keras.StatelessScope(state_mapping=mapping):
                return self.field(z, training=False)

        return field

    def _unrounded(self):
        # The policy of this layer must not round weights that the field keeps in full precision.
        return AutocastScope(self.field.variable_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
