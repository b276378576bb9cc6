"""A disassembled program as a listing for people, or as JSON with stable keys."""

from __future__ import annotations

import json
from collections.abc import Iterator

from femtodriver.inspection.disasm import CoreListing, ListedInstruction, Listing
from femtodriver.inspection.findings import SCHEMA
from femtodriver.inspection.text_tables import cell, columns

_TEXT_WIDTH = 48


def listing_json(listing: Listing) -> str:
    """The listing as one JSON document; docs/inspect.md has its keys. Words are 16 hex digits, the first one first."""
    document = {
        "schema": SCHEMA,
        "file": listing.file,
        "model": listing.model,
        "part": listing.part,
        "layers": list(listing.layers),
        "cores": [_core_table(core) for core in listing.cores],
    }
    return json.dumps(document, indent=2)


def listing_text(listing: Listing) -> str:
    """The listing; everything after ``;`` is a comment, the rest of an instruction's line is PC, words and assembly."""
    head = f"; {cell('model', listing.model)}, for {cell('part', listing.part)}"
    return "\n".join([head, *(line for core in listing.cores for line in _core_lines(core, listing))])


def _core_table(core: CoreListing) -> dict[str, object]:
    return {
        "core": core.core,
        "threads": [{"thread": thread.number, "count": thread.count, "pc": thread.pc} for thread in core.threads],
        "entries": [{"kind": entry.kind, "name": entry.name, "pc": entry.pc} for entry in core.entries],
        "instructions": [
            {
                "pc": line.pc,
                "words": [f"{word:016x}" for word in line.words],
                "text": line.text,
                "layer": line.layer,
                **({"reason": line.reason} if line.text is None else {}),
            }
            for line in core.lines
        ],
    }


def _core_lines(core: CoreListing, listing: Listing) -> Iterator[str]:
    words = sum(len(line.words) for line in core.lines)
    yield ""
    yield (
        f"; core {core.core}: {_count(words, 'instruction word')}, {_count(len(core.lines), 'instruction')}, "
        f"{_count(len(core.threads), 'thread')}"
    )
    if core.threads:
        rows = [{"thread": thread.number, "count": thread.count, "pc": thread.pc} for thread in core.threads]
        yield from (f";   {line}" for line in columns(rows))
    starts = _starts(core)
    for line in core.lines:
        yield from (f"; {what}" for what in starts.get(line.pc, ()))
        yield _instruction(line, listing)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _starts(core: CoreListing) -> dict[int, list[str]]:
    """What begins at a PC."""
    found: dict[int, list[str]] = {}
    for entry in core.entries:
        what = f"receiver, woken by a message from {entry.name}"
        if entry.kind == "input":
            what = f"input {cell('name', entry.name)}, woken by a message of the host"
        found.setdefault(entry.pc, []).append(what)
    for thread in core.threads:
        found.setdefault(thread.pc, []).append(f"thread {thread.number}, woken by {_count(thread.count, 'signal')}")
    return found


def _instruction(line: ListedInstruction, listing: Listing) -> str:
    words = " ".join(f"{word:016x}" for word in line.words)
    start = f"{line.pc:6}  {words:<33}  "
    if line.text is None:
        return f"{start}; no instruction: {line.reason}"
    layer = "" if line.layer is None else cell("layer", listing.layers[line.layer])
    return f"{start}{line.text:<{_TEXT_WIDTH}}  ; {layer}" if layer else start + line.text
