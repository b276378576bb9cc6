from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from femtodriver.metrics.text_cells import tail_text
from femtodriver.profile.profile_choices import GROUPINGS
from femtodriver.profile.profile_text import notes, profile_table, profile_text, ranges
from femtodriver.profile.profile_view import ProfileView, view_of
from femtodriver.program.description import LayerFate
from tests.profile.profile_runs import hand_made, measured, spotter


@pytest.mark.parametrize("by", GROUPINGS)
def test_the_text_of_a_run_by_hand(golden: Callable[[str, str], None], by: str) -> None:
    golden(f"{by}.txt", profile_text(view_of(measured(*hand_made()).profile, by)))


def test_the_text_of_a_program_without_description(golden: Callable[[str, str], None]) -> None:
    golden("bare.txt", profile_text(view_of(measured(hand_made()[0], None).profile)))


@pytest.mark.parametrize(
    ("width", "omitted"),
    [
        (None, ()),
        (200, ()),
        (150, ("moved_bytes",)),
        (120, ("macs_stored", "weight_density", "moved_bytes")),
        (10, None),
    ],
)
def test_columns_are_left_out_where_there_is_no_room(width: int | None, omitted: tuple[str, ...] | None) -> None:
    view = view_of(spotter().profile)
    table = profile_table(view, width)
    assert len({len(row) for row in (table.head, *table.rows)}) == 1
    if omitted is not None:
        assert table.omitted == omitted
        assert (
            width is None
            or sum(max(map(len, column)) + 2 for column in zip(table.head, *table.rows, strict=True)) <= width
        )
    else:
        assert {"#", "layer", "op", "core", "cycles", "%", "energy", "clipped"} == set(table.head)
    told = "\n".join(notes(view, table))
    assert ("no room for" in told) == bool(table.omitted)
    assert all(title in told for title in table.omitted)


def folded(*fates: LayerFate | None) -> str:
    """The note about layers of these fates that cost nothing."""
    view = view_of(measured(*hand_made()).profile)
    idle = view.folded[0]
    rows = tuple(replace(idle, place=place, fate=fate) for place, fate in enumerate(fates, start=10))
    text = "\n".join(notes(ProfileView(view.profile, view.by, view.rows, None, rows), profile_table(view)))
    found = re.search(r"^Folded +(.*(?:\n  .*)*)", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def test_folded_layers_say_who_does_their_work() -> None:
    fused, view = LayerFate("fused", (3, 4)), LayerFate("view", (7,))
    assert folded() == ""
    assert folded(fused) == "1 layer costs nothing: 10 into 3, 4"
    assert folded(fused, fused, fused, view) == "4 layers cost nothing: 10-12 into 3, 4; 13 needs no work (value of 7)"
    assert folded(view, view, LayerFate("view")) == (
        "3 layers cost nothing: 10, 11 need no work (values of 7); 12 needs no work"
    )
    assert folded(LayerFate("unused"), None, None) == "3 layers cost nothing: 10 is not needed; 11, 12 were not run"
    many = folded(*(LayerFate("fused", (place,)) for place in range(15)))
    assert many.endswith("21 into 11; and 3 more groups, which --profile-file FILE.csv lists")
    assert folded(LayerFate("fused")) == "1 layer costs nothing: 10 into other layers"


def test_numbers_in_a_row_are_a_range() -> None:
    assert ranges([5, 3, 9, 4, 8]) == "3-5, 8, 9"
    assert ranges([]) == ""


def test_a_path_is_cut_at_its_beginning() -> None:
    assert tail_text("model.layers.0.linear", 12) == "....0.linear"
    assert tail_text("short", 12) == "short"
    assert tail_text("evil\x1b[31m", 12) == "evil?[31m"
