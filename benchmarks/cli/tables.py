"""Tables that never cut a word: a name that ends in an ellipsis cannot be looked up."""

from rich.table import Column, Table


def table(*heads: str, title: str | None = None) -> Table:
    """A table whose columns fold what is too long for a narrow terminal."""
    return Table(*(Column(head, overflow="fold") for head in heads), title=title)
