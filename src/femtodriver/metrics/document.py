"""The metrics document: everything that a run counted, and the joules and watts computed from it, as plain data.

Keys and meaning are an interface (``docs/metrics.md``): they never change meaning, and ``schema`` counts up when they
must. All figures of work are means per frame; a mean that is whole is an int.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from femtodriver.errors import UsageError
from femtodriver.machine.run_report import STALLS, FrameCycles, RunReport
from femtodriver.metrics.energy import EnergyTable, load_table
from femtodriver.metrics.energy_figures import energy_figures, layer_joules
from femtodriver.metrics.layer_labels import layer_labels
from femtodriver.metrics.run_totals import Run, digits
from femtodriver.metrics.tally import LayerTally, layer_tallies
from femtodriver.part import Part
from femtodriver.program.description import CoreMemory, DescribedLayer, Description, ModelOrigin

SCHEMA = "femtodriver-metrics/4"
ROOM_TEMPERATURE_C = 25.0
MEMORY_KINDS = ("weights", "indices", "activations", "state", "tables", "instructions", "constants")


def build_document(
    report: RunReport,
    description: Description | None,
    part: Part,
    *,
    input_period_s: float | None = None,
    model: Mapping[str, object] | None = None,
    tool: Mapping[str, object] | None = None,
    clock_hz: float | None = None,
    voltage_v: float | None = None,
    temperature_c: float = ROOM_TEMPERATURE_C,
    battery_mwh: float | None = None,
    table: EnergyTable | None = None,
    other_choice: Mapping[str, object] | None = None,
    partial: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The document of one run.

    ``report`` has the counts (``machine.run_report.RunReport``), ``description`` is what the program
    says about itself, or None for a foreign or bare one; without layers it counts as None. ``part`` is the part that
    the machine was built from. ``input_period_s`` is the time between two frames in seconds; None means 0.016, and the
    document says that it was assumed. ``model`` has name and sha256; ``tool`` has version, native, compiler_options
    and seed. ``clock_hz`` (hertz) and ``voltage_v`` (volts) take the place of the part's, and the document says so;
    ``temperature_c`` is in degC. ``battery_mwh`` is the capacity of a battery in mWh, for its life.
    ``other_choice``: what the network costs when it is compiled for another objective, see ``summary_of``.
    ``partial``: frames done, frames planned (None: unknown) and the reason, of a run that was stopped; None for a whole
    one.

    Raises UsageError for a report without frames, with more cores than the part, for a period, clock or voltage that is
    not a positive number, or a temperature that the table has no law for; ProgramError for a description of more
    memory than the part has.
    """
    own, part = part, part_as_given(part, clock_hz, voltage_v)
    run = Run.of(report, description, part, input_period_s, (table or load_table()).at(part.voltage_v, temperature_c))
    energy = energy_figures(run, battery_mwh)
    tallies = layer_tallies(report, run.description)
    labels = layer_labels([tally.layer for tally in tallies])
    latency = _latency(report.latency_cycles, part.clock_hz)
    worst_s = report.frame_cycles.most / part.clock_hz
    return {
        "schema": SCHEMA,
        "partial": _plain(partial),
        "Frames Simulated": run.frames,
        "Input Period (s)": digits(run.period_s),
        "Latency (s)": latency["mean"],
        "Power (W)": energy["power_w"]["total"]["typical"],
        "model": _model(run, model or {}),
        "hardware": {**_hardware(part, temperature_c), "given": _given(own, part)},
        "tool": _tool(run, tool or {}),
        "latency_s": latency,
        "link": _link(report, part),
        "deadline": {
            "met": None if input_period_s is None else bool(worst_s <= run.period_s),
            "worst_fraction_of_period": digits(worst_s / run.period_s),
            "period_assumed": input_period_s is None,
        },
        "other_choice": _plain(other_choice),
        "cycles": run.cycles(),
        **energy,
        "memory_bytes": memory_bytes(run.description, part),
        "macs": run.macs(run.all_counts, run.matrix_busy_cycles()),
        "messages": {"count": run.mean(run.all_counts["message"]), "words": run.mean(run.all_counts["message_word"])},
        "saturations": run.mean(run.all_counts["saturated"]),
        "layers": [
            {**_layer(run, tally), **_origin(tally.layer, label)} for tally, label in zip(tallies, labels, strict=True)
        ],
    }


def _model(run: Run, given: Mapping[str, object]) -> dict[str, object]:
    told = (run.description.model if run.description else None) or ModelOrigin()
    return {key: _plain(given.get(key, getattr(told, key))) for key in ("name", "sha256")}


def _hardware(part: Part, temperature_c: float) -> dict[str, object]:
    return {
        "name": part.name,
        "sha256": part.sha256,
        "cores": part.cores,
        "lanes": part.lanes,
        "clock_hz": digits(part.clock_hz),
        "voltage_v": digits(part.voltage_v),
        "temperature_c": digits(temperature_c),
    }


