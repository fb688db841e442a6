"""Reverse mode by hand: gradients of a small graph, with every step and every cost in view.

Lecture section "Gradients of deep networks" (C06, C24, C26 to C30, C65). Training uses
TensorFlow's gradients; this package, in NumPy alone and in float64, shows how they come about.

The forward pass computes values and remembers for each node how it was made:

>>> from suite.autodiff import backward, constant, parameter, sigmoid
>>> x, w = constant([1.0, 2.0], "x"), parameter([2.0, -1.0], "w")
>>> y = sigmoid((w @ x).named("z")).named("y")

The backward pass goes through the nodes in the opposite order. Each holds `delta`, the derivative
of the last node by itself, multiplies it by the Jacobian of its own operation, and sends the result
to its parents, where the contributions of all uses add up:

>>> for step in backward(y):
...     print(step.node.name, step.delta.tolist())
y 1.0
z 0.25
w [0.25, 0.5]

Derivatives are in numerator layout, `jacobian(y, x)[i, j] = dy_i/dx_j`; a `delta` is the row in
front of the Jacobians, kept in the shape of its node.

- `node`, `operations`, `losses`: what a graph is made of; `networks`: the lecture's graphs.
- `sweep`: the backward pass, gradients, contributions of single uses, Jacobians.
- `counting`: multiplications; `chain`: the order in which Jacobians are multiplied.
- `storage`: which activations have to be kept, and checkpointing.
"""

from suite.autodiff.chain import (
    from_the_left,
    from_the_right,
    jacobian_products,
    multiply,
    reverse_sweep,
    without_reuse,
)
from suite.autodiff.counting import Counter
from suite.autodiff.losses import softmax_cross_entropy, squared_error
from suite.autodiff.networks import multilayer_perceptron, recurrence, worked_example
from suite.autodiff.node import Edge, Node, constant, parameter
from suite.autodiff.operations import (
    concatenate,
    correlate2d,
    part,
    relu,
    reshape,
    sigmoid,
    tanh,
    total,
)
from suite.autodiff.storage import Checkpointed, checkpointed_gradients, stored_activations
from suite.autodiff.sweep import Step, backward, contributions, gradients, jacobian

__all__ = [
    "Checkpointed",
    "Counter",
    "Edge",
    "Node",
    "Step",
    "backward",
    "checkpointed_gradients",
    "concatenate",
    "constant",
    "contributions",
    "correlate2d",
    "from_the_left",
    "from_the_right",
    "gradients",
    "jacobian",
    "jacobian_products",
    "multilayer_perceptron",
    "multiply",
    "parameter",
    "part",
    "recurrence",
    "relu",
    "reshape",
    "reverse_sweep",
    "sigmoid",
    "softmax_cross_entropy",
    "squared_error",
    "stored_activations",
    "tanh",
    "total",
    "without_reuse",
    "worked_example",
]
