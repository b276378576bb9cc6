"""The files that ``--trace`` and ``--report`` ask for: checked before a run, written after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from femtodriver.options.runner_requests import MeasureRequest, ReportRequest
from femtodriver.output.told_places import Repeated, check_place
from femtodriver.report.page_templates import check_can_report
from femtodriver.runners.execution import Execution
from femtodriver.runners.frame_tracer import check_trace


def check_told_files(request: ReportRequest, runners: Sequence[str]) -> None:
    """UsageError for files that could not be written, or frames without one; UnsupportedError without the package
    jinja2."""
    check_trace(request)
    check_place(request.trace, "trace")
    check_place(request.report, "report")
    if request.report is not None and runners:
        check_can_report()


def write_told_files(
    request: ReportRequest, done: Execution, measured: MeasureRequest, doc: Mapping[str, Any] | None, how: Repeated
) -> Iterator[str]:
    """Write what was asked for of a run; what is told of each file. Timelines are those of the simulator.

    ``doc``: the metrics document, made here if it is None and the simulator ran a frame. Raises what
    ``write_trace`` and ``write_report`` do.
    """
    if request.trace is not None and done.simulator is not None:
        from femtodriver.output.trace_file import write_trace

        yield write_trace(request.trace, done, measured)
    if request.report is not None and done.model.part is None:
        yield "note: report: not written, because nothing is known of a program that is not for the open SPU"
    elif request.report is not None:
        from femtodriver.output.report_file import write_report

        told = (doc or done.metrics(measured)) if done.simulated else None
        yield write_report(request.report, done, told, measured, how)
