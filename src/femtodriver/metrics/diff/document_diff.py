"""What differs between two metrics documents: settings, figures, cores, memories, layers; and the verdict on limits.

Rows are matched by name, and read with whatever keys they have: a document of another schema, or of a version that adds
keys, is compared where both have something.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from femtodriver.metrics.diff.diff_limits import Limit
from femtodriver.metrics.named_figures import FIGURES, NamedFigure, is_number, values_at
from femtodriver.metrics.read_document import schema_number
from femtodriver.metrics.text_cells import Doc

ADDED, GONE, CHANGED = "added", "gone", "changed"
# What figures depend on besides the program: the reader should know if it differs.
_SETTINGS = (
    "model.name",
    "model.sha256",
    "hardware.name",
    "hardware.sha256",
    "hardware.clock_hz",
    "hardware.voltage_v",
    "hardware.temperature_c",
    "Input Period (s)",
    "Frames Simulated",
    "tool.version",
    "tool.seed",
    "tool.energy_table",
    "tool.energy_table_edition",
)
_OPTIONS = "tool.compiler_options"
# Of a layer: what it is called and where it comes from, not what it costs.
_NAMES = ("name", "source", "label", "module", "line")
# Keys of rows, and the schema since which they mean what they mean now.
_CORE_KEYS = {"busy": 3, "waiting": 3, "energy_j": 2}
_LAYER_KEYS = {"core": 4, "energy_j": 2}
_NUMBER = re.compile(r"^\d+ (?=.)")


@dataclass(frozen=True)
class Change:
    """A value of both documents; None where one of them does not state it. ``redefined``: it does not mean the same."""

    what: str
    before: Any
    after: Any
    redefined: bool = False

    @property
    def ratio(self) -> float | None:
        """The difference as a share of the value before; None where there is none."""
        if not (is_number(self.before) and is_number(self.after)) or not self.before:
            return None
        return (float(self.after) - float(self.before)) / abs(float(self.before))

    @property
    def differs(self) -> bool:
        """Whether the two values differ."""
        return bool(self.before != self.after)


@dataclass(frozen=True)
class RowDiff:
    """A core, a memory or a layer: ``state`` is added, gone or changed; ``before`` and ``after`` are its rows, {} where
    it is not there; ``changes`` are the numbers and texts in it that differ, by the path of their keys.
    """

    name: str
    state: str
    before: Doc
    after: Doc
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class RowsDiff:
    """Rows that differ, and how many do not."""

    rows: tuple[RowDiff, ...]
    equal: int

    def count(self, state: str) -> int:
        """How many rows are in this state."""
        return sum(row.state == state for row in self.rows)


@dataclass(frozen=True)
class LimitVerdict:
    """A limit, what it was about (a layer, or ""), and what was measured: None where that cannot be known."""

    limit: Limit
    subject: str
    measured: float | None

    @property
    def kept(self) -> bool:
        """Whether the limit is kept; one that cannot be judged is not."""
        return self.measured is not None and not self.limit.exceeded(self.measured)


@dataclass(frozen=True)
class DocumentDiff:
    """Everything that differs. ``figures``: all that one of the documents states, also equal ones.

    ``notes``: what was not compared, one sentence each.
    """

    schemas: tuple[str, str]
    settings: tuple[Change, ...]
    figures: tuple[tuple[NamedFigure, Change], ...]
    cores: RowsDiff
    memories: RowsDiff
    layers: RowsDiff
    verdicts: tuple[LimitVerdict, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = {"settings": self.settings, "layers": self.layers.rows, "limits": self.verdicts}
        changed = {"figures": [change for _, change in self.figures if change.differs], **parts}
        return f"<DocumentDiff: {', '.join(f'{len(found)} {what}' for what, found in changed.items())}>"

    @property
    def kept(self) -> bool:
        """Whether all limits are kept."""
        return all(verdict.kept for verdict in self.verdicts)

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        rows = (*self.cores.rows, *self.memories.rows, *self.layers.rows)
        return not (self.settings or rows or any(change.differs for _, change in self.figures))


def diff_documents(before: Doc, after: Doc, limits: Sequence[Limit] = ()) -> DocumentDiff:
    """How ``after`` differs from ``before``, both metrics documents, and which limits are kept.

    UsageError for a mapping that is no metrics document.
    """
    schemas = schema_number(before), schema_number(after)
    layers = _pairs(_layers(before), _layers(after))
    odd_cores, odd_layers = (_redefined(keys, schemas) for keys in (_CORE_KEYS, _LAYER_KEYS))
    told = [f"{what} of {whose}" for whose, odd in (("cores", odd_cores), ("layers", odd_layers)) for what in odd]
    return DocumentDiff(
        schemas=(str(before["schema"]), str(after["schema"])),
        settings=tuple(_settings(before, after)),
        figures=tuple(_figures(before, after, schemas)),
        cores=_rows_diff(_pairs(_cores(before), _cores(after)), odd_cores),
        memories=_rows_diff(_pairs(_memories(before), _memories(after))),
        layers=_rows_diff(layers, odd_layers),
        verdicts=tuple(verdict for limit in limits for verdict in _verdicts(limit, before, after, layers)),
        notes=tuple(f"not compared: {one}, which means something else in one of the two schemas" for one in told),
    )


def _redefined(keys: Mapping[str, int], schemas: tuple[int, int]) -> tuple[str, ...]:
    """Keys that do not mean the same in both schemas."""
    return tuple(key for key, since in keys.items() if min(schemas) < since <= max(schemas))


def _settings(before: Doc, after: Doc) -> Iterator[Change]:
    for path in _SETTINGS:
        yield from _differing(path, _only(before, path), _only(after, path))
    options = [_only(doc, _OPTIONS) for doc in (before, after)]
    first, second = (one if isinstance(one, Mapping) else {} for one in options)
    for name in dict.fromkeys((*first, *second)):
        yield from _differing(f"compiler option {name}", first.get(name), second.get(name))


def _only(doc: Doc, path: str) -> Any:
    found = values_at(doc, path)
    return found[0] if found else None


def _differing(what: str, before: Any, after: Any) -> Iterator[Change]:
    if before != after:
        yield Change(what, before, after)


def _figures(before: Doc, after: Doc, schemas: tuple[int, int]) -> Iterator[tuple[NamedFigure, Change]]:
    for figure in FIGURES.values():
        values = figure.of(before), figure.of(after)
        if values != (None, None):
            redefined = min(schemas) < figure.since <= max(schemas)
            yield figure, Change(figure.name, *values, redefined=redefined)


Rows = Mapping[str, Doc]


def _cores(doc: Doc) -> Rows:
    cycles = [core if isinstance(core, Mapping) else {} for core in values_at(doc, "cycles.per_core[]")]
    energy = values_at(doc, "energy_j.by_core[]")
    joules = [{"energy_j": _only(band, "typical")} for band in energy] + [{}] * (len(cycles) - len(energy))
    pairs = zip(cycles, joules, strict=False)
    return {f"core {number}": {**core, **extra} for number, (core, extra) in enumerate(pairs) if core}


def _memories(doc: Doc) -> Rows:
    kinds = _only(doc, "memory_bytes")
    total = {key: value for key, value in kinds.items() if key != "per_core"} if isinstance(kinds, Mapping) else {}
    cores = values_at(doc, "memory_bytes.per_core[]")
    return {"all cores": total, **{f"core {number}": core for number, core in enumerate(cores)}}


def _layers(doc: Doc) -> Rows:
    """Layers by name, without the number of the node that it begins with; the second of a name is ``NAME (2)``."""
    seen: Counter[str] = Counter()
    found: dict[str, Doc] = {}
    for row in values_at(doc, "layers[]"):
        if isinstance(row, Mapping):
            name = _NUMBER.sub("", str(row.get("name")))
            seen[name] += 1
            found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = row
    return found


Pair = tuple[str, Doc, Doc]


def _pairs(before: Rows, after: Rows) -> list[Pair]:
    """Rows of both by name, {} for one that is not there: in the order of ``after``, then what is gone."""
    return [(name, before.get(name, {}), after.get(name, {})) for name in dict.fromkeys((*after, *before))]


def _rows_diff(pairs: Iterable[Pair], without: Sequence[str] = ()) -> RowsDiff:
    """``without``: keys that are not compared."""
    rows, equal = [], 0
    for name, before, after in pairs:
        if before and after:
            changes = tuple(one for one in _row_changes(before, after) if one.what.partition(".")[0] not in without)
            equal += not changes
            rows += [RowDiff(name, CHANGED, before, after, changes)] if changes else []
        else:
            rows.append(RowDiff(name, ADDED if after else GONE, before, after, ()))
    return RowsDiff(tuple(rows), equal)


def _row_changes(before: Doc, after: Doc) -> Iterator[Change]:
    """Values that both rows state and that differ; a key that one of them lacks is no difference of the runs."""
    first, second = dict(_leaves(before)), dict(_leaves(after))
    for path in second:
        if path in first and path not in _NAMES:
            yield from _differing(path, first[path], second[path])


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Numbers, texts and None with their paths; ``a.b`` of mappings, ``a[1]`` of lists."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}[{place}]")
    else:
        yield path, value


def _verdicts(limit: Limit, before: Doc, after: Doc, layers: Sequence[Pair]) -> Iterator[LimitVerdict]:
    """One verdict; for a limit of layers one for each that exceeds it, or one that says that none does."""
    if not limit.of_layers:
        yield LimitVerdict(limit, "", limit.measured(limit.figure.of(before), limit.figure.of(after)))
        return
    both = [pair for pair in layers if pair[2] and (pair[1] or not limit.change)]
    found = [
        LimitVerdict(limit, name, limit.measured(limit.figure.of(one), limit.figure.of(two))) for name, one, two in both
    ]
    broken = [verdict for verdict in found if not verdict.kept]
    known = [verdict for verdict in found if verdict.measured is not None]
    if broken or not known:
        yield from broken or [LimitVerdict(limit, "", None)]
    else:
        yield max(known, key=lambda one: (one.measured or 0.0) * (1 if limit.above else -1))
