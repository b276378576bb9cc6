"""Tables of HTML: texts of others are escaped, and cut."""

from __future__ import annotations

from xml.etree import ElementTree

from femtodriver.notebook_html import html_facts, html_table


def cells(text: str) -> list[str]:
    return [
        "".join(cell.itertext()) for cell in ElementTree.fromstring(f"<x>{text}</x>").iter() if cell.tag in ("th", "td")
    ]


def test_facts_and_tables() -> None:
    assert cells(html_facts("title", {"a": 1, "b": "x"})) == ["a", "1", "b", "x"]
    assert cells(html_table("title", ("", "n"), [("a", 1), ("b", None)])) == ["", "n", "a", "1", "b", "None"]
    assert "<thead>" not in html_table("title", (), [])


def test_texts_of_others_are_no_markup() -> None:
    text = html_table("<b>&", ("<i>",), [('<script a="1">', "\x1b[31m\u202e")])
    assert "<script" not in text
    assert "<p><b>&lt;b&gt;&amp;</b></p>" in text
    assert cells(text) == ["<i>", '<script a="1">', r"\u001b[31m\u202e"]
    assert len(cells(html_facts("t", {"a": "y" * 1000}))[1]) == 200
