"""Ridge regression, and the Gaussian prior it stands for.

Lecture section "Learning theory" (C53). Adding `strength ||w||^2` to the summed squared error is
the same as looking for the most probable weights under a Gaussian prior.
"""

import numpy as np


def ridge(features, y, strength):
    """The weights that minimize `||y - Phi w||^2 + strength ||w||^2`.

        w = (Phi^T Phi + strength I)^-1 Phi^T y = V diag(s / (s^2 + strength)) U^T y

    with the singular value decomposition `Phi = U diag(s) V^T`. The right-hand form is computed:
    it does not square the condition number, as `Phi^T Phi` does, and with `strength=0` it gives
    ordinary least squares, of minimum norm where the solution is not unique.

    The error is a *sum* over the samples: next to a mean, divide `strength` by their number.
    Every weight is penalized, a bias too if `features` has a constant column.

    Args:
        features: `Phi`, shape `(..., samples, features)`.
        y: targets, shape `(..., samples)`. Leading axes broadcast against those of `features`, so
            that many data sets, or many draws of the noise, are solved in one call.
        strength: at least 0. An array `(...)` broadcasts against the leading axes of the others:
            the whole path of `(strengths,)` costs one decomposition.

    Returns:
        shape `(..., features)`.

    Raises:
        ValueError: negative `strength`, NaN or infinite data, or shapes that do not fit.

    Example:
        >>> ridge([[1.0], [2.0]], [1.0, 2.0], strength=5.0).tolist()  # 5 / (5 + 5)
        [0.5]
    """
    features, y = np.asarray(features, float), np.asarray(y, float)
    strengths = np.asarray(strength, float)[..., None]  # against the singular values
    if not np.all(np.isfinite(strengths) & (strengths >= 0)):
        raise ValueError(f"strength must be finite and not negative, received {strength}")
    if features.ndim < 2:
        raise ValueError(f"features must be a matrix, received shape {features.shape}")
    if y.ndim < 1 or y.shape[-1] != features.shape[-2]:
        raise ValueError(
            f"y must have {features.shape[-2]} targets, one a row of features, "
            f"received shape {y.shape}"
        )
    for name, array in (("features", features), ("y", y)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, received {array[~np.isfinite(array)][0]}")
    u, s, vt = np.linalg.svd(features, full_matrices=False)
    # Singular values below the rounding of the largest are zeros (NumPy's matrix_rank rule).
    noise_floor = s[..., :1] * max(features.shape[-2:]) * np.finfo(float).eps
    kept = s > np.where(strengths == 0, noise_floor, 0)
    shrunk = np.divide(s, s**2 + strengths, out=np.zeros(kept.shape), where=kept)
    projected = np.einsum("...nk,...n->...k", u, y)
    return np.einsum("...kp,...k->...p", vt, shrunk * projected)


def map_weights(features, y, noise_sd, prior_sd):
    """The most probable weights after seeing the data: `arg max_w p(y | w) p(w)`.

        y ~ N(Phi w, noise_sd^2 I)        w ~ N(0, prior_sd^2 I)

    The log posterior is `-||y - Phi w||^2 / (2 noise_sd^2) - ||w||^2 / (2 prior_sd^2)` up to a
    constant, so this is `ridge` with `strength = noise_sd^2 / prior_sd^2`. `prior_sd=inf` is
    maximum likelihood.

    Args:
        features: `Phi`, shape `(..., samples, features)`.
        y: targets, shape `(..., samples)`.
        noise_sd: standard deviation of the noise, in units of `y`, positive.
        prior_sd: standard deviation of each weight, positive, possibly infinite.
    """
    if not (np.isfinite(noise_sd) and noise_sd > 0):
        raise ValueError(f"noise_sd must be finite and positive, received {noise_sd}")
    if not prior_sd > 0:
        raise ValueError(f"prior_sd must be positive, received {prior_sd}")
    return ridge(features, y, strength=(noise_sd / prior_sd) ** 2)
