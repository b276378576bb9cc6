"""Programs for the open SPU as records: threads, entries and instructions of each core, with the layers they serve."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from femtodriver.errors import AssemblyError, ProgramError, UsageError
from femtodriver.files.file_access import shown_path
from femtodriver.isa import ISA, Instruction, TransferInstruction
from femtodriver.model.build_model import foreign, locked
from femtodriver.model.load_model import load_source
from femtodriver.model.model_encryption import AnyKeyring, Encryption, load_keyring
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import Description, layers_of, read_description
from femtodriver.program.metadata import ProgramInfo
from femtodriver.pytorch.module_reference import names_python


@dataclass(frozen=True)
class ListedThread:
    """A scoreboard entry: it waits for ``count`` signals and starts at ``pc``."""

    number: int
    count: int
    pc: int


@dataclass(frozen=True)
class EntryPoint:
    """A PC where a message starts a thread: one of the host ("input", with the name of the variable) or of another
    core ("receiver", with "core 1 pc 12" of the sender)."""

    kind: str
    name: str
    pc: int


@dataclass(frozen=True)
class ListedInstruction:
    """One instruction: its words and assembly text. ``text`` is None, and ``reason`` says why, for what is none."""

    pc: int
    words: tuple[int, ...]
    text: str | None
    layer: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class CoreListing:
    """The program of one core."""

    core: int
    threads: tuple[ListedThread, ...]
    entries: tuple[EntryPoint, ...]
    lines: tuple[ListedInstruction, ...]


@dataclass(frozen=True)
class Listing:
    """A whole program; ``layers`` are names, empty where the program does not know them any more."""

    file: str
    model: str
    part: str
    cores: tuple[CoreListing, ...]
    layers: tuple[str, ...] = field(default=())


def disassemble_file(path: str | os.PathLike[str], keyring: AnyKeyring = None) -> Listing:
    """The instructions of a compiled program: a ``.femto``, an archive or a folder.

    An encrypted program of ours needs its key. UsageError for a file that holds no program; ProgramError, with the
    reason, for one that is damaged, foreign or encrypted without its key.
    """
    source = None if names_python(path) else load_source(os.fspath(path))
    if source is None or source.program is None:
        raise UsageError(
            f"{shown_path(path)}: must be a compiled program (.femto, .zip or a folder), not a network; compile it "
            "first."
        )
    return disassemble(source.program, source.where, keyring)


def disassemble(program: CompiledData, where: str, keyring: AnyKeyring = None) -> Listing:
    """The instructions of a program in memory; see ``disassemble_file``."""
    told = read_description(program.metadata, where)
    if told is None:
        raise ProgramError(f"{where}: must be a program for the open SPU to be disassembled: {foreign(program)}.")
    plain: CompiledData | None = program
    if program.metadata.get("encrypted") is not False:
        plain = Encryption(load_keyring(keyring)).opened(program, where)
    if plain is None:
        raise ProgramError(locked(program, where))
    info = plain.info()
    decoded = {core: list(_decoded(plain, core, count)) for core, count in sorted(info.inst_counts.items())}
    receivers = _receivers(decoded)
    return Listing(
        file=where,
        model=(told.model.name if told.model else None) or "",
        part=told.part or "",
        cores=tuple(_core(plain, core, rows, info, receivers, told) for core, rows in decoded.items()),
        layers=tuple(layer.name for layer in layers_of(told)),
    )


Decoded = tuple[int, tuple[int, ...], Instruction | None, str]
"""PC, words, instruction or None, why it is none."""


def _decoded(data: CompiledData, core: int, count: int) -> Iterator[Decoded]:
    words = data.image(core, "IM")[:count].tolist()
    pc = 0
    while pc < len(words):
        try:
            instruction = ISA.decode(tuple(words[pc : pc + 2]))
        except AssemblyError as error:
            yield pc, (words[pc],), None, str(error)
            pc += 1
            continue
        yield pc, tuple(words[pc : pc + instruction.words]), instruction, ""
        pc += instruction.words


def _receivers(decoded: Mapping[int, Sequence[Decoded]]) -> dict[int, list[EntryPoint]]:
    """Where messages from other cores arrive, by core."""
    found: dict[int, list[EntryPoint]] = {}
    for core, rows in decoded.items():
        for pc, _, instruction, _ in rows:
            if isinstance(instruction, TransferInstruction) and instruction.spec.name == "send":
                entry = EntryPoint("receiver", f"core {core} pc {pc}", instruction.target)
                found.setdefault(instruction.core, []).append(entry)
    return found


def _core(
    data: CompiledData,
    core: int,
    rows: Sequence[Decoded],
    info: ProgramInfo,
    receivers: Mapping[int, list[EntryPoint]],
    told: Description,
) -> CoreListing:
    counts, pcs = data.image(core, "SB").tolist(), data.image(core, "PB").tolist()
    inputs = [EntryPoint("input", record.name, record.pc_val) for record in info.inputs if record.core == core]
    return CoreListing(
        core=core,
        threads=tuple(
            ListedThread(number, count, pc) for number, (count, pc) in enumerate(zip(counts, pcs, strict=False))
        ),
        entries=(*inputs, *receivers.get(core, [])),
        lines=tuple(
            ListedInstruction(
                pc,
                words,
                instruction.text() if instruction else None,
                told.layer_at(core, pc),
                reason,
            )
            for pc, words, instruction, reason in rows
        ),
    )
