"""The drawing and the two journeys in docs/ say what the source code says."""

from __future__ import annotations

import re

import draw_rooms
import pytest

from tests.house.source_code import PACKAGE, ROOT


def journey(name: str) -> list[str]:
    """The rooms that a journey names, one per step."""
    text = (ROOT / "docs" / name).read_text("utf-8")
    return re.findall(r"^\d+\. \*\*`(\w+)`\*\*", text, flags=re.MULTILINE)


def test_the_drawing_is_that_of_the_imports() -> None:
    page = draw_rooms.PAGE.read_text("utf-8")
    assert page == draw_rooms.redrawn(page), "run: python tools/draw_rooms.py"


def test_the_drawing_leaves_out_only_what_it_implies() -> None:
    arrows = {name: frozenset(targets) for name, targets in {"a": "bc", "b": "c", "c": "d", "d": ""}.items()}
    assert draw_rooms.drawn(arrows) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": frozenset()}


def test_rooms_that_import_each_other_are_named() -> None:
    arrows = {"a": frozenset("b"), "b": frozenset("a"), "c": frozenset("a")}
    with pytest.raises(ValueError, match=r"in a circle: a, b$"):
        draw_rooms.drawn(arrows)


def test_a_page_without_a_place_for_the_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="<!-- drawing -->"):
        draw_rooms.redrawn("nothing")


@pytest.mark.parametrize("name", ["model-journey.md", "frame-journey.md"])
def test_a_journey_names_each_room_once(name: str) -> None:
    found = journey(name)
    assert len(found) >= 10
    assert len(set(found)) == len(found)
    assert all((PACKAGE / room).is_dir() for room in found)


def test_every_room_that_does_work_lies_on_a_journey() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    walked = {*journey("model-journey.md"), *journey("frame-journey.md")}
    missing = folders - walked - {"inspection", "sweep", "diagnosis"}
    assert missing == set(), f"docs/model-journey.md or docs/frame-journey.md must have a step for {missing}"


@pytest.mark.parametrize("name", ["model-journey.md", "frame-journey.md", "architecture.md"])
def test_files_that_the_pages_name_exist(name: str) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    named = re.findall(r"`(?:\w+/)*(\w+\.py)`", text)
    known = {path.name for path in PACKAGE.rglob("*.py")} | {path.name for path in (ROOT / "tools").glob("*.py")}
    assert named
    assert set(named) - known == set()
