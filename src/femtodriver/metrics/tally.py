"""Sums of counted events: per layer, per core, in all. Plain integers, so that every sum is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from femtodriver.machine.run_report import CoreReport, RunReport
from femtodriver.program.description import DescribedLayer, Description, layers_of


@dataclass(frozen=True)
class LayerTally:
    """Event counts of one layer over the whole run: in all, and of each core that ran any of it.

    ``clipped_at``: the instructions that clipped elements, as (core, PC, elements).
    """

    layer: DescribedLayer
    counts: Mapping[str, int]
    per_core: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    clipped_at: tuple[tuple[int, int, int], ...] = ()


RUNTIME = DescribedLayer("(runtime)", "runtime")
PROGRAM = DescribedLayer("(program)", "program")


def core_counts(core: CoreReport) -> Counter[str]:
    """Event counts of one core, all instructions together."""
    total: Counter[str] = Counter()
    for events in core.by_pc.values():
        total.update(events)
    return total


def layer_tallies(report: RunReport, description: Description | None) -> list[LayerTally]:
    """Counts per layer in program order.

    Instructions that no layer claims (receive, send, glue of threads) are summed in a last row "(runtime)", which is
    left out where there are none. Without a description everything is one row "(program)".
    """
    layers = layers_of(description)
    sums = [_Sums() for _ in layers]
    rest = _Sums()
    for number, core in enumerate(report.cores):
        for pc, events in core.by_pc.items():
            place = description.layer_at(number, pc) if description else None
            (rest if place is None else sums[place]).add(number, pc, events)
    rows = [one.tally(layer) for layer, one in zip(layers, sums, strict=True)]
    if any(rest.per_core.values()) or description is None:
        only = next(iter(rest.per_core)) if len(rest.per_core) == 1 else None
        rows.append(rest.tally(replace(RUNTIME if description else PROGRAM, core=only)))
    return rows


class _Sums:
    """Events of a layer, while they are summed up."""

    def __init__(self) -> None:
        self.per_core: dict[int, Counter[str]] = {}
        self._clipped_at: list[tuple[int, int, int]] = []

    def add(self, core: int, pc: int, events: Mapping[str, int]) -> None:
        self.per_core.setdefault(core, Counter()).update(events)
        if events.get("saturated", 0):
            self._clipped_at.append((core, pc, events["saturated"]))

    def tally(self, layer: DescribedLayer) -> LayerTally:
        whole: Counter[str] = Counter()
        for counts in self.per_core.values():
            whole.update(counts)
        return LayerTally(layer, whole, self.per_core, tuple(sorted(self._clipped_at)))
