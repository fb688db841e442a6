"""A loop of bounded length that compiles, and that every backend differentiates in reverse."""

import keras
from keras import ops


def repeat(body, state: tuple, limit: int, finished=None) -> tuple:
    """Applies `state = body(*state)` up to `limit` times, or until `finished(*state)`.

    JAX has no reverse mode through its while loop, so there the loop runs over the whole limit
    and idles once it is finished. TensorFlow needs the limit to compile the gradient.
    """
    if keras.backend.backend() != "jax":
        return ops.while_loop(
            lambda count, *state: (
                count < limit
                if finished is None
                else ops.logical_and(count < limit, ops.logical_not(finished(*state)))
            ),
            lambda count, *state: (count + 1, *body(*state)),
            (ops.convert_to_tensor(0, "int32"), *state),
            maximum_iterations=limit,
        )[1:]

    def once(state, _):
        if finished is None:
            return body(*state), None
        return ops.cond(finished(*state), lambda: state, lambda: body(*state)), None

    return ops.scan(once, state, length=limit)[0]
