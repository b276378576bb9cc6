"""The three forms of a comparison."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver.metrics.diff import FORMATS, diff_documents, diff_report, parse_limit
from femtodriver.options.value_kinds import DIFF_FORMS

Document = dict[str, Any]
NAMES = ("old.yaml", "new.yaml")
LIMITS = [parse_limit(text) for text in ("power>+5%", "layer.cycles>+5%", "battery<1h", "messages>+1%")]


@pytest.mark.parametrize("form", FORMATS)
def test_the_report(before: Document, after: Document, form: str, golden: Callable[[str, str], None]) -> None:
    text = diff_report(diff_documents(before, after, LIMITS), NAMES, form)
    golden(f"diff.{form}", text + "\n")


def test_the_command_line_knows_every_form() -> None:
    assert tuple(FORMATS) == DIFF_FORMS


def test_nothing_differs(before: Document) -> None:
    assert diff_report(diff_documents(before, before), NAMES).splitlines()[-1] == "nothing differs"
    kept = diff_documents(before, before, [parse_limit("power>+5%")])
    assert diff_report(kept, NAMES).splitlines()[-1] == "nothing differs; all limits are kept"


def test_json_is_json_also_where_a_change_is_endless(before: Document, after: Document) -> None:
    before["saturations"] = 0
    after["saturations"] = 5
    found = diff_documents(before, after, [parse_limit("saturations>+5%")])
    document = json.loads(diff_report(found, NAMES, "json"), parse_constant=pytest.fail)
    assert document["limits"] == [{"limit": "saturations>+5%", "subject": None, "measured": None, "kept": False}]
    assert (document["kept"], document["equal"]) == (False, False)


def test_names_are_no_markup(before: Document, after: Document) -> None:
    after["layers"][1]["name"] = "a|b <script> `z` @me \x1b[31m"
    found = diff_documents(before, after)
    markdown = diff_report(found, ("a|b", "c*d"), "markdown")
    assert r"a\|b \<script\>" in markdown
    assert r"\@me ?\[31m" in markdown
    assert "\x1b" not in markdown + diff_report(found, ("\x1b", "c"))
    for line in markdown.splitlines():
        if line.startswith("| + |"):
            assert line.replace(r"\|", "").count("|") == 12


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0.0, float("nan"), float("inf"), 10**60, "", "a\x1b|b", [], [3], {}, {"x": [{}]}]
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document, with each of its keys or indexes."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, item in items:
        yield value, key
        yield from places(item)


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_documents_are_compared_all_the_same(before: Document, data: st.DataObject) -> None:
    odd = copy.deepcopy(before)
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(list(places({"doc": odd}))[1:]))
        if key != "schema":
            container[key] = copy.deepcopy(data.draw(JUNK))
    for pair in ((before, odd), (odd, before), (odd, odd)):
        found = diff_documents(*pair, LIMITS)
        for form in FORMATS:
            text = diff_report(found, NAMES, form)
            assert "\x1b" not in text
        json.loads(diff_report(found, NAMES, "json"), parse_constant=pytest.fail)


def test_long_tables_of_details_are_folded(before: Document) -> None:
    row = before["layers"][0]
    many = {**before, "layers": [{**row, "name": f"layer {number}"} for number in range(40)]}
    markdown = diff_report(diff_documents(before, many), NAMES, "markdown")
    assert "<details><summary>Layers: 0 changed, 40 added" in markdown
    assert markdown.count("<details>") == markdown.count("</details>") == 1


def test_a_layer_of_several_cores_names_them(before: Document, after: Document) -> None:
    before["layers"][0].update(core=None, cycles_per_core={0: 10, 1: 5})
    after["layers"][0].update(core=1, cycles_per_core={1: 15})
    text = diff_report(diff_documents(before, after), NAMES)
    assert re.search(r"~  gru\.0 addmm +%x\.12 +0,1 to 1 ", text)


def test_layers_are_known_by_their_labels_where_there_are_better_ones_than_names(
    before: Document, after: Document
) -> None:
    after["layers"][0].update(label="encoder.blocks.0.attention.projections.query")
    text = diff_report(diff_documents(before, after), NAMES)
    assert re.search(r"~  gru\.0 addmm +\.\.\.\S+\.attention\.projections\.query +0 ", text)
    for document in (before, after):
        for layer in document["layers"]:
            del layer["label"]
    assert "known as" not in diff_report(diff_documents(before, after), NAMES)
