"""The trace keeps the rules of its format, and its sums are the counts of the run."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.trace.chrome_trace import LAYER_COLOURS, microseconds
from tests.conftest import Golden
from tests.trace.trace_rules import Event, by_track, events_of, nanoseconds

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"
FRAMES = 3
NS_PER_CYCLE = 10  # at 100 MHz


@dataclass(frozen=True)
class Traced:
    """A run of which every frame was traced."""

    content: bytes
    events: list[Event]
    metrics: dict[str, Any]


@pytest.fixture(scope="module")
def spotter() -> Femtodriver:
    driver = Femtodriver()
    driver.load_model(str(SPOTTER / "keyword_spotter.pt"))
    driver.compile_metadata()
    return driver


def words() -> dict[str, Any]:
    with np.load(SPOTTER / "words.npz") as archive:
        return {name: archive[name][20 : 20 + FRAMES] for name in archive.files}


def traced(driver: Femtodriver, folder: Path, **options: Any) -> Traced:
    path = folder / "trace.json"
    _, metrics = driver.simulate(words(), trace=path, trace_frames=(0, FRAMES), **options)
    content = path.read_bytes()
    return Traced(content, events_of(content), yaml.safe_load(metrics))


@pytest.fixture(scope="module")
def run(spotter: Femtodriver, tmp_path_factory: pytest.TempPathFactory) -> Traced:
    return traced(spotter, tmp_path_factory.mktemp("trace"))


def core_of(event: Event) -> int:
    return int(event["pid"]) - 2


def work(run: Traced) -> list[Event]:
    """Instructions and starts of threads: what a core is busy with."""
    return [event for event in run.events if event.get("cat") in ("instruction", "switch")]


def test_durations_of_each_core_are_the_cycles_that_are_counted(run: Traced) -> None:
    busy: Counter[int] = Counter()
    waiting: dict[int, Counter[str]] = defaultdict(Counter)
    for event in work(run):
        busy[core_of(event)] += nanoseconds(event["dur"])
        assert nanoseconds(event["dur"]) == NS_PER_CYCLE * event["args"]["cycles"]
    for event in run.events:
        if event.get("cat") == "waiting":
            waiting[core_of(event)][event["args"]["waiting cause"]] += nanoseconds(event["dur"])
    for core, counted in enumerate(run.metrics["cycles"]["per_core"]):
        assert busy[core] == pytest.approx(NS_PER_CYCLE * FRAMES * counted["busy"])
        for cause, cycles in counted["waiting"].items():
            assert waiting[core][cause] == pytest.approx(NS_PER_CYCLE * FRAMES * cycles)
    frames = [event for event in run.events if event.get("cat") == "frame"]
    assert [event["name"] for event in frames] == ["frame 0", "frame 1", "frame 2"]
    assert sum(event["args"]["cycles"] for event in frames) == pytest.approx(FRAMES * run.metrics["cycles"]["total"])


def test_cycles_and_energy_of_each_layer_are_those_of_the_metrics(run: Traced) -> None:
    cycles: Counter[str] = Counter()
    joules: dict[str, float] = defaultdict(float)
    for event in work(run):
        cycles[event["args"]["layer"]] += event["args"]["cycles"]
        joules[event["args"]["layer"]] += event["args"]["pJ"] * 1e-12
    expected: Counter[str] = Counter()
    energy: dict[str, float] = defaultdict(float)
    for layer in run.metrics["layers"]:
        expected[layer["label"]] += FRAMES * layer["cycles"]
        energy[layer["label"]] += FRAMES * layer["energy_j"]
    assert {name: count for name, count in cycles.items() if count} == pytest.approx(
        {name: count for name, count in expected.items() if count}
    )
    for name, found in joules.items():
        assert found == pytest.approx(energy[name], rel=1e-4)


def test_slices_of_layers_hold_their_instructions(run: Traced) -> None:
    for track in by_track(run.events).values():
        layers = [event for event in track if event["cat"] == "layer"]
        for one in track:
            if one["cat"] == "instruction":
                (around,) = [
                    layer
                    for layer in layers
                    if layer["ts"] <= one["ts"]
                    and nanoseconds(one["ts"]) + nanoseconds(one["dur"])
                    <= nanoseconds(layer["ts"]) + nanoseconds(layer["dur"])
                ]
                assert around["name"] == one["args"]["layer"]
                assert around["cname"] == one["cname"]


def test_instructions_say_what_they_are(run: Traced) -> None:
    told = [event for event in run.events if event.get("cat") == "instruction"]
    assert {event["name"] for event in told} >= {"mac", "recv", "send", "out", "signal", "end", "vpass"}
    for event in told:
        args = event["args"]
        assert args["assembly"].split(" ")[0] == event["name"]
        assert args.keys() >= {"pc", "layer", "cycle", "cycles", "pJ"}
        assert ("elements" in args) == (event["name"] not in ("signal", "end", "setb", "addb", "loop", "jump", "movb"))
    product = next(event for event in told if event["name"] == "mac")
    assert 0 < product["args"]["matrix_executed"] <= product["args"]["elements"]
    assert {event["cname"] for event in told} <= {*LAYER_COLOURS, "grey"}


def test_the_area_under_the_power_is_the_energy(run: Traced) -> None:
    for core, expected in enumerate(run.metrics["energy_j"]["by_core"]):
        steps = [event for event in run.events if event["name"] == "power" and core_of(event) == core]
        joules = 0.0
        for before, after in pairwise(steps):
            joules += before["args"]["uW"] * 1e-6 * (after["ts"] - before["ts"]) * 1e-6
        assert joules == pytest.approx(FRAMES * expected["typical"], rel=1e-3)
        assert steps[-1]["args"]["uW"] == 0


def test_messages_between_cores_are_arrows(run: Traced) -> None:
    arrows = {(core_of(event), event["name"]) for event in run.events if event["ph"] == "s"}
    assert arrows == {
        (-1, "message"),
        (0, "message"),
        (1, "message"),
        *(arrow for arrow in arrows if arrow[1] == "signal"),
    }
    starts = {event["id"]: event for event in run.events if event["ph"] == "s"}
    between = 0
    for event in run.events:
        if event["ph"] == "f":
            origin = starts[event["id"]]
            assert origin["pid"] != event["pid"]
            between += core_of(origin) >= 0
            delay = origin["args"]["arrival"]
            assert delay >= 0
    sent = sum(event["name"] == "send" for event in run.events if event.get("cat") == "instruction")
    assert between >= sent


def test_outputs_are_marks_at_their_latency(run: Traced) -> None:
    marks = [event for event in run.events if event["ph"] == "i"]
    assert [event["name"] for event in marks] == ["output output.0"] * FRAMES
    frames = [event["ts"] for event in run.events if event.get("cat") == "frame"]
    seconds = [(mark["ts"] - start) * 1e-6 for mark, start in zip(marks, frames, strict=True)]
    assert np.mean(seconds) == pytest.approx(run.metrics["latency_s"]["mean"])


def test_other_counters(run: Traced) -> None:
    counters = {(event["name"], *event["args"]) for event in run.events if event["ph"] == "C"}
    assert {("power", "uW"), ("accesses per cycle", "bank 0"), ("router", "words")} <= counters
    last = {(event["pid"], event["name"], *event["args"]): event for event in run.events if event["ph"] == "C"}
    assert all(set(event["args"].values()) == {0} for event in last.values())
    most = max(
        value for event in run.events if event["name"] == "accesses per cycle" for value in event["args"].values()
    )
    assert 0 < most <= 1  # a bank has one port


def test_loopback(tmp_path: Path, golden: Golden) -> None:
    driver = Femtodriver()
    driver.load_model("LOOPBACK")
    driver.compile_metadata()
    driver.simulate({"x": np.arange(16)[np.newaxis]}, trace=tmp_path / "trace.json")
    content = (tmp_path / "trace.json").read_bytes()
    events_of(content)
    golden("loopback.json", content.replace(b'"run_by":"native"', b'"run_by":"numpy"').decode("ascii"))


@pytest.mark.parametrize("clock", [1.0, 40.2e3, 76.8e6, 130e6, 3e9])
def test_any_clock_keeps_the_rules(spotter: Femtodriver, tmp_path: Path, clock: float) -> None:
    run = traced(spotter, tmp_path, clock=clock)
    first = next(event for event in run.events if event.get("cat") == "frame")
    assert first["dur"] == microseconds(first["args"]["cycles"], clock)
    assert json.loads(run.content)["otherData"]["clock_hz"] == clock


def test_equal_runs_give_equal_bytes_on_both_machines(spotter: Femtodriver, run: Traced, tmp_path: Path) -> None:
    again = [traced(spotter, tmp_path, machine="numpy").content for _ in range(2)]
    assert again[0] == again[1]
    assert again[0].replace(b'"run_by":"numpy"', b'"run_by":"native"') == run.content.replace(
        b'"run_by":"numpy"', b'"run_by":"native"'
    )


@pytest.mark.parametrize(
    ("cycle", "clock", "expected"), [(0, 1e8, 0.0), (57, 1e8, 0.57), (1, 3e8, 0.003), (3, 1.0, 3e6)]
)
def test_microseconds(cycle: int, clock: float, expected: float) -> None:
    assert microseconds(cycle, clock) == expected


def test_every_nanosecond_survives_cutting_off() -> None:
    for cycle in range(20_000):
        assert int(microseconds(cycle, 1e9) * 1000) == cycle
