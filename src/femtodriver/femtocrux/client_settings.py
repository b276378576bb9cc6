"""What the vendor's client and its container are told by the environment, and what is done with what it prints."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator, Mapping

from femtodriver.errors import UsageError
from femtodriver.safe_text import one_line, shown

HARDWARE = "FS_HW_CFG"
PULL = "FS_ALLOW_DOCKER_PULL"
USUAL_HARDWARE = "spu1p3v1.dat"
_FILES = ("spu1p3v1.dat", "spu1p2v1.dat")
_PREFIXES = ("spu1p3v1", "spu2p0v1", "spu2p1v1")
_log = logging.getLogger(__name__)


def hardware_config(environment: Mapping[str, str]) -> str:
    """The generation of chips that the container compiles for: ``FS_HW_CFG``, by default ``spu1p3v1.dat``.

    UsageError for one that the vendor's tools do not have.
    """
    value = environment.get(HARDWARE) or USUAL_HARDWARE
    if value in _FILES or value.startswith(_PREFIXES):
        return value
    known = ", ".join(dict.fromkeys((*_FILES, *_PREFIXES)))
    raise UsageError(f"{HARDWARE}: must be or begin with one of {known}, not {shown(value)}. Set it, or unset it.")


def has_terminal() -> bool:
    """Whether somebody could answer a question."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # it is closed
        return False


@contextlib.contextmanager
def no_prompt() -> Iterator[None]:
    """Meanwhile the client does not ask for a password, unless there is a terminal or the user has decided."""
    if os.environ.get(PULL) or has_terminal():
        yield
        return
    before = os.environ.get(PULL)
    os.environ[PULL] = "no"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(PULL, None)
        else:
            os.environ[PULL] = before


@contextlib.contextmanager
def stdout_to_log() -> Iterator[None]:
    """Meanwhile lines that are printed go to the log: our standard output belongs to results."""
    with contextlib.redirect_stdout(_LogLines()) as lines:
        try:
            yield
        finally:
            lines.end_line()


class _LogLines(io.TextIOBase):
    """Text that becomes lines of the log."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that are complete."""
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            _tell(line)
        return len(text)

    def end_line(self) -> None:
        """Log what has no line end yet."""
        _tell(self._open)
        self._open = ""


def _tell(line: str) -> None:
    if line.strip():
        _log.info("femtocrux: %s", one_line(line.strip()))
