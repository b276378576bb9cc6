"""The course of one frame: what each core worked on, from the inputs in their buffer to all cores at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from femtodriver.machine.frame_record import FrameRecord
from femtodriver.metrics.text_cells import count_text, name_text, percent_text, quantity
from femtodriver.report.layers_section import NAME_WIDTH
from femtodriver.report.page_blocks import COLOURS, Lane, Section, Sentence, Share, Span, Tick, Timeline
from femtodriver.report.report_facts import ReportFacts

TITLE = "Timeline of one frame"
MOST_SPANS = 600
MOST_LEGEND = COLOURS - 1
_REST = COLOURS - 1
_TICKS = 4
_Piece = tuple[str, int, int]
"""A label, the first cycle and the end; an empty label is a wait."""


def timeline_section(facts: ReportFacts) -> Section:
    """A lane for each core. The layers that took longest have colours of their own, and the others share one."""
    if facts.frame is None:
        return Section("timeline", TITLE, "The run ended before the frame that was to be drawn.", ())
    number, record = facts.frame
    clock = facts.doc["hardware"]["clock_hz"]
    length = quantity(record.elapsed / clock, "s")
    lead = f"Frame {number} took {count_text(record.elapsed)} cycles, {length}."
    if not record.complete:
        lead += f" The drawing has its first {count_text(record.instructions)} instructions."
    whole = record.elapsed or 1
    lanes = {core: list(_pieces(facts, record, core)) for core in record.cores}
    times: Counter[str] = Counter()
    for pieces in lanes.values():
        for label, start, end in pieces:
            times[label] += end - start
    del times[""]
    ranked = sorted(times.items(), key=lambda entry: (-entry[1], entry[0]))
    colours = {label: min(place, _REST) for place, (label, _) in enumerate(ranked)}
    drawn = tuple(Lane(f"core {core}", _spans(pieces, whole, colours)) for core, pieces in lanes.items())
    ticks = tuple(
        Tick(place / _TICKS, quantity(place / _TICKS * record.elapsed / clock, "s") if place else "0")
        for place in range(_TICKS + 1)
    )
    block = Timeline(
        f"Layers of frame {number} on each core; where nothing is drawn, the core waits",
        drawn,
        ticks,
        _legend(ranked, sum(times.values()) or 1),
        sources=("cycles", "instructions"),
    )
    more = Sentence("A timeline with every instruction, for Perfetto, is written with --trace FILE.")
    return Section("timeline", TITLE, lead, (block, more))


def _pieces(facts: ReportFacts, record: FrameRecord, core: int) -> Iterator[_Piece]:
    """What a core did, in order: neighbouring instructions of one layer together, and waits."""
    found = [("", wait.start, wait.start + wait.cycles) for wait in record.waits(core)]
    for run in record.threads_of(core):
        first = facts.view.label(facts.view.layer(core, run.pc))
        found.append((first, run.start, run.instructions[0].start if run.instructions else run.end))
        for made in run.instructions:
            found.append((facts.view.label(facts.view.layer(core, made.pc)), made.start, made.end))
    found.sort(key=lambda piece: piece[1])
    joined: list[_Piece] = []
    for label, start, end in found:
        if joined and joined[-1][0] == label and joined[-1][2] == start:
            joined[-1] = label, joined[-1][1], end
        else:
            joined.append((label, start, end))
    return iter(joined)


def _spans(pieces: list[_Piece], whole: int, colours: dict[str, int]) -> tuple[Span, ...]:
    """The pieces as shares of the frame. Where there are too many, the shortest are drawn with their neighbours."""
    shortest = 0 if len(pieces) <= MOST_SPANS else sorted(end - start for _, start, end in pieces)[-MOST_SPANS]
    spans: list[Span] = []
    for is_small, group in groupby(pieces, key=lambda piece: piece[2] - piece[1] < shortest):
        if is_small:
            small = list(group)
            first, last = small[0][1], small[-1][2]
            spans.append(Span(first / whole, (last - first) / whole, f"{len(small)} short pieces", _REST))
            continue
        for label, start, end in group:
            text = f"{name_text(label, NAME_WIDTH) or 'waiting'}: {count_text(end - start)} cycles from cycle {start}"
            spans.append(Span(start / whole, (end - start) / whole, text, colours.get(label)))
    return tuple(spans)


def _legend(ranked: list[tuple[str, int]], whole: int) -> tuple[Share, ...]:
    own, others = ranked[:MOST_LEGEND], ranked[MOST_LEGEND:]
    found = [
        Share(name_text(label, NAME_WIDTH), cycles / whole, _cycles_text(cycles, whole), place)
        for place, (label, cycles) in enumerate(own)
    ]
    if others:
        cycles = sum(taken for _, taken in others)
        found.append(Share(f"{len(others)} other layers", cycles / whole, _cycles_text(cycles, whole), _REST))
    return tuple(found)


def _cycles_text(cycles: int, whole: int) -> str:
    return f"{count_text(cycles)} cycles ({percent_text(cycles / whole)})"
