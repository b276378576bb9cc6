"""What a page is made of: sections of blocks, each with the template that draws it. Plain frozen data, no HTML.

Shares are numbers from 0 to 1. ``sources`` of a block: the entries of the metrics document (``docs/metrics.md``) that
its figures come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

GOOD, BAD, OPEN = "good", "bad", "open"
LONG = 16
"""Tables with more rows are opened by hand."""
COLOURS = 8
"""How many colours there are for layers and parts of a sum; templates/style.css has them."""


@dataclass(frozen=True)
class PageBlock:
    """One thing on the page. ``template``: the file in ``templates`` that draws it."""

    template: ClassVar[str]
    sources: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Card:
    """One answer in a few words. ``mark``: GOOD, BAD or OPEN. ``target``: the section with the figures."""

    question: str
    mark: str
    answer: str
    detail: str
    target: str


@dataclass(frozen=True)
class Cards(PageBlock):
    """Answers side by side."""

    template = "cards.html"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Sentence(PageBlock):
    """A sentence or two."""

    template = "sentence.html"
    text: str


@dataclass(frozen=True)
class FigureTable(PageBlock):
    """A table; the first column names the row. ``left``: columns of words; others are numbers. ``folded``: opened by
    hand."""

    template = "table.html"
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[int, ...] = (0,)
    folded: bool = False


@dataclass(frozen=True)
class Share:
    """A part of a sum. ``colour``: number of its colour, None for what is grey."""

    label: str
    share: float
    text: str
    colour: int | None = 0


@dataclass(frozen=True)
class StackedBar(PageBlock):
    """A sum and its parts, as one bar with a legend."""

    template = "stacked_bar.html"
    caption: str
    parts: tuple[Share, ...]


@dataclass(frozen=True)
class BarRow:
    """A row of bars, one for each column: its length and what it stands for in words."""

    label: str
    bars: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Bars(PageBlock):
    """Rows of horizontal bars; ``head``: what the columns are."""

    template = "bars.html"
    caption: str
    head: tuple[str, ...]
    rows: tuple[BarRow, ...]


@dataclass(frozen=True)
class Cell:
    """A memory, or a bank of one, and how full it is."""

    label: str
    share: float
    text: str


@dataclass(frozen=True)
class BankMap(PageBlock):
    """The memories of a core, bank by bank."""

    template = "bank_map.html"
    caption: str
    banks: tuple[Cell, ...]
    others: tuple[Cell, ...]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, at a share of its length."""

    share: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A point of a plot, with what it is; ``before``: whether the words stand left of it."""

    x: float
    y: float
    text: str
    before: bool = False


@dataclass(frozen=True)
class Curve(PageBlock):
    """A line within a band, both from left to right; x and y are shares of the plot, y upwards.

    ``shaded``: up to which x the plot is shaded, and ``shade_text`` what that means.
    """

    template = "curve.html"
    caption: str
    line: tuple[tuple[float, float], ...]
    low: tuple[tuple[float, float], ...]
    high: tuple[tuple[float, float], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_title: str
    y_title: str
    marks: tuple[Mark, ...]
    shaded: float
    shade_text: str


@dataclass(frozen=True)
class Span:
    """A piece of a lane: where it begins, how long it is, what it is. ``colour``: None for waiting."""

    start: float
    length: float
    text: str
    colour: int | None


@dataclass(frozen=True)
class Lane:
    """What a core did, from left to right."""

    label: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Timeline(PageBlock):
    """Lanes over the same time, with a legend of the largest."""

    template = "timeline.html"
    caption: str
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    legend: tuple[Share, ...]


@dataclass(frozen=True)
class CommandBlock(PageBlock):
    """Words for a terminal."""

    template = "code.html"
    caption: str
    text: str


@dataclass(frozen=True)
class Section:
    """A heading with a sentence below it, and blocks. ``key``: of its address on the page."""

    key: str
    title: str
    lead: str
    blocks: tuple[PageBlock, ...]
