"""The quantization report of a run, told and as a file."""

from __future__ import annotations

from collections.abc import Callable

from femtodriver.metrics.text_cells import table_lines
from femtodriver.options.quantization_requests import QuantizationRequest
from femtodriver.output.terminal import print_table, terminal_width
from femtodriver.output.told_places import TABLE_ENDINGS, write_format
from femtodriver.quantization.quantization_files import quantization_csv, quantization_json
from femtodriver.quantization.quantization_rows import QuantizationReport
from femtodriver.quantization.quantization_text import notes, quantization_table, quantization_text

_FORMATS: dict[str, Callable[[QuantizationReport], str]] = dict(
    zip(TABLE_ENDINGS, (quantization_csv, quantization_json), strict=True)
)


def show_quantization(report: QuantizationReport, say: Callable[[str], None]) -> None:
    """Show it: as a table where there is a terminal that is wide enough, else as plain text."""
    width, table = terminal_width(), quantization_table(report)
    if width is None or len(max(table_lines(table.head, table.rows, table.left), key=len)) > width:
        say(quantization_text(report))
        return
    print_table(table.title, table.head, table.rows, table.left)
    print("\n".join(notes(report)))


def tell_quantization(report: QuantizationReport, request: QuantizationRequest, say: Callable[[str], None]) -> None:
    """Show and write what the request asks for. ProgramError where the file cannot be written."""
    if request.quantization:
        show_quantization(report, say)
    if request.quantization_file is not None:
        what = f"ranges of {len(report.rows):,} values"
        say(write_format(request.quantization_file, _FORMATS, report, what))
