"""Showing what a file says without letting it speak for itself: names quoted, values described.

Names in a network are arbitrary text (control characters, direction marks, megabytes); values can be nested a
million deep. Everything that ends in a message or a listing goes through here.
"""

from __future__ import annotations

import json
import re

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_%.:+\-\[\]]+")


def quote(text: str, limit: int = 80) -> str:
    """The text as an ASCII JSON string of at most about ``limit`` characters; longer ones end in ``...``."""
    if len(text) <= limit:
        return json.dumps(text)
    return f"{json.dumps(text[:limit])}... ({len(text)} characters)"


def plain_name(text: str, limit: int = 4096) -> str:
    """The bare name if it consists of the characters that producers use, else quoted; never ambiguous."""
    if len(text) <= limit and _PLAIN_NAME.fullmatch(text):
        return text
    return quote(text, limit)


def one_line(text: str) -> str:
    """The text with escapes for characters that cannot be printed, line ends among them."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def short_line(text: str, most: int) -> str:
    """As ``one_line``; what is longer than ``most`` characters ends in ``...``."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 3] + "..."


def shown(value: object) -> str:
    """A value as Python shows it, cut after 60 characters; one with a number of thousands of digits is described."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python makes no text of such a number
        return describe(value)


def describe(value: object) -> str:
    """One value in a few words, without looking inside it."""
    if value is None:
        return "None"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value}" if abs(value) < 1 << 64 else f"a whole number of {value.bit_length()} bits"
    if isinstance(value, float):
        return f"the real number {value!r}"
    if isinstance(value, str):
        return f"the text {quote(value, 40)}"
    if isinstance(value, (bytes, list, tuple, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    return str(getattr(value, "title", None) or f"a {type(value).__name__}")
