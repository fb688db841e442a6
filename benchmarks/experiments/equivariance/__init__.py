"""Beyond the lecture: layers that know a symmetry."""
