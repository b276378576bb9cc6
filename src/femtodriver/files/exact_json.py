"""JSON text that must mean the same to every reader: whatever readers disagree about is refused."""

from __future__ import annotations

import json
import math
from typing import Any

from femtodriver.errors import FemtoError
from femtodriver.files.nesting import MAX_DEPTH, check_nesting

_LONGEST_NUMBER = 40
_MOST_SHOWN = 60
_BEGINNINGS = b"[{,:"


def load_exact_json(data: bytes, where: str, error: type[FemtoError], most_beginnings: int) -> Any:
    """The value of a JSON document.

    Raises ``error``, in one sentence that begins with ``where``, for anything that is not JSON in UTF-8, is nested
    deeper than 32, names a member of an object twice, or has a number of more than 40 characters, a whole number above
    64 bits, or a number that is not finite. ``most_beginnings``: how often the characters ``[ { , :`` may occur, in
    texts too. A value follows each of them, so that this bounds the memory, before anything is parsed.
    """
    beginnings = sum(data.count(byte) for byte in _BEGINNINGS)
    if beginnings > most_beginnings:
        raise error(
            f"{where}: must have at most {most_beginnings:,} of the characters [ {{ , : and not {beginnings:,}."
        )
    reader = _JsonHooks(where, error)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=reader.members,
            parse_int=reader.whole,
            parse_float=reader.real,
            parse_constant=reader.no_number,
        )
    except UnicodeDecodeError:
        raise error(f"{where}: must be JSON in UTF-8.") from None
    except RecursionError:
        raise error(f"{where}: values must be nested at most {MAX_DEPTH} deep.") from None
    except json.JSONDecodeError as failure:
        raise error(f"{where}: must be JSON: {failure}.") from None
    check_nesting(value, where, error)
    return value


class _JsonHooks:
    """What the parser calls for each object and number."""

    def __init__(self, where: str, error: type[FemtoError]) -> None:
        self._where = where
        self._error = error

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise self._error(f"{self._where}: an object must have each member once, not {_cut(name)} twice.")
            found[name] = value
        return found

    def whole(self, text: str) -> int:
        return int(self._short(text))

    def real(self, text: str) -> float:
        value = float(self._short(text))
        return value if math.isfinite(value) else self.no_number(text)

    def no_number(self, text: str) -> float:
        raise self._error(f"{self._where}: a number must be finite, not {_cut(text)}.")

    def _short(self, text: str) -> str:
        if len(text) > _LONGEST_NUMBER:
            raise self._error(f"{self._where}: a number must have at most {_LONGEST_NUMBER} characters.")
        return text


def _cut(text: str) -> str:
    return ascii(text[:_MOST_SHOWN])
