"""The rules of Chrome's Trace Event Format, as far as we use it, and what viewers expect beyond them.

Written from the format's description ("Trace Event Format", the Catapult project): which keys each phase needs, that
the complete events of a track nest, that both ends of a flow lie in slices, that counters have numbers.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

Event = dict[str, Any]
Track = tuple[int, int]

NEEDED = {
    "M": {"name", "pid", "args"},
    "X": {"name", "cat", "ts", "dur", "pid", "tid", "args"},
    "i": {"name", "cat", "ts", "pid", "tid", "s"},
    "C": {"name", "ts", "pid", "args"},
    "s": {"name", "cat", "id", "ts", "pid", "tid"},
    "f": {"name", "cat", "id", "ts", "pid", "tid", "bp"},
}
METADATA = {"process_name": "name", "process_sort_index": "sort_index", "thread_name": "name"}
METADATA["thread_sort_index"] = "sort_index"


def events_of(content: bytes) -> list[Event]:
    """The events of a trace that keeps the rules; AssertionError for one that does not."""
    document = json.loads(content.decode("ascii"))
    assert document["displayTimeUnit"] in ("ms", "ns")
    events: list[Event] = document["traceEvents"]
    for event in events:
        check_event(event)
    times = [event["ts"] for event in events if "ts" in event]
    assert times == sorted(times)
    check_tracks(events)
    for slices in by_track(events).values():
        check_nesting(slices)
    check_flows(events)
    return events


def check_event(event: Event) -> None:
    missing = NEEDED[event["ph"]] - event.keys()
    assert not missing, (missing, event)
    if event["ph"] == "M":
        assert METADATA[event["name"]] in event["args"]
    for key in ("ts", "dur"):
        value = event.get(key, 0)
        assert isinstance(value, (int, float))
        assert value >= 0
        # Readers turn it into whole nanoseconds, some by cutting off.
        assert int(value * 1000) == round(value * 1000)
    if event["ph"] == "C":
        assert event["args"]
        assert all(isinstance(value, (int, float)) and value >= 0 for value in event["args"].values())
    if event["ph"] == "i":
        assert event["s"] in ("g", "p", "t")


def check_tracks(events: list[Event]) -> None:
    """Every process and track has one name, and no two processes share the number of a track."""
    processes = [event["pid"] for event in events if event["name"] == "process_name"]
    tracks = [(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"]
    assert len(set(processes)) == len(processes)
    assert len({tid for _, tid in tracks}) == len(tracks)
    assert {event["pid"] for event in events} <= set(processes)
    assert {(event["pid"], event["tid"]) for event in events if "tid" in event} <= set(tracks)


def by_track(events: list[Event]) -> dict[Track, list[Event]]:
    """The slices of each track, in the order of the file."""
    found: dict[Track, list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            found[event["pid"], event["tid"]].append(event)
    return found


def check_nesting(slices: list[Event]) -> None:
    """Each slice lies inside the one that it begins in, to the nanosecond."""
    open_ends: list[int] = []
    for one in slices:
        start, end = nanoseconds(one["ts"]), nanoseconds(one["ts"]) + nanoseconds(one["dur"])
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        assert not open_ends or end <= open_ends[-1], one
        open_ends.append(end)


def check_flows(events: list[Event]) -> None:
    """Each flow has one start and one end, not before it, and both lie in a slice."""
    starts = {event["id"]: event for event in events if event["ph"] == "s"}
    ends = {event["id"]: event for event in events if event["ph"] == "f"}
    assert len(starts) == sum(event["ph"] == "s" for event in events)
    assert starts.keys() == ends.keys()
    slices = by_track(events)
    for number, start in starts.items():
        end = ends[number]
        assert start["ts"] <= end["ts"]
        assert (start["cat"], start["name"]) == (end["cat"], end["name"])
        assert end["bp"] == "e"
        for place in (start, end):
            inside = slices[place["pid"], place["tid"]]
            assert any(one["ts"] <= place["ts"] < one["ts"] + one["dur"] for one in inside), place


def nanoseconds(microseconds: float) -> int:
    """As readers take it."""
    return int(microseconds * 1000)
