"""What does not fit the part, as errors: which layer, which memory, how much is needed and there, in bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from femtodriver.compiler.backend.core_map import CoreMap, buffer_bytes
from femtodriver.compiler.fmir.ir import Buffer, Fmir, Mac, Op, Role, touches, walk
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.errors import CapacityError
from femtodriver.isa.limits import GROUP_SIZE, MAX_ACCUMULATOR_ROWS, MAX_ELEMENT_BITS, TABLE_WORD_BITS, WORD_BITS
from femtodriver.part import Part

_WORD_BYTES, _TABLE_WORD_BYTES = WORD_BITS // 8, TABLE_WORD_BITS // 8
_SOON_TRIED = 4096
"""Operations whose layouts are tried in a few seconds."""


class EveryLayoutError(CapacityError):
    """What does not fit, however the network is laid out over cores."""


class FullError(CapacityError):
    """A memory of a core, or its threads, do not suffice.

    ``message`` says for what, ``advice`` what might help; ``excess``: how many times too much it is.
    ``weights``: whether fewer or narrower weights would help.
    """

    def __init__(self, message: str, advice: str, needed: int, there: int, *, weights: bool = False) -> None:
        super().__init__(f"{message} {advice}")
        self.message = message
        self.advice = advice
        self.excess = needed / there
        self.weights = weights


def data_memory(fmir: Fmir, part: Part, places: CoreMap) -> FullError:
    """More bytes than a core has; the purposes of the bytes add up to their sum."""
    usage = {purpose: size for purpose, size in places.usage.items() if size and purpose != "tables"}
    excess = places.used_bytes - part.dm_bytes
    owner, most = _largest(fmir, places)
    cores = len({buffer.core for buffer in fmir.buffers.values()})
    shared = f", with the work laid out over {cores} cores" if cores > 1 else ""
    return FullError(
        f"{owner}: data memory of core {places.core} must hold {places.used_bytes} bytes "
        f"({', '.join(f'{purpose} {size}' for purpose, size in usage.items())}), "
        f"but {part.name} has {part.dm_bytes} per core: {excess} bytes too many{shared}. "
        f"It takes most, {most} bytes.",
        f"Make the network smaller: most bytes are {max(usage, key=lambda purpose: usage[purpose])}.",
        places.used_bytes,
        part.dm_bytes,
        weights=usage.get("weights", 0) > 0,
    )


def _largest(fmir: Fmir, places: CoreMap) -> tuple[str, int]:
    """What takes most bytes of a core's data memory (an input, a state, or a layer), and how many."""
    sizes = {name: 8 * (len(weights) + len(mask)) for name, (weights, mask) in places.packed.items()}
    sizes |= {name: buffer_bytes(fmir.buffers[name]) for name in places.address}
    name = max(sizes, key=lambda name: sizes[name])
    buffer = fmir.buffers.get(name)
    if buffer is not None and buffer.role in (Role.INPUT, Role.STATE):
        known = name.rpartition("@")[0] if buffer.core else name  # on other cores names have a number behind them
        return f"{buffer.role.value} {known.partition(':')[2]!r}", sizes[name]
    users = (op for op in walk(fmir.ops) if name in _names(op))
    return _layer(fmir, next(users, None), name), sizes[name]


def _names(op: Op) -> Iterable[str]:
    yield from (view.buffer for view in touches(op))
    if isinstance(op, Mac):
        yield from (name for name, _ in op.parts)


def table_too_long(fmir: Fmir, part: Part, op: Op, table: str) -> CapacityError:
    """A table that no bank can hold."""
    return EveryLayoutError(
        f"{_layer(fmir, op, table)}: table memory must hold the table's {len(fmir.tables[table])} words in one bank, "
        f"but a bank of {part.name} has {part.tm_bank_words}. "
        "Look up fewer address bits, or interpolate between the entries of a smaller table."
    )


def table_memory(part: Part, core: int, sizes: Mapping[str, int]) -> CapacityError:
    """More tables than fit."""
    total, there = (_TABLE_WORD_BYTES * words for words in (sum(sizes.values()), part.tm_banks * part.tm_bank_words))
    return FullError(
        f"table memory of core {core}: its {len(sizes)} different look-up tables need {total} bytes "
        f"in {part.tm_banks} banks, but {part.name} has {there} per core.",
        "Use fewer different nonlinearities, or quantize equal ones alike, so that they share a table.",
        total,
        there,
    )


