"""The table of options is consistent, and what is written from it is up to date."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import update_options

from femtodriver import options
from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.device.boards import BOARDS
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.method_table import METHODS
from femtodriver.options.option import options_of
from femtodriver.options.option_groups import GROUPS

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in Path(options.__file__).parent.glob("*_requests.py"))
DECLARED = [kind for name in MODULES for kind in vars(import_module(f"femtodriver.options.{name}")).values()]
REQUESTS = list(dict.fromkeys(kind for kind in DECLARED if isinstance(kind, type) and is_dataclass(kind)))
COMMANDS: list[Any] = [MainRequest, *(row.command.request for row in SUBCOMMANDS.values())]
TAKEN: list[Any] = [*COMMANDS, *(method.request for method in METHODS)]


def test_there_are_requests() -> None:
    assert {"CompileRequest", "RunnerRequest", "BoardRequest"} <= {kind.__name__ for kind in REQUESTS}


@pytest.mark.parametrize("request_type", REQUESTS)
def test_every_request_is_taken_by_a_command_or_a_method(request_type: Any) -> None:
    assert any(issubclass(taken, request_type) for taken in TAKEN), (
        f"{request_type.__name__} must have a row in src/femtodriver/cli/subcommands.py, or a method that takes it in "
        "src/femtodriver/options/method_table.py"
    )


@pytest.mark.parametrize("request_type", REQUESTS)
def test_every_field_of_a_request_is_an_option(request_type: Any) -> None:
    assert [option.name for option in options_of(request_type)] == [one.name for one in fields(request_type)]
    assert all(option.help for option in options_of(request_type))


@pytest.mark.parametrize("request_type", REQUESTS)
def test_no_name_means_two_options(request_type: Any) -> None:
    names = Counter(name for option in options_of(request_type) for name in option.names)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("request_type", REQUESTS)
def test_defaults_are_values_that_the_option_takes(request_type: Any) -> None:
    for option in options_of(request_type):
        if not option.required and option.default not in (None, ""):
            assert option.kind.accepts(option.default), option.name


def test_one_option_is_declared_once() -> None:
    declared = Counter(
        name for kind in REQUESTS if issubclass(MainRequest, kind) for name in vars(kind).get("__annotations__", ())
    )
    assert [name for name, count in declared.items() if count > 1] == []


def test_every_flag_stands_in_a_group_of_the_help() -> None:
    assert {option.group for option in options_of(MainRequest) if option.on_command_line} <= {"", *GROUPS}


def test_the_help_of_hardware_names_every_board() -> None:
    (option,) = (option for option in options_of(MainRequest) if option.name == "hardware")
    assert [name for name in BOARDS if name not in option.help] == []


def test_what_is_written_from_the_table_is_up_to_date() -> None:
    command = "python tools/update_options.py"
    assert update_options.KEYWORDS.read_text("utf-8") == update_options.keywords_text(), f"write it again: {command}"
    assert update_options.DOCUMENT.read_text("utf-8") == update_options.document_text(), f"write it again: {command}"


def test_the_table_loads_nothing_heavy() -> None:
    imported = ", ".join(f"femtodriver.options.{name}" for name in MODULES)
    script = f"import sys, femtodriver.runners.runner_table, femtodriver.model.network_formats, {imported}\n"
    script += "print([name for name in ('numpy', 'yaml', 'femtodriver.driver') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("request_type", COMMANDS)
def test_flags_are_the_names_with_dashes(request_type: Any) -> None:
    for option in options_of(request_type):
        expected = [] if option.positional or not option.on_command_line else list(option.names)
        found = [flag for flag in option.flags if flag.startswith("--")]
        assert [flag.removeprefix("--").replace("-", "_") for flag in found] == expected
