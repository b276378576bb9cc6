"""The timeline in Chrome's Trace Event Format, as JSON, which Perfetto opens; see docs/trace.md."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from femtodriver.isa import cycles
from femtodriver.machine.frame_record import ExecutedInstruction, FrameRecord, ThreadRun
from femtodriver.trace import counters
from femtodriver.trace.program_view import ProgramView, elements_of, shown_name

SCHEMA = "femtodriver-trace/1"
RUN_PID, FIRST_CORE_PID = 1, 2
FRAMES_TID, OUTPUTS_TID = 1, 2
# Numbers of tracks are those of no other process: some viewers take them for unique.
TRACKS_OF_A_PROCESS = 10_000
# Names of colours that the format knows; viewers that colour by name do not use them.
LAYER_COLOURS = (
    *("thread_state_running", "thread_state_iowait", "thread_state_runnable", "rail_animation", "rail_response"),
    *("rail_load", "startup", "olive", "generic_work", "good", "bad", "cq_build_passed", "cq_build_running"),
)
_COUNTED = ("matrix_executed", "activation_live", "saturated", "dm_read", "dm_write", "tm_read")
Event = dict[str, Any]


class ChromeTrace:
    """Collects the events of frames, one after the other. ``clock_hz``: how long a cycle is, in the trace."""

    def __init__(self, view: ProgramView, clock_hz: float) -> None:
        self.view, self.clock_hz = view, clock_hz
        self._begin = 0  # cycle in which the frame begins
        self._flows = 0
        self._tracks: dict[tuple[int, str], int] = {}
        self._names: list[Event] = [*_process(RUN_PID, "run", 0), *_track(RUN_PID, FRAMES_TID, "frames", 0)]
        self._names += _track(RUN_PID, OUTPUTS_TID, "outputs", 1)
        self._events: list[Event] = []

    def add(self, number: int, record: FrameRecord) -> None:
        """The frame of that number, behind those that were added."""
        for core in record.cores:
            self._open(core)
        args = {"frame": number, "cycles": record.elapsed, "complete": record.complete}
        self._slice(RUN_PID, FRAMES_TID, f"frame {number}", "frame", 0, record.elapsed, args)
        for output in record.outputs:
            name = self.view.mailboxes.get(output.mailbox, f"mailbox {output.mailbox}")
            place = {"ph": "i", "s": "t", "pid": RUN_PID, "tid": OUTPUTS_TID, "ts": self._us(output.arrival)}
            self._events.append({"name": f"output {name}", "cat": "output", **place, "args": {"words": output.words}})
        for core in record.cores:
            for run in record.threads_of(core):
                self._run(run)
            self._waits(record, core)
            self._counters(record, core)
        self._arrows(record)
        self._begin += record.elapsed

    def json(self, facts: Mapping[str, Any]) -> bytes:
        """The document. ``facts``: what else it says of the run."""
        other = json.dumps({"schema": SCHEMA, "clock_hz": self.clock_hz, **facts}, separators=(",", ":"))
        in_order = sorted(self._events, key=lambda event: event["ts"])
        lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in (*self._names, *in_order))
        return f'{{"displayTimeUnit":"ns","otherData":{other},"traceEvents":[\n{lines}\n]}}\n'.encode("ascii")

    def _us(self, cycle: int) -> float:
        return microseconds(self._begin + cycle, self.clock_hz)

    def _slice(
        self, pid: int, tid: int, name: str, category: str, start: int, taken: int, args: Event, colour: str = ""
    ) -> None:
        # The end is rounded, not the length: neighbours meet, and what is inside another slice stays inside.
        begin = _nanoseconds(self._begin + start, self.clock_hz)
        length = _nanoseconds(self._begin + start + taken, self.clock_hz) - begin
        event: Event = {"name": name, "cat": category, "ph": "X", "pid": pid, "tid": tid}
        event |= {"ts": _as_microseconds(begin), "dur": _as_microseconds(length), "args": args}
        self._events.append(event | ({"cname": colour} if colour else {}))

    # --- tracks ---

    def _open(self, core: int) -> None:
        """The process of a core, and the track of its waiting."""
        if (core, "waiting") not in self._tracks:
            self._names += _process(FIRST_CORE_PID + core, f"core {core}", 1 + core)
            self._tid(core, "waiting", -1)

    def _tid(self, core: int, name: str, place: int) -> int:
        """The track of that name; ``place``: what the tracks of a core are sorted by."""
        pid = FIRST_CORE_PID + core
        if (core, name) not in self._tracks:
            tid = TRACKS_OF_A_PROCESS * pid + len(self._tracks)
            self._tracks[core, name] = tid
            self._names += _track(pid, tid, name, place)
        return self._tracks[core, name]

    def _tid_of(self, run: ThreadRun) -> int:
        return self._tid(run.core, self.view.thread_name(run), run.pc)

    # --- slices ---

    def _run(self, run: ThreadRun) -> None:
        """A run of a thread: its start, its layers, and their instructions."""
        pid, tid = FIRST_CORE_PID + run.core, self._tid_of(run)
        # The counts of the machine, and so the metrics of layers, have it in the first instruction.
        start: Event = {"pc": run.pc, "layer": self.view.label(self.view.layer(run.core, run.pc))}
        start |= {"ready": run.ready, "queued": run.start - run.ready, "cycles": cycles.THREAD_SWITCH}
        start["pJ"] = _rounded(self.view.picojoules(counters.SWITCH_EVENTS))
        self._slice(pid, tid, "start thread", "switch", run.start, cycles.THREAD_SWITCH, start)
        for place, first, end in _layers(run, self.view):
            layer = self.view.layer_of(place)
            args = {"operator": shown_name(layer.op), "value": shown_name(layer.source)}
            self._slice(pid, tid, self.view.label(place), "layer", first, end - first, args, _colour(place))
        for made in run.instructions:
            place = self.view.layer(run.core, made.pc)
            name, args = self._told(run.core, made, place)
            self._slice(pid, tid, name, "instruction", made.start, made.cycles, args, _colour(place))

    def _told(self, core: int, made: ExecutedInstruction, place: int | None) -> tuple[str, Event]:
        instruction = self.view.instruction(core, made.pc)
        args: Event = {"pc": made.pc, "assembly": instruction.text()}
        args["layer"] = self.view.label(place)
        if (elements := elements_of(instruction)) is not None:
            args["elements"] = elements
        args |= {"cycle": made.start, "cycles": made.cycles}
        if made.ahead:
            args["began earlier by"] = made.ahead
        args |= {name: made.events[name] for name in _COUNTED if name in made.events}
        args["pJ"] = _rounded(self.view.picojoules(made.events))
        return instruction.spec.name, args

    def _waits(self, record: FrameRecord, core: int) -> None:
        tid = self._tid(core, "waiting", -1)
        for wait in record.waits(core):
            args = {"waiting cause": wait.cause, "cycle": wait.start, "cycles": wait.cycles}
            self._slice(FIRST_CORE_PID + core, tid, wait.cause, "waiting", wait.start, wait.cycles, args)

    # --- counters and arrows ---

    def _counters(self, record: FrameRecord, core: int) -> None:
        self._counter(core, "power", "uW", counters.power_steps(record, core, self.clock_hz, self.view.picojoules))
        for bank in counters.used_banks(record, core):
            self._counter(core, "accesses per cycle", f"bank {bank}", counters.bank_steps(record, core, bank))
        self._counter(core, "ready queue", "threads", counters.ready_steps(record, core))
        self._counter(core, "router", "words", counters.router_steps(record, core))

    def _counter(self, core: int, name: str, unit: str, steps: Iterator[counters.Step]) -> None:
        for cycle, value in steps:
            place = {"ph": "C", "pid": FIRST_CORE_PID + core, "ts": self._us(cycle)}
            self._events.append({"name": name, **place, "args": {unit: _rounded(value)}})

    def _arrows(self, record: FrameRecord) -> None:
        """Messages and signals from the host, and between cores: from what sent them to the start of the thread."""
        senders = {(run.core, made.start): run for run in record.threads for made in run.instructions}
        for run in record.threads:
            for sending in (record.sendings[number] for number in run.woken_by):
                if sending.sender == run.core:
                    continue
                self._flows += 1
                name = "message" if sending.thread is None else "signal"
                args = {"words": sending.words, "arrival": sending.arrival}
                common: Event = {"name": name, "cat": "flow", "id": self._flows}
                origin: Event = {"pid": RUN_PID, "tid": FRAMES_TID}
                if sending.sender is not None:
                    sent_by = senders[sending.sender, sending.start]
                    origin = {"pid": FIRST_CORE_PID + sending.sender, "tid": self._tid_of(sent_by)}
                target = {"pid": FIRST_CORE_PID + run.core, "tid": self._tid_of(run)}
                self._events.append({**common, "ph": "s", **origin, "ts": self._us(sending.start), "args": args})
                self._events.append({**common, "ph": "f", "bp": "e", **target, "ts": self._us(run.start)})


def microseconds(cycle: int, clock_hz: float) -> float:
    """When a cycle begins, to the nanosecond, in the unit of the format."""
    return _as_microseconds(_nanoseconds(cycle, clock_hz))


def _nanoseconds(cycle: int, clock_hz: float) -> int:
    return round(cycle * 1e9 / clock_hz)


def _as_microseconds(nanoseconds: int) -> float:
    """The number that means so many nanoseconds also to readers that multiply by 1000 and cut off."""
    value = nanoseconds / 1000
    return value if int(value * 1000) == nanoseconds else math.nextafter(value, math.inf)


def _layers(run: ThreadRun, view: ProgramView) -> Iterator[tuple[int | None, int, int]]:
    """Neighbouring instructions of one layer: its place, first cycle and end."""
    found: list[tuple[int | None, int, int]] = []
    for made in run.instructions:
        place = view.layer(run.core, made.pc)
        if found and found[-1][0] == place:
            found[-1] = place, found[-1][1], made.end
        else:
            found.append((place, made.start, made.end))
    return iter(found)


def _colour(place: int | None) -> str:
    return "grey" if place is None else LAYER_COLOURS[place % len(LAYER_COLOURS)]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _process(pid: int, name: str, place: int) -> list[Event]:
    named = {"ph": "M", "pid": pid, "name": "process_name", "args": {"name": name}}
    return [named, {"ph": "M", "pid": pid, "name": "process_sort_index", "args": {"sort_index": place}}]


def _track(pid: int, tid: int, name: str, place: int) -> list[Event]:
    named = {"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}
    return [named, {"ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": place}}]
