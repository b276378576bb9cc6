"""The report of a run as a file: everything that is known of the run, put together for the page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray
from femtodriver.compiler.compiler_options import DEFAULT_OPTIONS
from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.machine.frame_record import FrameRecord
from femtodriver.metrics.document import memory_bytes
from femtodriver.metrics.power_curve import power_at, power_curve
from femtodriver.metrics.run_totals import Run
from femtodriver.model.build_model import DEFAULT_PART
from femtodriver.options.command_words import command_text, values_of_python
from femtodriver.options.runner_requests import MeasureRequest
from femtodriver.output.model_folder import femto_bytes
from femtodriver.output.told_places import Repeated
from femtodriver.output.trace_file import conditions, view_of
from femtodriver.report import page_of, plain_page_of
from femtodriver.report.report_facts import Agreement, OutputRange, PlainFacts, ReportFacts
from femtodriver.runners.execution import SIMULATOR, Execution
from femtodriver.runners.fasmir_runner import FasmirRunner

ARRAYS_NOTE = (
    "The run was started from Python, with arrays as inputs. Save them as inputs.npz first (a run of a compiled model "
    "does so in its folder outputs)."
)
STREAMED = "not kept, because the frames of the run went through memory one after another"


def write_report(
    path: AnyPath, done: Execution, doc: Mapping[str, Any] | None, measured: MeasureRequest, how: Repeated
) -> str:
    """Write the report of a run; what is told of it.

    ``doc``: its metrics document; None for a run without the simulator, whose report is shorter. UsageError for a
    program that is not for the open SPU, UnsupportedError without the package jinja2, ProgramError where
    the file cannot be written.
    """
    content = plain_page_of(plain_facts(done, how)) if doc is None else page_of(report_facts(done, doc, measured, how))
    write_file(Path(path), content)
    return f"wrote {shown_path(path)} ({len(content):,} bytes); open it in any browser"


def report_facts(done: Execution, doc: Mapping[str, Any], measured: MeasureRequest, how: Repeated) -> ReportFacts:
    """What the page is made of."""
    runner, part = done.simulator, done.model.part
    if runner is None or part is None:
        raise UsageError("report: fasmir must be among the runners.")
    run = _run(runner, done, doc, measured)
    return ReportFacts(
        doc=doc,
        part=part,
        profile=done.profile(doc),
        agreement=_agreement(done),
        quantization=done.quantization,
        curve=power_curve(run),
        chosen=power_at(run, run.period_s),
        frame=_drawn_frame(done, runner.records),
        view=view_of(done, measured)[0],
        command=_command(done, how),
        notes=tuple(_notes(done, how)),
        hashes=_hashes(done, done.comparison.outputs.get(SIMULATOR, {})),
    )


def plain_facts(done: Execution, how: Repeated) -> PlainFacts:
    """What the page of a run without the simulator is made of."""
    built, part = done.model, done.model.part
    if part is None:
        raise UsageError("report: the program must be one for the open SPU.")
    outputs = done.comparison.outputs
    ranges = (_range(runner, name, rows) for runner, values in outputs.items() for name, rows in values.items())
    return PlainFacts(
        doc={"model": {"name": built.source.name}, "memory_bytes": memory_bytes(built.description, part)},
        part=part,
        agreement=_agreement(done),
        outputs=None if done.streamed else tuple(ranges),
        quantization=done.quantization,
        command=_command(done, how),
        notes=tuple(_notes(done, how)),
        hashes=_hashes(done, next(iter(outputs.values()), {})),
    )


def _range(runner: str, name: str, rows: AnyArray) -> OutputRange:
    low, high = (rows.min().item(), rows.max().item()) if rows.size else (0, 0)
    frames, elements = len(rows), rows.size // max(len(rows), 1)
    return OutputRange(runner, name, frames, elements, low, high, int(rows.size - np.count_nonzero(rows)))


def _command(done: Execution, how: Repeated) -> str:
    return command_text(done.model.source.where, tuple(done.runners), how.request, tuple(_python_words(done, how)))


def _drawn_frame(done: Execution, records: Mapping[int, FrameRecord]) -> tuple[int, FrameRecord] | None:
    """The first of the frames that were asked for; else the second of the run, which has a state to begin with."""
    if not records:
        return None
    number = 1 if done.request.trace_frames is None and 1 in records else next(iter(records))
    return number, records[number]


def _run(runner: FasmirRunner, done: Execution, doc: Mapping[str, Any], measured: MeasureRequest) -> Run:
    """The run as the metrics see it, at the period, clock and voltage that it was measured at."""
    part, table = conditions(done, measured)
    return Run.of(runner.report(), done.model.description, part, doc["Input Period (s)"], table)


def _agreement(done: Execution) -> Agreement:
    passed = done.comparison.passed if done.compared else None
    status = done.comparison.status if done.compared else ""
    return Agreement(tuple(done.runners), done.frames, passed, status, done.partial.text if done.partial else "")


def _python_words(done: Execution, how: Repeated) -> Iterator[str]:
    """What a call from Python leaves out, because it was said when the model was compiled."""
    if how.arrays:
        yield from ("--input-file", "inputs.npz")
    if not how.apart:
        return
    if done.model.part is not None and done.model.part.name != DEFAULT_PART:
        yield from ("--hw-config", done.model.part.name)
    if done.model.source.network is not None:
        usual = DEFAULT_OPTIONS.table()
        for name, value in done.model.options.table().items():
            if value != usual[name]:
                yield from ("--compiler-options", f"{name}={str(value).lower()}")


def _notes(done: Execution, how: Repeated) -> Iterator[str]:
    if done.model.debug_names:
        yield "All figures are of the program that keeps the debug variables, which costs time and energy."
    if how.arrays:
        yield ARRAYS_NOTE
    if names := values_of_python(how.request):
        yield f"Given in Python, and not in the command: {', '.join(names)}."


def _hashes(done: Execution, outputs: Mapping[str, npt.ArrayLike]) -> dict[str, str]:
    told = done.model.description.model if done.model.description else None
    program = "program that keeps debug variables (.femto)" if done.model.debug_names else "program (.femto)"
    conversion = done.model.source.conversion
    made = (
        {"file of Python": conversion.source_sha256, "calibration": conversion.calibration_sha256} if conversion else {}
    )
    return {
        **{what: found for what, found in made.items() if found},
        "network file": (told.sha256 if told else None) or "",
        "part file": done.model.part.sha256 if done.model.part else "",
        program: hashlib.sha256(femto_bytes(done.model)).hexdigest(),
        "inputs": STREAMED if done.streamed else arrays_digest(done.inputs.arrays),
        "outputs": STREAMED if done.streamed else arrays_digest(outputs),
    }


def arrays_digest(arrays: Mapping[str, npt.ArrayLike]) -> str:
    """SHA-256 of named integer arrays: for each, by name, the name, its shape and its values as little-endian int64."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.asarray(arrays[name])
        digest.update(f"{name}\0{','.join(map(str, values.shape))}\0".encode("utf-8", "backslashreplace"))
        digest.update(values.astype("<i8").tobytes())
    return digest.hexdigest()
