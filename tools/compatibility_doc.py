"""Writes docs/compatibility.md: what the reference documents, what is here, and why it differs where it does.

``python tools/compatibility_doc.py`` joins ``tools/compatibility.toml``, which says what the reference has, with our
live signatures and options. ``problems`` lists whatever contradicts the data: a difference without a reason, a reason
for a difference that is not there, a test that does not exist.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from femtodriver import CompiledData, FakeSPURunner, Femtodriver, FemtoFile, SPURunner
from femtodriver.device.runner_arguments import BY_PLACE, OUR_NAMES, REFERENCE_NAMES
from femtodriver.driver import cli, main
from femtodriver.errors import ProgramError
from femtodriver.files.plain_toml import load_toml
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.method_table import METHODS
from femtodriver.options.option import AnyRequest, Option, options_of
from femtodriver.runners.runner import Runner

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tools" / "compatibility.toml"
DOCUMENT = ROOT / "docs" / "compatibility.md"
COMMAND = "python tools/compatibility_doc.py"
FIRST = "1.3.0"
_REQUIRED = inspect.Parameter.empty
_UNKNOWN = object()
_HEAD = """\
# Compatibility with the reference

Everything that the reference tool documents, version 1.3.0 and what 2.x added: what is here, the difference, and why.
`python tools/compatibility_doc.py` writes this page from [a list of the reference's side](../tools/compatibility.toml)
and from our live signatures and options. A test fails when either side changes, and each row that cannot be computed
names the test that holds it.

In all tables, "the same" means: the same names and defaults and, for what 1.3.0 has, the same order.
"""
_HOMES: Mapping[str, Any] = {
    "Femtodriver": Femtodriver,
    "CompiledData": CompiledData,
    "FemtoFile": FemtoFile,
    "SPURunner": SPURunner,
    "FakeSPURunner": FakeSPURunner,
    "Runner": Runner,
    "driver": {"main": main, "cli": cli},
}
_METHODS = {
    f"Femtodriver.{method.name}".replace("Femtodriver.Femtodriver", "Femtodriver"): method for method in METHODS
}


@dataclass(frozen=True)
class Parameter:
    """``default``: the value, ``_REQUIRED`` where it must be given, ``_UNKNOWN`` where there is no single one."""

    name: str
    default: Any = _UNKNOWN
    aliases: tuple[str, ...] = ()
    place: int | None = None


@cache
def data() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The reference's side."""
    found: Mapping[str, Any] = load_toml(DATA.read_bytes(), DATA.name, ProgramError)
    return found


def reference_parameters(takes: str) -> list[Parameter]:
    """The parameters of "a, b=1"; those behind a star have no place."""
    arguments = ast.parse(f"def f({takes}): pass").body[0].args  # type: ignore[attr-defined]
    names = [one.arg for one in arguments.args]
    given = [ast.literal_eval(one) for one in arguments.defaults]
    values = [_REQUIRED] * (len(names) - len(given)) + given
    placed = [Parameter(name, value, place=at) for at, (name, value) in enumerate(zip(names, values, strict=True))]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [*placed, *(Parameter(one.arg, ast.literal_eval(value)) for one, value in named)]


def our_call(name: str) -> Any:
    """The function or class of that name; None if there is none."""
    home, _, member = name.partition(".")
    found = _HOMES[home]
    if not member:
        return found
    return found.get(member) if isinstance(found, dict) else getattr(found, member, None)


def our_parameters(name: str) -> dict[str, Parameter]:
    """Our parameters by every name that they have."""
    if name in ("SPURunner", "FakeSPURunner"):
        known = dict.fromkeys([*OUR_NAMES, *REFERENCE_NAMES])
        order = ("compiled_data", *BY_PLACE)
        rows = [Parameter(one, place=order.index(one) if one in order else None) for one in ("compiled_data", *known)]
        return {row.name: row for row in rows}
    method = _METHODS.get(name)
    request: type[AnyRequest] | None = None if method is None else method.request
    options: dict[str, Option] = {} if request is None else {one.name: one for one in options_of(request)}
    by_name: dict[str, Parameter] = {}
    signature = inspect.signature(our_call(name))
    places = [one for one in signature.parameters if one != "self"]
    for place, key in enumerate(places):
        own = signature.parameters[key]
        option = options.get(key)
        named_only = own.kind is own.KEYWORD_ONLY
        row = Parameter(
            key,
            own.default,
            option.aliases if option else (),
            None if named_only else place,
        )
        by_name.update(dict.fromkeys((key, *row.aliases), row))
    return by_name


def call_differences(call: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(what differs, in words; what contradicts the data) of one call that both sides have."""
    told, wrong = [], []
    where = f"{call['name']} ({call['version']})"
    why = dict(call.get("why", {}))
    ours = our_parameters(call["name"])
    for wanted in reference_parameters(call["takes"]):
        row = ours.get(wanted.name)
        reason = why.pop(wanted.name, "")
        if row is None:
            told.append(f"no `{wanted.name}`: {reason}")
        elif not _same_default(wanted, row):
            told.append(f"`{wanted.name}` has the default {row.default!r}: {reason}")
        elif call["version"] == FIRST and wanted.place not in (None, row.place):
            told.append(f"`{wanted.name}` cannot be given by position: {reason}")
        else:
            wrong += [f"{where}: {wanted.name} is the same on both sides, so `why` must not name it"] if reason else []
            if call["name"] == "SPURunner" and wanted.name in REFERENCE_NAMES:
                told.append(_becomes(wanted.name))
            elif row.name != wanted.name:
                told.append(f"`{wanted.name}` is another name of `{row.name}`")
            continue
        if not reason:
            wrong.append(f"{where}: `why` must give the reason for {wanted.name}, which differs here")
    wrong += [f"{where}: `why` names {name}, which is no parameter of the reference" for name in why]
    return told, wrong


def _becomes(name: str) -> str:
    """What an argument of the reference's SPURunner means here."""
    row = REFERENCE_NAMES[name]
    if row.becomes:
        return f"`{name}` is another name of `{row.becomes}`"
    return f"`{name}` has no effect" + (f": {row.told}" if row.told else ", as the program is in `compiled_data`")


def _same_default(wanted: Parameter, ours: Parameter) -> bool:
    if wanted.default is _REQUIRED or ours.default is _UNKNOWN:
        return True  # what must be given there may have a default here
    return type(wanted.default) is type(ours.default) and bool(wanted.default == ours.default)


def calls_table() -> Iterator[str]:
    """A row for each call."""
    yield "| call | since | here |\n| --- | --- | --- |\n"
    for call in data()["calls"]:
        if "missing" in call:
            here = f"not here: {call['missing']}"
        else:
            told = [*call_differences(call)[0], *([call["note"]] if "note" in call else [])]
            here = "; ".join(told) or "the same"
        yield _row(f"`{call['name']}({call['takes']})`", call["version"], here)


def flags_table() -> Iterator[str]:
    """A row for each flag."""
    yield "| flag | since | default | here |\n| --- | --- | --- | --- |\n"
    for flag in data()["flags"]:
        option = _options().get(flag["name"])
        if option is None:
            here = f"not here: {flag['missing']}"
        elif "why" in flag:
            here = f"default {option.default!r}: {flag['why']}"
        else:
            here = (
                flag.get("note", "the same")
                if option.flags[0] == flag["name"]
                else f"another name of `{option.flags[0]}`"
            )
        yield _row(f"`{flag['name']}`", flag["version"], f"`{flag['default']}`", here)


def attributes_table() -> Iterator[str]:
    """A row for each group of attributes."""
    yield "| of | since | attributes | here |\n| --- | --- | --- | --- |\n"
    for row in data()["attributes"]:
        here = f"not here: {row['missing']}" if "missing" in row else row.get("note", "the same")
        yield _row(f"`{row['of']}`", row["version"], ", ".join(f"`{name}`" for name in row["names"]), here)


def facts_tables() -> Iterator[str]:
    """A table for each section of what cannot be computed."""
    for section in dict.fromkeys(row["section"] for row in data()["facts"]):
        yield f"\n## {section}\n\n| what | since | there | here | why | test |\n| --- | --- | --- | --- | --- | --- |\n"
        for row in data()["facts"]:
            if row["section"] == section:
                yield _row(
                    row["what"], row["version"], row["theirs"], row["ours"], row.get("why", ""), _link(row["test"])
                )


def defects_table() -> Iterator[str]:
    """A row for each defect."""
    yield "| number | there | here | test |\n| --- | --- | --- | --- |\n"
    for row in data()["defects"]:
        yield _row(str(row["number"]), row["theirs"], row["ours"], _link(row["test"]))


def document_text() -> str:
    """The whole page."""
    parts = [_HEAD, "\n## Calls\n\n", *calls_table(), "\n## Attributes\n\n", *attributes_table()]
    parts += ["\n## Flags of `femtodrive`\n\n", *flags_table(), *facts_tables()]
    return "".join([*parts, "\n## Defects of the reference\n\n", *defects_table()])


def problems() -> list[str]:
    """What contradicts the data, one sentence each; none if the page can be trusted."""
    found: list[str] = []
    for call in data()["calls"]:
        there = our_call(call["name"]) is not None
        if there == ("missing" in call):
            found.append(
                f"{call['name']}: `missing` must say why there is none" if not there else _returned(call["name"])
            )
        elif there:
            found += call_differences(call)[1]
    for flag in data()["flags"]:
        found += _flag_problems(flag)
    for row in data()["attributes"]:
        for name in row["names"]:
            if hasattr(_live(row["of"]), name) == ("missing" in row):
                found.append(f"{row['of']}.{name}: is there exactly if there is no `missing`")
    for row in (*data()["facts"], *data()["defects"]):
        if not _is_test(row["test"]):
            found.append(f"{row['test']}: there is no such test")
    return found


def _flag_problems(flag: Mapping[str, Any]) -> Iterator[str]:
    option = _options().get(flag["name"])
    if (option is None) != ("missing" in flag):
        yield f"{flag['name']}: is there exactly if there is no `missing`"
    elif option is not None:
        same = bool(ast.literal_eval(flag["default"]) == option.default)
        if same == ("why" in flag):
            yield f"{flag['name']}: `why` must say why the default {option.default!r} differs, if it does"


def _returned(name: str) -> str:
    return f"{name}: is here now, so `missing` must go"


@cache
def _options() -> dict[str, Option]:
    return {flag: option for option in options_of(MainRequest) for flag in option.flags}


@cache
def _live(name: str) -> Any:
    """A live object of what has attributes."""
    if name == "femtodriver":
        return import_module("femtodriver")
    driver = Femtodriver()
    if name == "Femtodriver":
        return driver
    driver.load_model("LOOPBACK")
    program = driver.compile_metadata()
    runner = FakeSPURunner(program, io_records_dir=None)
    return {"CompiledData": program, "SPURunner": runner, "SPURunner.ioplug": runner.ioplug}[name]


def _is_test(place: str) -> bool:
    path, _, name = place.partition("::")
    return name in _functions(path)


@cache
def _functions(path: str) -> frozenset[str]:
    """The names of the functions of a file; none if it is not there."""
    if not (ROOT / path).is_file():
        return frozenset()
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _link(place: str) -> str:
    path, _, name = place.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


def write() -> int:
    """Write the page; 1 if something contradicts the data."""
    DOCUMENT.write_text(document_text(), "utf-8")
    for sentence in problems():
        print(sentence, file=sys.stderr)
    return bool(problems())


if __name__ == "__main__":
    sys.exit(write())
