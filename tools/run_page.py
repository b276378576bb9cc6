"""Runs the steps of a page of the documentation in a folder, as a reader would from the root of the repository.

``femtodrive`` runs in this process, Python programs too, in one namespace for the whole page; other commands run in
bash. A command ``femtodrive board`` stays there until the page ends, at a free port. Lines that install something, and
those of make, are checked and not run. ``# exit status 1`` behind a command says that it ends so.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from page_steps import PYTHON, ROOT, SHELL, Step

from femtodriver.cli import main as femtodrive

# What readers find in the repository.
LINKED = ("examples", "tools", "tests", "docs", "benchmarks", "src", "pyproject.toml", "Makefile")
STATUS = re.compile(r"# exit status (\d+)$")
SHELL_SIGNS = re.compile(r"[|<>&;$`*]")
PORT = re.compile(r"127\.0\.0\.1:(\d+)")
NOT_RUN = ("pip", "make", "source", "cd")
SHOWN_LINES = re.compile(r"^ *\.\.\.$")
TIMEOUT_S = 300


class WrongPageError(Exception):
    """What a page says is not so."""


class PageRun:
    """The steps of one page, one after the other; use it as a context manager, inside the folder for its files."""

    def __init__(self) -> None:
        self.output = ""
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._boards: list[subprocess.Popen[str]] = []
        self._ports: dict[str, str] = {}

    def __enter__(self) -> PageRun:
        for name in LINKED:
            Path(name).symlink_to(ROOT / name)
        return self

    def __exit__(self, *_: object) -> None:
        for board in self._boards:
            board.send_signal(signal.SIGINT)
            board.communicate(timeout=60)

    def run(self, step: Step) -> None:
        """Run a step. WrongPageError if it fails."""
        text = PORT.sub(lambda found: f"127.0.0.1:{self._port(found[1])}", step.text)
        if step.kind == "file":
            Path(step.rest).parent.mkdir(parents=True, exist_ok=True)
            Path(step.rest).write_text(text, "utf-8")
        elif step.language == PYTHON:
            script = Path(f".line_{step.lines[0] + 1}.py").absolute()
            script.write_text(text, "utf-8")  # where torch looks for the source of modules
            with _captured() as told:
                exec(compile(text, str(script), "exec"), self._names)
            self.output = told()
        elif step.language == SHELL:
            self.output = "".join(self._command(step, line) for line in commands(text))

    def _port(self, shown: str) -> str:
        """A port that is free here, in place of the one that the page shows."""
        if shown not in self._ports:
            with socket.create_server(("127.0.0.1", 0)) as server:
                self._ports[shown] = str(server.getsockname()[1])
        return self._ports[shown]

    def _command(self, step: Step, line: str) -> str:
        """What a line of the shell prints."""
        words = shlex.split(line, comments=True)
        if not words or is_left_out(words):
            return ""
        if words[:2] == ["femtodrive", "board"]:
            return self._serve(words)
        found = STATUS.search(line)
        wanted = int(found[1]) if found else 0
        plain = words[0] == "femtodrive" and not SHELL_SIGNS.search(re.sub(r"'[^']*'", "", line))
        status, told = _in_process(words[1:]) if plain else _in_bash(line)
        if status != wanted:
            raise WrongPageError(f"{step.where}: {line}: exit status {status}, not {wanted}\n{told}")
        return told

    def _serve(self, words: list[str]) -> str:
        """Start a virtual board; what it says when it is ready."""
        command = [sys.executable, "-m", "femtodriver", *words[1:]]
        board = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._boards.append(board)
        assert board.stdout is not None
        told = ""
        while "serving" not in told:
            line = board.stdout.readline()
            told += line
            if not line:
                raise WrongPageError(f"{shlex.join(words)}: {told}")
        return told


def is_left_out(words: list[str]) -> bool:
    """Whether a command installs something, belongs to a terminal alone, or has a status that is the machine's."""
    return words[0] in NOT_RUN or words[1:3] == ["-m", "venv"] or words[:2] == ["femtodrive", "doctor"]


def commands(text: str) -> list[str]:
    """The lines of a shell block; one that ends in a backslash goes on in the next."""
    return [line.strip() for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]


def shown(step: Step, output: str) -> str:
    """Those lines of an output that the page shows, or would if it were right."""
    if step.kind == "output":
        start = output.index(f"\n{step.rest.removeprefix('from ')}") + 1 if step.rest else 0
        return output[start:]
    return step.text if has_lines(output.splitlines(), step.text.splitlines()) else output


def has_lines(output: list[str], wanted: list[str]) -> bool:
    """Whether these lines stand in the output one after the other; ``...`` stands for any number of them."""
    groups: list[list[str]] = [[]]
    for line in wanted:
        if SHOWN_LINES.match(line):
            groups.append([])
        else:
            groups[-1].append(line)
    place = 0
    for group in groups:
        starts = range(place, len(output) - len(group) + 1)
        found = next((start for start in starts if output[start : start + len(group)] == group), None)
        if found is None:
            return False
        place = found + len(group)
    return True


def _in_process(words: list[str]) -> tuple[int, str]:
    with _captured() as told:
        status = femtodrive(words)
    return status, told()


def _in_bash(line: str) -> tuple[int, str]:
    here = {"HOME": os.getcwd(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        env={**os.environ, **here},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def _captured() -> Iterator[Any]:
    """What is printed meanwhile, to either stream; the value is a function that gives it."""
    with tempfile.TemporaryFile() as file, io.TextIOWrapper(file, "utf-8", write_through=True) as stream:

        def told() -> str:
            stream.seek(0)
            return stream.read()

        text: list[str] = []
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield lambda: text[0]
        text.append(told())
