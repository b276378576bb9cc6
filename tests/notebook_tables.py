"""What a notebook shows, as rows of texts."""

from __future__ import annotations

from xml.etree import ElementTree


def table_of(text: str) -> list[list[str]]:
    """The rows of the tables in a piece of HTML: the texts of their cells."""
    rows = ElementTree.fromstring(f"<x>{text}</x>").iter("tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]
