"""The Laplace operator on meshes of a sphere, from the messages of a layer.

Lecture section "Graph neural networks", claim C70. With cotangent weights and the area of each
vertex its eigenvalues come near those of the sphere, l (l + 1), each 2 l + 1 times.
"""

from functools import cache

import numpy as np

DEGREES = range(1, 4)  # l of the spherical harmonics: an icosahedron leaves their 2 l + 1 together
SUBDIVISIONS = (1, 2, 3)


def laplacian(mesh, equal=False):
    """The matrix of a layer whose messages are weighted differences, by giving nodes names."""
    from suite.layers import MessagePassing

    class Differences(MessagePassing):
        def message(self, target, source, edge):
            return target - source if equal else edge * (target - source)

    return np.asarray(Differences(dtype="float64")([np.eye(mesh.n_nodes), mesh.a]))


@cache
def sphere(equal=False):
    """Errors of the mesh's eigenvalues, the length of its edges, and the finest ones themselves.

    With equal weights there is no unit of area: the eigenvalues of l = 1 are set to 2.
    """
    from scipy.sparse import csc_matrix
    from scipy.sparse.linalg import eigsh

    from suite.datasets import icosphere

    degrees = [degree for degree in (0, *DEGREES) for _ in range(2 * degree + 1)]
    exact = np.array([degree * (degree + 1.0) for degree in degrees])
    wrong = np.array([degree**2.0 for degree in degrees])
    lengths, errors = [], []
    for subdivisions in SUBDIVISIONS:
        mesh = icosphere(subdivisions)
        area = np.ones(mesh.n_nodes) if equal else mesh.area
        matrix = laplacian(mesh, equal) / np.sqrt(area[:, None] * area)
        start = np.random.default_rng(0).normal(size=mesh.n_nodes)
        found = eigsh(csc_matrix(matrix), k=len(exact), sigma=-0.1, v0=start)[0]
        found = np.sort(found) * (2 / np.sort(found)[1:4].mean() if equal else 1)
        lengths.append(
            np.linalg.norm(mesh.x[mesh.faces[:, 0]] - mesh.x[mesh.faces[:, 1]], axis=1).mean()
        )
        errors.append([np.abs(found[1:] / form[1:] - 1).max() for form in (exact, wrong)])
    orders = np.polyfit(np.log(lengths), np.log(errors), 1)[0]
    return orders, found, exact
