"""Fixture experiments, free of TensorFlow, and the command line in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = Path(__file__).parent / "fixtures" / "experiments"


@pytest.fixture
def experiments():
    return EXPERIMENTS


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Where the fixture experiments note what they measured."""
    path = tmp_path / "log.txt"
    path.touch()
    monkeypatch.setenv("FIXTURE_LOG", str(path))
    return path


@pytest.fixture
def start():
    """Start `python -m benchmarks ...`; whatever still runs at the end is killed."""
    started = []

    def start(*arguments, **options):
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            cwd=ROOT, **options,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def command(capsys):
    """Run a command in this process: exit code, standard output, standard error."""
    from benchmarks.__main__ import main

    def command(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
