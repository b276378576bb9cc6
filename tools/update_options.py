"""What is written from the table of options: ``options/method_keywords.py`` for type checkers, ``docs/options.md``.

``python tools/update_options.py`` after a change of a request; a test fails until it was done.
"""

from __future__ import annotations

from pathlib import Path

from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.method_table import METHODS, Method
from femtodriver.options.option import AnyRequest, Option, options_of
from femtodriver.options.option_groups import GROUPS

ROOT = Path(__file__).resolve().parents[1]
KEYWORDS = ROOT / "src" / "femtodriver" / "options" / "method_keywords.py"
DOCUMENT = ROOT / "docs" / "options.md"

_KEYWORDS_HEAD = '''"""The keywords of ``Femtodriver``'s methods, for type checkers: nothing imports this when it runs.

Written by ``python tools/update_options.py`` from the requests beside it: do not edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from femtodriver.files.file_access import AnyPath
from femtodriver.inputs.loaded_inputs import InputSource
from femtodriver.options.sweep_requests import Numbers
from femtodriver.options.value_kinds import Names
from femtodriver.program.encryption.keyring import Keyring
'''

_DOCUMENT_HEAD = """\
# Options

Every option of the command line and of `Femtodriver`'s methods, from the requests in `options/`. This page
is written by `python tools/update_options.py`.

Flags may be written with dashes or underscores. In Python an option is a keyword: the flag's name with underscores.
Other names come from the reference tool and from earlier versions; they mean the same. Two names of one option with
different values are refused, and so is an unknown name.
"""


def keywords_name(request: type[AnyRequest]) -> str:
    """The name of the TypedDict of a request class."""
    return request.__name__.replace("Request", "Keywords")


def keywords_text() -> str:
    """The content of ``method_keywords.py``."""
    requests = dict.fromkeys(method.request for method in METHODS)
    return "\n\n".join([_KEYWORDS_HEAD, *map(_typed_dict, requests)])


def _typed_dict(request: type[AnyRequest]) -> str:
    lines = [f"class {keywords_name(request)}(TypedDict, total=False):", f'    """Of ``{request.__name__}``."""', ""]
    lines += [f"    {name}: {option.annotation}" for option in options_of(request) for name in option.names]
    return "\n".join(lines) + "\n"


def document_text() -> str:
    """The content of ``docs/options.md``."""
    parts = [_DOCUMENT_HEAD, "## `femtodrive MODEL`, and keywords in Python\n"]
    rows = [option for option in options_of(MainRequest) if not option.positional]
    for group in ("", *GROUPS):
        chosen = [option for option in rows if option.group == group]
        parts += [f"### {group[0].upper()}{group[1:]}\n"] if group else []
        parts += [_table(chosen, methods=True)]
    for name, row in SUBCOMMANDS.items():
        parts += [f"## `femtodrive {name}`\n", f"{row.summary[0].upper()}{row.summary[1:]}.\n"]
        parts += [_table(list(options_of(row.command.request)), methods=False)]
    return "\n".join(parts)


def _table(rows: list[Option], methods: bool) -> str:
    head = ["option", "other names", "meaning", *(["taken by"] if methods else [])]
    lines = [head, ["---"] * len(head)]
    for option in rows:
        flag = option.metavar if option.positional else f"--{option.name.replace('_', '-')}"
        shown = f"{flag} {option.metavar}" if option.metavar and not option.positional else flag
        name = f"`{shown}`" if option.on_command_line else f"`{option.name}=` (Python only)"
        meaning = option.help
        aliases = ", ".join(
            f"`{alias}`" for alias in (*([f"-{option.short}"] if option.short else []), *option.aliases)
        )
        lines.append([name, aliases, meaning, *([_takers(option)] if methods else [])])
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _takers(option: Option) -> str:
    found = [method.name for method in METHODS if _takes(method, option)]
    return ", ".join(f"`{name}`" for name in found) or "the command line"


def _takes(method: Method[AnyRequest], option: Option) -> bool:
    return any(one.name == option.name for one in options_of(method.request))


def main() -> None:
    """Write both files."""
    KEYWORDS.write_text(keywords_text(), "utf-8")
    DOCUMENT.write_text(document_text(), "utf-8")


if __name__ == "__main__":
    main()
