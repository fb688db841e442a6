"""From options to experiments and devices, before anything runs."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.cli.messages import BadUsage, counted, unknown
from benchmarks.discover import Found, discover
from benchmarks.store import Broken


def experiments(folder: Path | None) -> tuple[list[Found], list[Broken]]:
    """All experiments, or `BadUsage` for a folder that is none."""
    try:
        return discover(folder)
    except ValueError as error:
        raise BadUsage(str(error)) from error


def matching(
    found: Sequence[Found], globs: Sequence[str], broken: Sequence[Broken] = ()
) -> list[Found]:
    """The experiments whose claim matches one of the globs; all of them without any."""
    if not globs:
        return list(found)
    for glob in globs:
        if not any(_matches(f.claim, glob) for f in found):
            message = str(unknown("claim", glob, [f.claim for f in found]))
            if broken:  # it may be the one that was meant
                message += f" ({counted(len(broken), 'file')} cannot be loaded: see `list`)"
            raise BadUsage(message)
    return [f for f in found if any(_matches(f.claim, glob) for glob in globs)]


def _matches(claim: str, glob: str) -> bool:
    return fnmatchcase(claim.upper(), glob.upper())


def devices(text: str | None) -> tuple[str, ...]:
    """The devices asked for, or those there are."""
    from benchmarks.devices import KNOWN, available, why_no_gpu

    if text is None:
        return available()
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    if not names:
        raise BadUsage(f"--devices must name at least one of {', '.join(KNOWN)}, received {text!r}")
    for name in names:
        if name not in KNOWN:
            raise unknown("device", name, KNOWN)
    if "gpu" in names and (why := why_no_gpu()):
        raise BadUsage(f"cannot run on device 'gpu': {why}")
    return names
