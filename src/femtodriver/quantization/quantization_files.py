"""The quantization report as a CSV or JSON file: all values, all figures."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from femtodriver.metrics.spreadsheet_cells import spreadsheet_text
from femtodriver.quantization.quantization_rows import QuantizationReport, QuantizationRow

SCHEMA = "femtodriver-quantization/1"


def quantization_json(report: QuantizationReport) -> str:
    """One JSON document; docs/quantization.md has its keys."""
    document = {
        "schema": SCHEMA,
        "model": report.model,
        "frames": report.frames,
        "compared": report.compared,
        "rows": [asdict(row) for row in report.rows],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def quantization_csv(report: QuantizationReport) -> str:
    """A head and one line per value."""
    names = [field.name for field in fields(QuantizationRow)]
    return spreadsheet_text(names, ([getattr(row, name) for name in names] for row in report.rows))
