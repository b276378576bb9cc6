"""The text of a document stays a text, and shows itself shortly."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from femtodriver.files.plain_yaml import load_yaml
from femtodriver.machine.run_report import RunReport
from femtodriver.metrics import build_document, document_yaml, shown_yaml
from femtodriver.part import load_part
from femtodriver.program.description import Description


@pytest.fixture
def doc(two_core_report: RunReport, description: Description) -> dict[str, Any]:
    return build_document(two_core_report, description, load_part("spu001"), input_period_s=0.01)


def test_it_is_a_text(doc: dict[str, Any]) -> None:
    text = shown_yaml(doc)
    assert isinstance(text, str)
    assert text == document_yaml(doc) == str(text) == f"{text}"
    assert type(str(text)) is str
    assert yaml.safe_load(text) == doc
    assert json.loads(json.dumps(text)) == text
    for again in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert again == text
    for dumper in (yaml.SafeDumper, getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
        assert yaml.dump({"metrics": text}, Dumper=dumper) == yaml.dump({"metrics": str(text)}, Dumper=dumper)


def test_a_prompt_shows_a_line(doc: dict[str, Any]) -> None:
    assert repr(shown_yaml(doc)) == (
        "<metrics of tiny_gru on spu001 at 100 MHz, 3 frames: latency 5.22 us, cycles 533.3, power 12.0 uW, "
        "energy 11.6 nJ; print() shows all>"
    )


def test_a_notebook_shows_figures_and_layers(doc: dict[str, Any]) -> None:
    doc["layers"] = [{**doc["layers"][0], "name": f"<layer {place}>", "cycles": place} for place in range(12)]
    text = shown_yaml(doc)._repr_html_()
    told = "".join(ElementTree.fromstring(f"<x>{text}</x>").itertext())
    for words in ("Metrics of tiny_gru on spu001", "5.22 us", " to ", "the first 8 of 11", "<layer 11>"):
        assert words in told
    assert "<layer 3>" not in told


def test_nothing_that_worked(doc: dict[str, Any]) -> None:
    doc["layers"] = []
    assert "Layers by busy cycles" in shown_yaml(doc)._repr_html_()


def test_what_is_shown_is_read_once(doc: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    text, read = shown_yaml(doc), []

    def counted(*given: Any, **named: Any) -> Any:
        read.append(given)
        return load_yaml(*given, **named)

    monkeypatch.setattr("femtodriver.metrics.shown_metrics.load_yaml", counted)
    first = repr(text)
    assert (repr(text), bool(text._repr_html_()), len(read)) == (first, True, 1)
    assert text.document is not text.document
    assert pickle.loads(pickle.dumps(text)).__dict__ == {}
