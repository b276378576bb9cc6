"""What a page of the documentation does, step by step: its commands, programs, files, and the output that it shows.

A step is a block of code, or a command that stands alone in a paragraph between backticks. What stands directly before
a block says what it is, if its language does not:

    <!-- output -->              what the step before it prints; ``from WORD``: from the line on that begins so
    <!-- part of the output -->  lines that it prints, in this order; ``...`` stands for any number of lines
    <!-- file: NAME -->          the content of a file that later steps use
    <!-- figure -->              nothing that could be run; so are ``formula`` and ``message``
    <!-- measured -->            what the step before it printed once; it depends on the machine
    <!-- checked by TEST -->     a file of ours that checks the block, and names the page
    *Not run by the tests: ...*  with its reason; readers see it too

``<!-- before: COMMAND -->`` is a step that readers do not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
SHELL, PYTHON = "sh", "python"
MERMAID = "mermaid"  # tests/house compares the drawing with the imports
NO_CODE = ("figure", "formula", "message", "measured")
DATA = ("yaml", "toml", "csv", "json")
NOT_RUN = re.compile(r"^\*Not run by the tests: (?P<reason>.+)\*$", re.DOTALL)
KINDS = ("before: ", "output", "part of the output", "file: ", "checked by ", *NO_CODE)
COMMENT = re.compile(rf"^<!-- (?P<kind>{'|'.join(KINDS)})(?P<rest>.*?) *-->$", re.DOTALL)
MARKDOWN = MarkdownIt("commonmark")


@dataclass(frozen=True)
class Step:
    """``language``: of the block, or "" if it has none. ``kind``: what stands before it says, "" for nothing.

    ``lines``: of its text in the page, from the first to one after the last, counted from 0.
    """

    page: str
    language: str
    text: str
    kind: str
    rest: str
    lines: tuple[int, int]

    @property
    def where(self) -> str:
        """As an editor finds it."""
        return f"{self.page}:{self.lines[0] + 1}"


def pages() -> list[str]:
    """All pages, as paths from the root of the repository."""
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/*/README.md"),
        ROOT / "benchmarks/README.md",
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def steps_of(page: str, text: str) -> list[Step]:
    """The steps of a page, in order."""
    return list(_steps(page, MARKDOWN.parse(text)))


def inline_code(text: str) -> list[str]:
    """What stands between backticks in the sentences and tables of a page."""
    tokens = MARKDOWN.parse(text)
    return [part.content for token in tokens for part in token.children or () if part.type == "code_inline"]


def _steps(page: str, tokens: list[Token]) -> Iterator[Step]:
    kind = rest = ""
    for token, before in zip(tokens, [None, *tokens], strict=False):
        low, high = token.map or (0, 0)
        if token.type in ("fence", "code_block"):
            language = token.info.split(" ")[0] if token.type == "fence" else "indented"
            yield Step(page, language, token.content, kind, rest, (low + 1, high - 1))
        elif before and before.type == "paragraph_open" and (command := _command(token)):
            yield Step(page, SHELL, command, "", "", (low, high))
        if token.type in ("html_block", "inline"):
            kind, rest = _marker(token.content.strip())
            if kind == "before":
                yield Step(page, SHELL, " ".join(rest.split()), kind, "", (low, high))
        elif token.type not in ("paragraph_open", "paragraph_close"):
            kind = rest = ""


def _command(token: Token) -> str:
    """The command of a paragraph that is nothing else."""
    parts = token.children or []
    alone = len(parts) == 1 and parts[0].type == "code_inline" and parts[0].content.startswith("femtodrive ")
    return parts[0].content if alone else ""


def _marker(text: str) -> tuple[str, str]:
    """What a comment or a paragraph says of the block that follows it: kind and details."""
    if found := NOT_RUN.match(text):
        return "not run", found["reason"]
    if found := COMMENT.match(text):
        return found["kind"].strip(": "), found["rest"].strip()
    return "", ""
