"""From names and values, however they were given, to a frozen request."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from femtodriver.errors import UsageError
from femtodriver.options.option import AnyRequest, Option, given_options, is_default, options_of
from femtodriver.options.value_kinds import ValueKind, plain_number
from femtodriver.safe_text import shown

R = TypeVar("R", bound=AnyRequest)
_PLAIN = (str, int, float, os.PathLike)


class UnknownArgumentError(UsageError, TypeError):
    """An unknown argument, or one that was given twice."""


def bind(request: type[R], given: Mapping[str, Any], where: str) -> R:
    """The request with these values, by names or aliases; what is not given has its default.

    UnknownArgumentError (a UsageError and a TypeError) for a name that is no option, naming the nearest one; UsageError
    for a value that the option does not take, and for two names of one option with different values.
    """
    known = {name: option for option in options_of(request) for name in option.names}
    values: dict[str, Any] = {}
    told_as: dict[str, str] = {}
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            raise UnknownArgumentError(unknown_argument(where, name, list(known)))
        if is_default(option, value):
            continue
        if option.name in values and not _same(values[option.name], value):
            raise UsageError(
                f"{name}: must be the same as {told_as[option.name]} ({shown(values[option.name])}) if both are given, "
                f"not {shown(value)}."
            )
        check(option, value, name)
        values[option.name], told_as[option.name] = plain_number(value), name
    missing = [option.name for option in options_of(request) if option.required and option.name not in values]
    if missing:
        raise UsageError(f"{where}: {missing[0]} must be given.")
    return request(**values)


def refuse_options_of(kind: type[AnyRequest], request: AnyRequest, instead: str) -> None:
    """UsageError if an option of ``kind`` was given in a request, although the argument ``instead`` was given too."""
    names = {option.name for option in options_of(kind)}
    for option in given_options(request):
        if option.name in names:
            raise UsageError(f"{option.name}: must not be given together with {instead}, to which it does not apply.")


def check(option: Option, value: Any, name: str) -> None:
    """UsageError for a value that the option does not take. ``name``: what it was called."""
    check_value(option.kind, value, name)


def check_value(kind: ValueKind, value: Any, name: str) -> None:
    """UsageError for a value that is not of this kind. ``name``: what it was called."""
    if not kind.accepts(value):
        raise UsageError(f"{name}: must be {kind.wanted}, not {shown(value)}.")


def unknown_argument(where: str, name: str, known: Sequence[str]) -> str:
    """The message about an unknown argument."""
    from difflib import get_close_matches  # only needed after a typing error

    near = get_close_matches(name, known, 1, 0.5)
    advice = f"Did you mean {near[0]!r}?" if near else f"It knows {', '.join(known)}."
    return f"{where}: arguments must be among those that it knows, not {name!r:.60}. {advice}"


def _same(first: Any, second: Any) -> bool:
    """Whether two values mean the same; arrays only if they are one object."""
    if first is second:
        return True
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_same, first, second))
    return isinstance(first, _PLAIN) and isinstance(second, _PLAIN) and bool(first == second)
