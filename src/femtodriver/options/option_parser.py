"""A parser of argparse from the table of options: flags, aliases, groups, checks and help follow from the rows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from femtodriver.options.option import AnyRequest, Option, options_of
from femtodriver.options.option_groups import GROUPS, LEADING
from femtodriver.safe_text import one_line

EXIT_USAGE = 2
_TOO_MANY = "unrecognized arguments: "
CLEANUP_FLAG = "--cleanup-docker"


class OptionParser(argparse.ArgumentParser):
    """The parser of the options of ``request``; its attributes are those that were given, by their usual names.

    Wrong words end in one line on stderr and the exit status 2. Groups that only this command has come first, then
    those of ``option_groups`` in their order.
    """

    def __init__(self, name: str, request: type[AnyRequest], description: str, epilog: str) -> None:
        super().__init__(
            prog=name,
            description=description,
            epilog=epilog,
            formatter_class=_Formatter,
            argument_default=argparse.SUPPRESS,
        )
        one_of: Sequence[str] = getattr(request, "one_of", ())
        exclusive = self.add_mutually_exclusive_group(required=True) if one_of else self
        rows = sorted(options_of(request), key=lambda row: row.name not in LEADING)
        groups = {group: self.add_argument_group(group) for group in sorted(_groups(rows), key=_place)}
        self.usage = " ".join([name, *_essential_words(request, one_of), "[options]"])
        for option in rows:
            if option.on_command_line:
                _add(exclusive if option.name in one_of else groups.get(option.group, self), option)

    def error(self, message: str) -> NoReturn:
        """One line, not the usage of forty options."""
        if message.startswith(_TOO_MANY) and not message.startswith(f"{_TOO_MANY}-"):  # more words than one were meant
            first = "the model is the first word, and the only one; " if self.prog == "femtodrive" else ""
            message += f"; {first}put names with spaces, and patterns such as '*.wav', in quotes"
        print(f"femtodrive: error: {one_line(message)}; {self.prog} --help says more.", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)


def _groups(rows: Iterable[Option]) -> list[str]:
    return list(dict.fromkeys(row.group for row in rows if row.group and row.on_command_line))


def _place(group: str) -> int:
    return GROUPS.index(group) if group in GROUPS else -1


def _essential_words(request: type[AnyRequest], one_of: Sequence[str]) -> Iterator[str]:
    """What a usage line shows: words of their own, and options without which nothing works."""
    rows = [option for option in options_of(request) if option.on_command_line]
    for option in rows:
        if option.positional:
            yield option.metavar if option.required else f"[{option.metavar}]"
        elif option.required:
            yield f"{option.flags[0]} {option.metavar}"
    if one_of:
        yield f"({' | '.join(f'{row.flags[0]} {row.metavar}' for row in rows if row.name in one_of)})"


def normalised(argv: Sequence[str]) -> list[str]:
    """Option names with dashes, whichever way they were written; values and everything after ``--`` as they are."""
    words: list[str] = []
    for place, word in enumerate(argv):
        if word == "--":
            return [*words, *argv[place:]]
        if word.replace("_", "-") == CLEANUP_FLAG and argv[place + 1 : place + 2] not in (["own"], ["all"]):
            words.append(f"{CLEANUP_FLAG}=own")  # so that it does not take the model for its value
            continue
        name, equals, value = word.partition("=")
        words.append(name.replace("_", "-") + equals + value if name.startswith("--") else word)
    return words


def _add(place: Any, option: Option) -> None:
    facts: dict[str, Any] = {"help": option.help.replace("%", "%%"), "action": _Take, "row": option}
    if option.positional:
        nargs = None if option.required else "?"
        place.add_argument(option.name, metavar=option.metavar, nargs=nargs, **facts)
        return
    if not option.metavar:
        facts.update(nargs=0)
    elif option.lone is not None:
        facts.update(nargs="?", const=option.lone)
    place.add_argument(*option.flags, dest=option.name, metavar=option.metavar, **facts)


class _Take(argparse.Action):
    """Takes an option's value, if it is one. A second one that differs is refused, unless they make a list."""

    def __init__(self, *names: Any, row: Option, **facts: Any) -> None:
        super().__init__(*names, **facts)
        self.row = row

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        name = option_string or self.row.metavar
        value = values if values == self.const else self._parsed(parser, name, values)
        before = getattr(namespace, self.dest, None)
        if self.row.repeated:
            value = [*(before or ()), value]
        elif before is not None and before != value:
            parser.error(f"{name}: must be given once, not as {before!r:.60} and {value!r:.60}")
        setattr(namespace, self.dest, value)

    def _parsed(self, parser: argparse.ArgumentParser, name: str, word: Any) -> Any:
        if self.nargs == 0:
            return True
        try:
            value = self.row.kind.parse(word)
        except ValueError:
            value = None
        if value is None or not (self.row.repeated or self.row.kind.accepts(value)):
            parser.error(f"{name}: must be {self.row.kind.wanted}, not {word!r:.60}")
        return value


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Names an option's value once, after all its flags."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {self._format_args(action, action.dest.upper())}"
