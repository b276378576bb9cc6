"""The metrics document as text for people: ``metrics.txt``. Says nothing that the document does not hold."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from femtodriver.metrics.run_totals import Number

WIDTH = 120
TOP = 5
NAME_WIDTH = 36
CAVEAT = (
    "Joules and watts are counted events times an energy table. They are good to about a factor of 3: informed by "
    "published measurements, not validated on SPU silicon. Trust ratios between models on one part. "
    "The part is the open SPU of this project, not the vendor's silicon."
)
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"))

Doc = Mapping[str, Any]


def document_text(doc: Doc) -> str:
    """The document of ``build_document`` as text of at most 120 columns, ASCII where the names are."""
    sections = (_header(doc), _time(doc), _cost(doc), _cores(doc), _work(doc), _top(doc), _layers(doc))
    return "\n\n".join("\n".join(line.rstrip() for line in section) for section in sections) + "\n"


def quantity(value: float, unit: str) -> str:
    """A value with three significant digits and an SI prefix: ``quantity(2.1e-4, "W")`` is ``"210 uW"``."""
    fitting = [entry for entry in _PREFIXES if abs(value) >= 0.9995 * entry[0]]
    scale, prefix = fitting[0] if fitting else _PREFIXES[-1] if value else (1.0, "")
    scaled = value / scale
    places = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
    return f"{scaled:.{places}f} {prefix}{unit}"


def _count(value: Number | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _name(value: object, width: int = NAME_WIDTH) -> str:
    """A name from a file: control characters shown, not obeyed; long ones cut."""
    text = "".join(mark if mark.isprintable() else "?" for mark in str(value))
    return text if len(text) <= width else text[: width - 3] + "..."


def _band(band: Mapping[str, float], unit: str) -> str:
    low, typical, high = (quantity(band[corner], unit) for corner in ("low", "typical", "high"))
    return f"{typical} typical ({low} low, {high} high)"


def _header(doc: Doc) -> list[str]:
    model, part, tool = doc["model"], doc["hardware"], doc["tool"]
    assumed = " (assumed: none was given)" if doc["deadline"]["period_assumed"] else ""
    digest = f", sha256 {model['sha256'][:12]}" if model["sha256"] else ""
    machine = {True: "native loop", False: "Python loop"}.get(tool["native"], "loop not stated")
    return [
        f"Metrics of {_name(model['name'] or '(unnamed)', 60)}{digest}",
        f"Part       {_name(part['name'])}: {part['cores']} cores of {part['lanes']} lanes, "
        f"{quantity(part['clock_hz'], 'Hz')}, {part['voltage_v']:g} V, {part['temperature_c']:g} degC",
        f"Tool       version {tool['version'] or 'not stated'}, {machine}, energy table {tool['energy_table']}",
        f"Run        frames simulated: {doc['Frames Simulated']}; input period {_period(doc)}" + assumed,
        *textwrap.wrap(f"Note       {CAVEAT}", WIDTH, subsequent_indent=11 * " "),
    ]


def _time(doc: Doc) -> list[str]:
    latency, deadline = doc["latency_s"], doc["deadline"]
    mean, least, p99, most = (quantity(latency[key], "s") for key in ("mean", "min", "p99", "max"))
    share = f"the worst frame takes {100 * deadline['worst_fraction_of_period']:.3g} %"
    verdict = f"{'met' if deadline['met'] else 'MISSED'}: {share} of the period"
    if deadline["period_assumed"]:
        verdict = f"none, because no input period was given; {share} of {_period(doc)}, which is assumed"
    return [f"Latency    {mean} mean, {least} min, {p99} p99, {most} max", f"Deadline   {verdict}"]


def _period(doc: Doc) -> str:
    return quantity(doc["Input Period (s)"], "s")


def _cost(doc: Doc) -> list[str]:
    power = doc["power_w"]
    lines = [
        f"Power      {_band(power['total'], 'W')}{_assumed(doc)}",
        f"           dynamic {_band(power['dynamic'], 'W')}",
        f"           leakage {_band(power['leakage'], 'W')}",
        f"Energy     {_band(doc['energy_j']['total'], 'J')} per frame, without leakage",
    ]
    if doc["deadline"]["worst_fraction_of_period"] > 1:
        lines.append(
            "           The part cannot keep this period. Power is for the mean time of a frame, if that is longer."
        )
    return lines


def _assumed(doc: Doc) -> str:
    """What is said beside figures that hang on an assumption."""
    return f", if a frame comes every {_period(doc)}" if doc["deadline"]["period_assumed"] else ""


def _cores(doc: Doc) -> list[str]:
    memory, cycles, energy = doc["memory_bytes"], doc["cycles"], doc["energy_j"]["by_core"]
    head = ("core", "busy", "message", "dependency", "idle", "energy/frame", "DM used", "of", "TM used", "IM used")
    rows = []
    for number, (use, core, joules) in enumerate(zip(cycles["per_core"], memory["per_core"], energy, strict=True)):
        waiting = [_count(use["waiting"][cause]) for cause in ("message", "dependency", "idle")]
        sizes = [_count(core[key]) for key in ("dm_used", "dm_size", "tm_used", "im_used")]
        rows.append((str(number), _count(use["busy"]), *waiting, quantity(joules["typical"], "J"), *sizes))
    lines = [f"Cycles     {_count(cycles['total'])} per frame; busy and waiting cycles of each core, memory in bytes"]
    lines += _table(head, rows, left=())
    if memory["free"] is None:
        return [*lines, "Memory     not stated: the program carries no description"]
    kinds = [f"{kind} {_count(size)}" for kind, size in memory.items() if kind not in ("free", "per_core")]
    return [*lines, *_wrapped("Memory", f"{', '.join(kinds)}; free data memory {_count(memory['free'])} bytes")]


def _work(doc: Doc) -> list[str]:
    macs, messages = doc["macs"], doc["messages"]
    return [
        *_wrapped(
            "MACs",
            f"per frame: dense {_count(macs['dense'])}, stored {_count(macs['stored'])}, "
            f"executed {_count(macs['executed'])}, skipped for weight {_count(macs['skipped_weight'])}, "
            f"for activation {_count(macs['skipped_activation'])}; lanes busy {_percent(macs['utilisation'])}",
        ),
        f"Messages   {_count(messages['count'])} per frame between cores, {_count(messages['words'])} words",
        f"Saturated  {_count(doc['saturations'])} elements per frame",
    ]


def _top(doc: Doc) -> list[str]:
    total = doc["energy_j"]["total"]["typical"]
    components = {name: band["typical"] for name, band in doc["energy_j"]["by_component"].items()}
    layers = {f"{place}: {_name(layer['name'])}": layer["energy_j"] for place, layer in enumerate(doc["layers"])}
    lines = ["Largest consumers of energy (typical, per frame)"]
    left, right = _ranking(components, total), _ranking(layers, total)
    height = max(len(left), len(right))
    for one, other in zip(left + [""] * (height - len(left)), right + [""] * (height - len(right)), strict=True):
        lines.append(f"  {one:<44}{other}")
    return lines


def _ranking(joules: Mapping[str, float], total: float) -> list[str]:
    ordered = sorted((item for item in joules.items() if item[1]), key=lambda item: -item[1])[:TOP]
    return [f"{quantity(value, 'J'):>8} {_percent(value / total):>7}  {name}" for name, value in ordered]


def _layers(doc: Doc) -> list[str]:
    total = doc["energy_j"]["total"]["typical"]
    head = ("#", "layer", "op", "core", "cycles", "energy", "share", "MACs run", "of dense", "lanes", "live")
    rows = []
    for place, layer in enumerate(doc["layers"]):
        macs = layer["macs"]
        share = _percent(layer["energy_j"] / total) if total else "-"
        core = "-" if layer["core"] is None else str(layer["core"])
        work = (_count(macs["executed"]), _count(macs["dense"]), _percent(macs["utilisation"]))
        cost = (_count(layer["cycles"]), quantity(layer["energy_j"], "J"), share)
        names = (str(place), _name(layer["name"]), _name(layer["op"], 12), core)
        rows.append((*names, *cost, *work, _percent(layer["activation_density"])))
    cycles, joules = (sum(layer[key] for layer in doc["layers"]) for key in ("cycles", "energy_j"))
    executed, dense = (sum(layer["macs"][key] for layer in doc["layers"]) for key in ("executed", "dense"))
    rows.append(("", "sum", "", "", _count(cycles), quantity(joules, "J"), "", _count(executed), _count(dense), "", ""))
    note = "Layers in program order, per frame; lanes = share of lane cycles with a MAC, live = share of nonzero inputs"
    return [note, *_table(head, rows, left=(1, 2))]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]


def _wrapped(title: str, text: str) -> list[str]:
    return textwrap.wrap(f"{title:<11}{text}", WIDTH, subsequent_indent=11 * " ")
