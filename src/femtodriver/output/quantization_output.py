"""The quantization report of a run, told and as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from femtodriver.files.file_access import AnyPath, shown_path, write_file
from femtodriver.options.quantization_requests import QuantizationRequest
from femtodriver.output.profile_output import check_format
from femtodriver.quantization.quantization_files import quantization_csv, quantization_json
from femtodriver.quantization.quantization_rows import QuantizationReport
from femtodriver.quantization.quantization_text import quantization_text

_FORMATS: dict[str, Callable[[QuantizationReport], str]] = {".csv": quantization_csv, ".json": quantization_json}


def check_quantization_file(path: AnyPath | None) -> None:
    """UsageError for a file that could not be written, or of a format that there is not."""
    check_format(path, "quantization_file", _FORMATS)


def tell_quantization(report: QuantizationReport, request: QuantizationRequest, say: Callable[[str], None]) -> None:
    """Show and write what the request asks for. ProgramError where the file cannot be written."""
    if request.quantization:
        say(quantization_text(report))
    if request.quantization_file is not None:
        path = Path(request.quantization_file)
        content = _FORMATS[path.suffix.lower()](report).encode("utf-8", "backslashreplace")
        write_file(path, content)
        say(f"wrote {shown_path(path)} (ranges of {len(report.rows):,} values, {len(content):,} bytes)")
