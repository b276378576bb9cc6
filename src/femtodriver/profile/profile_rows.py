"""The profile of a run as frozen rows: what each layer cost, what it did, and which of its elements were clipped.

Counts are whole numbers over the whole run, so that sums equal the totals to the cycle; ``Profile.per_frame`` makes the
means of them that people read. Energy is in joules per frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from femtodriver.machine.run_report import STALLS, WAITING, RunReport
from femtodriver.metrics.energy import Band, add
from femtodriver.metrics.layer_labels import layer_labels
from femtodriver.metrics.tally import LayerTally, layer_tallies
from femtodriver.metrics.text_cells import count_text, percent_text, quantity
from femtodriver.notebook_html import html_table
from femtodriver.program.description import FUSED, Description, LayerFate

# Accounts of the energy of a period that belong to no layer, and what they are called in tables.
OUTSIDE = {
    "link": "(link to the host)",
    "leakage": "(leakage)",
    "waking": "(waking)",
    "pll": "(PLL)",
    "always_on": "(always-on domain)",
}


@dataclass(frozen=True)
class ClippedAt:
    """Elements that one instruction has clipped in the run: word address ``pc`` of a core's instruction memory."""

    core: int
    pc: int
    elements: int


@dataclass(frozen=True)
class ProfileRow:
    """One layer, or a group of them; counts are of the whole run.

    ``label``: what people know it by. ``place``: of the layer among the ``layers`` of the metrics document; None for a
    group. ``value``: the FQIR value that it computes. ``module``, ``line``: in the user's model, "" if not known.
    ``cores``: those that ran any of it. ``layers``: how many layers it stands for. ``elements``: values that its
    results have in a frame. ``energy_j``: of its work in a frame. ``counts``: events of the machine, as
    ``machine/run_report.py`` lists them; ``per_core``: the same by core. ``clipped_at``: the instructions that clipped
    elements. ``includes``: places of layers whose work it does too. ``fate``: of a layer without instructions.
    """

    label: str
    op: str
    place: int | None = None
    value: str = ""
    module: str = ""
    line: str = ""
    cores: tuple[int, ...] = ()
    layers: int = 1
    elements: int = 0
    energy_j: Band = field(default_factory=Band)
    counts: Mapping[str, int] = field(default_factory=dict)
    per_core: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    clipped_at: tuple[ClippedAt, ...] = ()
    includes: tuple[int, ...] = ()
    fate: LayerFate | None = None

    @property
    def cycles(self) -> int:
        """Cycles in which a core had an instruction of it in flight."""
        return self.counts.get("cycles", 0)

    @property
    def waits(self) -> Mapping[str, int]:
        """Cycles that a core waited before it could start one of its threads, by cause: "message", "dependency"."""
        return {cause: self.counts.get(f"wait_{cause}", 0) for cause in STALLS}

    @property
    def macs_dense(self) -> int:
        """Multiplications if its matrices were dense."""
        return self.counts.get("matrix_dense", 0)

    @property
    def macs_stored(self) -> int:
        """Multiplications of the weights that are stored."""
        return self.counts.get("matrix_stored", 0)

    @property
    def macs_executed(self) -> int:
        """Multiplications executed: of stored weights with activations that are not zero."""
        return self.counts.get("matrix_executed", 0)

    @property
    def weight_density(self) -> float | None:
        """Stored weights / weights of the dense matrices; None without matrices."""
        return self.macs_stored / self.macs_dense if self.macs_dense else None

    @property
    def activation_density(self) -> float | None:
        """Activations that were not zero / activations scanned; None where none were scanned."""
        scanned = self.counts.get("activation", 0)
        return self.counts.get("activation_live", 0) / scanned if scanned else None

    @property
    def read(self) -> int:
        """Bytes read from data memory."""
        return 8 * self.counts.get("dm_read", 0)

    @property
    def written(self) -> int:
        """Bytes written to data memory."""
        return 8 * self.counts.get("dm_write", 0)

    @property
    def table_read(self) -> int:
        """Bytes read from table memory."""
        return 2 * self.counts.get("tm_read", 0)

    @property
    def moved(self) -> int:
        """Bytes read and written in data memory, and read from table memory."""
        return self.read + self.written + self.table_read

    @property
    def saturated(self) -> int:
        """Elements that a saturation has clipped."""
        return self.counts.get("saturated", 0)

    @property
    def is_idle(self) -> bool:
        """Whether it cost nothing: other layers do its work, or there is none."""
        return not any(self.counts.values())


@dataclass(frozen=True)
class CoreTime:
    """Cycles of a core over the run: ``busy``, and waiting by cause."""

    busy: int
    waiting: Mapping[str, int]


