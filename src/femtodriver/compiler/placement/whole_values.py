"""Which core makes and keeps each value that stays in one piece: where it is ready first, or where there is room.

A chain of layers stays on one core until that is full, since a message costs more than it gains; what does not depend
on each other spreads. Everything that a loop or condition writes is made on one core, and so are wide values that are
computed from each other, because no message can carry them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import ceil

from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.fmir.ir import Buffer, Fmir, If, Loop, Mac, Op, Role, Simple, View, reads, walk, writes
from femtodriver.compiler.placement.core_loads import RECEIVER_WORDS, CoreRoom, Load, all_on_one, empty_rooms, load_of
from femtodriver.compiler.placement.estimate_cycles import RECEIVE, CycleEstimator
from femtodriver.compiler.placement.sharing_plan import Order, SharingPlan
from femtodriver.isa import cycles
from femtodriver.isa.limits import ACCUMULATOR_BITS, WORD_BITS
from femtodriver.part import Part

# Where a value is that several cores have parts of.
_SHARED = -1
# With ``Order.LARGEST``, what takes at least this part of a core's memory chooses first.
_LARGE = 0.1
# Bundling leaves at least one message in so many.
_BUNDLING = 2


@dataclass(frozen=True)
class WholeValues:
    """``of_op``: the core of each operation whose result is whole; ``of_buffer``: that of values, by name.

    ``cycles``: how long a frame takes, roughly; ``fits``: whether it seems to fit the cores' memories and threads.
    """

    of_op: tuple[int, ...]
    of_buffer: Mapping[str, int]
    cycles: int
    fits: bool = True


def place_whole_values(fmir: Fmir, part: Part, plan: SharingPlan, split: Collection[str]) -> WholeValues:
    """A core for everything that is not in ``split``: buffers of which several cores own parts."""
    placer = _Placer(fmir, part, plan, split)
    if plan.order is Order.LARGEST:
        placer.place_large()
    for op in fmir.ops:
        placer.add(op)
    return WholeValues(tuple(placer.of_op), placer.of_buffer(), placer.end(), placer.fits())


def kept_together(fmir: Fmir) -> dict[str, str]:
    """Buffers that must be on one core, each with the name that stands for all of them."""
    leaders: dict[str, str] = {}

    def leader(name: str) -> str:
        while leaders.setdefault(name, name) != name:
            leaders[name] = name = leaders[leaders[name]]
        return name

    for op in fmir.ops:
        for first, *others in filter(None, (_bound(fmir, op),)):
            for other in others:
                leaders[leader(other)] = leader(first)
    return {name: leader(name) for name in list(leaders)}


def _bound(fmir: Fmir, op: Op) -> list[str]:
    """Buffers that the operation binds to one core."""
    inner = list(walk((op,)))
    if isinstance(op, (Loop, If)):
        views = [view for entry in inner for view in writes(entry)]
        views += [view for entry in inner for view in reads(entry) if _is_wide(fmir, view)]
    else:
        views = [view for view in reads(op) if _is_wide(fmir, view)]
        views += [op.dst] if views or _is_wide(fmir, op.dst) else []
    return list(dict.fromkeys(view.buffer for view in views))


def _is_wide(fmir: Fmir, view: View) -> bool:
    return fmir.buffers[view.buffer].bits == ACCUMULATOR_BITS


class _Placer:
    def __init__(self, fmir: Fmir, part: Part, plan: SharingPlan, split: Collection[str]) -> None:
        self.fmir = fmir
        self.plan = plan
        self.split = split
        self.of_op: list[int] = []
        self._together = kept_together(fmir)
        self._estimate = CycleEstimator(fmir, part)
        self._latency = part.message_latency
        self._rooms = empty_rooms(fmir, part, plan.cores)
        self._clock = [0] * plan.cores
        self._core: dict[str, int] = {}  # what stands for buffers that must be together -> their core
        self._ready: dict[str, int] = {}
        self._copies: dict[str, dict[int, int]] = {}  # buffer -> core with a copy, since when
        self._current = 0
        self._threads, self._waits = part.threads, [0] * plan.cores
        self._loads = [load_of(fmir, op) for op in fmir.ops]
        self._keys = [self._key(op) for op in fmir.ops]
        self._load_of_key: dict[str, Load] = {}
        for key, load in zip(self._keys, self._loads, strict=True):
            if key:
                self._load_of_key[key] = self._load_of_key.get(key, Load()) + load
        self._share = self._fair_share()
        for name, buffer in fmir.buffers.items():
            if buffer.role in (Role.INPUT, Role.KEPT):
                self._core[self._leader(name)] = 0

    def end(self) -> int:
        """When the last core has done its work, in cycles."""
        return max(self._clock)

    def fits(self) -> bool:
        """Whether no core has more than its memories hold, and not far too many messages to wait for."""
        return not any(room.overfull() for room in self._rooms) and all(
            waits <= _BUNDLING * self._threads for waits in self._waits
        )

    def of_buffer(self) -> dict[str, int]:
        """The core of each buffer that is not shared out and has been placed."""
        return {name: self._core[self._leader(name)] for name in self.fmir.buffers if self._leader(name) in self._core}

    def place_large(self) -> None:
        """What takes much of a core's memory goes to the emptiest core, the largest first."""
        empty = CoreRoom(self._rooms[0].limit)
        sizes = {key: empty.fullness(load) for key, load in self._load_of_key.items() if key not in self._core}
        for key in sorted(sizes, key=lambda key: -sizes[key]):
            if sizes[key] >= _LARGE:
                options = range(self.plan.cores)
                self._settle(key, min(options, key=lambda core: self._rooms[core].fullness(self._load_of_key[key])))

    def add(self, op: Op) -> None:
        """Choose the core of the next operation."""
        index = len(self.of_op)
        inner = list(walk((op,)))
        uses = list(dict.fromkeys(view.buffer for entry in inner for view in reads(entry)))
        uses = [name for name in uses if self.fmir.buffers[name].role is not Role.CONST]
        makes = list(dict.fromkeys(view.buffer for entry in inner for view in writes(entry)))
        cost = self._estimate.cost(op)
        if makes and makes[0] in self.split and not isinstance(op, (Loop, If)):
            self._share_out(op, makes, cost, self._loads[index])
            self.of_op.append(0)
            return
        core = self._choose(index, uses, makes, cost)
        sent = self._rooms[core].messages
        self._clock[core] = self._start(core, uses, commit=True) + cost
        self._waits[core] += self._rooms[core].messages > sent
        for name in makes:
            self._ready[name] = self._clock[core]
            self._copies[name] = {}
            self._core.setdefault(self._leader(name), core)
        self.of_op.append(core)

    def _key(self, op: Op) -> str:
        """What the operation's core is decided with: the value that it makes; "" for pieces of outputs."""
        made = next((view.buffer for entry in walk((op,)) for view in writes(entry)), "")
        if made not in self.fmir.buffers:
            return ""
        if made in self.split or (self.fmir.buffers[made].role is Role.OUTPUT and not isinstance(op, (Loop, If))):
            return "" if made not in self._together else self._leader(made)
        return self._leader(made)

    def _leader(self, name: str) -> str:
        return self._together.get(name, name)

    def _fair_share(self) -> float:
        """The part of a core's memories that is its share of the whole network."""
        everything = all_on_one(self._loads, self._rooms[0].limit)
        return min(everything.fullness() / self.plan.cores * self.plan.fill, 1.0)

    def _choose(self, index: int, uses: list[str], makes: list[str], cost: int) -> int:
        key, load = self._keys[index], self._loads[index]
        if key in self._core:
            return self._core[key]
        load = self._load_of_key.get(key, load)
        states = [name for name in uses if self.fmir.buffers[name].role is Role.STATE and name not in self.split]
        states = list(dict.fromkeys(self._leader(name) for name in states if self._leader(name) not in self._core))
        for state in states:
            load += self._load_of_key.get(state, Load())
        core = self._best(load, uses, makes, cost)
        if not self._rooms[core].fits(load) and states:
            states, load = [], self._load_of_key.get(key, self._loads[index])
            core = self._best(load, uses, makes, cost)
        for state in states:
            self._settle(state, core)
        if key:
            self._settle(key, core)
        else:
            self._rooms[core].take(load)
        return core

    def _settle(self, key: str, core: int) -> None:
        self._core[key] = core
        self._rooms[core].take(self._load_of_key.get(key, Load()))

    def _best(self, load: Load, uses: list[str], makes: list[str], cost: int) -> int:
        cores = list(range(self.plan.cores))
        if self.plan.order is Order.TIME:
            fitting = [core for core in cores if self._rooms[core].fits(load)]
            home = any(self.fmir.buffers[name].role is Role.OUTPUT for name in makes)
            if fitting:
                return min(fitting, key=lambda core: self._start(core, uses) + cost + (RECEIVE if home and core else 0))
        turns = [*cores[self._current :], *cores[: self._current]]
        for share in (self._share, 1.0):
            for core in turns:
                if self.plan.order is not Order.TIME and self._rooms[core].fits(load, share):
                    self._current = core
                    return core
        return min(cores, key=lambda core: self._rooms[core].fullness(load))

    def _start(self, core: int, uses: list[str], *, commit: bool = False) -> int:
        """When an operation on these values could begin; with ``commit`` the messages that it needs are sent."""
        clock, trouble = self._clock[core], 0
        arrivals: list[int] = []
        for name in uses:
            source = self._core.get(self._leader(name), core if name not in self.split else _SHARED)
            if source == core:
                continue
            if core in self._copies.get(name, {}):
                arrivals.append(self._copies[name][core])
                continue
            buffer = self.fmir.buffers[name]
            words, senders = self._message(buffer, source, core)
            sent = self._ready.get(name, 0) + cycles.transfer(words)
            clock += RECEIVE + words
            arrivals.append(sent + self._latency + RECEIVE + words)
            trouble += cycles.transfer(words)
            if commit:
                self._send(buffer, senders, core, words, arrivals[-1])
        if commit:
            return max([clock, *arrivals])
        return max([clock, *arrivals]) + trouble

    def _message(self, buffer: Buffer, source: int, core: int) -> tuple[int, list[int]]:
        words = ceil(buffer.length * buffer.bits / WORD_BITS)
        if source != _SHARED:
            return words, [source]
        return ceil(words / self.plan.cores), [other for other in range(self.plan.cores) if other != core]

    def _send(self, buffer: Buffer, senders: list[int], core: int, words: int, arrival: int) -> None:
        for sender in senders:
            self._clock[sender] += cycles.transfer(words)
            self._rooms[sender].take(Load(words=1))
        self._clock[core] += (RECEIVE + words) * len(senders)
        self._rooms[core].messages += len(senders)
        self._rooms[core].take(Load({f"mail {buffer.name}": buffer_bytes(buffer)}, {}, RECEIVER_WORDS * len(senders)))
        self._copies.setdefault(buffer.name, {})[core] = arrival

    def _share_out(self, op: Simple, makes: list[str], cost: int, load: Load) -> None:
        """Every core does its part of the operation."""
        cores = range(self.plan.cores)
        part = Load({name: ceil(size / len(cores)) for name, size in load.data.items()}, load.tables, load.words)
        uses = [view.buffer for view in reads(op) if self.fmir.buffers[view.buffer].role is not Role.CONST]
        foreign = [name for name in uses if isinstance(op, Mac) or name not in self.split]
        starts = [self._start(core, foreign, commit=True) for core in cores]
        for core in cores:
            self._clock[core] = starts[core] + ceil(cost / len(cores))
            self._rooms[core].take(part)
        for name in makes:
            self._ready[name] = max(self._clock)
            self._copies[name] = {}
