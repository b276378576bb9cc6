"""A file that is written piece by piece: under another name at first, and in its place when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from femtodriver.errors import ProgramError
from femtodriver.files.file_access import hidden_beside, reason_of, remove_file, shown_path

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class GrowingFile:
    """A new file beside ``path``, which takes its place with ``keep``; ``drop`` removes it, if it was not kept.

    ProgramError, in one sentence with the system's reason, for everything that cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._told():
            self._place, self._temporary = hidden_beside(path)
            self._file = open(self._temporary, "xb")  # noqa: SIM115 (as long as the object)
        self.size = 0

    def write(self, content: bytes) -> None:
        """Append these bytes."""
        with self._told():
            self._file.write(content)
        self.size += len(content)

    def write_at(self, place: int, content: bytes) -> None:
        """Replace bytes that were written before."""
        with self._told():
            self._file.seek(place)
            self._file.write(content)
            self._file.seek(0, os.SEEK_END)

    @property
    def is_finished(self) -> bool:
        """Whether nothing can be written any more."""
        return self._file.closed

    def finish(self) -> None:
        """Write what is left, and close the file: after that, little can go wrong with ``keep``."""
        with self._told():
            self._file.close()

    def keep(self) -> None:
        """Close the file and put it into its place, instead of what was there."""
        with self._told():
            self._file.close()
            os.replace(self._temporary, self._place)

    def drop(self) -> None:
        """Close the file and remove it, unless it was kept. May be called twice."""
        with contextlib.suppress(OSError):
            self._file.close()
        remove_file(self._temporary)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else error
            full = isinstance(error, OSError) and error.errno in _NO_ROOM
            advice = "Free some room, or choose another place." if full else "Choose another place."
            raise ProgramError(f"{shown_path(self.path)}: cannot be written: {reason}. {advice}") from None
