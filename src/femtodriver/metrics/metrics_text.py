"""The metrics document as text for people: ``metrics.txt``. Says nothing that the document does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from femtodriver.machine.run_report import WAITING
from femtodriver.metrics.choice_summary import summary_of
from femtodriver.metrics.energy_text import component_lines, cost_lines, source_lines
from femtodriver.metrics.text_cells import (
    Doc,
    count_text,
    name_text,
    percent_text,
    quantity,
    table_lines,
    tail_text,
    wrapped_lines,
)

LAYER_WIDTH = 26
MOST_SATURATED = 5
_NAMES = {"clock_hz": "clock", "voltage_v": "voltage"}
CAVEAT = (
    "Joules and watts are counted events and times, multiplied by the rows of an energy table. The factor beside each "
    "figure is how far its low and high values are from typical. No figure has been validated on SPU silicon; "
    "ratios between models on one part are what to trust. The part is the open SPU of this project, not the vendor's "
    "silicon."
)


def document_text(doc: Doc) -> str:
    """The document of ``build_document`` as text of at most 120 columns, ASCII where the names are."""
    sections = (
        _header(doc),
        _time(doc),
        cost_lines(doc),
        _cores(doc),
        _work(doc),
        component_lines(doc),
        _layers(doc),
        source_lines(doc),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections) + "\n"


def _header(doc: Doc) -> list[str]:
    model, part, tool = doc["model"], doc["hardware"], doc["tool"]
    assumed = " (assumed: none was given)" if doc["deadline"]["period_assumed"] else ""
    digest = f", sha256 {model['sha256'][:12]}" if model["sha256"] else ""
    machine = {True: "native loop", False: "NumPy machine"}.get(tool["native"], "loop not stated")
    table = f"energy table {tool['energy_table']}, edition {tool['energy_table_edition']}"
    not_its_own = f" ({' and '.join(_NAMES[name] for name in part['given'])} as given)" if part["given"] else ""
    return [
        f"Metrics of {name_text(model['name'] or '(unnamed)', 60)}{digest}",
        f"Part       {name_text(part['name'])}: {part['cores']} cores of {part['lanes']} lanes, "
        f"{quantity(part['clock_hz'], 'Hz')}, {part['voltage_v']:g} V, {part['temperature_c']:g} degC{not_its_own}",
        f"Tool       version {tool['version'] or 'not stated'}, {machine}, {table}",
        f"Run        frames simulated: {doc['Frames Simulated']}; input period {_period(doc)}" + assumed,
        *_partial(doc),
        *wrapped_lines("Note", CAVEAT),
    ]


def _partial(doc: Doc) -> list[str]:
    """That the run was stopped; documents of earlier versions do not say."""
    partial = doc.get("partial")
    if partial is None:
        return []
    of = "" if partial["planned"] is None else f" of {partial['planned']:,}"
    return [f"Partial    frames {partial['frames']:,}{of}, {partial['reason']}"]


def _time(doc: Doc) -> list[str]:
    latency, deadline = doc["latency_s"], doc["deadline"]
    share = f"the worst frame takes {100 * deadline['worst_fraction_of_period']:.3g} %"
    verdict = f"{'met' if deadline['met'] else 'MISSED'}: {share} of the period"
    if deadline["period_assumed"]:
        verdict = f"none, because no input period was given; {share} of {_period(doc)}, which is assumed"
    return [
        f"Latency    {_spread(latency)}, without the link to the host",
        *_link(doc["link"]),
        *wrapped_lines("Deadline", verdict),
        *choice_lines(doc),
    ]


def choice_lines(doc: Doc) -> list[str]:
    """What the compiler chose the cores for, and what the other choice would cost; nothing if no choice was made."""
    other = doc["other_choice"]
    if other is None:
        return []
    own = summary_of(doc)
    text = (
        f"{doc['tool']['compiler_options'].get('objective', 'not stated')}: {_choice(own)}; "
        f"for {other['objective']} instead: {_choice(other)}"
    )
    return wrapped_lines("Objective", text)


def _choice(choice: Mapping[str, Any]) -> str:
    cores = f"{choice['cores']} core{'s' if choice['cores'] != 1 else ''}"
    share = f"{100 * choice['worst_fraction_of_period']:.3g} % of the period"
    return f"{cores}, {count_text(choice['cycles'])} cycles, {share}, {quantity(choice['power_w']['typical'], 'W')}"


def _spread(latency: Mapping[str, float]) -> str:
    return ", ".join(f"{quantity(latency[key], 's')} {key}" for key in ("mean", "min", "p99", "max"))


def _link(link: Mapping[str, Any]) -> list[str]:
    rate = f"{link['bits']} bits at {quantity(link['clock_hz'], 'Hz')} ({link['kind']}: {link['source']})"
    sides = [
        f"{count_text(link[f'{side}_words'])} words {verb} in {quantity(link[f'{side}_s'], 's')}"
        for side, verb in (("input", "come"), ("output", "go"))
    ]
    return [
        *wrapped_lines("Link", f"{', '.join(sides)} by {rate}"),
        f"           latency with it {_spread(link['latency_s'])}",
    ]


def _period(doc: Doc) -> str:
    return quantity(doc["Input Period (s)"], "s")


def _cores(doc: Doc) -> list[str]:
    memory, cycles, energy = doc["memory_bytes"], doc["cycles"], doc["energy_j"]["by_core"]
    work = ("core", "busy", *WAITING, "energy", "low", "high")
    head = (*work, "DM used", "of", "TM used", "IM used")
    rows = []
    for number, (use, core, joules) in enumerate(zip(cycles["per_core"], memory["per_core"], energy, strict=True)):
        waiting = [count_text(use["waiting"][cause]) for cause in WAITING]
        sizes = [count_text(core[key]) for key in ("dm_used", "dm_size", "tm_used", "im_used")]
        band = [quantity(joules[corner], "J") for corner in ("typical", "low", "high")]
        rows.append((str(number), count_text(use["busy"]), *waiting, *band, *sizes))
    lines = [
        f"Cycles     {count_text(cycles['total'])} per frame; busy and waiting cycles and energy of each core, "
        "memory in bytes"
    ]
    lines += table_lines(head, rows, left=())
    if memory["free"] is None:
        return [*lines, "Memory     not stated: the program carries no description"]
    kinds = [f"{kind} {count_text(size)}" for kind, size in memory.items() if kind not in ("free", "per_core")]
    free = f"free data memory {count_text(memory['free'])} bytes"
    return [*lines, *wrapped_lines("Memory", f"{', '.join(kinds)}; {free}")]


def _work(doc: Doc) -> list[str]:
    macs, messages = doc["macs"], doc["messages"]
    return [
        *wrapped_lines(
            "MACs",
            f"per frame: dense {count_text(macs['dense'])}, stored {count_text(macs['stored'])}, "
            f"executed {count_text(macs['executed'])}, skipped for weight {count_text(macs['skipped_weight'])}, "
            f"for activation {count_text(macs['skipped_activation'])}; lanes busy {percent_text(macs['utilisation'])}",
        ),
        f"Messages   {count_text(messages['count'])} per frame between cores, {count_text(messages['words'])} words",
        *_saturated(doc),
    ]


def _saturated(doc: Doc) -> list[str]:
    """How many elements are clipped, and in which layers most."""
    layers = [(place, layer) for place, layer in enumerate(doc["layers"]) if layer["saturations"]]
    layers.sort(key=lambda entry: -entry[1]["saturations"])
    text = f"{count_text(doc['saturations'])} elements per frame"
    shown = [
        f"#{place} {tail_text(layer['label'], LAYER_WIDTH)} {count_text(layer['saturations'])}"
        for place, layer in layers[:MOST_SATURATED]
    ]
    more = [f"{len(layers) - len(shown)} more layers"] if len(layers) > len(shown) else []
    return wrapped_lines("Saturated", ": ".join(filter(None, (text, "; ".join([*shown, *more])))))


def _layers(doc: Doc) -> list[str]:
    head = ("#", "layer", "op", "core", "cycles", "energy", "low", "high", "share", "MACs run", "of dense", "lanes")
    ran = [(place, layer) for place, layer in enumerate(doc["layers"]) if layer["cycles"] or layer["energy_j"]]
    rows = [_layer_row(doc, place, layer) for place, layer in ran]
    cycles, joules = (sum(layer[key] for layer in doc["layers"]) for key in ("cycles", "energy_j"))
    executed, dense = (sum(layer["macs"][key] for layer in doc["layers"]) for key in ("executed", "dense"))
    sums = (count_text(cycles), quantity(joules, "J"), *("",) * 3, count_text(executed), count_text(dense), "", "")
    rows.append(("", "sum", "", "", *sums))
    note = "Layers in program order, per frame; lanes = share of lane cycles with a MAC, live = share of nonzero inputs"
    lines = [note, *table_lines((*head, "live"), rows, left=(1, 2))]
    idle = len(doc["layers"]) - len(ran)
    if idle:
        whose = "layers have no instructions of their own" if idle > 1 else "layer has no instructions of its own"
        lines.append(f"  not shown: {idle} {whose}; other layers do that work, or there is none (--profile says which)")
    return lines


def _layer_row(doc: Doc, place: int, layer: Doc) -> tuple[str, ...]:
    macs, band = layer["macs"], layer["energy_band_j"]
    total = doc["energy_j"]["total"]["typical"]
    share = percent_text(layer["energy_j"] / total) if total else "-"
    core = ",".join(map(str, layer["cycles_per_core"])) or "-"
    work = (count_text(macs["executed"]), count_text(macs["dense"]), percent_text(macs["utilisation"]))
    cost = (count_text(layer["cycles"]), *(quantity(band[corner], "J") for corner in ("typical", "low", "high")), share)
    names = (str(place), tail_text(layer["label"], LAYER_WIDTH), name_text(layer["op"], 12), core)
    return (*names, *cost, *work, percent_text(layer["activation_density"]))
