"""Graphs: a social network, communities, molecules and a mesh, as Spektral's `Graph`.

Lecture section "Graph neural networks" (C70). Spektral's containers and loaders carry the data;
the layers of `suite.layers` compute with it. In every adjacency, a SciPy matrix, row `i` holds what
arrives at node `i`; these graphs are symmetric.
"""

import numpy as np

VALENCES = (4, 3, 2)  # bonds of carbon, nitrogen, oxygen
SHARES = (0.7, 0.15, 0.15)  # of these three among the atoms
MOST_TRIES = 1000  # in a row; with two rings and eight atoms most molecules succeed


def karate_club():
    """34 members of a karate club and who met whom, before the club split in two (C70).

    Returns:
        a Spektral `Graph`: `x` names each member by a column of its own, `(34, 34)`; `a` is 1 where
        two met; `y` is the side each took, 0 (the instructor's) or 1 `(34,)`.

    Example:
        >>> club = karate_club()
        >>> club.n_nodes, club.n_edges // 2, club.y.tolist().count(0)
        (34, 78, 17)

    Reference:
        Zachary 1977, "An information flow model for conflict and fission in small groups"; the copy
        in NetworkX, without the weights.
    """
    import networkx as nx

    club = nx.karate_club_graph()
    sides = [club.nodes[member]["club"] != "Mr. Hi" for member in club]
    a = nx.to_numpy_array(club, weight=None)
    return _graph(np.eye(len(a)), a, np.array(sides, int))


def stochastic_block_model(sizes, within, between, seed, separation=1.0):
    """Communities: members of one block are joined more often than members of two (C70).

        P(a_ij = 1) = within   if y_i = y_j,   between   otherwise,          i < j
        x_i ~ N(separation e_{y_i}, I)

    with a coordinate axis `e` for each block: features alone leave doubt about the block.

    Args:
        sizes: nodes of each block.
        within: probability of an edge inside a block.
        between: of an edge between two blocks.
        seed: of edges and features.
        separation: distance of each mean from the origin, in standard deviations.

    Returns:
        a Spektral `Graph` with `x` `(nodes, blocks)` and `y` `(nodes,)`.

    Raises:
        ValueError: a probability is outside [0, 1], or a size below 1.
    """
    for name, probability in (("within", within), ("between", between)):
        if not 0 <= probability <= 1:
            raise ValueError(f"{name} must lie in [0, 1], received {probability}")
    if not len(sizes) or min(sizes) < 1:
        raise ValueError(f"sizes must be positive integers, received {sizes}")
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(sizes)), sizes)
    likely = np.where(y[:, None] == y, within, between)
    upper = np.triu(rng.random(likely.shape) < likely, 1)
    x = rng.normal(size=(len(y), len(sizes))) + separation * np.eye(len(sizes))[y]
    return _graph(x, upper | upper.T, y)


