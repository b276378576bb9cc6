"""Our energy model beside chips that were measured, on networks of as many multiplications.

    python benchmarks/published_chips.py [--write docs/energy.md]

Prints Markdown tables: the published figure, ours (low, typical, high), and the ratio. All of ours is counted by the
machine, so two runs print the same.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import equal_mac_networks as networks
from equal_mac_networks import EqualMacNetwork, Work

from femtodriver.metrics.accounts import total
from femtodriver.metrics.energy import Band, load_table
from femtodriver.metrics.events import LINK, event_items
from femtodriver.metrics.power import CoreUse, period_power
from femtodriver.part import Part, load_part

PART = load_part("spu001")
TABLE = load_table()
_MARK = re.compile(r"(<!-- chips -->\n).*?(<!-- end of chips -->)", re.DOTALL)
_GAP9_NETWORKS = (networks.KWS, networks.AD, networks.IC, networks.VWW)


@dataclass(frozen=True)
class Published:
    """One published figure: joules of an inference or watts of a stream, and which network it is about.

    ``period_s`` is the time between two inferences of a stream. ``seen``: "log" for official results, data sheets and
    makers' pages, "abstract" where only that of the paper was seen.
    """

    chip: str
    network: EqualMacNetwork
    value: float
    seen: str
    period_s: float | None = None


def _mlperf(chip: str, microjoules: Sequence[float], tested: Sequence[EqualMacNetwork]) -> list[Published]:
    return [Published(chip, network, uj * 1e-6, "log") for network, uj in zip(tested, microjoules, strict=True)]


_THREE = (networks.KWS, networks.IC, networks.VWW)
INFERENCES = [
    *_mlperf("GAP9, 0.65 V, 240 MHz", (18.56, 5.25, 27.71, 40.80), _GAP9_NETWORKS),
    *_mlperf("GAP9, 0.80 V, 370 MHz", (26.66, 7.29, 40.36, 58.36), _GAP9_NETWORKS),
    *_mlperf("Syntiant NDP120, 0.9 V, 30 MHz", (31.54, 101.8, 71.71), _THREE),
    *_mlperf("Syntiant NDP120, 1.1 V, 98 MHz", (43.80, 139.4, 97.16), _THREE),
    *_mlperf("nRF54LM20B with Axon, 3 V, 128 MHz", (40.5, 13.7, 145, 121), _GAP9_NETWORKS),
    *_mlperf("Silicon Labs xG24 with MVP, 1.8 V, 78 MHz", (401.9, 47.3, 1235, 1139), _GAP9_NETWORKS),
    *_mlperf("STM32U385, CPU alone, 1.8 V, 96 MHz", (245.3, 31.8, 966, 519), _GAP9_NETWORKS),
]
_SWW = (networks.SWW_STREAM, networks.SWW_WINDOW)
STREAMS = [
    *(Published("Syntiant NDP120, 1.0 V, 49 MHz", network, 506.7e-6, "log", 0.03207) for network in _SWW),
    *(Published("STM32U385, CPU alone, 1.8 V, 96 MHz", network, 3.98e-3, "log", 0.03207) for network in _SWW),
    Published("Syntiant NDP101, hop of 10 ms", networks.DENSE_570K, 140e-6, "log", 0.010),
    Published("Syntiant NDP101, hop of 20 ms", networks.DENSE_570K, 140e-6, "log", 0.020),
    Published("UltraTrail, if its net is TC-ResNet8", networks.TC_RESNET8, 8.2e-6, "abstract", 0.100),
]
# pJ per MAC, from TOPS/W: low and high end of what was published.
EFFICIENCIES = [
    ("TinyVers, 8 bit, real networks, chip", 1.0, 2.0, "abstract"),
    ("Vega, int8, accelerator, chip", 1.54, 1.54, "abstract"),
    ("Vega, int8, cores, chip", 3.25, 3.25, "abstract"),
    ("acoustic DSP, 40 nm, 0.6 V, CNN and FFT, chip", 0.9, 1.7, "abstract"),
]
# No count of multiplications was published or seen, so there is nothing to compare with.
WITHOUT_MACS = [
    ("DeltaKWS, 65 nm, memory at 0.6 V", "keyword spotting, 87 % of the changes skipped", "36 nJ a decision"),
    ("skip-RNN chip, 28 nm", "7 keywords, with analog front end", "1.48 uW"),
    ("TENet chip, 28 nm, 100 kHz", "10 words, with features", "9.1 uW"),
    ("speech enhancer, 28 nm, 2.5 MHz", "frames of 8 ms, 4-bit logarithmic weights", "740 uW, 5.9 uJ a frame"),
    ("MAX78000", "12 words, with loading the data", "251 uJ an inference"),
]


def running_joules(work: Work) -> Band:
    """Work, and what the part takes while it runs (leakage, PLL, always-on): no link, no pause, no waking."""
    seconds = work.cycles / PART.clock_hz
    return _joules(work, seconds)


def stream_watts(work: Work, period_s: float) -> Band:
    """Power over the period, sleep and waking included, without the link."""
    return _joules(work, period_s).times(1 / period_s)


def _joules(work: Work, period_s: float) -> Band:
    period = period_power(TABLE, PART, core_uses(work.weights, PART), work.cycles / PART.clock_hz, period_s)
    events = (item for item in event_items(work.counts, TABLE) if item.account != LINK)
    return total([*events, *period.items])


def core_uses(weight_bytes: int, part: Part) -> list[CoreUse]:
    """Banks that hold the weights, and one for everything else, core after core."""
    banks = ceil(weight_bytes / (8 * part.dm_bank_words)) + 1
    filled = [min(part.dm_banks, max(0, banks - core * part.dm_banks)) for core in range(part.cores)]
    return [CoreUse(count > 0, count) for count in filled]


def _short(value: float, figures: int = 3) -> str:
    """The value with so many significant figures, never in powers of ten."""
    return f"{float(f'{value:.{figures}g}'):,g}"


def _span(low: float, high: float, figures: int = 3) -> str:
    return f"{_short(low, figures)} - {_short(high, figures)}" if low != high else _short(low, figures)


def _figures(published: float, ours: Band, scale: float) -> list[str]:
    """Published, ours, ours low and high, and the ratio with its ends."""
    return [
        _short(published * scale, 4),
        _short(ours.typical * scale),
        _span(ours.low * scale, ours.high * scale),
        _short(published / ours.typical, 2),
        _span(published / ours.high, published / ours.low, 2),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def inferences_table(work_of: Callable[[EqualMacNetwork], Work]) -> str:
    """Energy of one inference, in uJ."""
    head = ("network", "MACs", "chip", "published", "ours", "low - high", "ratio", "its ends", "seen")
    ordered = sorted(INFERENCES, key=lambda row: row.network.macs)
    rows = []
    for row in ordered:
        ours = running_joules(work_of(row.network))
        rows.append((row.network.name, f"{row.network.macs:,}", row.chip, *_figures(row.value, ours, 1e6), row.seen))
    return _table(head, rows)


def streams_table(work_of: Callable[[EqualMacNetwork], Work]) -> str:
    """Power of a stream, in uW."""
    head = ("network", "MACs", "period", "chip", "published", "ours", "low - high", "ratio", "its ends", "seen")
    rows = []
    for row in STREAMS:
        period_s = row.period_s or 0.0
        ours = stream_watts(work_of(row.network), period_s)
        named = (row.network.name, f"{row.network.macs:,}", f"{1e3 * period_s:g} ms", row.chip)
        rows.append((*named, *_figures(row.value, ours, 1e6), row.seen))
    return _table(head, rows)


def efficiencies_table(work_of: Callable[[EqualMacNetwork], Work]) -> str:
    """pJ per MAC of large dense int8 layers."""
    ours = running_joules(work_of(networks.DENSE)).times(1e12 / networks.DENSE.macs)
    rows = []
    for chip, low, high, seen in EFFICIENCIES:
        mine = (_short(ours.typical), _span(ours.low, ours.high))
        ratio = _span(low / ours.typical, high / ours.typical, 2)
        rows.append((chip, _span(low, high), *mine, ratio, _span(low / ours.high, high / ours.low, 2), seen))
    return _table(("chip", "published", "ours", "low - high", "ratio", "its ends", "seen"), rows)


def report() -> str:
    """All tables, with what each compares."""

    def work_of(network: EqualMacNetwork) -> Work:
        return networks.work_of(network, PART)

    chain = networks.work_of_chain(networks.AD, PART)
    whole = running_joules(chain)
    live = chain.counts["activation_live"] / chain.counts["activation"]
    real = (
        f"AD as one program with ReLU, where {100 * live:.0f} % of the activations are not zero, takes "
        f"{_short(whole.typical * 1e6)} uJ ({_span(whole.low * 1e6, whole.high * 1e6)})."
    )
    parts = (
        "Energy of one inference, in uJ. Ratio = published / ours.",
        inferences_table(work_of),
        real,
        "Power of a stream, in uW, sleep included. Ratio = published / ours.",
        streams_table(work_of),
        "Large dense int8 layers, in pJ per MAC. Ratio = published / ours.",
        efficiencies_table(work_of),
        "Published, but without a count of MACs that was seen, so there is nothing to compare:",
        _table(("chip", "does", "takes"), WITHOUT_MACS),
    )
    return "\n\n".join(parts) + "\n"


def refreshed(text: str) -> str:
    """The text of a document with the tables made new."""
    return _MARK.sub(lambda found: f"{found.group(1)}\n{report()}\n{found.group(2)}", text)


def main() -> None:
    """Print the tables, or write them into a document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="a document with the marks of the tables")
    document = parser.parse_args().write
    if document is None:
        print(report(), end="")
    else:
        document.write_text(refreshed(document.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
