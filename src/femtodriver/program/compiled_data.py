"""A compiled program: memory images, metadata and the files that travel with them.

Nothing here knows what an image means; encrypted and foreign programs pass through unchanged.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver import __version__
from femtodriver.arrays import Words
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import read_file, write_file
from femtodriver.files.plain_json import load_json
from femtodriver.files.plain_yaml import dump_yaml, load_yaml
from femtodriver.iospec import IOSpec
from femtodriver.notebook_html import html_table
from femtodriver.program import archive, images
from femtodriver.program.bank_usage import check_images, whole_image
from femtodriver.program.description import is_described, read_description
from femtodriver.program.digest import check_digest, with_digest
from femtodriver.program.femto.femto_from_program import femtofile_of
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.femto.program_from_femto import program_from_femto
from femtodriver.program.femto.write_user_data import write_user_data
from femtodriver.program.images import Memories
from femtodriver.program.metadata import ProgramInfo, program_info
from femtodriver.program.program_iospec import program_iospec

MAX_EXTRA = 4 << 20
CLOCK_MHZ = 100
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class CompiledData:
    """A compiled program in memory.

    ``metadata``: plain mapping as in ``metadata.yaml``. ``mems_per_core``: {core: {"DM"|"TM"|"SB"|"RQ"|"PB"|"IM":
    [uint64 array per bit group]}}. ``files``: other files by name, text or bytes.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    mems_per_core: Memories = field(default_factory=dict)
    files: dict[str, str | bytes] = field(default_factory=dict)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{memory} {size:,} bytes" for memory, size in self._sizes().items())
        cores = len(self.mems_per_core)
        return f"<CompiledData: {cores} core{'' if cores == 1 else 's'}; {sizes or 'no images'}>"

    def _repr_html_(self) -> str:
        rows = [
            (f"core {core}", *(f"{_bytes(memories.get(memory, ())):,}" for memory in self._sizes()))
            for core, memories in self.mems_per_core.items()
        ]
        return html_table("Compiled program: bytes of its images", ("", *self._sizes()), rows)

    def _sizes(self) -> dict[str, int]:
        """Bytes of the images of each memory, over all cores."""
        sizes: dict[str, int] = {}
        for memories in self.mems_per_core.values():
            for memory, arrays in memories.items():
                sizes[memory] = sizes.get(memory, 0) + _bytes(arrays)
        return sizes

    @classmethod
    def read_from_files(cls, dir: str | os.PathLike[str], metadata_file: str = images.METADATA_FILE) -> CompiledData:
        """The program in a directory, with the file names of either vendor generation.

        Raises ProgramError (also a FileNotFoundError for a missing directory).
        """
        return cls._from_contents(archive.read_directory(dir), os.fspath(dir), metadata_file)

    @classmethod
    def read_from_zip(
        cls, source: str | os.PathLike[str] | bytes, metadata_file: str = images.METADATA_FILE
    ) -> CompiledData:
        """The program in a flat zip archive, given as a path or as its bytes. Raises ProgramError."""
        if isinstance(source, bytes):
            return cls._from_contents(archive.read_zip(source), "archive", metadata_file)
        where = os.fspath(source)
        data = read_file(source, archive.MAX_ARCHIVE)
        return cls._from_contents(archive.read_zip(data, where), where, metadata_file)

    @classmethod
    def read_from_femtofile(cls, path: str | os.PathLike[str]) -> CompiledData:
        """The program in a ``.femto`` container. Variables are called "0", "1", ... (names are not stored in it).

        ``metadata["userdata"]`` holds the user data (bytes) if there are any. Raises ProgramError.
        """
        return cls.from_femto(FemtoFile.import_file(path), os.fspath(path))

    @classmethod
    def from_femto(cls, file: FemtoFile, where: str = "femto file") -> CompiledData:
        """The program in a container in memory; see ``read_from_femtofile``."""
        metadata, memories = program_from_femto(file, where)
        return cls(metadata, memories)

    @classmethod
    def _from_contents(cls, contents: Mapping[str, bytes], where: str, metadata_file: str) -> CompiledData:
        if metadata_file not in contents:
            raise ProgramError(f"{where}: the file {metadata_file} is missing; this is not a compiled program.")
        metadata = load_yaml(contents[metadata_file], f"{where}: {metadata_file}")
        data = cls(metadata, _read_memories(contents, where), _read_extras(contents, metadata_file))
        check_images(data.mems_per_core, program_info(metadata, f"{where}: {metadata_file}"), where)
        _check_queue_lengths(data, contents, where)
        check_digest(metadata, data.mems_per_core, where, in_files=True)
        return data

    def info(self) -> ProgramInfo:
        """The checked metadata; ProgramError when it is not that of a program."""
        return program_info(self.metadata)

    @property
    def iospec(self) -> IOSpec:
        """The I/O specification of the program, a new one each time."""
        return program_iospec(self.info(), read_description(self.metadata, "metadata", complete=False))

    @property
    def ISA(self) -> str | None:  # noqa: N802 (the reference's name)
        """The instruction set of a program for the open SPU; None for a foreign program."""
        told = read_description(self.metadata, "metadata", complete=False)
        return None if told is None else told.isa

    @property
    def encrypted(self) -> bool | None:
        """Whether the program is encrypted; None where the metadata do not say."""
        return self.info().encrypted

    @property
    def encryption_key_idx(self) -> int | None:
        """Which key it is encrypted with; None where the metadata do not say."""
        return self.info().key_index

    @property
    def encryption_used_custom_key(self) -> bool | None:
        """Whether a key of the user's own enciphered it, as every key here is; None for a foreign program."""
        return self.encrypted if is_described(self.metadata) else None

    def image(self, core: int, memory: str) -> Words:
        """The image (uint64) of a memory that is not split in bit groups; no words when there is none."""
        return whole_image(self.mems_per_core, core, memory)

    def read_txt(self, name: str) -> str:
        """Text of a file; UsageError for an unknown name, ProgramError when it is not UTF-8."""
        try:
            return self._content(name).decode("utf-8")
        except UnicodeDecodeError:
            raise ProgramError(f"{name}: must be text in UTF-8.") from None

    def read_json(self, name: str) -> Any:
        """Value of a JSON file; UsageError for an unknown name, ProgramError when it is not JSON."""
        return load_json(self._content(name), name, ProgramError)

    def read_yaml(self, name: str) -> Any:
        """Value of a plain YAML file; UsageError for an unknown name, ProgramError when it is not plain YAML."""
        return load_yaml(self._content(name), name)

    def set_metadata_file(self, name: str) -> None:
        """Takes the metadata from the YAML file ``name`` of this program; ProgramError when it does not fit."""
        metadata = self.read_yaml(name)
        check_images(self.mems_per_core, program_info(metadata, name), name)
        check_digest(metadata, self.mems_per_core, name)
        self.metadata = metadata

    def to_zip_bytes(self) -> bytes:
        """The program as a flat zip archive; the same program gives the same bytes."""
        return archive.write_zip(self._contents())

    def to_zip_file(self, path: str | os.PathLike[str]) -> None:
        """Writes ``to_zip_bytes()`` in one step; ProgramError when the file cannot be written."""
        write_file(Path(path), self.to_zip_bytes())

    def write_to_files(self, directory: str | os.PathLike[str]) -> None:
        """Writes metadata, images and the other files; images of an earlier program in it are removed."""
        contents = self._contents()
        folder = Path(directory)
        present = {entry.name for entry in folder.iterdir() if entry.is_file()} if folder.is_dir() else set()
        stale = sorted(name for name in present - set(contents) if _is_ours(name))
        archive.write_directory(folder, contents, stale)

    def to_femtofile(
        self,
        femtodriver_version: str = f"open-fd {__version__}",
        model_type: str = "custom",
        model_name: str = "model",
        model_version: str = "1.0.0",
        userdata: bytes | None = None,
        *,
        clock_mhz: int = CLOCK_MHZ,
    ) -> FemtoFile:
        """The program in a ``.femto`` container.

        ``femtodriver_version``: who wrote it; ``userdata`` None: what a program of ours says about itself, without
        which it cannot be simulated. Raises UsageError for arguments out of range, ProgramError for a program that the
        container cannot hold.
        """
        return femtofile_of(
            self,
            name=model_name,
            producer=femtodriver_version,
            clock_mhz=clock_mhz,
            model_type=model_type,
            model_version=model_version,
            userdata=write_user_data(self) if userdata is None else userdata,
        )

    @staticmethod
    def parse_memory_file_name(name: str) -> tuple[int, str, int] | tuple[None, None, None]:
        """(core, memory, bit group) of an image's file name, bit group 0 when not split; else three None."""
        parsed = images.parse_image_name(name)
        return (parsed.core, parsed.memory, parsed.bitgroup) if parsed else (None, None, None)

    @staticmethod
    def convert_hex_to_ndarray(data: bytes) -> Words:
        """Words (uint64) of a hex image; ProgramError for anything but one number below 2^64 per line."""
        return images.read_hex(data)

    def _contents(self) -> dict[str, bytes]:
        # Whoever changed words or sizes in memory meant to: what is written carries the digest of what it holds.
        metadata = with_digest(self.metadata, self.mems_per_core)
        contents = {images.METADATA_FILE: dump_yaml(metadata).encode("ascii")}
        for core in sorted(self.mems_per_core):
            contents.update(_core_files(core, self.mems_per_core[core]))
        for name in sorted(self.files):
            if not _is_ours(name):
                contents[name] = _as_bytes(self.files[name])
        return contents

    def _content(self, name: str) -> bytes:
        if name in self.files:
            return _as_bytes(self.files[name])
        contents = self._contents()
        if name not in contents:
            raise UsageError(f"file: must be one of this program's ({', '.join(contents)}), not {name!r}.")
        return contents[name]


