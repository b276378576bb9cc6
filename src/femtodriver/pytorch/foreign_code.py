"""Code that is not ours, which may raise anything: what it raised, where in the user's file, and the whole text."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
import traceback
from types import TracebackType

from femtodriver.safe_text import short_line

_MOST = 300
_TOOLS = ("torch", "fmot", "numpy", "femtodriver")


class ForeignCode:
    """Around such code: ``error`` is what it raised, also to exit; Ctrl-C and signals go their way."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.trace = ""

    def __enter__(self) -> ForeignCode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        found = isinstance(error, (Exception, SystemExit))
        if found and error is not None:
            self.error = error
            self.trace = "".join(traceback.format_exception(kind, error, trace))
        return found


def raised(error: BaseException) -> str:
    """What was raised, in one line: its kind, and its text as far as it fits."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    kind = "exit" if isinstance(error, SystemExit) else type(error).__name__
    return f"{kind}: {short_line(text, _MOST)}" if text else kind


def place_of(error: BaseException) -> str:
    """``FILE.py:LINE`` of the last line of the user's that led to it; "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return shown_place(error.filename, error.lineno)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_of_user(frame.filename)]
    return shown_place(frames[-1].filename, frames[-1].lineno or 0) if frames else ""


def is_of_user(file: str) -> bool:
    """Whether a file of source belongs to neither Python nor an installed package nor us."""
    if file.startswith("<") or not os.path.isfile(file):
        return False
    whole = os.path.realpath(file)
    return not any(whole.startswith(root) for root in _roots())


def _roots() -> list[str]:
    """Folders whose files are not the user's."""
    paths = sysconfig.get_paths()
    tools = [getattr(sys.modules.get(name), "__file__", None) for name in _TOOLS]
    folders = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [os.path.dirname(file) for file in tools if file]
    return [os.path.join(os.path.realpath(folder), "") for folder in folders]


def shown_place(file: str, line: int) -> str:
    """The place as one finds it from the current folder."""
    near = os.path.relpath(file)
    return f"{file if near.startswith('..') else near}:{line}"


def kept_text(name: str, text: str) -> str:
    """Writes a text into a new file for temporary ones, and gives its path."""
    handle, path = tempfile.mkstemp(prefix=f"femtodrive-{re.sub(r'[^A-Za-z0-9_-]', '_', name)[:40]}-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path
