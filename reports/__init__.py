"""Shows what the store holds: one self-contained page, its figures and its verdicts as data."""