@dataclass(frozen=True, repr=False)
class Profile:
    """A run by layers, in program order.

    ``frames`` were run on cores of ``lanes`` lanes. ``elapsed``: cycles from the inputs to all cores at rest, over the
    run; for each core, busy + waiting = elapsed. ``energy_j``: of the work of a frame, which is the sum of the rows but
    for rounding. ``outside``: joules of a period that no layer is charged with, by account.
    """

    model: str
    part: str
    frames: int
    lanes: int
    elapsed: int
    cores: tuple[CoreTime, ...]
    rows: tuple[ProfileRow, ...]
    energy_j: Band
    core_energy_j: tuple[Band, ...]
    outside: Mapping[str, Band]

    def __repr__(self) -> str:
        cycles = self.elapsed / max(self.frames, 1)
        return f"<Profile of {self.model!r:.60}: {len(self.rows)} layers, {self.frames} frames of {cycles:.1f} cycles>"

    def _repr_html_(self) -> str:
        """Every layer that costs something, and the sum; per frame."""
        rows = [row for row in self.rows if not row.is_idle]
        head = ("layer", "operator", "cycles", "share", "energy", "multiplications", "bytes", "clipped")
        return html_table(repr(self)[1:-1], head, map(self._cells, (*rows, self.total)))

    def _cells(self, row: ProfileRow) -> tuple[str, ...]:
        counts = (row.macs_executed, row.moved, row.saturated)
        return (
            row.label,
            row.op,
            count_text(self.per_frame(row.cycles)),
            percent_text(row.cycles / self.busy if self.busy else None),
            quantity(row.energy_j.typical, "J"),
            *(count_text(self.per_frame(count)) for count in counts),
        )

    @property
    def busy(self) -> int:
        """Busy cycles of all cores: the sum of the rows."""
        return sum(core.busy for core in self.cores)

    @property
    def total(self) -> ProfileRow:
        """The sum of all rows."""
        return summed("all layers", "", self.rows)

    @property
    def clipping(self) -> list[ProfileRow]:
        """The rows that clipped any element, those with the most first."""
        return sorted((row for row in self.rows if row.saturated), key=lambda row: -row.saturated)

    def per_frame(self, count: int) -> int | float:
        """The mean per frame of a count of the run; an int where it is whole."""
        quotient, rest = divmod(count, self.frames)
        return count / self.frames if rest else quotient

    def utilisation(self, row: ProfileRow) -> float | None:
        """Multiplications of matrices / (cycles x lanes), from 0 to 1; None for a row without matrices."""
        slots = row.cycles * self.lanes
        return row.macs_executed / slots if slots and row.macs_dense else None


def profile_of(report: RunReport, description: Description | None, doc: Mapping[str, Any]) -> Profile:
    """The profile of a run; ``doc`` is the metrics document of the same run, which has the joules.

    ``description`` without layers counts as None: everything is then one row.
    """
    told = description if description is not None and description.has_layers else None
    tallies = layer_tallies(report, told)
    labels = layer_labels([tally.layer for tally in tallies])
    included = _included(tallies)
    rows = tuple(
        _row(place, tally, label, doc["layers"][place], included.get(place, ()))
        for place, (tally, label) in enumerate(zip(tallies, labels, strict=True))
    )
    elapsed = report.frame_cycles.total
    return Profile(
        model=str(doc["model"]["name"] or ""),
        part=str(doc["hardware"]["name"]),
        frames=report.frames,
        lanes=int(doc["hardware"]["lanes"]),
        elapsed=elapsed,
        cores=tuple(_core_time(report, number, elapsed) for number in range(doc["hardware"]["cores"])),
        rows=rows,
        energy_j=_band(doc["energy_j"]["total"]),
        core_energy_j=tuple(map(_band, doc["energy_j"]["by_core"])),
        outside=_outside(doc),
    )


def summed(label: str, op: str, rows: Sequence[ProfileRow]) -> ProfileRow:
    """One row for several."""
    counts: Counter[str] = Counter()
    per_core: dict[int, Counter[str]] = {}
    for row in rows:
        counts.update(row.counts)
        for core, own in row.per_core.items():
            per_core.setdefault(core, Counter()).update(own)
    return ProfileRow(
        label=label,
        op=op,
        cores=tuple(sorted({core for row in rows for core in row.cores})),
        layers=sum(row.layers for row in rows),
        elements=sum(row.elements for row in rows),
        energy_j=add(row.energy_j for row in rows),
        counts=counts,
        per_core=per_core,
        clipped_at=tuple(place for row in rows for place in row.clipped_at),
    )


def _row(place: int, tally: LayerTally, label: str, told: Mapping[str, Any], includes: tuple[int, ...]) -> ProfileRow:
    layer = tally.layer
    return ProfileRow(
        label=label,
        op=layer.op,
        place=place,
        value=layer.source,
        module=layer.module or "",
        line=layer.line or "",
        cores=tuple(sorted(core for core, own in tally.per_core.items() if any(own.values()))),
        elements=layer.elements or 0,
        energy_j=_band(told["energy_band_j"]),
        counts=tally.counts,
        per_core=tally.per_core,
        clipped_at=tuple(ClippedAt(*where) for where in tally.clipped_at),
        includes=includes,
        fate=layer.fate,
    )


def _included(tallies: Sequence[LayerTally]) -> dict[int, tuple[int, ...]]:
    """The layers that were fused into each layer."""
    found: dict[int, tuple[int, ...]] = {}
    for place, tally in enumerate(tallies):
        fate = tally.layer.fate
        for heir in fate.into if fate is not None and fate.how == FUSED else ():
            found[heir] = (*found.get(heir, ()), place)
    return found


def _core_time(report: RunReport, number: int, elapsed: int) -> CoreTime:
    if number >= len(report.cores):  # a core that the machine did not even build
        return CoreTime(0, {**dict.fromkeys(WAITING, 0), "idle": elapsed})
    core = report.cores[number]
    return CoreTime(core.total("cycles"), {cause: core.waiting.get(cause, 0) for cause in WAITING})


def _outside(doc: Mapping[str, Any]) -> dict[str, Band]:
    """What a period takes beside the work of its frame. ``power_w`` is joules of a period over its length."""
    duty, power = doc["duty"], doc["power_w"]
    seconds = duty["running"]["time_s"] + duty["pause"]["time_s"]
    bands = {account: _band(power[account]).times(seconds) for account in OUTSIDE}
    return {account: band for account, band in bands.items() if band.high}


def _band(told: Mapping[str, float]) -> Band:
    return Band(told["low"], told["typical"], told["high"])
