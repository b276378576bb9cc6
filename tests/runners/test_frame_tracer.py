"""Which frames are traced, in which state, and that the run is the same as without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.machine.frame_record import ExecutedInstruction, FrameRecord
from femtodriver.model.build_model import Built, build
from femtodriver.model.load_model import load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.options.runner_requests import ReportRequest, RunnerRequest
from femtodriver.runners import frame_tracer
from femtodriver.runners.fasmir_runner import FasmirRunner, make_fasmir
from femtodriver.runners.frame_tracer import check_same, check_trace, frame_range

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"
MACHINES = ("native", "numpy")


@pytest.fixture(scope="module")
def spotter() -> Built:
    return Encryption().applied(build(load_source(SPOTTER / "keyword_spotter.pt")))


@pytest.fixture(scope="module")
def words() -> dict[str, Int64Array]:
    """Frames with more zeros from one to the next, so that the work of each is another."""
    with np.load(SPOTTER / "words.npz") as archive:
        found = {name: archive[name][20:32].astype(np.int64) for name in archive.files}
    for rows in found.values():
        rows[np.arange(rows.shape[1]) < 2 * np.arange(len(rows))[:, np.newaxis]] = 0
    return found


def runner(built: Built, machine: str, frames: range | None) -> FasmirRunner:
    made = make_fasmir(built, RunnerRequest(machine=machine), None)
    if frames is not None:
        made.trace(frames)
    made.reset()
    return made


def instructions(record: FrameRecord) -> list[tuple[ExecutedInstruction, ...]]:
    return [run.instructions for run in record.threads]


@pytest.mark.parametrize("machine", MACHINES)
def test_outputs_counts_and_later_frames_are_as_without_a_trace(
    spotter: Built, words: dict[str, Int64Array], machine: str
) -> None:
    plain, traced = runner(spotter, machine, None), runner(spotter, machine, range(3, 7))
    expected, found = plain.run(words)[0], traced.run(words)[0]
    for name, rows in expected.items():
        assert np.array_equal(found[name], rows)
    assert traced.report() == plain.report()
    assert list(traced.records) == [3, 4, 5, 6]
    from_the_start = runner(spotter, machine, range(12))
    from_the_start.run(words)
    steps = {number: instructions(record) for number, record in from_the_start.records.items()}
    assert {number: instructions(record) for number, record in traced.records.items()} == {
        number: steps[number] for number in range(3, 7)
    }
    assert all(steps[number] != steps[number + 1] for number in range(11))


@pytest.mark.parametrize("cuts", [(12,), (1, 11), (4, 4, 4), (3, 1, 8), (1,) * 12])
def test_frames_are_counted_over_several_calls(
    spotter: Built, words: dict[str, Int64Array], cuts: Sequence[int]
) -> None:
    whole = runner(spotter, "native", range(3, 7))
    whole.run(words)
    piecewise = runner(spotter, "native", range(3, 7))
    first = 0
    for size in cuts:
        piece = {name: rows[first : first + size] for name, rows in words.items()}
        if size == 1:
            piecewise.step({name: rows[0] for name, rows in piece.items()})
        else:
            piecewise.run(piece)
        first += size
    for number, record in whole.records.items():
        assert instructions(piecewise.records[number]) == instructions(record)
    assert piecewise.records.keys() == whole.records.keys()


def test_reset_begins_again(spotter: Built, words: dict[str, Int64Array]) -> None:
    made = runner(spotter, "native", range(1, 2))
    made.run(words)
    first = made.records[1]
    made.reset()
    assert made.records == {}
    made.run(words)
    assert instructions(made.records[1]) == instructions(first)


def test_too_many_instructions_are_left_out(
    spotter: Built, words: dict[str, Int64Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_tracer, "MOST_INSTRUCTIONS", 200)
    made = runner(spotter, "native", range(12))
    outputs = made.run(words)[0]
    assert sum(record.instructions for record in made.records.values()) == 200
    *others, last = made.records.values()
    assert all(record.complete for record in others)
    assert not last.complete
    assert all(len(rows) == 12 for rows in outputs.values())


@pytest.mark.parametrize(
    ("chosen", "frames", "expected"),
    [
        (None, 1, range(1)),
        (None, 2, range(2)),
        (None, 9, range(2)),
        ((3, 5), 9, range(3, 5)),
        ((3, 50), 9, range(3, 9)),
    ],
)
def test_frames_to_trace(chosen: Sequence[int] | None, frames: int, expected: range) -> None:
    assert frame_range(chosen, frames) == expected


@pytest.mark.parametrize(("chosen", "frames"), [(None, 0), ((-1, 2), 9), ((2, 2), 9), ((5, 3), 9), ((9, 12), 9)])
def test_frames_that_the_run_does_not_have_are_refused(chosen: Sequence[int] | None, frames: int) -> None:
    with pytest.raises(
        UsageError,
        match=r"^trace_frames: must be LO,HI with 0 <= LO < HI, and LO below the number of frames of the run, which ",
    ):
        frame_range(chosen, frames)


def test_frames_without_a_trace_are_refused() -> None:
    check_trace(ReportRequest(trace="a.json", trace_frames=(0, 1)))
    with pytest.raises(UsageError, match=r"^trace_frames: trace or report must be given too"):
        check_trace(ReportRequest(trace_frames=(0, 1)))


def test_other_outputs_than_those_of_the_run_are_an_error() -> None:
    rows = np.arange(6).reshape(3, 2)
    check_same({"y": rows[:2]}, {"y": rows}, 0)
    check_same(None, {"y": rows}, 0)
    with pytest.raises(RuntimeError, match="output 'y' of the frames from 5 on"):
        check_same({"y": rows[:2] + 1}, {"y": rows}, 5)
