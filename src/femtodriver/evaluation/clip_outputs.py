"""The outputs of a clip on disk: a ``.npz`` with one array (frames, elements) for each output.

The archive is written block by block, so that a clip of any length takes little memory. The same outputs give the same
bytes.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np

from femtodriver.array_names import escape_name
from femtodriver.arrays import Int64Array
from femtodriver.errors import ProgramError
from femtodriver.files.file_access import reason_of, replaced, shown_path
from femtodriver.inputs import InputSpec

_EPOCH = (1980, 1, 1, 0, 0, 0)


class ClipOutputs:
    """Use it with ``with``: the file appears when the block ends well. ProgramError where it cannot be written.

    Values are int32, which holds every output.
    """

    def __init__(self, path: Path, frames: int, outputs: Sequence[InputSpec]) -> None:
        self._path, self._frames, self._outputs = path, frames, outputs
        self._open = contextlib.ExitStack()
        self._parts: dict[str, BinaryIO] = {}

    def __enter__(self) -> ClipOutputs:
        with self._told():
            for spec in self._outputs:
                part = cast(BinaryIO, self._open.enter_context(tempfile.TemporaryFile(dir=self._path.parent)))
                header = {"descr": "<i4", "fortran_order": False, "shape": (self._frames, spec.length)}
                np.lib.format.write_array_header_1_0(part, header)
                self._parts[spec.name] = part
        return self

    def add(self, outputs: Mapping[str, Int64Array]) -> None:
        """The next frames of every output: (frames, elements)."""
        with self._told():
            for name, part in self._parts.items():
                part.write(outputs[name].astype("<i4").tobytes())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            if error is None:
                self._write()

    def _write(self) -> None:
        with replaced(self._path) as temporary, zipfile.ZipFile(temporary, "x") as archive:
            for name, part in self._parts.items():
                part.seek(0)
                entry = zipfile.ZipInfo(f"{escape_name(name)}.npy", _EPOCH)
                with archive.open(entry, "w", force_zip64=True) as member:
                    shutil.copyfileobj(part, member, 1 << 20)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ProgramError(f"{shown_path(self._path)}: cannot be written: {reason_of(error)}.") from None
