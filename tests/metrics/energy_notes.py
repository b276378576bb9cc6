"""The rows of the design notes, typed a second time: low, typical, high in the unit of the notes, and the kind."""

from __future__ import annotations

NOTES = """
bank_read 2.1 6 12 pJ computed              | bank_write 2.8 7 14 pJ computed
im_read 1.4 5 10 pJ computed                | tm_read 0.55 1.5 3 pJ computed
small_write 1.7 5 11 pJ computed            | mac_8x8 0.04 0.12 0.35 pJ computed
mac_8x16 0.08 0.24 0.7 pJ assumed           | mac_16x16 0.15 0.45 1.3 pJ assumed
accumulator_read 0.24 0.38 1.2 pJ computed  | accumulator_write 0.44 0.78 2.4 pJ computed
alu 0.05 0.17 0.5 pJ computed               | sparse_index 0.02 0.1 0.3 pJ assumed
decode 0.3 1.5 5 pJ assumed                 | thread_switch 0.5 2 6 pJ assumed
core_cycle 2 8 20 pJ assumed                | message_word 3 8 25 pJ assumed
spi_bit 8 20 40 pJ computed                 | bank_on 1 5 20 uW assumed
bank_retention 0.2 1.2 5 uW measured        | bank_off 0.005 0.05 0.3 uW assumed
logic_on 3 15 60 uW assumed                 | logic_off 0.05 0.3 2 uW assumed
always_on_static 0.5 1.5 6 uW assumed       | always_on_clocked 0.1 1 10 uW assumed
pll_on 30 130 1000 uW measured              | pll_lock 5 40 400 us measured
crystal_start 400 600 800 nJ measured       | crystal_time 170 300 430 us measured
wake_time 2 20 300 us measured              | wake_retention 0.05 0.2 1 nJ assumed
wake_off 0.2 1 5 nJ assumed                 | wake_core 0.5 3 20 nJ assumed
"""
KINDS = {"measured": "measured on other chips", "computed": "computed", "assumed": "assumed"}
SCALE = {"pJ": 1e-12, "nJ": 1e-9, "uW": 1e-6, "us": 1e-6}
CORNERS = ("low", "typical", "high")

Figures = dict[str, float]


def noted_rows() -> dict[str, tuple[Figures, str]]:
    """(figures in joules, watts or seconds by corner, kind) of every row."""
    rows = {}
    for entry in NOTES.replace("\n", "|").split("|"):
        if entry.strip():
            name, low, typical, high, unit, kind = entry.split()
            figures = {
                corner: float(word) * SCALE[unit] for corner, word in zip(CORNERS, (low, typical, high), strict=True)
            }
            rows[name] = (figures, KINDS[kind])
    return rows


def noted(corner: str) -> Figures:
    """One corner of all rows, in joules, watts or seconds."""
    return {name: figures[corner] for name, (figures, _) in noted_rows().items()}
