"""The API reference, and `library.md`: both are made from the docstrings."""
