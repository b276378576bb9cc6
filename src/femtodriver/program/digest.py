"""The digest that a program of ours carries, so that damage in transit is noticed before it runs.

It covers what execution depends on: the used words of every bank, and of the metadata the sizes, inputs, outputs and
the description without what a ``.femto`` loses. It is in the description (``docs/femto.md``), and so in every form
of a program that has one. It is no signature: a program that is changed in memory and written again gets a new one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError
from femtodriver.program.bank_usage import used_banks
from femtodriver.program.description import KEY, ProgramDigest, bound_entries, is_described
from femtodriver.program.images import Memories, image_name
from femtodriver.program.memory_map import OPEN_SPU, Bank
from femtodriver.program.metadata import ProgramInfo, program_info
from femtodriver.program.plain_records import from_plain, to_plain

ENTRY = "digest"
DIGITS = 16  # of SHA-256, for each bank: damage is no attack


def digest_of(metadata: Mapping[str, Any], memories: Memories) -> ProgramDigest:
    """The digest of a program. ProgramError for metadata or images that are not those of one."""
    info = program_info(metadata)
    banks = {_place(core, bank): _digest(words) for core, bank, words in used_banks(memories, info, OPEN_SPU)}
    return ProgramDigest(hashlib.sha256(records_text(info, metadata)).hexdigest(), banks)


def with_digest(metadata: dict[str, Any], memories: Memories) -> dict[str, Any]:
    """The metadata with the digest of other words; as they are where they had none."""
    if not is_described(metadata) or ENTRY not in metadata[KEY]:
        return metadata
    return {**metadata, KEY: {**metadata[KEY], ENTRY: to_plain(digest_of(metadata, memories))}}


def check_digest(metadata: Mapping[str, Any], memories: Memories, where: str, in_files: bool = False) -> None:
    """ProgramError that names the bank, or its file, if the program is not the one that its digest is of.

    Programs without a digest pass: those of others, and older ones of ours.
    """
    for sentence in changed_parts(metadata, memories, where, in_files):
        raise ProgramError(sentence)


def changed_parts(metadata: Mapping[str, Any], memories: Memories, where: str, in_files: bool = False) -> Iterator[str]:
    """A sentence for each part of the program that its digest does not fit. ``in_files``: images are files of their
    own. ProgramError for a malformed digest, metadata or images."""
    if not is_described(metadata) or ENTRY not in metadata[KEY]:
        return
    stored = from_plain(ProgramDigest, metadata[KEY][ENTRY], f"{where}: {KEY}: {ENTRY}")
    found = digest_of(metadata, memories)
    if found.records != stored.records:
        yield f"{where}: sizes, inputs, outputs and origin of the program {_CHANGED}"
    for core in range(OPEN_SPU.cores):
        for bank in OPEN_SPU.banks:
            if found.banks.get(_place(core, bank)) != stored.banks.get(_place(core, bank)):
                file = f"{image_name(core, bank.memory)}: " if in_files else ""
                yield f"{where}: {file}the words in {bank.name} of core {core} {_CHANGED}"


_CHANGED = (
    "must be those that its digest was made of, but have changed since. Fetch it again or compile the model again."
)


def records_text(info: ProgramInfo, metadata: Mapping[str, Any]) -> bytes:
    """What the host relies on: sizes, I/O records, part; in a form that every container gives back."""
    content = {
        "data": _used(info.data_bank_sizes),
        "tables": _used(info.table_bank_sizes),
        "instructions": sorted(info.inst_counts.items()),
        "inputs": [(r.name, r.core, r.pc_val, r.words, r.bits, r.usable) for r in info.inputs],
        "outputs": [(r.name, r.core, r.mailbox_id, r.words, r.bits, r.usable) for r in info.outputs],
        "told": bound_entries(metadata),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode("ascii")


def _place(core: int, bank: Bank) -> str:
    return f"core {core} {bank.name}"


def _digest(words: Words) -> str:
    return hashlib.sha256(words.astype("<u8").tobytes()).hexdigest()[:DIGITS]


def _used(sizes: Mapping[int, Mapping[int, int]]) -> list[tuple[int, int, int]]:
    return sorted((core, bank, words) for core, banks in sizes.items() for bank, words in banks.items() if words)
