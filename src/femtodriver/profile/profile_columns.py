"""The columns of a profile: one list for the table on screen, the CSV file and the JSON file.

Counts are means per frame, joules are of one frame, shares are from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from femtodriver.machine.run_report import STALLS
from femtodriver.metrics.spreadsheet_cells import PlainCell
from femtodriver.metrics.text_cells import count_text, quantity
from femtodriver.profile.profile_rows import Profile, ProfileRow

Figure = Callable[[Profile, ProfileRow], PlainCell]


@dataclass(frozen=True)
class Column:
    """``key``: in files. ``title``: in the table; "" if it is in files only. ``figure``: the value of a row. ``text``:
    the value as the table shows it. ``left``: aligned to the left. ``rank``: columns of the highest rank are left out
    first where there is no room for all.
    """

    key: str
    figure: Figure
    title: str = ""
    text: Callable[[PlainCell], str] = str
    left: bool = False
    rank: int = 0


def _count(event: str, size: int = 1) -> Figure:
    return lambda profile, row: profile.per_frame(size * row.counts.get(event, 0))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _known(text: str) -> str | None:
    return text or None


def _waited(profile: Profile, row: ProfileRow) -> PlainCell:
    return profile.per_frame(sum(row.waits.values()))


def _operator(profile: Profile, row: ProfileRow) -> PlainCell:
    return f"{row.op} +{len(row.includes)}" if row.includes else row.op


def _places(places: tuple[int, ...]) -> str | None:
    return " ".join(map(str, places)) or None


def _clipped_at(profile: Profile, row: ProfileRow) -> PlainCell:
    """``0:12=3 1:9=0.5``: core, address of the instruction, elements in a frame."""
    places = (f"{place.core}:{place.pc}={profile.per_frame(place.elements):.12g}" for place in row.clipped_at)
    return " ".join(places) or None


def number_text(value: PlainCell) -> str:
    """A count with three significant digits from 100,000 on: ``1.23 M``; "-" for None."""
    if not isinstance(value, (int, float)):
        return "-" if value is None else str(value)
    return count_text(value) if abs(value) < 1e5 else quantity(value, "").rstrip()


def _or_dash(value: PlainCell) -> str:
    """As ``number_text``, but nothing for 0: most layers have no matrices."""
    return number_text(value or None)


def percent(value: PlainCell) -> str:
    """A share as a number of percent without its sign; "-" for None."""
    return f"{100 * value:.1f}" if isinstance(value, (int, float)) else "-"


def joules(value: PlainCell) -> str:
    """Joules with a prefix."""
    return quantity(float(value), "J") if isinstance(value, (int, float)) else "-"


def plain(value: PlainCell) -> str:
    """Whatever it is; "-" for None."""
    return "-" if value is None else str(value)


COLUMNS: tuple[Column, ...] = (
    Column("place", lambda _, row: row.place, "#", lambda value: "" if value is None else str(value)),
    Column("label", lambda _, row: row.label, "layer", plain, left=True),
    Column("op", lambda _, row: _known(row.op)),
    Column("operator", _operator, "op", plain, left=True),
    Column("value", lambda _, row: _known(row.value)),
    Column("module", lambda _, row: _known(row.module)),
    Column("line", lambda _, row: _known(row.line)),
    Column("cores", lambda _, row: ",".join(map(str, row.cores)) or None, "core", plain),
    Column("layers", lambda _, row: row.layers),
    Column("elements", lambda _, row: row.elements),
    Column("cycles", _count("cycles"), "cycles", number_text),
    Column("cycles_share", lambda profile, row: _share(row.cycles, profile.busy), "%", percent),
    Column("energy_j", lambda _, row: row.energy_j.typical, "energy", joules),
    Column("energy_low_j", lambda _, row: row.energy_j.low),
    Column("energy_high_j", lambda _, row: row.energy_j.high),
    Column(
        "energy_share",
        lambda profile, row: _share(row.energy_j.typical, profile.energy_j.typical),
        "%",
        percent,
        rank=3,
    ),
    Column("macs_dense", _count("matrix_dense")),
    Column("macs_stored", _count("matrix_stored"), "MACs", _or_dash, rank=4),
    Column("macs_executed", _count("matrix_executed"), "run", _or_dash, rank=1),
    Column("weight_density", lambda _, row: row.weight_density, "weights %", percent, rank=5),
    Column("activation_density", lambda _, row: row.activation_density, "live %", percent, rank=2),
    Column("utilisation", lambda profile, row: profile.utilisation(row), "lanes %", percent, rank=2),
    Column("moved_bytes", lambda profile, row: profile.per_frame(row.moved), "bytes", number_text, rank=6),
    Column("dm_read_bytes", _count("dm_read", 8)),
    Column("dm_write_bytes", _count("dm_write", 8)),
    Column("tm_read_bytes", _count("tm_read", 2)),
    Column("waited", _waited, "waited", number_text, rank=2),
    *(Column(f"waited_{cause}", _count(f"wait_{cause}")) for cause in STALLS),
    Column("saturated", _count("saturated"), "clipped", number_text),
    Column("saturated_at", _clipped_at),
    Column("includes", lambda _, row: _places(row.includes)),
    Column("fate", lambda _, row: row.fate.how if row.fate else None),
    Column("into", lambda _, row: _places(row.fate.into) if row.fate else None),
)
SHOWN = tuple(column for column in COLUMNS if column.title)
IN_FILES = tuple(column for column in COLUMNS if column.key != "operator")