def molecules(n, atoms, seed, rings=2):
    """Skeletons of organic molecules, made up: how many rings has each? (C70)

    Carbon, nitrogen and oxygen have at most 4, 3 and 2 bonds. The atoms are drawn first, then
    joined to a random tree, and then bonds are added between atoms that are four or five bonds
    apart on the tree, so that a first ring has five or six atoms. A
    molecule that has no place for all `rings` of them is drawn anew, and only then its own number,
    0 to `rings` with equal probability, is drawn and kept: the atoms alone say nothing about it.

    Args:
        n: number of molecules.
        atoms: atoms of each (hydrogen is left out), at least 6.
        seed: of all that is drawn.
        rings: the largest number of rings.

    Returns:
        a list of Spektral's `Graph`: `x` is the element, one column each, `(atoms, 3)`; `a` is 1
        at a bond; `y` is the number of rings `(1,)`.

    Raises:
        ValueError: `n` or `rings` is below 1, `atoms` below 6, or `rings` more than they have
            place for.
    """
    for name, value, least in (("n", n, 1), ("atoms", atoms, 6), ("rings", rings, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, received {value}")
    rng = np.random.default_rng(seed)
    found, tries = [], 0
    while len(found) < n:
        element = rng.choice(3, atoms, p=SHARES)
        skeleton = _skeleton(np.array(VALENCES)[element], rings, rng)
        tries = tries + 1 if skeleton is None else 0
        if tries == MOST_TRIES:
            raise ValueError(f"rings must have place among {atoms} atoms, received {rings}")
        if skeleton is None:
            continue
        tree, closing = skeleton
        kept = rng.integers(rings + 1)
        a = np.zeros((atoms, atoms))
        for i, j in tree + closing[:kept]:
            a[i, j] = a[j, i] = 1
        found.append(_graph(np.eye(3)[element], a, np.array([kept])))
    return found


def _skeleton(free, rings, rng):
    """Bonds of a tree, and of `rings` rings to be closed; `None` where there is no place."""
    free, tree, closing = free.copy(), [], []
    steps = np.full((len(free), len(free)), len(free))  # along the tree, between any two atoms
    np.fill_diagonal(steps, 0)
    for atom in range(1, len(free)):
        open_ends = np.flatnonzero(free[:atom])
        if not len(open_ends):
            return None
        other = int(rng.choice(open_ends))
        steps[atom, :atom] = steps[:atom, atom] = steps[other, :atom] + 1
        free[[atom, other]] -= 1
        tree.append((other, atom))
    for _ in range(rings):
        ends = np.argwhere(np.triu((steps == 4) | (steps == 5)) & (free[:, None] * free > 0))
        ends = [tuple(pair) for pair in ends.tolist() if tuple(pair) not in closing]
        if not ends:
            return None
        closing.append(ends[rng.integers(len(ends))])
        free[list(closing[-1])] -= 1
    return tree, closing


def icosphere(subdivisions):
    """A sphere of triangles: an icosahedron, each face cut into four, again and again (C70).

    The weight of an edge is the cotangent of the angles that face it, `(cot a + cot b) / 2`: with
    them `sum_j w_ij (x_i - x_j)` is the Laplace operator of the surface, times an area.

    Args:
        subdivisions: how often the faces are cut, from 0; there are `10 * 4^subdivisions + 2`
            vertices.

    Returns:
        a Spektral `Graph`: `x` are the vertices `(vertices, 3)`, of length 1; `a` the weights;
        and, further, `faces` `(faces, 3)` and `area`, a third of the triangles at each vertex.

    Raises:
        ValueError: `subdivisions` is negative.

    Reference:
        Pinkall & Polthier 1993, "Computing discrete minimal surfaces and their conjugates".
    """
    if subdivisions < 0:
        raise ValueError(f"subdivisions must not be negative, received {subdivisions}")
    vertices, faces = _icosahedron()
    for _ in range(subdivisions):
        vertices, faces = _cut(vertices, faces)
    weight, area = np.zeros((len(vertices), len(vertices))), np.zeros(len(vertices))
    for turn in range(3):
        i, j, k = np.roll(faces, turn, axis=1).T
        to_i, to_j = vertices[i] - vertices[k], vertices[j] - vertices[k]
        twice = np.linalg.norm(np.cross(to_i, to_j), axis=1)
        cotangent = np.sum(to_i * to_j, axis=1) / twice
        np.add.at(weight, (i, j), cotangent / 2)
        np.add.at(weight, (j, i), cotangent / 2)
        np.add.at(area, k, twice / 6)
    return _graph(vertices, weight, None, faces=faces, area=area)


def _icosahedron():
    """Twelve vertices on the unit sphere, and the twenty faces between nearest neighbors."""
    golden = (1 + 5**0.5) / 2
    corners = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    vertices = np.array([np.roll(corner, turn) for corner in corners for turn in range(3)])
    near = np.linalg.norm(vertices[:, None] - vertices, axis=-1) < 2.1  # edges have length 2
    triples = np.array([(i, j, k) for i in range(12) for j in range(i) for k in range(j)])
    i, j, k = triples.T
    return vertices / np.sqrt(1 + golden**2), triples[near[i, j] & near[j, k] & near[i, k]]


def _cut(vertices, faces):
    """Each face into four, with the new vertices, in the middle of the edges, on the sphere."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, number = np.unique(edges, axis=0, return_inverse=True)
    middle = vertices[edges].sum(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    (i, j, k), (ij, jk, ki) = faces.T, len(vertices) + number.reshape(3, -1)
    cut = [(i, ij, ki), (j, jk, ij), (k, ki, jk), (ij, jk, ki)]
    return np.concatenate([vertices, middle]), np.concatenate([np.stack(f, axis=1) for f in cut])


def graph_dataset(graphs):
    """Graphs as a Spektral `Dataset`, what its loaders take.

    Example:
        >>> graph_dataset(molecules(5, atoms=7, seed=0)).n_graphs
        5
    """
    from spektral.data import Dataset

    class Given(Dataset):
        def read(self):
            return list(graphs)

    return Given()


def _graph(x, a, y, **more):
    """Spektral's `Graph` with a sparse adjacency."""
    from scipy import sparse
    from spektral.data import Graph  # imports TensorFlow: hence only here

    return Graph(x=x, a=sparse.csr_matrix(np.asarray(a, float)), y=y, **more)
