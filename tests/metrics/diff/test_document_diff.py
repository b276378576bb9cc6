"""What differs between two documents, by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from femtodriver.errors import UsageError
from femtodriver.metrics.diff import diff_documents, parse_limit
from femtodriver.metrics.diff.document_diff import ADDED, CHANGED, GONE

Document = dict[str, Any]


def test_equal_documents(before: Document) -> None:
    found = diff_documents(before, copy.deepcopy(before))
    assert found.equal
    assert found.kept
    assert found.cores.equal == 2
    assert found.layers.equal == len(before["layers"])


def test_everything_that_differs_is_found(before: Document, after: Document) -> None:
    found = diff_documents(before, after)
    assert not found.equal
    assert [(one.what, one.before, one.after) for one in found.settings] == [
        ("Input Period (s)", 0.01, 0.02),
        ("compiler option cores", 2, 1),
    ]
    ratios = {figure.name: change.ratio for figure, change in found.figures if change.differs}
    assert ratios == {"cycles": pytest.approx(0.25), "power": pytest.approx(-0.5), "memory": pytest.approx(8 / 1232)}
    assert [(row.name, [change.what for change in row.changes]) for row in found.cores.rows] == [("core 1", ["busy"])]
    assert [(row.name, row.changes[0].after - row.changes[0].before) for row in found.memories.rows] == [("core 0", 8)]
    assert [(row.name, row.state) for row in found.layers.rows] == [
        ("gru.0 addmm", CHANGED),
        ("gru.1 tanh", ADDED),
        ("gru.0 sigmoid", GONE),
    ]
    assert [change.what for change in found.layers.rows[0].changes] == ["cycles", "macs.executed"]
    assert found.layers.equal == len(before["layers"]) - 2


def test_layers_are_matched_by_name_without_the_number_of_the_node(before: Document) -> None:
    row = before["layers"][0]
    one = {**before, "layers": [{**row, "name": "7 addmm %x"}, {**row, "name": "8 addmm %x"}]}
    two = {**before, "layers": [{**row, "name": "9 addmm %x"}, {**row, "name": "10 addmm %x", "cycles": 1}]}
    (changed,) = diff_documents(one, two).layers.rows
    assert (changed.name, changed.state) == ("addmm %x (2)", CHANGED)


def test_rows_and_keys_that_only_one_version_knows_are_no_difference(before: Document) -> None:
    other = copy.deepcopy(before)
    other["schema"] = "femtodriver-metrics/77"
    other["novel"] = {"a": [1]}
    for row in other["layers"]:
        row["stalls"] = {"message": 4}
        del row["energy_band_j"]
    for first, second in ((before, other), (other, before)):
        found = diff_documents(first, second)
        assert found.layers.rows == ()
        assert found.equal


def test_what_means_something_else_is_marked(before: Document) -> None:
    old = {**copy.deepcopy(before), "schema": "femtodriver-metrics/2"}
    marked = {figure.name for figure, change in diff_documents(old, before).figures if change.redefined}
    assert {"latency", "cycles"} <= marked
    assert not {"power", "power-leakage", "memory"} & marked
    assert not any(change.redefined for _, change in diff_documents(before, before).figures)


def test_keys_of_rows_that_mean_something_else_are_not_compared(before: Document) -> None:
    old = copy.deepcopy(before)
    old["schema"] = "femtodriver-metrics/3"
    old["layers"][0]["core"] = 7
    found = diff_documents(old, before)
    assert found.layers.rows == ()
    assert found.notes == ("not compared: core of layers, which means something else in one of the two schemas",)
    old["schema"] = before["schema"]
    (row,) = diff_documents(old, before).layers.rows
    assert [change.what for change in row.changes] == ["core"]
    assert diff_documents(old, before).notes == ()


def test_where_a_layer_comes_from_is_no_difference(before: Document) -> None:
    moved = copy.deepcopy(before)
    moved["layers"][0].update(line="net.py:9", module="a.b", label="z", source="%y")
    assert diff_documents(before, moved).equal


def test_a_prompt_shows_a_line(before: Document, after: Document) -> None:
    shown = repr(diff_documents(before, after, [parse_limit("power>1W")]))
    assert shown == "<DocumentDiff: 3 figures, 2 settings, 3 layers, 1 limits>"


@pytest.mark.parametrize("layers", [None, "x", [None, 3, "y"], [{}]])
def test_documents_of_odd_form_are_compared_where_they_can_be(before: Document, layers: Any) -> None:
    odd = {"schema": "femtodriver-metrics/3", "layers": layers, "cycles": {"total": "x", "per_core": [{"busy": None}]}}
    found = diff_documents(before, odd)
    assert {figure.name: change.after for figure, change in found.figures}["cycles"] is None
    assert diff_documents(odd, before).layers.count(ADDED) == len(before["layers"])


def test_what_is_no_document() -> None:
    with pytest.raises(UsageError, match="metrics: must be a document with the schema femtodriver-metrics/"):
        diff_documents({"schema": "femtodriver-sweep/1"}, {})


def test_limits_are_judged(before: Document, after: Document) -> None:
    texts = ["power>+5%", "cycles>+20%", "battery<1h", "layer.cycles>+5", "layer.cycles>5000"]
    found = diff_documents(before, after, [parse_limit(text) for text in texts])
    judged = [(verdict.limit.text, verdict.subject, verdict.kept) for verdict in found.verdicts]
    assert judged == [
        ("power>+5%", "", True),
        ("cycles>+20%", "", False),
        ("battery<1h", "", False),
        ("layer.cycles>+5", "gru.0 addmm", False),
        ("layer.cycles>5000", "gru.0 addmm", True),
    ]
    assert found.verdicts[2].measured is None
    assert not found.kept


def test_a_layer_that_was_added_has_no_change_but_a_value(before: Document, after: Document) -> None:
    added = after["layers"][1]["cycles"]
    (verdict,) = diff_documents(before, after, [parse_limit(f"layer.cycles<{added + 1}")]).verdicts[-1:]
    assert not verdict.kept
    found = diff_documents(before, after, [parse_limit("layer.cycles<-1000")])
    assert [verdict.kept for verdict in found.verdicts] == [True]
