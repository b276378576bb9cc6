"""What the site needs beyond docs/*.md: its navigation, and drawings of its flowcharts.

The navigation is the list of links in docs/index.md, heading by heading. So that page is the order of the site and, on
a plain viewer of files, its table of contents. A page that it leaves out is an error of the strict build.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from layered_drawing import svg_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INDEX = "docs/index"
UNKNOWN = ("csv",)  # languages of blocks that Pygments does not know
MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.+)$")
LINK = re.compile(r"^\* \[([^\]]+)\]\(([^)#]+)\.md\)")


def connect(app: Sphinx) -> None:
    """Have Sphinx call us."""
    from pygments.lexers.special import TextLexer

    for language in UNKNOWN:
        app.add_lexer(language, TextLexer)
    app.connect("source-read", add_navigation)
    app.connect("source-read", draw_flowcharts)


def add_navigation(app: Sphinx, page: str, content: list[str]) -> None:
    """Append the hidden tables of contents to the index."""
    if page == INDEX:
        content[0] += "".join(table_of_contents(*part) for part in parts(content[0]))


def draw_flowcharts(app: Sphinx, page: str, content: list[str]) -> None:
    """Put drawings in the place of Mermaid's text, which other viewers draw themselves."""
    content[0] = MERMAID.sub(lambda found: f"```{{raw}} html\n{svg_of(found[1])}\n```", content[0])


def parts(index: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """(heading, [(title, page from the root, without its ending)]) in the order of the index."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in index.splitlines():
        if heading := HEADING.match(line):
            found.append((heading[1], []))
        elif (link := LINK.match(line)) and found:
            found[-1][1].append((link[1], os.path.normpath(f"{os.path.dirname(INDEX)}/{link[2]}")))
    return [part for part in found if part[1]]


def table_of_contents(caption: str, pages: list[tuple[str, str]]) -> str:
    """A directive of MyST."""
    entries = "\n".join(f"{title} </{page}>" for title, page in pages)
    return f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"
