"""The values of an I/O specification, checked one by one: every error names the record and the entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.plain_yaml import dump_yaml, load_yaml
from femtodriver.iospec.spec_records import INPUT, MOST_PRECISION, PLACES, SpecVariable
from femtodriver.safe_text import quote

MOST_ELEMENTS = 1 << 28
MOST_SCALE = 1e300
_MOST = {"length_64b_words": (1 << 16) - 1}
_U32 = (1 << 32) - 1
_SECTION, _RECORD, _COMMENTS = "inputs", "name", "comments"  # how deep comments are in a document


def checked_variable(kind: str, given: SpecVariable, where: str) -> SpecVariable:
    """The variable in plain numbers. UsageError that names the entry that does not fit."""
    name = checked_name(given.varname, f"{where}: varname of an {kind}")
    here = f"{where}: {kind} {quote(name)}"
    length = whole(given.length, 0, MOST_ELEMENTS, f"{here}: length")
    precision = whole(given.precision, 1, MOST_PRECISION, f"{here}: precision")
    padded = maybe_whole(given.padded_length, length, MOST_ELEMENTS, f"{here}: padded_length")
    zero = maybe_whole(given.zero_pt, -_U32, _U32, f"{here}: quantization: zero_pt")
    places: dict[str, Any] = {
        key: maybe_whole(getattr(given, key), 0, _MOST.get(key, _U32), f"{here}: {key}") for key in PLACES
    }
    made = replace(
        given,
        varname=name,
        length=length,
        precision=precision,
        padded_length=padded,
        scale=_scale(given.scale, f"{here}: quantization: scale"),
        zero_pt=zero,
        comments=checked_comments(given.comments, here),
    )
    made = replace(made, **places)
    odd = made.mailbox_id if kind == INPUT else made.pc
    if odd is not None:
        key = "mailbox_id" if kind == INPUT else "pc"
        raise UsageError(f"{here}: {key}: must be left out, because an {kind} has none.")
    return made


def checked_name(value: object, where: str) -> str:
    """The value as a name."""
    if not isinstance(value, str):
        raise UsageError(f"{where}: must be a text, not {brief(value)}.")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise UsageError(f"{where}: must be a text that UTF-8 can hold, not {value!a:.60}.")
    return value


def checked_counts(given: object, where: str) -> dict[str, int]:
    """Names with how many frames of each: those of a mapping, or one of each name of a list."""
    if isinstance(given, Mapping):
        return {
            checked_name(name, f"{where}: a name"): whole(count, 1, _U32, f"{where}: {brief(name)}")
            for name, count in given.items()
        }
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise UsageError(f"{where}: must be a list of names, or a mapping from name to count, not {brief(given)}.")
    names = [checked_name(name, f"{where}: a name") for name in given]
    if len(set(names)) != len(names):
        raise UsageError(f"{where}: every name must be there once; give a mapping from name to count for more frames.")
    return dict.fromkeys(names, 1)


def checked_comments(given: object, where: str) -> dict[str, Any]:
    """Free notes: a mapping from text to plain values, which can be written and read again."""
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise UsageError(f"{where}: comments: must be a mapping from text to plain values, not {brief(given)}.")
    if not given:
        return {}
    here = f"{where}: comments"
    try:
        written = dump_yaml({_SECTION: {_RECORD: {_COMMENTS: given}}}, here)
        comments: dict[str, Any] = load_yaml(written.encode("ascii"), here)[_SECTION][_RECORD][_COMMENTS]
    except ProgramError as error:
        raise UsageError(str(error)) from None
    return comments


def whole(value: object, least: int, most: int, where: str) -> int:
    """The value as a whole number in a range."""
    if isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most:
        return int(value)
    raise UsageError(f"{where}: must be a whole number from {least} to {most}, not {brief(value)}.")


def maybe_whole(value: object, least: int, most: int, where: str) -> int | None:
    """The same, or None."""
    return None if value is None else whole(value, least, most, where)


def brief(value: object) -> str:
    """A value in a message."""
    if isinstance(value, (Mapping, list, tuple)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = repr(value) if not isinstance(value, int) or abs(value) >> 128 == 0 else "a very long number"
    return text if len(text) <= 60 else text[:57] + "..."


def _scale(value: object, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, Real) and not isinstance(value, bool):
        number = int(value) if isinstance(value, Integral) else float(value)
        if 0 < number < MOST_SCALE:
            return float(number)
    raise UsageError(f"{where}: must be a positive number below {MOST_SCALE:g}, not {brief(value)}.")
