from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from femtodriver.profile.profile_choices import GROUPINGS
from femtodriver.profile.profile_files import profile_csv, profile_json
from femtodriver.profile.profile_view import ProfileView, view_of
from tests.profile.profile_runs import hand_made, measured, spotter


def table(view: ProfileView) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(profile_csv(view))))


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("top", [None, 2])
def test_both_files_hold_the_same_and_add_up_to_the_cycle(by: str, top: int | None) -> None:
    profile = spotter().profile
    view = view_of(profile, by, "cycles", top)
    rows, document = table(view), json.loads(profile_json(view))
    own = [row for row in rows if row["kind"] != "outside"]
    assert len(own) == len(document["rows"])
    for one, other in zip(own, document["rows"], strict=True):
        assert {key: "" if value is None else str(value) for key, value in other.items()} == one
    for key, event in (("cycles", "cycles"), ("macs_executed", "matrix_executed"), ("saturated", "saturated")):
        counted = profile.total.counts.get(event, 0)
        for figures in ([float(row[key]) for row in own], [row[key] for row in document["rows"]]):
            assert sum(figures) * profile.frames == pytest.approx(counted, rel=1e-12, abs=1e-9)
        assert document["total"][key] * profile.frames == pytest.approx(counted, rel=1e-12)
    energy = sum(float(row["energy_j"]) for row in rows)
    assert energy == pytest.approx(spotter().doc["energy_j"]["period"]["typical"], rel=1e-7)
    for core in document["cycles"]["cores"]:
        assert core["busy"] + sum(core["waiting"].values()) == pytest.approx(document["cycles"]["elapsed"])


def test_rows_of_a_run_by_hand() -> None:
    product, added, *_ = table(view_of(measured(*hand_made()).profile))
    assert (product["kind"], product["label"], product["op"], product["includes"]) == ("layer", "lin", "addmm", "1")
    assert (added["line"], added["cores"], added["cycles"]) == ("rnn.py:4", "0,1", "6.5")
    assert (added["saturated"], added["saturated_at"], added["waited_message"]) == ("4", "0:2=1.5 1:0=2.5", "0.5")
    relu = next(row for row in table(view_of(measured(*hand_made()).profile)) if row["op"] == "relu")
    assert (relu["cycles"], relu["fate"], relu["into"]) == ("0", "fused", "0")


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    profile = measured(*hand_made()).profile
    evil = replace(profile.rows[0], label="=cmd()", value="@x", module='a"b,c')
    row = table(view_of(replace(profile, rows=(evil, *profile.rows[1:]))))[0]
    assert (row["label"], row["value"], row["module"]) == ("'=cmd()", "'@x", 'a"b,c')


def test_the_head_of_the_document() -> None:
    document: dict[str, Any] = json.loads(profile_json(view_of(measured(*hand_made()).profile)))
    assert {key: document[key] for key in ("schema", "part", "frames", "lanes", "by")} == {
        "schema": "femtodriver-profile/1",
        "part": "spu001",
        "frames": 2,
        "lanes": 8,
        "by": "layer",
    }
    assert document["cycles"]["busy"] == 21
    assert set(document["outside_j"]) <= {"link", "leakage", "waking", "pll", "always_on"}
