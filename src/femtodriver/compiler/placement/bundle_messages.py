"""Messages leave as soon as their values are made, and short ones between the same two cores leave together.

A message costs an instruction on one core, a thread on the other, and a dozen cycles on both. So it waits a little for
others that can go along. The values of a bundle are made side by side in one buffer, or copied there where that cannot
be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from femtodriver.compiler.fmir.buffer_uses import users
from femtodriver.compiler.fmir.ir import Buffer, Fmir, Op, Role, Send, Vec, View, writes
from femtodriver.compiler.fmir.rewriting import doing_also, with_views
from femtodriver.compiler.placement.estimate_cycles import CycleEstimator
from femtodriver.isa.limits import WORD_BITS
from femtodriver.part import Part

# Longer messages are worth their cost.
MOST_MEMBER_WORDS = 16
MOST_WORDS = 128
# Cycles that a message waits for others, if that may cost time.
PATIENCE = 24

Place = tuple[str, int]
"""A buffer, and the element of it at which something begins."""


@dataclass
class _Bundle:
    """Messages that leave together, before the operation with the index ``position`` and at ``wanted`` at the latest.

    ``since``: when the first of them could have left, in cycles of work of its core.
    """

    position: int
    wanted: int
    since: float
    words: int
    sends: list[Send]


def bundle_messages(fmir: Fmir, part: Part, patience: float = PATIENCE) -> Fmir:
    """Every message leaves when its values are complete, or up to ``patience`` cycles later, together with others."""
    if not any(isinstance(op, Send) for op in fmir.ops):
        return fmir
    writer = _Writer(fmir)
    for bundle in _bundles(fmir, part, patience):
        writer.add(bundle)
    return writer.finished()


def _bundles(fmir: Fmir, part: Part, patience: float) -> list[_Bundle]:
    """All messages, in the order in which their values are complete."""
    written = users(fmir.ops, writes)
    work = _work_before(fmir, part)
    windows = [
        (_complete(fmir, op, index, written), index, op) for index, op in enumerate(fmir.ops) if isinstance(op, Send)
    ]
    found: list[_Bundle] = []
    open_ones: dict[tuple[int, int, int], _Bundle] = {}
    for first, last, op in sorted(windows, key=lambda window: window[:2]):
        target = fmir.buffers[op.dst.buffer]
        words, time = _words(op.dst.length, target.bits), work[op.core][first]
        key = (op.core, target.core, target.bits)
        bundle = open_ones.get(key)
        if not _may_join(fmir, op, written):
            found.append(_Bundle(first, last, time, words, [op]))
        elif (
            bundle is not None
            and first <= bundle.wanted
            and time - bundle.since <= patience
            and bundle.words + words <= MOST_WORDS
        ):
            bundle.position, bundle.wanted = first, min(bundle.wanted, last)
            bundle.words += words
            bundle.sends.append(op)
        else:
            open_ones[key] = _Bundle(first, last, time, words, [op])
            found.append(open_ones[key])
    return found


def _work_before(fmir: Fmir, part: Part) -> dict[int, list[int]]:
    """For each core that sends, the cycles that it works before each operation of the network."""
    estimator = CycleEstimator(fmir, part)
    sums: dict[int, list[int]] = {op.core: [0] for op in fmir.ops if isinstance(op, Send)}
    for op in fmir.ops:
        cost = estimator.cost(op)
        for core, total in sums.items():
            total.append(total[-1] + (cost if core == op.core and not isinstance(op, Send) else 0))
    return sums


def _complete(fmir: Fmir, op: Send, index: int, written: Mapping[str, list[int]]) -> int:
    """The first operation before which the message may leave."""
    if fmir.buffers[op.dst.buffer].role not in (Role.MAIL, Role.OUTPUT):
        return index
    times = written.get(op.a.buffer, [])
    before = bisect_left(times, index)
    return times[before - 1] + 1 if before else 0


def _may_join(fmir: Fmir, op: Send, written: Mapping[str, list[int]]) -> bool:
    """Whether a message is short and fills a buffer of its own."""
    target = fmir.buffers[op.dst.buffer]
    alone = target.role is Role.MAIL and op.dst.length == target.length and len(written[target.name]) == 1
    return alone and _words(target.length, target.bits) <= MOST_MEMBER_WORDS


def _words(length: int, bits: int) -> int:
    return ceil(length * bits / WORD_BITS)


class _Writer:
    """The network with some bundles made."""

    def __init__(self, fmir: Fmir) -> None:
        self.fmir = fmir
        self._buffers = dict(fmir.buffers)
        self._places: dict[str, Place] = {}
        self._inserted: dict[int, list[Op]] = {}
        self._made = 0

    def add(self, bundle: _Bundle) -> None:
        """Send the messages of a bundle as one."""
        if len(bundle.sends) == 1:
            self._inserted.setdefault(bundle.position, []).append(bundle.sends[0])
            return
        first = bundle.sends[0]
        bits = self.fmir.buffers[first.a.buffer].bits
        elements = WORD_BITS // bits
        source, target = self._name("bundle"), self._name("bundle")
        copies: list[Op] = []
        place, bases = 0, dict[str, int]()
        needed = Counter[str]()
        for send in bundle.sends:
            needed[send.a.buffer] += send.a.length
        for send in bundle.sends:
            buffer = self.fmir.buffers[send.a.buffer]
            if buffer.name not in bases and not self._may_move(buffer, needed[buffer.name]):
                start, place = place, place + ceil(send.a.length / elements) * elements
                copies.append(
                    Vec("vpass", View(source, start, send.a.length), send.a, layer=send.layer, core=send.core)
                )
            else:
                if buffer.name not in bases:
                    bases[buffer.name], place = place, place + ceil(buffer.length / elements) * elements
                    self._places[buffer.name] = (source, bases[buffer.name])
                start = bases[buffer.name] + send.a.offset
            self._places[send.dst.buffer] = (target, start)
        core = self.fmir.buffers[first.dst.buffer].core
        self._buffers[source] = Buffer(source, place, bits, Role.TEMP, first.core)
        self._buffers[target] = Buffer(target, place, bits, Role.MAIL, core)
        whole = Send(View(target, 0, place), View(source, 0, place), first.layer, first.core)
        whole = doing_also(whole, bundle.sends)
        self._inserted.setdefault(bundle.position, []).extend((*copies, whole))

    def finished(self) -> Fmir:
        """The network with all bundles."""
        ops: list[Op] = []
        for index, op in enumerate(self.fmir.ops):
            ops += [with_views(made, self._moved) for made in self._inserted.get(index, ())]
            if not isinstance(op, Send):
                ops.append(with_views(op, self._moved))
        return self.fmir.with_ops(tuple(ops), self._buffers)

    def _may_move(self, buffer: Buffer, needed: int) -> bool:
        """Whether the whole buffer can be made inside the bundle: it is not much more than what is sent."""
        free = buffer.role is Role.TEMP and buffer.name not in self._places
        return free and buffer.length <= 2 * needed

    def _moved(self, view: View) -> View:
        name, start = self._places.get(view.buffer, (view.buffer, 0))
        return replace(view, buffer=name, offset=start + view.offset)

    def _name(self, stem: str) -> str:
        while f"{stem}{self._made}" in self._buffers:
            self._made += 1
        self._made += 1
        return f"{stem}{self._made - 1}"