def accumulators(fmir: Fmir, part: Part, places: CoreMap, buffer: Buffer) -> CapacityError:
    """A value that only accumulators can hold finds no place there."""
    maker = next((op for op in walk(fmir.ops) if buffer.name in _names(op)), None)
    rows = -(-buffer.length // GROUP_SIZE)
    others = ", which others need at the same time" if rows <= places.mac_row else ""
    larger = "use a part with more rows, " if part.acc_rows < MAX_ACCUMULATOR_ROWS else ""
    advice = f"{larger}split the layer into narrower ones, or saturate its values to {MAX_ELEMENT_BITS} bits"
    return CapacityError(
        f"{_layer(fmir, maker, buffer.name)}: accumulators of core {places.core} must hold {buffer.length} elements of "
        f"more than {MAX_ELEMENT_BITS} bits (whole rows needed: {rows}), but {part.name} has {places.mac_row} rows for "
        f"values (acc_rows = {part.acc_rows}){others}. "
        f"{advice[0].upper()}{advice[1:]}."
    )


def instruction_memory(
    part: Part, core: int, words: Mapping[int, int], pc: int, layers: tuple[SourceLayer, ...]
) -> CapacityError:
    """A program of ``pc`` words is too long; ``words`` has how many of them are each layer's."""
    layer = max(words, key=lambda number: words[number], default=0)
    needed, there, most = (_WORD_BYTES * count for count in (pc, part.im_words, words.get(layer, 0)))
    return FullError(
        f"layer {layers[layer].name!r}: instruction memory of core {core}: the program needs {needed} bytes, "
        f"but {part.name} has {there} per core: {needed - there} too many. It takes most, {most} bytes.",
        "Use wider layers instead of many small ones, or a loop in the network (an FQIR loop is compiled once).",
        needed,
        there,
    )


def check_operations(fmir: Fmir, part: Part, times: int) -> None:
    """EveryLayoutError for a network of so many operations that no layout is worth a try: each is an instruction at
    least, and there are ``times`` as many as fit all cores. Few are always tried: then it is said
    what is too small."""
    found = Counter(op.layer for op in walk(fmir.ops))
    there = max(times * part.cores * part.im_words, _SOON_TRIED)
    if found.total() > there:
        layer, most = found.most_common(1)[0]
        raise EveryLayoutError(
            f"layer {fmir.layers[layer].name!r:.80}: instruction memory: the network must have at most {there} "
            f"operations on {part.name}, not {found.total()}; this layer makes {most}. Make the network smaller, "
            "or have it move fewer scattered elements."
        )


def threads(part: Part, core: int, needed: int) -> CapacityError:
    """More threads than the scoreboard counts."""
    return FullError(
        f"threads of core {core}: the program needs {needed}, but {part.name} has {part.threads}.",
        "Use fewer, larger layers.",
        needed,
        part.threads,
    )


def message(what: str, words: int, most: int) -> CapacityError:
    """An input or output that no message can carry."""
    return EveryLayoutError(
        f"{what}: one message must carry its frame, which needs {words} words of 64 bits, "
        f"but a message has {most} at most. Split it into several with names of their own, or make the frame shorter."
    )


def router(part: Part, core: int, needed: int) -> CapacityError:
    """More words of messages could wait for a core than the router keeps."""
    return FullError(
        f"router of core {core}: messages that can wait there at one time need {needed} words, "
        f"but {part.name} has {part.router_words} per core (router_words).",
        "Share the network out over fewer cores (--compiler-options cores=N), or use a part with a larger router.",
        needed,
        part.router_words,
    )


def host_buffer(part: Part, what: str, needed: int, room: int) -> CapacityError:
    """The inputs or the outputs of a frame are more than their buffer holds."""
    return EveryLayoutError(
        f"{what} buffer: must hold all {what}s of a frame, which need {needed} words of 64 bits with their headers, "
        f"but {part.name} has {room} ({what}_buffer_words). "
        "Make the frame shorter, or use a part with a larger buffer (--hw-config my.toml)."
    )


def layer_words(lines: Iterable[tuple[int | None, int]]) -> Mapping[int, int]:
    """Instruction words of each layer, from pairs of layer and words."""
    words: Counter[int] = Counter()
    for layer, count in lines:
        if layer is not None:
            words[layer] += count
    return words


def _layer(fmir: Fmir, op: Op | None, name: str) -> str:
    return f"layer {fmir.layers[op.layer].name!r}" if op is not None else name
