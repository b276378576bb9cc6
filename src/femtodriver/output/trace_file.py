"""The timeline of a run as a file: which frames, at which clock, and what is told of it."""

from __future__ import annotations

from pathlib import Path

from femtodriver import __version__
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.metrics import ROOM_TEMPERATURE_C, part_as_given
from femtodriver.metrics.energy import EnergyTable, load_table
from femtodriver.options.runner_requests import MeasureRequest
from femtodriver.part import Part
from femtodriver.runners.execution import Execution
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.frame_tracer import MOST_INSTRUCTIONS
from femtodriver.trace.chrome_trace import ChromeTrace
from femtodriver.trace.program_view import ProgramView


def conditions(done: Execution, measured: MeasureRequest) -> tuple[Part, EnergyTable]:
    """The part at the clock and voltage that a run was measured at, and what things cost there."""
    if done.model.part is None:
        raise UsageError("trace: fasmir must be among the runners.")
    part = part_as_given(done.model.part, measured.clock, measured.voltage)
    temperature = ROOM_TEMPERATURE_C if measured.temperature is None else measured.temperature
    return part, load_table().at(part.voltage_v, temperature)


def view_of(done: Execution, measured: MeasureRequest) -> tuple[ProgramView, float]:
    """The program that was simulated, with names and the energy that it was measured by; and the clock in Hz."""
    if done.model.plain is None:
        raise UsageError("trace: fasmir must be among the runners.")
    part, table = conditions(done, measured)
    return ProgramView(done.model.plain, done.model.description, table), part.clock_hz


def write_trace(path: AnyPath, done: Execution, measured: MeasureRequest) -> str:
    """Write the frames that were traced; what is told of them. ProgramError where the file cannot be written."""
    runner = done.simulator
    if runner is None:
        raise UsageError("trace: fasmir must be among the runners.")
    trace = ChromeTrace(*view_of(done, measured))
    for number, record in runner.records.items():
        trace.add(number, record)
    content = trace.json(
        {
            "model": done.model.model,
            "part": done.model.part.name if done.model.part else None,
            "version": __version__,
            "frames": list(runner.records),
            "complete": _is_complete(runner),
            "run_by": "native" if runner.native else "numpy",
            "traced_by": "numpy",
        }
    )
    write_file(Path(path), content)
    return _told(path, len(content), runner)


def _is_complete(runner: FasmirRunner) -> bool:
    return all(record.complete for record in runner.records.values())


def _told(path: AnyPath, size: int, runner: FasmirRunner) -> str:
    numbers = list(runner.records)
    if not numbers:
        return f"wrote {shown_path(path)}: it is empty, because the run ended before the frames that were to be traced"
    frames = f"frame {numbers[0]}" if len(numbers) == 1 else f"frames {numbers[0]} to {numbers[-1]}"
    instructions = sum(record.instructions for record in runner.records.values())
    lines = [
        f"wrote {shown_path(path)}: {frames}, {instructions:,} instructions ({size:,} bytes); "
        "open it at ui.perfetto.dev"
    ]
    if runner.native:
        lines.append("  these frames ran once more on the NumPy machine, with the outputs of the native loop")
    if not _is_complete(runner):
        lines.append(
            f"  it ends after {MOST_INSTRUCTIONS:,} instructions, inside frame {numbers[-1]}; "
            "--trace-frames chooses other frames"
        )
    return "\n".join(lines)
