"""What the results of all clips say together, as plain data: ``summary.json``. docs/evaluation.md has its keys."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "femtodriver-evaluation-summary/1"
MOST_WORST = 5
MOST_ERRORS = 20
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Measure:
    """A figure of each clip: where it comes from, its unit, and which clips are the worst by it."""

    name: str
    unit: str
    of: Callable[[Row], float | None]
    worst: str = "highest"


def _column(name: str) -> Callable[[Row], float | None]:
    return lambda row: row[name]


def _saturated(row: Row) -> float | None:
    return None if row["saturated"] is None or not row["frames"] else row["saturated"] / row["frames"]


MEASURES = (
    Measure("snr_in_db", "dB", _column("snr_in_db"), ""),
    Measure("snr_out_db", "dB", _column("snr_out_db"), ""),
    Measure("snr_gain_db", "dB", _column("snr_gain_db"), "lowest"),
    Measure("latency_cycles_mean", "cycles", _column("latency_cycles_mean"), ""),
    Measure("latency_cycles_max", "cycles", _column("latency_cycles_max")),
    Measure("energy_j", "J", _column("energy_j"), ""),
    Measure("power_w", "W", _column("power_w")),
    Measure("saturated_per_frame", "elements", _saturated),
)
# Clips of wrong labels by how sure the model was: the score of its label above that of the right one.
MARGIN = "margin"


@dataclass
class _Figures:
    """The values of a measure, and its worst clips."""

    measure: Measure
    values: list[float] = field(default_factory=list)
    worst: list[tuple[float, str]] = field(default_factory=list)

    def see(self, row: Row) -> None:
        value = self.measure.of(row)
        if value is None:
            return
        self.values.append(value)
        if self.measure.worst:
            sign = 1.0 if self.measure.worst == "highest" else -1.0
            self.worst = _keep(self.worst, sign * value, row["path"])

    def distribution(self) -> dict[str, Any]:
        ordered = sorted(self.values)
        mean = math.fsum(ordered) / len(ordered)
        shares = {"min": 0.0, "p50": 0.5, "p95": 0.95, "max": 1.0}
        places = {name: ordered[math.ceil(share * (len(ordered) - 1))] for name, share in shares.items()}
        return {"unit": self.measure.unit, "clips": len(ordered), "mean": mean, **places}

    def worst_clips(self) -> list[dict[str, Any]]:
        sign = 1.0 if self.measure.worst == "highest" else -1.0
        return [{"path": path, "value": sign * value} for value, path in self.worst]


def _keep(worst: list[tuple[float, str]], value: float, path: str) -> list[tuple[float, str]]:
    """The largest values so far; of equal ones the first clips."""
    return heapq.nsmallest(MOST_WORST, [*worst, (value, path)], key=lambda pair: (-pair[0], pair[1]))


def summary_document(
    rows: Iterable[Row], clips: int, runners: Sequence[str], classes: Sequence[str], about: Mapping[str, object]
) -> dict[str, Any]:
    """The summary of finished rows, of ``clips`` in all. ``about``: model, options; see ``clips_parquet``."""
    figures = [_Figures(measure) for measure in MEASURES]
    labels = _Labels(classes)
    errors: list[dict[str, str]] = []
    done = failed = frames = 0
    unequal: Counter[str] = Counter()
    for row in rows:
        done += 1
        if row["error"] is not None:
            failed += 1
            if len(errors) < MOST_ERRORS:
                errors.append({"path": row["path"], "error": row["error"]})
            continue
        frames += row["frames"]
        labels.see(row)
        for one in figures:
            one.see(row)
        unequal.update(runner for runner in runners[1:] if not row[f"equal_{runner}"])
    found = [one for one in figures if one.values]
    worst = {one.measure.name: one.worst_clips() for one in found if one.worst}
    if labels.worst:
        worst[MARGIN] = [{"path": path, "value": value} for value, path in labels.worst]
    return {
        "schema": SCHEMA,
        **about,
        "complete": done == clips,
        "clips": {"all": clips, "done": done, "failed": failed, "frames": frames},
        "runners": {
            "compared": [*runners],
            "unequal_clips": {runner: unequal[runner] for runner in runners[1:]},
        },
        "labels": labels.document(),
        "distributions": {one.measure.name: one.distribution() for one in found},
        "worst": worst,
        "errors": errors,
    }


class _Labels:
    """Right and wrong labels."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = [*classes]
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._predicted: Counter[str] = Counter()
        self._unlabelled = 0
        self.worst: list[tuple[float, str]] = []

    def see(self, row: Row) -> None:
        label, predicted = row["label"], row["predicted"]
        if predicted is not None:
            self._predicted[predicted] += 1
        if label is None:
            self._unlabelled += 1
            return
        self._pairs[label, "" if predicted is None else predicted] += 1
        margin = self._margin(row)
        if label != predicted and margin is not None:
            self.worst = _keep(self.worst, margin, row["path"])

    def _margin(self, row: Row) -> float | None:
        names = self._classes or [str(number) for number in range(len(row["scores"] or ()))]
        if not row["scores"] or row["label"] not in names or row["predicted"] not in names:
            return None
        scores = row["scores"]
        return float(scores[names.index(row["predicted"])] - scores[names.index(row["label"])])

    def document(self) -> dict[str, Any] | None:
        """None where nothing was predicted or labelled."""
        if not self._pairs and not self._predicted:
            return None
        labelled = sum(self._pairs.values())
        correct = sum(count for (label, predicted), count in self._pairs.items() if label == predicted)
        return {
            "labelled_clips": labelled,
            "unlabelled_clips": self._unlabelled,
            "correct": correct,
            "accuracy": correct / labelled if labelled else None,
            "predicted": dict(sorted(self._predicted.items(), key=lambda pair: self._order(pair[0]))),
            "confusion": self._confusion() if labelled else None,
        }

    def _confusion(self) -> dict[str, Any]:
        """Rows: the right label; columns: what was predicted."""
        rows = sorted({label for label, _ in self._pairs}, key=self._order)
        columns = sorted({name for pair in self._pairs for name in pair}, key=self._order)
        counts = [[self._pairs[label, predicted] for predicted in columns] for label in rows]
        return {"labels": rows, "predicted": columns, "counts": counts}

    def _order(self, name: str) -> tuple[int, int, str]:
        """Classes in their order, numbers by size, then other names."""
        if name in self._classes:
            return 0, self._classes.index(name), name
        return (1, int(name), name) if name.isdecimal() and len(name) < 10 else (2, 0, name)
