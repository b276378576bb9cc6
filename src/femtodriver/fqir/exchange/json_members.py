"""Typed access to objects and lists of a JSON part: each member is asked for by name, and no other may be there."""

from __future__ import annotations

from femtodriver.errors import ModelError
from femtodriver.fqir.files.typed_fields import MAX_NAME, list_of, text_of
from femtodriver.safe_text import describe, quote

# An identifier is a name, or a name with a number behind it.
MAX_IDENTIFIER = MAX_NAME + 24
_MISSING = object()


class Members:
    """The members of an object. ModelError for another value, and for members that nobody has asked for."""

    def __init__(self, value: object, where: str) -> None:
        if type(value) is not dict:
            raise ModelError(f"{where}: must be an object, not {_described(value)}.")
        self._left = dict(value)
        self._where = where

    def required(self, name: str) -> object:
        """A member that must be there."""
        value = self._left.pop(name, _MISSING)
        if value is _MISSING:
            raise ModelError(f"{self._where}: must have the member {quote(name)}.")
        return value

    def optional(self, name: str, default: object = None) -> object:
        """A member that may be missing; null is the same as none."""
        value = self._left.pop(name, None)
        return default if value is None else value

    def text(self, name: str) -> str:
        """A text that must be there."""
        return text_of(self.required(name), f"{self._where}: {name}", MAX_IDENTIFIER)

    def entries(self, name: str) -> list[object]:
        """A list; empty where the member is missing."""
        return list_of(self.optional(name, []), f"{self._where}: {name}")

    def end(self) -> None:
        """ModelError if there is a member that nobody has asked for."""
        for name in self._left:
            raise ModelError(f"{self._where}: must not have the member {quote(name)}, which version 1 does not know.")


def pair_of(value: object, where: str) -> tuple[str, object]:
    """A list of a name and something else."""
    pair = list_of(value, where)
    if len(pair) != 2:
        raise ModelError(f"{where}: must be a list of two, not of {len(pair)}.")
    return text_of(pair[0], f"{where}: the name"), pair[1]


def index_of(value: object, count: int, where: str) -> int:
    """The number of an entry of a list of ``count``."""
    if type(value) is not int or not 0 <= value < count:
        raise ModelError(f"{where}: must be the number of one of {count} arrays, from 0, not {_described(value)}.")
    return value


def _described(value: object) -> str:
    """A value of JSON in the words of JSON."""
    return f"an object of {len(value)}" if isinstance(value, dict) else describe(value)
