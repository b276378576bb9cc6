"""A report as tables for people, or as JSON with stable keys."""

from __future__ import annotations

import json
from collections.abc import Mapping

from femtodriver.inspection.findings import SCHEMA, Report
from femtodriver.inspection.text_tables import cell, columns, pairs


def report_json(report: Report) -> str:
    """The report as one JSON document; docs/inspect.md has its keys."""
    document = {
        "schema": SCHEMA,
        "file": report.file,
        "kind": report.kind,
        "bytes": report.size,
        "origin": report.origin,
        "encrypted": report.encrypted,
        "sound": report.sound,
        "problems": [{"severity": problem.severity, "text": problem.text} for problem in report.problems],
        **report.sections,
    }
    return json.dumps(document, indent=2, default=str)


def report_text(report: Report) -> str:
    """The report as aligned tables, a paragraph per section."""
    head = {
        "kind": report.kind,
        "bytes": report.size,
        "origin": report.origin,
        "encrypted": "not said" if report.encrypted is None and report.origin else report.encrypted,
    }
    blocks = [
        [cell("file", report.file), *_indented(pairs({key: value for key, value in head.items() if value is not None}))]
    ]
    for name, section in report.sections.items():
        lines = pairs(section) if isinstance(section, Mapping) else columns(section)
        if section:
            blocks.append([name.replace("_", " "), *_indented(lines)])
    blocks.append(_problem_lines(report))
    return "\n\n".join("\n".join(block) for block in blocks)


def _problem_lines(report: Report) -> list[str]:
    if not report.problems:
        return ["no problems found"]
    return ["problems", *_indented([f"{problem.severity}: {problem.text}" for problem in report.problems])]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
