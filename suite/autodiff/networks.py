"""The lecture's graphs: the worked example, a multilayer perceptron, a recurrence.

Claims C27 and C65. Apart from the worked example vectors are rows, as in the layers: a batch is
`(batch, features)` and a kernel `(inputs, outputs)`.
"""

from collections.abc import Callable, Sequence

from suite.autodiff.node import Node
from suite.autodiff.operations import concatenate, sigmoid, tanh


def worked_example(W: Node, x: Node, b: Node, w: Node) -> Node:
    """The graph that the lecture goes through by hand, up to `z4`.

        z1 = W x        z2 = z1 + b        z3 = sigmoid(z2)        z4 = w^T z3

    Shapes:
        W `(units, features)`, x `(features,)`, b and w `(units,)`, z4 a scalar.

    Example:
        >>> from suite.autodiff import backward, constant, parameter, squared_error
        >>> z4 = worked_example(
        ...     parameter([[1.0, 2.0]], "W"), constant([2.0, -1.0], "x"),
        ...     parameter([0.0], "b"), parameter([4.0], "w"),
        ... )
        >>> for step in backward(squared_error(z4, target=-1.0)):
        ...     print(step.node.name, step.delta.tolist())
        squared_error 1.0
        z4 3.0
        z3 [12.0]
        z2 [3.0]
        b [3.0]
        z1 [3.0]
        W [[6.0, -3.0]]
        w [1.5]
    """
    z1 = (W @ x).named("z1")
    z2 = (z1 + b).named("z2")
    z3 = sigmoid(z2).named("z3")
    return (w @ z3).named("z4")


def multilayer_perceptron(
    x: Node,
    kernels: Sequence[Node],
    biases: Sequence[Node],
    activation: Callable[[Node], Node] = tanh,
) -> list[Node]:
    """The outputs `h1 ... hL` of all layers; the last is linear.

        h_l = activation(h_l-1 @ kernel_l + bias_l)        h_0 = x

    Raises:
        ValueError: not one bias for each kernel, or sizes that do not fit.
    """
    if not kernels or len(kernels) != len(biases):
        raise ValueError(
            f"kernels and biases must be as many, received {len(kernels)} and {len(biases)}"
        )
    outputs = [x]
    for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True), start=1):
        z = (outputs[-1] @ kernel).named(f"product{layer}") + bias
        h = z if layer == len(kernels) else activation(z.named(f"z{layer}"))
        outputs.append(h.named(f"h{layer}"))
    return outputs[1:]


def recurrence(
    xs: Sequence[Node],
    h: Node,
    kernel: Node,
    bias: Node,
    activation: Callable[[Node], Node] = tanh,
) -> list[Node]:
    """A recurrent network, unrolled: the states `h1 ... hT`.

        h_t = activation(cat(h_t-1, x_t) @ kernel + bias)

    Every time step uses the same `kernel`; `contributions(loss, kernel)` shows what each adds to
    its gradient.

    Shapes:
        each of xs `(features,)` or `(batch, features)`, h (the state before the first step)
        `(units,)` or `(batch, units)`, kernel `(units + features, units)`, bias `(units,)`.

    Reference:
        Elman 1990, "Finding structure in time".
    """
    states = [h]
    for time, x in enumerate(xs, start=1):
        z = (concatenate([states[-1], x]) @ kernel).named(f"product{time}") + bias
        states.append(activation(z.named(f"z{time}")).named(f"h{time}"))
    return states[1:]
