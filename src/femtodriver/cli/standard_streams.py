"""Standard output and standard error as they may be: closed, full, or unable to write a character."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

from femtodriver.errors import FemtoError


class OutputError(FemtoError):
    """Standard output that cannot be written."""


class _Stream:
    """A stream whose failures are reported in one sentence; a reader that went away stays a BrokenPipeError."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As of the stream."""
        with _told():
            return self._stream.write(text)

    def flush(self) -> None:
        """As of the stream."""
        with _told():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise OutputError(f"standard output: cannot be written: {error.strerror}; give it another place.") from None


@contextlib.contextmanager
def dependable_streams() -> Iterator[None]:
    """Meanwhile both streams are there, escape characters that they cannot write, and raise OutputError."""
    before = sys.stdout, sys.stderr
    changed = []
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:  # closed by our caller: output goes nowhere, which is not an error
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (as long as the process)
        elif hasattr(stream, "reconfigure"):
            changed.append((stream, str(stream.errors)))
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast(TextIO, _Stream(sys.stdout))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream, errors in changed:
            with contextlib.suppress(OSError):
                stream.reconfigure(errors=errors)


def drop_output(stream: TextIO | None = None) -> None:
    """What is still to be written to standard output, or to ``stream``, goes nowhere.

    Python would complain again when it exits, and end with a status of its own.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())
