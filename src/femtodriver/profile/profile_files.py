"""A profile as a CSV or JSON file: all columns, all rows, no rounding but that of a float."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from femtodriver.metrics.energy import Band
from femtodriver.metrics.spreadsheet_cells import PlainCell, spreadsheet_text
from femtodriver.profile.profile_choices import LAYER
from femtodriver.profile.profile_columns import IN_FILES
from femtodriver.profile.profile_rows import OUTSIDE, Profile, ProfileRow
from femtodriver.profile.profile_view import ProfileView

SCHEMA = "femtodriver-profile/1"
KIND, OUTSIDE_KIND, REST_KIND = "kind", "outside", "rest"


def profile_json(view: ProfileView) -> str:
    """One JSON document; docs/profile.md has its keys."""
    profile = view.profile
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "model": profile.model,
        "part": profile.part,
        "frames": profile.frames,
        "lanes": profile.lanes,
        "by": view.by,
        "depth": view.depth,
        "cycles": {
            "elapsed": profile.per_frame(profile.elapsed),
            "busy": profile.per_frame(profile.busy),
            "cores": [
                {
                    "busy": profile.per_frame(core.busy),
                    "waiting": {cause: profile.per_frame(count) for cause, count in core.waiting.items()},
                }
                for core in profile.cores
            ],
        },
        "energy_j": _band(profile.energy_j),
        "outside_j": {account: _band(band) for account, band in profile.outside.items()},
        "total": _figures(profile, profile.total),
        "rows": [{KIND: kind, **_figures(profile, row)} for kind, row in _rows(view)],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def profile_csv(view: ProfileView) -> str:
    """A head and one line per row; energy that belongs to no layer has rows of its own, of the kind ``outside``."""
    rows: list[list[PlainCell]] = [[kind, *_figures(view.profile, row).values()] for kind, row in _rows(view)]
    for account, band in view.profile.outside.items():
        told: dict[str, PlainCell] = {"label": OUTSIDE[account], "energy_j": band.typical, **_corners(band)}
        rows.append([OUTSIDE_KIND, *(told.get(column.key) for column in IN_FILES)])
    return spreadsheet_text([KIND, *(column.key for column in IN_FILES)], rows)


def _rows(view: ProfileView) -> Iterator[tuple[str, ProfileRow]]:
    """What is shown, what has been cut off, and the layers that cost nothing."""
    yield from ((view.by, row) for row in view.rows)
    if view.rest is not None:
        yield REST_KIND, view.rest
    if view.by == LAYER:
        yield from ((LAYER, row) for row in view.folded)


def _figures(profile: Profile, row: ProfileRow) -> dict[str, PlainCell]:
    return {column.key: column.figure(profile, row) for column in IN_FILES}


def _band(band: Band) -> dict[str, float]:
    return {"low": band.low, "typical": band.typical, "high": band.high}


def _corners(band: Band) -> dict[str, float]:
    return {"energy_low_j": band.low, "energy_high_j": band.high}
