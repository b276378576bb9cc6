"""``FemtoFile``: a ``.femto`` container in memory, read from and written to Layout A and both profiles of Layout B."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, BusWords, is_masked
from femtodriver.errors import InputError, ProgramError, UsageError
from femtodriver.files.file_access import make_directory, read_file, write_file
from femtodriver.program import archive
from femtodriver.program.femto import layout_a, layout_b
from femtodriver.program.femto.binary_reader import BinaryReader
from femtodriver.program.femto.femto_records import (
    CORE_OFF,
    CORE_ON,
    MAX_FILE,
    PART_UNKNOWN,
    FemtoCore,
    FemtoHeader,
    FemtoModel,
    FemtoSpu,
    ParsedFile,
    check_layout,
    model_type_code,
    model_type_name,
)
from femtodriver.program.femto.pages import Banks, parse_pages
from femtodriver.program.femto.specifications import specifications, specifications_text

SUFFIX = ".femto"


class FemtoFile:
    """Header, model and part records and the words of every bank.

    ``banks``: {(core, bank name): uint32 words}. ``notes``: oddities found on reading that are no damage.
    """

    def __init__(
        self, header: FemtoHeader | None = None, model: FemtoModel | None = None, spu: FemtoSpu | None = None
    ) -> None:
        self.header = header or FemtoHeader()
        self.model = model or FemtoModel()
        self.spu = spu or FemtoSpu()
        self.banks: Banks = {}
        self.notes: tuple[str, ...] = ()
        check_layout(self.header.layout)

    @property
    def layout(self) -> str:
        """ "A", "B-packed" or "B-aligned"."""
        return self.header.layout

    def fill_memory(self, core_id: int, bank_id: str, data: npt.ArrayLike) -> None:
        """Sets the words (1-D, unsigned 32-bit) of a bank ("DM0"..., "TM0"..., "SB", "RQ", "PB", "IM").

        The core counts as used from then on. Raises UsageError for an unknown core or bank, InputError for other
        data or for more words than the bank holds.
        """
        geometry = self.spu.geometry
        cores = [core.core_id for core in self.spu.cores]
        if core_id not in cores:
            raise UsageError(f"fill_memory: the core must be one of {cores}, not {core_id!r}.")
        if bank_id not in geometry.by_name:
            raise UsageError(f"fill_memory: the bank must be one of {', '.join(geometry.by_name)}, not {bank_id!r}.")
        words = _bus_words(data)
        if 4 * len(words) > geometry.by_name[bank_id].size:
            most = geometry.by_name[bank_id].size // 4
            raise InputError(f"fill_memory: {bank_id} holds at most {most} 32-bit words, not {len(words)}.")
        self.banks[core_id, bank_id] = words
        cores_now = tuple(
            FemtoCore(core.core_id, CORE_ON) if core.core_id == core_id and core.status == CORE_OFF else core
            for core in self.spu.cores
        )
        self.spu = replace(self.spu, cores=cores_now)

    def serialize(self) -> bytes:
        """Bytes of the file. Raises ProgramError for what the layout cannot hold."""
        build = layout_a.build_a if self.layout == "A" else layout_b.build_b
        return build(self.header, self.model, self.spu, self.banks)

    @property
    def specifications(self) -> dict[str, Any]:
        """What the container states, as plain tables by section; see ``specifications.py``."""
        return specifications(self.header, self.model, self.spu, self.banks)

    def print_specifications(self) -> None:
        """Print what the container states, to standard output."""
        print(specifications_text(self.specifications))

    def export_file(self, export_path: str | os.PathLike[str], file_name: str) -> tuple[str, int]:
        """Writes ``<export_path>/<file_name>`` (``.femto`` is added when missing) in one step.

        Returns the path and the number of bytes. Raises ProgramError when that is not possible.
        """
        name = archive.check_name(file_name, "export_file")
        folder = Path(export_path)
        path = folder / (name if name.endswith(SUFFIX) else name + SUFFIX)
        data = self.serialize()
        make_directory(folder)
        write_file(path, data)
        return str(path), len(data)

    @classmethod
    def import_file(cls, path: str | os.PathLike[str]) -> FemtoFile:
        """The container in a file. Raises ProgramError with the offset of what is wrong."""
        return cls.parse(read_file(path, MAX_FILE), os.fspath(path))

    @classmethod
    def parse(cls, data: bytes, where: str = "femto file", problems: list[str] | None = None) -> FemtoFile:
        """The container in ``data``; the layout and its profile are detected. Raises ProgramError with the offset.

        ``problems``: a list that takes numbers which contradict each other, where reading can go on in spite of them.
        """
        if data.startswith(layout_a.MAGIC):
            parsed = layout_a.parse_a(data, where, problems)
        elif data.startswith(layout_b.MAGIC):
            parsed = layout_b.parse_b(data, where, problems)
        else:
            raise ProgramError(
                f"{where}: offset 0x0: a .femto file must start with {layout_b.MAGIC.decode()} or "
                f"{layout_a.MAGIC.decode()}, not {data[:16]!r}."
            )
        file = cls(parsed.header, parsed.model, parsed.spu)
        reader = BinaryReader(data, where, parsed.header.order, problems)
        file.banks = parse_pages(reader, parsed.pages_at, parsed.page_count, parsed.spu.geometry)
        for sentence in file._bank_problems(parsed, where):
            if problems is None:
                raise ProgramError(sentence)
            problems.append(sentence)
        file._detect_profile(data)
        return file

    def converted(self, layout: str) -> FemtoFile:
        """The same content in another layout; the model type keeps its meaning where the other layout knows it."""
        check_layout(layout)
        model = self.model
        if (layout == "A") != (self.layout == "A"):
            text = model_type_name(model.type_code, self.layout)
            model = replace(model, type_code=model_type_code(text, layout))
        listed = {core.core_id: core for core in self.spu.cores}
        cores = max(listed, default=0) + 1 if self.spu.part == PART_UNKNOWN else self.spu.geometry.cores
        spu = replace(self.spu, cores=tuple(listed.get(i, FemtoCore(i, CORE_OFF)) for i in range(cores)))
        other = FemtoFile(replace(self.header, layout=layout), model, spu)
        other.banks = dict(self.banks)
        return other

    def _bank_problems(self, parsed: ParsedFile, where: str) -> Iterator[str]:
        used = self.spu.used_cores
        for core, bank in self.banks:
            if core not in used:
                yield f"{where}: core {core} must be on, because pages carry words for its {bank}."
            elif (core, bank) in parsed.banks_off:
                yield f"{where}: {bank} of core {core} must not be off, because pages carry words for it."

    def _differences(self, data: bytes) -> tuple[int, str]:
        """How many bytes would change if the file were written again, and a sentence about it."""
        try:
            again = self.serialize()
        except ProgramError as error:
            return len(data), f"the file cannot be written again: {error}"
        if again == data:
            return 0, ""
        most = max(len(again), len(data))
        first, second = (np.frombuffer(text.ljust(most, b"\x00"), np.uint8) for text in (again, data))
        changed = np.flatnonzero(first != second)
        where = int(changed[0]) if len(changed) else min(len(again), len(data))
        return max(1, len(changed)), f"written again, the file would differ, first at offset {where:#x}"

    def _detect_profile(self, data: bytes) -> None:
        """Takes the profile that gives the same bytes again, or the closest; notes what would change."""
        layouts = ("A",) if self.layout == "A" else ("B-aligned", "B-packed")
        found = {}
        for layout in layouts:
            self.header = replace(self.header, layout=layout)
            found[layout] = self._differences(data)
        layout = min(found, key=lambda name: found[name][0])
        self.header = replace(self.header, layout=layout)
        if found[layout][0]:
            self.notes += (found[layout][1],)
        if self.header.checksum:
            self.notes += (f"the checksum is {self.header.checksum:#x}; writers store 0",)
        ids = {vector.id for vector in self.model.vectors}
        for entry in self.model.sequences:
            if not ids.issuperset(entry.inputs + entry.outputs):
                self.notes += (f"sequence {entry.id} names vectors that do not exist",)


def _bus_words(data: npt.ArrayLike) -> BusWords:
    if is_masked(data):
        raise InputError("fill_memory: data must be a plain array, not a masked one.")
    words: AnyArray = np.asarray(data)
    if words.size == 0:
        return np.zeros(0, np.uint32)
    if words.ndim != 1 or words.dtype.kind not in "iu":
        raise InputError(f"fill_memory: data must be a 1-D array of integers, not {words.ndim}-D of {words.dtype}.")
    if int(words.min()) < 0 or int(words.max()) >> 32:
        raise InputError("fill_memory: words must be in 0...2^32-1; split 64-bit words in low and high half first.")
    return words.astype(np.uint32)
