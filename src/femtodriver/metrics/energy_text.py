"""What the document says about energy and power, as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from femtodriver.metrics.text_cells import (
    INDENT,
    WIDTH,
    Doc,
    band_text,
    factor_text,
    percent_text,
    quantity,
    table_lines,
    wrapped_lines,
)

_CORNERS = ("typical", "low", "high")
_HOURS_PER_DAY, _DAYS_PER_YEAR = 24, 365.25
_SHORT_KINDS = {"measured on other chips": "measured elsewhere"}
# Lines of reports, in the order of ``ACCOUNTS``.
ACCOUNT_LABELS = {
    "dynamic": "work (dynamic)",
    "link": "host link, both ends",
    "leakage": "leakage",
    "waking": "waking",
    "pll": "PLL while running",
    "always_on": "always-on domain",
}


def cost_lines(doc: Doc) -> list[str]:
    """Power and its accounts, sleep, the lowest clock, energy per frame, battery life."""
    lines = wrapped_lines("Power", f"{band_text(doc['power_w']['total'], 'W')}{_assumption(doc)}")
    lines += _accounts(doc)
    if doc["deadline"]["worst_fraction_of_period"] > 1:
        lines.append(
            "           The part cannot keep this period. Power is for the mean time of a frame, if that is longer."
        )
    energy = doc["energy_j"]
    whole = f"{quantity(energy['period']['typical'], 'J')} per period with everything else"
    lines += wrapped_lines("Energy", f"{band_text(energy['total'], 'J')} for the work of a frame; {whole}")
    return [*lines, *(line for _, title, text in other_costs(doc) for line in wrapped_lines(title, text))]


def other_costs(doc: Doc) -> Iterator[tuple[str, str, str]]:
    """Sleep, lowest clock, start-up and battery: key of the document, title and text. What is not known is left out."""
    known = (
        ("duty", "Sleep", _duty(doc)),
        ("lowest_clock", "Clock", _clock(doc)),
        ("start_up", "Start-up", _start_up(doc)),
        ("battery", "Battery", _battery(doc)),
    )
    yield from (entry for entry in known if entry[2])


def source_lines(doc: Doc) -> list[str]:
    """Each row of the energy table that was charged, what kind of figure it is, and its source."""
    total = doc["energy_j"]["period"]["typical"]
    rows = [
        (
            ACCOUNT_LABELS[row["account"]],
            row["row"],
            *(quantity(row["energy_j"][corner], "J") for corner in _CORNERS),
            percent_text(row["energy_j"]["typical"] / total if total else None),
            row["kind"],
        )
        for row in doc["energy_rows"]
    ]
    tool = doc["tool"]
    title = f"Rows of the energy table {tool['energy_table']}, edition {tool['energy_table_edition']}, per input period"
    lines = [title, *table_lines(("for", "row", *_CORNERS, "share", "kind"), rows, left=(0, 1, 6)), "  sources"]
    sources = {row["row"]: row["source"] for row in doc["energy_rows"]}
    for row, source in sources.items():
        lines += textwrap.wrap(f"  {row}: {source}", WIDTH, subsequent_indent="    ")
    return lines


def component_lines(doc: Doc) -> list[str]:
    """The work of a frame by component, largest first."""
    total = doc["energy_j"]["total"]["typical"]
    known = [entry for entry in doc["energy_j"]["by_component"].items() if entry[1]["high"]]
    known.sort(key=lambda entry: -entry[1]["typical"])
    rows = [
        (name, *(quantity(band[corner], "J") for corner in _CORNERS), percent_text(band["typical"] / total))
        for name, band in known
    ]
    title = "Energy of the work of a frame by component"
    return [title, *table_lines(("component", *_CORNERS, "share"), rows, left=(0,))]


def _assumption(doc: Doc) -> str:
    """What is said beside figures that hang on an assumption."""
    if not doc["deadline"]["period_assumed"]:
        return ""
    return f", if a frame comes every {quantity(doc['Input Period (s)'], 's')}"


def _accounts(doc: Doc) -> list[str]:
    power, kinds = doc["power_w"], doc["power_kinds"]
    total = power["total"]["typical"]
    rows = [
        (
            label,
            *(quantity(power[account][corner], "W") for corner in _CORNERS),
            percent_text(power[account]["typical"] / total if total else None),
            factor_text(power[account]),
            origin_text(kinds[account]),
        )
        for account, label in ACCOUNT_LABELS.items()
        if power[account]["high"]
    ]
    head = ("", *_CORNERS, "share", "factor", "comes from rows that are")
    return [(INDENT - 2) * " " + line for line in table_lines(head, rows, left=(0, 6))]


def origin_text(kinds: Mapping[str, float]) -> str:
    """``64 % computed, 36 % assumed``: kinds of the rows, by their share of the typical figure."""
    named = {_SHORT_KINDS.get(kind, kind): share for kind, share in kinds.items() if share}
    if len(named) == 1:
        return next(iter(named))
    return ", ".join(f"{100 * share:.0f} % {kind}" for kind, share in named.items())


def _duty(doc: Doc) -> str:
    duty = doc["duty"]
    pause, waking = duty["pause"], duty["waking"]
    sleeping = [name for name, nap in duty["sleep"].items() if nap["sleeps"]]
    if pause["power_w"] is None:
        return "none: a frame begins when the one before is done"
    awake = [name for name in duty["sleep"] if name not in sleeping]
    if not sleeping:
        least = min((nap["least_pause_s"] for nap in duty["sleep"].values()), default=0.0)
        told = f"the pause of {quantity(pause['time_s'], 's')} is too short"
        return f"none: {told} (at least {quantity(least, 's')})" if least else "nothing to wake"
    on = f" ({_listed(awake)} on)" if awake else ""
    return (
        f"{_listed(sleeping)}{on} for {quantity(pause['time_s'], 's')} between frames, at "
        f"{quantity(pause['power_w']['typical'], 'W')} typical; waking takes "
        f"{quantity(waking['time_s']['typical'], 's')} and {quantity(waking['energy_j']['typical'], 'J')}, before the "
        "frame comes"
    )


def _listed(names: list[str]) -> str:
    shown = ["PLL" if name == "pll" else name for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _clock(doc: Doc) -> str:
    lowest, today = doc["lowest_clock"], doc["power_w"]["total"]
    power = lowest["power_w"]["typical"]
    text = (
        f"{quantity(lowest['clock_hz'], 'Hz')} is the lowest at which the worst frame fits; it would take "
        f"{quantity(power, 'W')} typical at the same voltage"
    )
    if lowest["clock_hz"] < doc["hardware"]["clock_hz"] and power > today["typical"]:
        return f"{text}, because hardly any time is left to sleep"
    return text


def _start_up(doc: Doc) -> str:
    start = doc["start_up"]
    if start is None:
        return ""
    text = f"{quantity(start['energy_j']['typical'], 'J')} typical, once: loading {start['bytes']:,} bytes of program"
    return f"{text}, which takes {quantity(start['link_s'], 's')} over the link"


def _battery(doc: Doc) -> str:
    battery = doc["battery"]
    if battery is None:
        return ""
    life = {corner: _duration(battery["life_h"][corner]) for corner in _CORNERS}
    return (
        f"{battery['capacity_mwh']:g} mWh last {life['typical']} typical ({life['low']} to {life['high']}), if they "
        "feed nothing but this part: no regulator, no sensor, no self-discharge"
    )


def _duration(hours: float) -> str:
    if hours < 2 * _HOURS_PER_DAY:
        return f"{hours:.3g} hours"
    days = hours / _HOURS_PER_DAY
    return f"{days:.3g} days" if days < 2 * _DAYS_PER_YEAR else f"{days / _DAYS_PER_YEAR:,.3g} years"
