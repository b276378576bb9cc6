"""The summary for people: what a terminal shows, and ``summary.txt``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from femtodriver.evaluation.evaluation_summary import MARGIN, MEASURES
from femtodriver.metrics.text_cells import quantity, table_lines
from femtodriver.safe_text import one_line

_SHOWN_WORST = 3
_SHOWN_ERRORS = 5
_MOST_CLASSES = 20
_TITLES = {
    "snr_in_db": "SNR in",
    "snr_out_db": "SNR out",
    "snr_gain_db": "SNR gain",
    "latency_cycles_mean": "cycles of latency, mean",
    "latency_cycles_max": "cycles of latency, most",
    "energy_j": "energy of a frame",
    "power_w": "power",
    "saturated_per_frame": "saturations of a frame",
    MARGIN: "wrong label, margin of scores",
}


def summary_text(doc: Mapping[str, Any]) -> str:
    """The summary as lines of text."""
    return "\n".join(_lines(doc))


def _lines(doc: Mapping[str, Any]) -> Iterator[str]:
    clips = doc["clips"]
    yield f"{clips['done']} of {clips['all']} clips, {clips['frames']:,} frames, {clips['failed']} failed"
    yield from _runner_lines(doc["runners"])
    if doc["labels"] is not None:
        yield from _label_lines(doc["labels"])
    if doc["distributions"]:
        yield from _distribution_lines(doc["distributions"])
    yield from _worst_lines(doc)
    for error in doc["errors"][:_SHOWN_ERRORS]:
        # Most messages begin with the path already.
        text = one_line(error["error"]).removeprefix(f"{one_line(error['path'])}: ")
        yield f"failed: {one_line(error['path'])}: {text}"
    more = clips["failed"] - len(doc["errors"][:_SHOWN_ERRORS])
    if more > 0:
        yield f"failed: {more} more"


def _runner_lines(runners: Mapping[str, Any]) -> Iterator[str]:
    names = runners["compared"]
    if len(names) < 2:
        return
    for name, count in runners["unequal_clips"].items():
        yield f"{names[0]} = {name} in all clips" if not count else f"{names[0]} != {name} in {count} clips"


def _label_lines(labels: Mapping[str, Any]) -> Iterator[str]:
    if not labels["labelled_clips"]:
        counts = ", ".join(f"{one_line(name)} ({count})" for name, count in labels["predicted"].items())
        yield f"Predicted  {counts}"
        return
    yield (
        f"Accuracy   {100 * labels['accuracy']:.1f} % ({labels['correct']} of {labels['labelled_clips']} clips with a "
        "label)"
    )
    confusion = labels["confusion"]
    if max(len(confusion["labels"]), len(confusion["predicted"])) > _MOST_CLASSES:
        yield "Confusion  is in summary.json"
        return
    columns = [one_line(name) or "(none)" for name in confusion["predicted"]]
    rows = [
        [one_line(label), *map(str, counts)]
        for label, counts in zip(confusion["labels"], confusion["counts"], strict=True)
    ]
    yield "Confusion  lines: what is right; columns: what was predicted"
    yield from table_lines(["", *columns], rows, [0])


def _distribution_lines(found: Mapping[str, Any]) -> Iterator[str]:
    head = ["mean", "min", "p50", "p95", "max"]
    rows = [
        [_TITLES[name], *(_figure(found[name][key], found[name]["unit"]) for key in head)]
        for name in (measure.name for measure in MEASURES)
        if name in found
    ]
    yield "Figures    over the clips"
    yield from table_lines(["", *head], rows, [0])


def _worst_lines(doc: Mapping[str, Any]) -> Iterator[str]:
    units = {measure.name: measure.unit for measure in MEASURES}
    for name, clips in doc["worst"].items():
        if name in doc["distributions"] and doc["distributions"][name]["min"] == doc["distributions"][name]["max"]:
            continue  # none is worse than another
        shown = ", ".join(
            f"{one_line(clip['path'])} ({_figure(clip['value'], units.get(name, ''))})" for clip in clips[:_SHOWN_WORST]
        )
        yield f"Worst by {_TITLES[name]}: {shown}"


def _figure(value: float, unit: str) -> str:
    if unit in ("J", "W"):
        return quantity(value, unit)
    if unit == "dB":
        return f"{value:.1f} dB"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
