"""docs/compatibility.md follows from the reference's side and from ours, and whatever contradicts them is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import compatibility_doc
import pytest
from compatibility_doc import COMMAND, DATA, DOCUMENT, ROOT, document_text, problems

from femtodriver.errors import ProgramError
from femtodriver.files.plain_toml import load_toml


def changed(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """The data with one text changed."""
    text = DATA.read_text("utf-8")
    assert old in text
    found: Mapping[str, Any] = load_toml(text.replace(old, new, 1).encode(), "changed", ProgramError)
    monkeypatch.setattr(compatibility_doc, "data", lambda: found)


def test_nothing_contradicts_the_data() -> None:
    assert problems() == [], "mend tools/compatibility.toml: it says what the reference has, and why we differ"


def test_the_page_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == document_text(), f"write it again: {COMMAND}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("='model_datas', noencrypt=False\"", "='other', noencrypt=False\"", "output_dir, which differs"),
        ("n_frames = \"None stands", "input = \"None stands", "n_frames, which differs"),
        ("takes = \"compare_status\"", "takes = \"compare_status, colour=True\"", "colour, which differs"),
        ("model_name=None, model_options_file=None", "model_options_file=None, model_name=None", "model_"),
        ("takes = \"metrics, output_dir\"", "takes = \"metrics, output_dir\"\nmissing = \"no\"", "is here now"),
        ("name = \"Femtodriver.compare\"", "name = \"Femtodriver.compares\"", "must say why there is none"),
        ("default = \"'fakezynq'\"", "default = \"'zynq'\"", "must say why the default 'fakezynq' differs"),
        ("name = \"--debug\"", "name = \"--debugging\"", "--debugging: is there exactly if"),
        ("\"mems_per_core\"", "\"mems\"", "CompiledData.mems: is there exactly if"),
        ("::test_defect_07", "::test_defect_70", "there is no such test"),
        ("test = \"tests/driver/test_driver_api.py", "test = \"tests/driver/test_gone.py", "there is no such test"),
    ],
)  # fmt: skip
def test_a_contradiction_is_noticed(monkeypatch: pytest.MonkeyPatch, old: str, new: str, sentence: str) -> None:
    changed(monkeypatch, old, new)
    assert [one for one in problems() if sentence in one] != []


def test_every_defect_has_the_test_of_its_number() -> None:
    rows = compatibility_doc.data()["defects"]
    assert [row["number"] for row in rows] == list(range(1, 33))
    assert [row["number"] for row in rows if f"::test_defect_{row['number']:02}_" not in row["test"]] == []


def test_commands_of_the_reference_that_are_not_here() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    scripts = re.search(r"\[project\.scripts\]\n(.*?)\n\n", text, re.DOTALL)
    assert scripts is not None
    assert [line.split()[0] for line in scripts[1].splitlines()] == ["femtodrive", "femtodrive_model_dir"]
