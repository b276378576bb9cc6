"""The four questions that a report answers first: does it fit, is it exact, is it in time, what does it take."""

from __future__ import annotations

from femtodriver.metrics.text_cells import count_text, factor_text, quantity
from femtodriver.report.fit_section import fullest_memory
from femtodriver.report.page_blocks import BAD, GOOD, OPEN, Card, Cards, Section
from femtodriver.report.report_facts import Agreement, MemoryFacts, ReportFacts


def verdict_section(facts: ReportFacts) -> Section:
    """Four cards; what is not known, or was not asked for, is said to be open."""
    cards = (fit_card(facts), exact_card(facts.agreement), _in_time(facts), _power(facts))
    frames = count_text(facts.doc["Frames Simulated"])
    lead = f"{frames} frames on the part {facts.part.name}, an open SPU. Energy and power are estimates."
    if facts.agreement.partial:
        lead += f" The run was stopped before its end: {facts.agreement.partial}."
    return Section("verdict", "Verdict", lead, (Cards(cards, sources=("memory_bytes", "deadline", "power_w")),))


def fit_card(facts: MemoryFacts) -> Card:
    """Whether the program fits its part."""
    fullest = fullest_memory(facts)
    if fullest is None:
        return Card("Does it fit?", OPEN, "yes", "how full the memories are is not stated by the program", "fit")
    return Card("Does it fit?", GOOD, "yes", f"the fullest is the {fullest.label}: {fullest.text}", "fit")


def exact_card(agreement: Agreement) -> Card:
    """Whether the runners agree."""
    if agreement.passed is None:
        other = "fasmir" if "fqir" in agreement.runners else "fqir"
        detail = f"only {' and '.join(agreement.runners)} ran; add {other} to the runners"
        return Card("Is it exact?", OPEN, "not compared", detail, "origin")
    if agreement.passed:
        detail = f"{' = '.join(agreement.runners)} in {count_text(agreement.frames)} frames"
        return Card("Is it exact?", GOOD, "yes", detail, "origin")
    return Card("Is it exact?", BAD, "no", agreement.status, "origin")


def _in_time(facts: ReportFacts) -> Card:
    deadline = facts.doc["deadline"]
    share = f"the slowest frame takes {100 * deadline['worst_fraction_of_period']:.3g} % of "
    period = quantity(facts.doc["Input Period (s)"], "s")
    if deadline["met"] is None:
        return Card("Is it in time?", OPEN, "no deadline", f"{share}{period}, which is assumed", "time")
    if deadline["met"]:
        return Card("Is it in time?", GOOD, "yes", f"{share}{period}", "time")
    return Card("Is it in time?", BAD, "no", f"{share}{period}", "time")


def _power(facts: ReportFacts) -> Card:
    band = facts.doc["power_w"]["total"]
    low, typical, high = (quantity(band[corner], "W") for corner in ("low", "typical", "high"))
    detail = f"{low} to {high}: within a factor of {factor_text(band)}"
    return Card("What does it take?", OPEN, typical, detail, "power")
