"""The metrics document: figures by hand, sums that add up, errors."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import ProgramError, UsageError
from femtodriver.machine.run_report import EVENTS, CoreReport, FrameCycles, RunReport
from femtodriver.metrics import build_document
from femtodriver.part import load_part
from femtodriver.program.description import CoreMemory, DescribedLayer, Description, SourceRange

PART = load_part("spu001")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_keys_stand_in_the_documented_order(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART)
    table = PAGE.read_text("utf-8").partition("## Every figure")[2].partition("\n## ")[0]
    keys = re.findall(r"^\| `([^`.[]+)", table, flags=re.MULTILINE)
    assert list(doc) == list(dict.fromkeys(keys)), "docs/metrics.md must have a row for each key, in this order"
    assert doc["schema"] == "femtodriver-metrics/4"
    assert list(doc["model"]) == ["name", "sha256"]
    assert list(doc["hardware"])[:6] == ["name", "sha256", "cores", "lanes", "clock_hz", "voltage_v"]
    assert list(doc["tool"])[:4] == ["version", "native", "compiler_options", "seed"]
    assert list(doc["latency_s"]) == ["mean", "min", "p99", "max"]
    assert list(doc["energy_j"]) == ["total", "by_component", "by_core", "link", "period"]
    assert list(doc["power_w"]) == ["total", "dynamic", "link", "leakage", "waking", "pll", "always_on"]
    assert list(doc["power_kinds"]) == list(doc["power_w"])
    assert list(doc["duty"]) == ["running", "waking", "pause", "sleep", "not_charged"]
    assert list(doc["energy_rows"][0]) == ["account", "row", "energy_j", "kind", "source"]
    kinds = ["weights", "indices", "activations", "state", "tables", "instructions", "constants"]
    assert list(doc["memory_bytes"]) == [*kinds, "free", "per_core"]
    wanted = [
        "name",
        "op",
        "source",
        "core",
        "cycles",
        "energy_j",
        "macs",
        "bytes",
        "activation_density",
        "energy_band_j",
        "saturations",
        "waiting",
        "cycles_per_core",
        "label",
        "module",
        "line",
        "fate",
    ]
    assert list(doc["layers"][0]) == wanted


def test_work_of_a_tiny_run_by_hand(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART)
    assert doc["Frames Simulated"] == 2
    assert doc["cycles"]["total"] == 15
    busy = {"busy": 12, "waiting": {"message": 0, "dependency": 3, "idle": 0}}
    assert doc["cycles"]["per_core"] == [busy, {"busy": 0, "waiting": {"message": 0, "dependency": 0, "idle": 15}}]
    work = {"dense": 200, "stored": 160, "executed": 80, "skipped_weight": 40, "skipped_activation": 80}
    assert doc["macs"] == {**work, "utilisation": pytest.approx(160 / (24 * 8))}
    assert doc["messages"] == {"count": 0, "words": 0}
    assert doc["saturations"] == 1.5
    (layer,) = doc["layers"]
    assert (layer["name"], layer["op"], layer["core"]) == ("(program)", "program", 0)
    assert layer["activation_density"] == 0.5
    assert layer["bytes"] == {"dm_read": 160, "dm_write": 16, "tm_read": 0}


def test_latency_ends_with_the_last_output_word(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=1.5e-7)
    assert doc["Latency (s)"] == doc["latency_s"]["mean"] == 1.3e-7
    assert doc["latency_s"] == {"mean": 1.3e-7, "min": 1.2e-7, "p99": 1.4e-7, "max": 1.4e-7}
    # The next frame can start when all cores are at rest, and that is exactly in time here.
    assert doc["deadline"] == {"met": True, "worst_fraction_of_period": 1.0, "period_assumed": False}


@pytest.mark.slow
@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=300))
def test_percentile_is_the_one_of_numpy(cycles: list[int]) -> None:
    report = RunReport(FrameCycles.of(cycles), FrameCycles.of(cycles), ())
    doc: dict[str, Any] = build_document(report, None, PART)
    wanted = int(np.percentile(cycles, 99, method="higher")) / PART.clock_hz
    assert doc["latency_s"]["p99"] == pytest.approx(wanted, rel=1e-8)


def test_a_part_that_is_too_slow_works_all_the_time(tiny_report: RunReport) -> None:
    slow: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=1e-9)
    exact: dict[str, Any] = build_document(tiny_report, None, PART, input_period_s=150e-9)
    assert slow["deadline"] == {"met": False, "worst_fraction_of_period": 150.0, "period_assumed": False}
    assert slow["power_w"] == exact["power_w"]


def test_without_a_period_the_default_is_said_to_be_assumed(tiny_report: RunReport) -> None:
    doc: dict[str, Any] = build_document(tiny_report, None, PART)
    assert doc["Input Period (s)"] == 0.016
    assert doc["deadline"]["period_assumed"] is True
    assert doc["deadline"]["met"] is None


@pytest.mark.parametrize("period", [0, -0.016, math.inf, math.nan, "0.016", True])
def test_a_period_that_is_none_is_refused(tiny_report: RunReport, period: Any) -> None:
    with pytest.raises(UsageError, match="input period: must be a positive number of seconds, not"):
        build_document(tiny_report, None, PART, input_period_s=period)


def test_a_run_without_frames_is_refused() -> None:
    with pytest.raises(UsageError, match="must have at least one frame, not 0"):
        build_document(RunReport(FrameCycles(), FrameCycles(), ()), None, PART)


def test_a_part_with_fewer_cores_than_the_run_is_refused(two_core_report: RunReport) -> None:
    one = dataclasses.replace(PART, cores=1)
    with pytest.raises(UsageError, match="the part spu001 must have the 2 cores of the run, not 1"):
        build_document(two_core_report, None, one)


def test_layers_of_a_described_run(two_core_report: RunReport, description: Description) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART)
    names = [(layer["name"], layer["op"], layer["source"], layer["core"]) for layer in doc["layers"]]
    assert names == [
        ("gru.0 addmm", "addmm", "%x.12", 0),
        ("gru.0 sigmoid", "lut", "%x.13", 1),
        ("(runtime)", "runtime", "", 0),
    ]
    assert doc["layers"][0]["cycles"] == pytest.approx(1000 / 3)
    assert doc["layers"][2]["cycles"] == pytest.approx(11 / 3)
    assert doc["layers"][1]["activation_density"] is None
    assert doc["layers"][1]["macs"]["utilisation"] is None
    assert doc["layers"][0]["macs"]["utilisation"] == pytest.approx(7750 / 8000)
    # Core 1 ran no matrix instruction, so its cycles do not count against the lanes.
    assert doc["macs"]["utilisation"] == pytest.approx(7750 / (1011 * 8))
    assert doc["cycles"]["per_core"][0]["waiting"] == {"message": 0, "dependency": 0, "idle": pytest.approx(589 / 3)}


def test_memory_of_a_described_run(two_core_report: RunReport, description: Description) -> None:
    memory: dict[str, Any] = build_document(two_core_report, description, PART)["memory_bytes"]  # type: ignore[assignment]
    assert memory["weights"] == 1000
    assert memory["constants"] == 64
    assert memory["free"] == 2 * 524288 - 8 * (100 + 51 + 3)
    assert memory["per_core"][0] == {
        "dm_used": 1208,
        "dm_size": 524288,
        "banks": [800, 408, 0, 0, 0, 0, 0, 0],
        "tm_used": 0,
        "im_used": 80,
    }
    assert memory["per_core"][1]["tm_used"] == 512


def test_memory_that_nobody_described_is_null_and_not_zero(tiny_report: RunReport) -> None:
    memory: dict[str, Any] = build_document(tiny_report, None, PART)["memory_bytes"]  # type: ignore[assignment]
    assert memory["weights"] is None
    assert memory["free"] is None
    assert memory["per_core"][0] == dict.fromkeys(("dm_used", "banks", "tm_used", "im_used")) | {"dm_size": 524288}


def test_stored_bytes_of_a_layer_are_passed_on(two_core_report: RunReport, description: Description) -> None:
    first, *others = description.layers or ()
    stored = dataclasses.replace(first, bytes={"indices": 10, "weights": 990, "unknown": 7})
    told = dataclasses.replace(description, layers=(stored, *others))
    doc: dict[str, Any] = build_document(two_core_report, told, PART)
    assert list(doc["layers"][0]["bytes"].items())[:3] == [("weights", 990), ("indices", 10), ("dm_read", ANY)]
    assert "weights" not in doc["layers"][1]["bytes"]


def test_names_come_from_the_caller_or_else_from_the_description(
    two_core_report: RunReport, description: Description
) -> None:
    doc: dict[str, Any] = build_document(two_core_report, description, PART)
    assert doc["model"] == {"name": "tiny_gru", "sha256": "ab" * 32}
    assert doc["tool"]["compiler_options"] == {"fuse": True, "cores": 2}
    assert doc["tool"]["energy_table"] == "22nm"
    tool = {"version": "9", "native": False, "compiler_options": {"shape": (1, 2)}, "seed": 7}
    doc = build_document(two_core_report, description, PART, model={"name": "mine"}, tool=tool)
    assert doc["model"] == {"name": "mine", "sha256": "ab" * 32}
    table = {"energy_table": "22nm", "energy_table_edition": 2}
    assert doc["tool"] == {**tool, "compiler_options": {"shape": [1, 2]}, **table}


def test_counts_may_be_numpy_integers(tiny_report: RunReport) -> None:
    core = tiny_report.cores[0]
    numbers = {pc: {event: np.int64(n) for event, n in events.items()} for pc, events in core.by_pc.items()}
    frames = FrameCycles.of(np.array([15, 15]))
    latency = FrameCycles.of(np.array([12, 14]))
    other = RunReport(frames, latency, (dataclasses.replace(core, by_pc=numbers),))
    doc = build_document(other, None, PART)
    assert doc == build_document(tiny_report, None, PART)
    assert numpy_free(doc)


def numpy_free(value: Any) -> bool:
    if isinstance(value, dict):
        return all(numpy_free(item) for item in value.values())
    if isinstance(value, list):
        return all(numpy_free(item) for item in value)
    return type(value) in (bool, int, float, str, type(None))


counts = st.dictionaries(st.sampled_from(list(EVENTS)), st.integers(0, 10**7))
cores = st.builds(
    CoreReport,
    by_pc=st.dictionaries(st.integers(0, 30), counts, max_size=8),
    waiting=st.dictionaries(st.sampled_from(["message", "dependency", "idle"]), st.integers(0, 10**6)),
    bank_reads=st.tuples(*[st.integers(0, 3)] * 8),
    bank_writes=st.tuples(*[st.integers(0, 3)] * 8),
)


@st.composite
def reports(draw: st.DrawFn) -> RunReport:
    frames = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=7))
    return RunReport(FrameCycles.of(frames), FrameCycles.of(frames), tuple(draw(st.lists(cores, max_size=2))))


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    source_map: dict[int, tuple[SourceRange, ...]] = {}
    layers: list[DescribedLayer] = []
    for core in range(2):
        edges = sorted(draw(st.sets(st.integers(0, 31), max_size=6)))
        pairs = list(zip(edges[::2], edges[1::2], strict=False))
        source_map[core] = tuple((first, end, len(layers) + place) for place, (first, end) in enumerate(pairs))
        layers += [DescribedLayer(f"layer {first}", "x", "%", core) for first, _ in pairs]
    return Description(2, "open-spu/3", {}, {}, layers=tuple(layers), source_map=source_map, memory={})


def close(parts: list[float], total: float) -> bool:
    return math.isclose(math.fsum(parts), total, rel_tol=1e-8, abs_tol=1e-25)


@pytest.mark.slow
@given(report=reports(), description=st.none() | descriptions(), period=st.floats(1e-6, 1.0))
def test_sums_add_up(report: RunReport, description: Description | None, period: float) -> None:
    doc: dict[str, Any] = build_document(report, description, PART, input_period_s=period)
    energy, power = doc["energy_j"], doc["power_w"]
    for corner in ("low", "typical", "high"):
        total = energy["total"][corner]
        assert close([band[corner] for band in energy["by_component"].values()], total)
        assert close([band[corner] for band in energy["by_core"]], total)
        assert close([power[account][corner] for account in power if account != "total"], power["total"][corner])
        assert close([row["energy_j"][corner] for row in doc["energy_rows"]], energy["period"][corner])
    for band in (energy["total"], *power.values()):
        assert band["low"] <= band["typical"] <= band["high"]
    layers = doc["layers"]
    for corner in ("low", "typical", "high"):
        assert close([layer["energy_band_j"][corner] for layer in layers], energy["total"][corner])
    assert all(layer["energy_j"] == layer["energy_band_j"]["typical"] for layer in layers)
    busy = sum(core["busy"] for core in doc["cycles"]["per_core"])
    assert abs(sum(layer["cycles"] for layer in layers) - busy) < 0.5
    for key in ("dense", "stored", "executed", "skipped_weight", "skipped_activation"):
        parts = [layer["macs"][key] for layer in layers]
        assert math.isclose(math.fsum(parts), doc["macs"][key], rel_tol=1e-7, abs_tol=0.01)
    macs = doc["macs"]
    skipped = macs["skipped_weight"] + macs["skipped_activation"]
    assert math.isclose(macs["executed"] + skipped, macs["dense"], rel_tol=1e-7, abs_tol=0.1)
    words = sum(core.total("message_word") for core in report.cores)
    assert math.isclose(doc["messages"]["words"] * report.frames, words, rel_tol=1e-8)
    assert numpy_free(doc)


@pytest.mark.parametrize(
    ("core", "words", "message"),
    [
        (2, [1], "memory[2]: must fit the part spu001 (2 cores, 8 banks of 8192 words), not 1 banks of up to 1 words"),
        (0, [1] * 9, "not 9 banks of up to 1 words"),
        (0, [8193], "not 1 banks of up to 8193 words"),
    ],
)
def test_a_program_for_a_larger_part_is_refused(
    tiny_report: RunReport, description: Description, core: int, words: list[int], message: str
) -> None:
    memory = CoreMemory(dm_used_words_per_bank=tuple(words), tm_used_words=0, im_used_words=10)
    with pytest.raises(ProgramError) as caught:
        build_document(tiny_report, dataclasses.replace(description, memory={core: memory}), PART)
    assert message in str(caught.value)


def test_a_description_without_layers_counts_as_none(two_core_report: RunReport, description: Description) -> None:
    assert build_document(two_core_report, description.short(), PART) == build_document(two_core_report, None, PART)


def test_the_link_is_words_over_its_rate_and_stands_beside_the_latency(
    two_core_report: RunReport, description: Description
) -> None:
    part = dataclasses.replace(load_part(), link_bits=2, link_hz=10e6, link_kind="measured", link_source="a scope")
    doc = build_document(two_core_report, description, part)
    link: Any = doc["link"]
    # 64 bits by 2 lines at 10 MHz: 3.2 us for a word.
    assert (link["input_words"], link["output_words"]) == (5, 20)
    assert (link["input_s"], link["output_s"]) == (16e-6, 64e-6)
    assert link["latency_s"] == {"mean": 85.2166667e-6, "min": 84.9e-6, "p99": 85.8e-6, "max": 85.8e-6}
    assert {key: link[key] for key in ("bits", "clock_hz", "kind", "source")} == {
        "bits": 2,
        "clock_hz": 10e6,
        "kind": "measured",
        "source": "a scope",
    }
    assert doc["latency_s"] == {"mean": 5.21666667e-6, "min": 4.9e-6, "p99": 5.8e-6, "max": 5.8e-6}
