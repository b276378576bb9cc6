"""The site's drawings of flowcharts: every name once, every arrow from a layer to a lower one."""

from __future__ import annotations

import re

from layered_drawing import svg_of

CHART = "flowchart TD\n    a --> b\n    a --> c\n    b --> d\n    c --> d\n    a --> long_name\n    long_name --> b\n"


def drawn(chart: str) -> dict[str, tuple[float, float]]:
    """The place of each name."""
    found = re.findall(r'<text x="(\d+)" y="(\d+)"[^>]*>(\w+)</text>', svg_of(chart))
    assert len({name for *_, name in found}) == len(found)
    return {name: (float(x), float(y)) for x, y, name in found}


def test_every_name_stands_below_those_that_point_to_it() -> None:
    places = drawn(CHART)
    assert places.keys() == {"a", "b", "c", "d", "long_name"}
    for high, low in re.findall(r"(\w+) --> (\w+)", CHART):
        assert places[high][1] < places[low][1]


def test_every_arrow_is_drawn_between_its_names() -> None:
    text = svg_of(CHART)
    ends = re.findall(r'd="M(\d+),(\d+)C.* (\d+),(\d+)" fill="none"', text)
    places = drawn(CHART)
    shown = {(float(x), float(to_x)) for x, _, to_x, _ in ends}
    assert shown == {(places[high][0], places[low][0]) for high, low in re.findall(r"(\w+) --> (\w+)", CHART)}
    assert all(int(y) < int(to_y) for _, y, _, to_y in ends)


def test_the_same_chart_gives_the_same_drawing() -> None:
    lines = CHART.splitlines(keepends=True)
    assert svg_of(CHART) == svg_of("".join([lines[0], *reversed(lines[1:])]))
