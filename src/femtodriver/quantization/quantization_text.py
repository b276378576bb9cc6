"""The quantization report as a table for people, with the worst values below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from femtodriver.metrics.text_cells import count_text, name_text, table_lines, tail_text, wrapped_lines
from femtodriver.quantization.quantization_rows import VALUE, QuantizationReport, QuantizationRow

LABEL_WIDTH, VALUE_WIDTH, OPERATOR_WIDTH = 36, 24, 12
MANY_UNUSED = 3
"""So many unused bits are worth a remark: 18 dB of resolution."""
NOISY_DB = 40
"""Values with a lower signal-to-noise ratio are worth a remark."""
_MOST_REMARKS = 6


@dataclass(frozen=True)
class QuantizationTable:
    """Texts of a table; the first three columns are aligned to the left."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[int, ...] = (0, 1, 2)


def quantization_text(report: QuantizationReport) -> str:
    """The report as plain text."""
    table = quantization_table(report)
    return "\n".join([table.title, *table_lines(table.head, table.rows, table.left), *notes(report)])


def quantization_table(report: QuantizationReport) -> QuantizationTable:
    """The table of the report."""
    rows = shown_rows(report)
    head: tuple[str, ...] = (
        "layer",
        "op",
        "value",
        "bits",
        "quanta",
        "low",
        "high",
        "used",
        "unused",
        "clipped",
        "%",
        "at limits",
    )
    cells = [_cells(row) for row in rows]
    if any(row.compared for row in rows):
        head = (*head, "SNR dB")
        cells = [(*line, _snr(row)) for line, row in zip(cells, rows, strict=True)]
    frames = "1 frame" if report.frames == 1 else f"{report.frames:,} frames"
    title = f"Quantization  values of {frames}: range that occurred, bits that it uses of its type, clipped elements"
    return QuantizationTable(title, head, tuple(cells))


def shown_rows(report: QuantizationReport) -> list[QuantizationRow]:
    """Rows of the table: not what is only moved, and of the producer's own steps those that clip."""
    return [row for row in report.rows if row.kind == VALUE or row.clipped]


def _cells(row: QuantizationRow) -> tuple[str, ...]:
    share = f"{100 * row.clipped_share:.2f}" if row.clipped else "-"
    used = (str(row.used_bits), str(row.unused_bits)) if row.elements else ("-", "-")
    return (
        tail_text(row.label, LABEL_WIDTH),
        name_text(row.op, OPERATOR_WIDTH),
        name_text(row.value, VALUE_WIDTH),
        str(row.bits),
        "-" if row.quanta is None else f"{row.quanta:g}",
        *((str(row.low), str(row.high)) if row.elements else ("-", "-")),
        *used,
        count_text(row.clipped),
        share,
        count_text(row.at_limits),
    )


def _snr(row: QuantizationRow) -> str:
    if not row.compared:
        return "-"
    return "exact" if row.is_exact else "no signal" if row.snr_db is None else f"{row.snr_db:.1f}"


def notes(report: QuantizationReport) -> list[str]:
    """What stands below the table: the worst values."""
    rows = shown_rows(report)
    hidden = len(report.rows) - len(rows)
    lines = []
    if hidden:
        one = hidden == 1
        lines.append(
            f"Not shown  {hidden} value{'' if one else 's'} that {'is' if one else 'are'} only moved, or "
            f"{'a step' if one else 'steps'} of a look-up that clip{'s' if one else ''} nothing"
        )
    lines += _worst("Clipped", rows, lambda row: row.clipped_share, lambda row: f"{100 * row.clipped_share:.2f} %", 0.0)
    lines += _worst("Too wide", rows, _unused, _unused_text, MANY_UNUSED - 1)
    compared = [row for row in rows if row.snr_db is not None]
    lines += _worst("Noise", compared, lambda row: -(row.snr_db or 0.0), lambda row: f"{row.snr_db:.1f} dB", -NOISY_DB)
    return lines


def _unused(row: QuantizationRow) -> float:
    """Bits that another calibration could make use of."""
    return row.unused_bits if row.elements and not row.boolean else 0


def _unused_text(row: QuantizationRow) -> str:
    return f"{row.unused_bits} of {row.bits} bits unused"


def _worst(
    title: str,
    rows: Iterable[QuantizationRow],
    badness: Callable[[QuantizationRow], float],
    text: Callable[[QuantizationRow], str],
    above: float,
) -> list[str]:
    """The worst of the rows that are worse than ``above``, on a few lines; none if there are none."""
    bad = sorted((row for row in rows if badness(row) > above), key=lambda row: -badness(row))
    if not bad:
        return []
    shown = [f"{tail_text(row.label, LABEL_WIDTH)} ({name_text(row.value)}) {text(row)}" for row in bad[:_MOST_REMARKS]]
    more = len(bad) - len(shown)
    return wrapped_lines(title, "; ".join([*shown, *([f"and {more} more"] if more else [])]))
