"""One option: a field of a request that knows everything about itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from functools import cache
from typing import Any, ClassVar, Protocol

from femtodriver.options.value_kinds import TEXT, ValueKind

_KEY = "option"


class AnyRequest(Protocol):
    """A frozen dataclass whose fields are options."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True, eq=False)
class Option:
    """One row of the table.

    ``help``: one line. ``kind``: what values it takes. ``metavar``: what stands for the value in the help text, "" for
    a switch. ``group``: heading in the help text. ``aliases``: other names from the reference.
    ``on_command_line``: False for options of Python only. ``positional``: a word of its own, without a flag.
    ``repeated``: may be given several times, which makes a list. ``lone``: the value of a flag without one.
    ``short``: a letter for a flag with one dash. ``acts``: what it needs to have an effect, see ``without_effect``.
    ``default``: MISSING where it must be given. ``name``: of the field, of the keyword in Python and, with dashes, of
    the flag. ``annotation``: its type, as text.
    """

    help: str
    kind: ValueKind
    metavar: str
    group: str
    aliases: tuple[str, ...]
    on_command_line: bool
    positional: bool
    repeated: bool
    lone: Any
    acts: tuple[str, ...]
    default: Any
    short: str = ""
    name: str = ""
    annotation: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keyword, the usual one first."""
        return (self.name, *self.aliases)

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags, the usual one first and a short one last; none for a positional option or one of Python only."""
        if self.positional or not self.on_command_line:
            return ()
        short = (f"-{self.short}",) if self.short else ()
        return (*("--" + name.replace("_", "-") for name in self.names), *short)

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING


def option(
    default: Any = MISSING,
    *,
    help: str,
    kind: ValueKind = TEXT,
    metavar: str = "",
    group: str = "",
    aliases: tuple[str, ...] = (),
    on_command_line: bool = True,
    positional: bool = False,
    repeated: bool = False,
    lone: Any = None,
    acts: tuple[str, ...] = (),
    short: str = "",
) -> Any:
    """A field of a request; see ``Option`` for the parameters."""
    facts = Option(
        help, kind, metavar, group, aliases, on_command_line, positional, repeated, lone, acts, default, short
    )
    return field(default=default, metadata={_KEY: facts})


@cache
def options_of(request: type[AnyRequest]) -> tuple[Option, ...]:
    """The options of a request class, in the order of its fields."""
    return tuple(replace(one.metadata[_KEY], name=one.name, annotation=str(one.type)) for one in fields(request))


def given_options(request: AnyRequest) -> Iterator[Option]:
    """The options of a request that have another value than their default."""
    for one in options_of(type(request)):
        if not is_default(one, getattr(request, one.name)):
            yield one


def given_within(request: AnyRequest, part: type[AnyRequest]) -> dict[str, Any]:
    """The values by name of the given options that a request of the class ``part`` has too."""
    names = {one.name for one in options_of(part)}
    return {one.name: getattr(request, one.name) for one in given_options(request) if one.name in names}


def is_default(option: Option, value: Any) -> bool:
    """Whether the value is the same as none."""
    return value is option.default or (type(value) is type(option.default) and bool(value == option.default))
