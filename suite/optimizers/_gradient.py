"""What every update step does to its inputs first."""

from keras import ops


def dense(gradient, variable):
    """The gradient as an ordinary tensor of the variable's dtype.

    An embedding's gradient arrives as rows and their indices, where an index may repeat. The
    moving averages move in every row, so nothing is saved by keeping it sparse, and the square of
    a repeated row must be taken after the rows are added up.
    """
    gradient = ops.cast(gradient, variable.dtype)
    if hasattr(gradient, "indices"):
        return ops.add(ops.zeros_like(variable), gradient)
    return gradient
