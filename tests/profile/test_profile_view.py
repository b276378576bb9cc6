from __future__ import annotations

import pytest

from femtodriver.profile.profile_choices import GROUPINGS, SORTS
from femtodriver.profile.profile_view import SORT_KEYS, ProfileView, view_of
from tests.profile.profile_runs import hand_made, measured, spotter


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("top", [None, 1, 3, 1000])
def test_whatever_is_shown_adds_up(by: str, sort: str, top: int | None) -> None:
    profile = spotter().profile
    view = view_of(profile, by, sort, top)
    shown = [*view.rows, *([view.rest] if view.rest else [])]
    for event in profile.total.counts:
        assert sum(row.counts.get(event, 0) for row in shown) == profile.total.counts[event]
    assert sum(row.energy_j.typical for row in shown) == pytest.approx(profile.energy_j.typical, rel=1e-7)
    assert sum(len(row.clipped_at) for row in shown) == sum(len(row.clipped_at) for row in profile.rows)
    keys = [SORT_KEYS[sort](row) for row in view.rows]
    assert keys == sorted(keys)
    assert top is None or len(view.rows) <= top


def names(view: ProfileView) -> list[tuple[str, int, int]]:
    return [(row.label, row.cycles, row.layers) for row in view.rows]


def test_groups_of_a_run_by_hand() -> None:
    profile = measured(*hand_made()).profile
    assert names(view_of(profile)) == [
        ("lin", 20, 1),
        ("gru rnn.py:4", 13, 1),
        ("(frame end)", 5, 1),
        ("(runtime)", 4, 1),
    ]
    assert [row.label for row in view_of(profile).folded] == ["lin %x.2"]
    assert names(view_of(profile, "module", "cycles")) == [("lin", 20, 1), ("gru", 13, 1), ("(no module)", 9, 2)]
    assert names(view_of(profile, "operator", "saturated", 1)) == [("vvadd", 13, 1)]
    cores = view_of(profile, "core")
    assert names(cores) == [("core 0", 35, 4), ("core 1", 7, 1)]
    assert [row.saturated for row in cores.rows] == [4, 5]
    assert [place.pc for place in cores.rows[0].clipped_at] == [2, 3]
    assert [row.energy_j for row in cores.rows] == list(profile.core_energy_j)
    rest = view_of(profile, top=1).rest
    assert rest is not None
    assert (rest.label, rest.cycles, rest.layers) == ("(the other 3)", 22, 3)


def test_modules_are_added_up_to_a_depth() -> None:
    profile = spotter().profile
    whole = {row.label: row.cycles for row in view_of(profile, "module").rows}
    parts = {row.label: row.cycles for row in view_of(profile, "module", depth=1).rows}
    inside = [cycles for label, cycles in whole.items() if label.startswith("listen.layers.0")]
    assert len(inside) == 3
    assert parts == {"listen": sum(inside), **{label: whole[label] for label in ("answer", "(no module)")}}
    assert {view.label for view in view_of(profile, "module", depth=3).rows} == {
        "listen.layers.0",
        "answer",
        "(no module)",
    }
    assert {row.label: row.cycles for row in view_of(profile, "module", depth=9).rows} == whole