def part_as_given(part: Part, clock_hz: float | None, voltage_v: float | None) -> Part:
    """The part at another clock (hertz) and voltage, where they are not None. UsageError for no clock."""
    if clock_hz is not None and not 0 < clock_hz < math.inf:
        raise UsageError(f"clock: must be a positive number of hertz, not {clock_hz!r}.")
    return replace(
        part,
        clock_hz=part.clock_hz if clock_hz is None else clock_hz,
        voltage_v=part.voltage_v if voltage_v is None else voltage_v,
    )


def _given(own: Part, part: Part) -> list[str]:
    """Entries that are not those of the part's file."""
    return [name for name in ("clock_hz", "voltage_v") if getattr(own, name) != getattr(part, name)]


def _tool(run: Run, given: Mapping[str, object]) -> dict[str, object]:
    compiler = run.description.compiler if run.description else None
    options = (compiler.options or {}) if compiler else {} if run.description else None
    known = {"version": None, "native": None, "compiler_options": options, "seed": None}
    table = {"energy_table": run.table.name, "energy_table_edition": run.table.edition}
    return {key: _plain(value) for key, value in {**known, **given, **table}.items()}


def _plain(value: object) -> object:
    """The value as YAML and JSON know it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)


def _latency(latency: FrameCycles, clock_hz: float, ahead: float = 0) -> dict[str, float]:
    """Seconds of a frame; ``ahead``: cycles that each of them takes besides."""
    figures = {"mean": latency.mean, "min": latency.least, "p99": latency.percentile(0.99), "max": latency.most}
    return {name: digits((ahead + cycles) / clock_hz) for name, cycles in figures.items()}


def _link(report: RunReport, part: Part) -> dict[str, object]:
    """What the link to the host adds to the latency, from its rate and the words alone."""
    words = {"input": report.input_words, "output": report.output_words}
    cycles = sum(words.values()) * part.link_word_s * part.clock_hz
    return {
        "bits": part.link_bits,
        "clock_hz": digits(part.link_hz),
        "kind": part.link_kind,
        "source": part.link_source,
        **{f"{side}_words": count for side, count in words.items()},
        **{f"{side}_s": digits(count * part.link_word_s) for side, count in words.items()},
        "latency_s": _latency(report.latency_cycles, part.clock_hz, cycles),
    }


def memory_bytes(description: Description | None, part: Part) -> dict[str, object]:
    """Bytes by kind over all cores; None throughout where no description states them."""
    known = description is not None
    cores = [(description.memory or {}).get(number) if description else None for number in range(part.cores)]
    kinds: dict[str, object] = {
        kind: sum(getattr(core, kind) for core in cores if core) if known else None for kind in MEMORY_KINDS
    }
    used = 8 * sum(sum(core.dm_used_words_per_bank) for core in cores if core)
    return {
        **kinds,
        "free": part.cores * part.dm_bytes - used if known else None,
        "per_core": [_core_memory(part, core, known) for core in cores],
    }


def _core_memory(part: Part, core: CoreMemory | None, known: bool) -> dict[str, object]:
    if not known:
        return {"dm_used": None, "dm_size": part.dm_bytes, "banks": None, "tm_used": None, "im_used": None}
    words = core.dm_used_words_per_bank if core else ()
    banks = [8 * count for count in words] + [0] * (part.dm_banks - len(words))
    return {
        "dm_used": sum(banks),
        "dm_size": part.dm_bytes,
        "banks": banks,
        "tm_used": 2 * core.tm_used_words if core else 0,
        "im_used": 8 * core.im_used_words if core else 0,
    }


def _layer(run: Run, tally: LayerTally) -> dict[str, object]:
    counts, stored = tally.counts, tally.layer.bytes or {}
    scanned = counts.get("activation", 0)
    joules = layer_joules(run, counts)
    moved = {"dm_read": 8, "dm_write": 8, "tm_read": 2}
    return {
        "name": tally.layer.name,
        "op": tally.layer.op,
        "source": tally.layer.source,
        "core": tally.layer.core,
        "cycles": run.mean(counts.get("cycles", 0)),
        "energy_j": joules["typical"],
        "macs": run.macs(counts, counts.get("cycles", 0)),
        "bytes": {
            **{kind: stored[kind] for kind in MEMORY_KINDS if kind in stored},
            **{event: run.mean(size * counts.get(event, 0)) for event, size in moved.items()},
        },
        "activation_density": digits(counts.get("activation_live", 0) / scanned) if scanned else None,
        "energy_band_j": joules,
        "saturations": run.mean(counts.get("saturated", 0)),
        "waiting": {cause: run.mean(counts.get(f"wait_{cause}", 0)) for cause in STALLS},
        "cycles_per_core": {core: run.mean(own.get("cycles", 0)) for core, own in sorted(tally.per_core.items())},
    }


def _origin(layer: DescribedLayer, label: str) -> dict[str, object]:
    """Where a layer comes from, and what has become of one without instructions."""
    fate = layer.fate
    return {
        "label": label,
        "module": layer.module,
        "line": layer.line,
        "fate": {"how": fate.how, "into": list(fate.into)} if fate else None,
    }
