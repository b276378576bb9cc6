"""The text of every stage of the compiler, as files in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from femtodriver.files.file_access import make_directory, write_file


def dump_into(folder: str | os.PathLike[str] | None) -> Callable[[str, str], None] | None:
    """What the compiler calls with name and text of every stage; None for no folder."""
    if folder is None:
        return None
    place = Path(folder)
    make_directory(place)

    def dump(name: str, text: str) -> None:
        write_file(place / name, text.encode("utf-8", "backslashreplace"))

    return dump
