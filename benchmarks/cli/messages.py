"""What the commands say when they cannot do what was asked: one line, exit code 2."""

import difflib
from collections.abc import Iterable


class BadUsage(Exception):
    """Wrong options: nothing has run, nothing was written."""


def unknown(what: str, received: str, known: Iterable[str]) -> BadUsage:
    """Names the value and the nearest known ones."""
    known = list(known)
    upper = {name.upper(): name for name in known}
    near = difflib.get_close_matches(received.upper(), upper, n=3, cutoff=0.5)
    names = [upper[name] for name in near] or known
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    hint = f"did you mean {shown}?" if near else f"known: {shown or 'none'}"
    return BadUsage(f"unknown {what} {received!r}; {hint}")


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 cell", "2 cells"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
