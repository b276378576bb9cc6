"""Where the figures come from: how to get them again, what they were measured with, and the hashes of all of it."""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.metrics.text_cells import name_text, quantity
from femtodriver.report.page_blocks import CommandBlock, FigureTable, PageBlock, Section, Sentence
from femtodriver.report.report_facts import Agreement, PlainFacts, ReportFacts

_WIDTH = 200


def origin_section(facts: ReportFacts) -> Section:
    """The command, the comparison, part and conditions, options of the compiler, hashes."""
    lead = "The same command on the same files gives the same report, byte for byte."
    return Section("origin", "Origin", lead, tuple(_blocks(facts)))


def _blocks(facts: ReportFacts) -> Iterator[PageBlock]:
    yield from told_blocks(facts)
    conditions, words = _conditions(facts), (0, 1)
    yield FigureTable("Part and conditions", ("", "value"), conditions, left=words, sources=("hardware", "tool"))
    options = facts.doc["tool"]["compiler_options"]
    if options:
        rows = tuple((_text(key), _text(value)) for key, value in sorted(options.items()))
        head = ("option", "value")
        yield FigureTable("Options of the compiler", head, rows, left=words, folded=True, sources=("tool",))
    yield hash_block(facts)


def told_blocks(facts: ReportFacts | PlainFacts) -> Iterator[PageBlock]:
    """The command, what one has to know about it, and the comparison."""
    yield CommandBlock("How to reproduce it", facts.command)
    for note in facts.notes:
        yield Sentence(note)
    yield _agreement(facts.agreement)


def hash_block(facts: ReportFacts | PlainFacts) -> FigureTable:
    """The hashes of what went in and came out."""
    rows = tuple((what, digest or "not known") for what, digest in facts.hashes.items())
    return FigureTable("Hashes", ("of", "SHA-256"), rows, left=(0, 1), sources=("model", "hardware"))


def _agreement(agreement: Agreement) -> Sentence:
    if agreement.passed is None:
        return Sentence(f"Only {' and '.join(agreement.runners)} ran, so its outputs were compared with nothing.")
    return Sentence(f"Runners compared: {', '.join(agreement.runners)}. {_text(agreement.status)}")


def _conditions(facts: ReportFacts) -> tuple[tuple[str, str], ...]:
    doc = facts.doc
    hardware, tool, link = doc["hardware"], doc["tool"], doc["link"]
    rate = f"{link['bits']} bits at {quantity(link['clock_hz'], 'Hz')} ({link['kind']})"
    rows = {
        "part": f"{hardware['name']}, {hardware['cores']} cores of {hardware['lanes']} lanes",
        "clock": _given(facts, "clock_hz", quantity(hardware["clock_hz"], "Hz")),
        "voltage": _given(facts, "voltage_v", f"{hardware['voltage_v']:g} V"),
        "temperature": f"{hardware['temperature_c']:g} degC",
        "input period": quantity(doc["Input Period (s)"], "s")
        + (" (assumed)" if doc["deadline"]["period_assumed"] else ""),
        "link to the host": rate,
        "simulated by": "the native loop" if tool["native"] else "the NumPy machine",
        "frames": f"{doc['Frames Simulated']:,}" + ("" if tool["seed"] is None else f" made from seed {tool['seed']}"),
        "energy table": f"{tool['energy_table']}, edition {tool['energy_table_edition']}",
        "version": f"open-femtodriver {tool['version']}",
        "metrics document": str(doc["schema"]),
    }
    return tuple((key, _text(value)) for key, value in rows.items())


def _given(facts: ReportFacts, name: str, text: str) -> str:
    """A value, and whether it is another than that of the part's file."""
    return f"{text} (given; not the part's own)" if name in facts.doc["hardware"]["given"] else text


def _text(value: object) -> str:
    return name_text(value, _WIDTH)
