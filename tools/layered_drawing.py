"""A flowchart of Mermaid (``a --> b`` lines) as SVG, for the site: names in layers, arrows from a layer to lower ones.

A name stands one layer below the lowest of those that point to it. Within a layer, names stand near the mean of their
neighbours. Colours are those of the text around it.
"""

from __future__ import annotations

import re
from html import escape

ARROW = re.compile(r"^\s*(\w+) --> (\w+)\s*$", re.MULTILINE)
COLUMN, ROW, HEIGHT, LETTER, MARGIN, ROUNDS = 90, 66, 26, 8, 12, 8

Arrows = list[tuple[str, str]]


def svg_of(flowchart: str) -> str:
    """The drawing, as an element of HTML."""
    arrows = sorted((found[1], found[2]) for found in ARROW.finditer(flowchart))
    layers = _ordered(_layers(arrows), arrows)
    width = max(sum(_width(name) + COLUMN for name in layer) for layer in layers) + 2 * MARGIN
    height = (len(layers) - 1) * ROW + HEIGHT + 2 * MARGIN
    places = _places(layers, width)
    lines = [_line(places[low], places[high]) for low, high in arrows]
    boxes = [_box(name, *place) for name, place in places.items()]
    style = f'style="max-width: 100%; height: auto" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    tip = f'<defs>{head}<path d="M0,0L8,4L0,8z" fill="currentColor"/></marker></defs>'
    return "\n".join([f'<svg role="img" aria-label="which room imports which" {style}>', tip, *lines, *boxes, "</svg>"])


def _layers(arrows: Arrows) -> list[list[str]]:
    names = sorted({name for arrow in arrows for name in arrow})
    rank = dict.fromkeys(names, 0)
    for _ in names:
        for high, low in arrows:
            rank[low] = max(rank[low], rank[high] + 1)
    return [[name for name in names if rank[name] == layer] for layer in range(max(rank.values()) + 1)]


def _ordered(layers: list[list[str]], arrows: Arrows) -> list[list[str]]:
    """The same layers, with each name near those that it is connected to, seen from above and from below in turn."""
    for turn in range(ROUNDS):
        place = {name: (at + 0.5) / len(layer) for layer in layers for at, name in enumerate(layer)}
        near: dict[str, list[float]] = {name: [] for name in place}
        for high, low in arrows:
            near[low if turn % 2 == 0 else high].append(place[high if turn % 2 == 0 else low])
        mean = {name: sum(found) / len(found) if found else place[name] for name, found in near.items()}
        layers = [sorted(layer, key=lambda name: (mean[name], name)) for layer in layers]
    return layers


def _places(layers: list[list[str]], width: int) -> dict[str, tuple[float, float]]:
    """The middle of each name."""
    places = {}
    for row, layer in enumerate(layers):
        gap = (width - 2 * MARGIN - sum(map(_width, layer))) / len(layer)
        left = MARGIN + gap / 2
        for name in layer:
            places[name] = (left + _width(name) / 2, MARGIN + row * ROW + HEIGHT / 2)
            left += _width(name) + gap
    return places


def _width(name: str) -> int:
    return LETTER * len(name) + 16


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x, y), (to_x, to_y) = start, end
    y, to_y = y + HEIGHT / 2, to_y - HEIGHT / 2
    bend = (to_y - y) / 2
    curve = f"M{x:.0f},{y:.0f}C{x:.0f},{y + bend:.0f} {to_x:.0f},{to_y - bend:.0f} {to_x:.0f},{to_y:.0f}"
    return f'<path d="{curve}" fill="none" stroke="currentColor" stroke-opacity="0.45" marker-end="url(#tip)"/>'


def _box(name: str, x: float, y: float) -> str:
    left, top = x - _width(name) / 2, y - HEIGHT / 2
    frame = f'<rect x="{left:.0f}" y="{top:.0f}" width="{_width(name)}" height="{HEIGHT}" rx="5"'
    fill = 'style="fill: var(--color-background-secondary, white)" stroke="currentColor"/>'
    text = f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle" font-size="13" fill="currentColor">'
    return f"{frame} {fill}{text}{escape(name)}</text>"
