"""Sums of counted events: per layer, per core, in all. Plain integers, so that every sum is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.machine.run_report import CoreReport, RunReport
from femtodriver.program.description import DescribedLayer, Description


@dataclass(frozen=True)
class LayerTally:
    """Event counts of one layer over the whole run."""

    layer: DescribedLayer
    counts: Mapping[str, int]


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
    layers = (description.layers or ()) if description else ()
    sums: list[Counter[str]] = [Counter() for _ in layers]
    rest: Counter[str] = Counter()
    rest_cores = set()
    for number, core in enumerate(report.cores):
        for pc, events in core.by_pc.items():
            place = description.layer_at(number, pc) if description else None
            if place is None:
                rest.update(events)
                rest_cores.add(number)
            else:
                sums[place].update(events)
    rows = [LayerTally(layer, counts) for layer, counts in zip(layers, sums, strict=True)]
    if rest or description is None:
        outside = RUNTIME if description else PROGRAM
        only = rest_cores.pop() if len(rest_cores) == 1 else None
        rows.append(LayerTally(DescribedLayer(outside.name, outside.op, outside.source, only), rest))
    return rows
