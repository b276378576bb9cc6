"""How full each memory of each core is, bank by bank, and with what."""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.metrics.document import MEMORY_KINDS
from femtodriver.metrics.text_cells import count_text, percent_text
from femtodriver.report.page_blocks import BankMap, Cell, FigureTable, PageBlock, Section, Sentence, Share, StackedBar
from femtodriver.report.report_facts import MemoryFacts

_MEMORIES = ("data memory", "table memory", "instruction memory")


def fit_section(facts: MemoryFacts) -> Section:
    """A bank map for each core, the sizes as a table, and what is in the memories."""
    return Section("fit", "Memory", _lead(facts), tuple(_blocks(facts)))


def fullest_memory(facts: MemoryFacts) -> Cell | None:
    """The memory with the least room in proportion; None where the program does not state its use."""
    cells = [cell for core in range(facts.part.cores) for cell in _memories(facts, core) or ()]
    return max(cells, key=lambda cell: cell.share, default=None)


def _lead(facts: MemoryFacts) -> str:
    memory = facts.doc["memory_bytes"]
    if memory["free"] is None:
        return "The program carries no description, so what it uses of the memories is not known."
    whole = facts.part.cores * facts.part.dm_bytes
    used = whole - memory["free"]
    return (
        f"{count_text(used)} of {count_text(whole)} bytes of data memory are used ({percent_text(used / whole)}). "
        "A bank that holds nothing is switched off."
    )


def _blocks(facts: MemoryFacts) -> Iterator[PageBlock]:
    cores = facts.doc["memory_bytes"]["per_core"]
    source = "memory_bytes.per_core[]"
    for number, core in enumerate(cores):
        if core["banks"] is not None:
            size = core["dm_size"] / len(core["banks"])
            banks = tuple(_bank(bank, used, size) for bank, used in enumerate(core["banks"]))
            others = (_memories(facts, number) or ())[1:]
            yield BankMap(
                f"Core {number}: banks of data memory, and the other memories", banks, others, sources=(source,)
            )
    rows = tuple(row for number in range(len(cores)) for row in _rows(facts, number))
    if not rows:
        yield Sentence("The metrics document has null for these figures.", sources=(source,))
        return
    yield FigureTable("Memories of each core, in bytes", ("memory", "used", "of", "full"), rows, sources=(source,))
    yield _kinds(facts)


def _sizes(facts: MemoryFacts, core: int) -> tuple[tuple[str, int | None, int], ...]:
    """Name, bytes used and bytes of each memory of a core."""
    told, part = facts.doc["memory_bytes"]["per_core"][core], facts.part
    tables = 2 * part.tm_banks * part.tm_bank_words
    sizes = ((told["dm_used"], told["dm_size"]), (told["tm_used"], tables), (told["im_used"], 8 * part.im_words))
    return tuple((name, *size) for name, size in zip(_MEMORIES, sizes, strict=True))


def _memories(facts: MemoryFacts, core: int) -> tuple[Cell, ...] | None:
    cells = []
    for name, used, size in _sizes(facts, core):
        if used is None:
            return None
        cells.append(_cell(f"{name} of core {core}", used, size))
    return tuple(cells)


def _cell(label: str, used: float, size: float) -> Cell:
    return Cell(label, used / size, f"{percent_text(used / size)} of {count_text(round(size))} bytes")


def _bank(number: int, used: int, size: float) -> Cell:
    text = f"{percent_text(used / size)}, {count_text(used)} bytes" if used else "off"
    return Cell(f"bank {number}", used / size, text)


def _rows(facts: MemoryFacts, core: int) -> Iterator[tuple[str, ...]]:
    for name, used, size in _sizes(facts, core):
        if used is not None:
            yield f"core {core}: {name}", count_text(used), count_text(size), percent_text(used / size)


def _kinds(facts: MemoryFacts) -> StackedBar:
    sizes = {kind: facts.doc["memory_bytes"][kind] for kind in MEMORY_KINDS}
    whole = sum(sizes.values())
    parts = tuple(
        Share(kind, size / whole if whole else 0.0, f"{count_text(size)} bytes", place)
        for place, (kind, size) in enumerate(sizes.items())
        if size
    )
    return StackedBar("What is in the memories, all cores together", parts, sources=("memory_bytes",))