def _bytes(arrays: Iterable[Words]) -> int:
    return sum(array.nbytes for array in arrays)


def _core_files(core: int, memories: Mapping[str, list[Words]]) -> dict[str, bytes]:
    files = {}
    for memory in images.MEMORIES:
        groups = memories.get(memory) or [np.zeros(0, np.uint64)]
        for index, words in enumerate(groups):
            name = images.image_name(core, memory, None if len(groups) == 1 else index)
            files[name] = images.write_hex(words, memory)
    queue = memories.get("RQ") or [np.zeros(0, np.uint64)]
    files[images.queue_length_name(core)] = b"%d\n" % len(queue[0])
    return files


def _read_memories(contents: Mapping[str, bytes], where: str) -> Memories:
    found: dict[tuple[int, str], dict[int, Words]] = {}
    for name, content in contents.items():
        parsed = images.parse_image_name(name)
        if parsed is None:
            continue
        if parsed.core >= images.MAX_CORES or parsed.bitgroup >= images.MAX_BITGROUPS:
            raise ProgramError(f"{where}: {name}: the core must be below {images.MAX_CORES}, the bit group below 8.")
        groups = found.setdefault((parsed.core, parsed.memory), {})
        if parsed.bitgroup in groups:
            raise ProgramError(f"{where}: {name}: core {parsed.core}'s {parsed.memory} image must be there once.")
        groups[parsed.bitgroup] = images.read_hex(content, f"{where}: {name}")
    memories: Memories = {core: {} for core in sorted({core for core, _ in found})}
    for (core, memory), groups in sorted(found.items(), key=lambda item: _order(*item[0])):
        if sorted(groups) != list(range(len(groups))):
            raise ProgramError(f"{where}: core {core}'s {memory} bit groups must be 0, 1, ..., not {sorted(groups)}.")
        memories[core][memory] = [groups[index] for index in range(len(groups))]
    return memories


def _order(core: int, memory: str) -> tuple[int, int]:
    return core, images.MEMORIES.index(memory)


def _read_extras(contents: Mapping[str, bytes], metadata_file: str) -> dict[str, str | bytes]:
    extras: dict[str, str | bytes] = {}
    for name, content in contents.items():
        if _is_ours(name) or name == metadata_file:
            continue
        _log.debug("%s: not a file of a compiled program", name)
        if len(content) <= MAX_EXTRA:
            extras[name] = _decoded(content)
    return extras


def _check_queue_lengths(data: CompiledData, contents: Mapping[str, bytes], where: str) -> None:
    for name, content in contents.items():
        core = images.parse_queue_length_name(name)
        if core is None:
            continue
        length = images.read_queue_length(content, f"{where}: {name}")
        have = len(data.mems_per_core.get(core, {}).get("RQ", [()])[0])
        if length > have:
            raise ProgramError(f"{where}: {name}: must be at most {have}, the words of that image, not {length}.")


def _decoded(content: bytes) -> str | bytes:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8") if isinstance(content, str) else bytes(content)


def _is_ours(name: str) -> bool:
    return (
        name == images.METADATA_FILE
        or images.parse_image_name(name) is not None
        or images.parse_queue_length_name(name) is not None
    )
