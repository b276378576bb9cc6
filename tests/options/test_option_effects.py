"""No option can be accepted and then ignored: each makes a difference that is seen from outside."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.device.virtual import serve as serving
from femtodriver.options.option import AnyRequest, options_of
from femtodriver.options.request_types import MainRequest
from tests.options.option_effects import MAIN, TABLES, prepare, seen_of_command, seen_of_main

REQUESTS: dict[str, type[AnyRequest]] = {"": MainRequest, **{name: row.request for name, row in SUBCOMMANDS.items()}}
OPTIONS = [(command, option.name) for command, request in REQUESTS.items() for option in options_of(request)]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT", "FS_HWTS_ZYNQ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    prepare()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", REQUESTS)
def test_every_option_has_a_row_and_every_row_an_option(command: str) -> None:
    names = [option.name for option in options_of(REQUESTS[command])]
    missing = [name for name in names if name not in TABLES.get(command, {})]
    assert missing == [], (
        f"tests/options/option_effects.py: the table of {command or 'the main command'} lacks {missing}"
    )
    assert [name for name in TABLES[command] if name not in names] == []


@pytest.mark.parametrize(("command", "name"), OPTIONS)
def test_the_option_makes_a_difference(
    command: str, name: str, silent_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = TABLES[command][name]
    monkeypatch.setattr(serving, "serve", lambda *given, **named: print(given, sorted(map(shown, named.items()))))

    def seen(value: Any) -> list[str]:
        given = case.given(name, value)
        if given.get("address", "").endswith("{silent}"):
            given["address"] = f"127.0.0.1:{silent_port}"
        return seen_of_command(command, given, capsys) if command else seen_of_main(given)

    first, second = seen(case.first), seen(case.second)
    assert first != second, f"{name} is accepted and then ignored"


def shown(pair: tuple[str, Any]) -> str:
    """A keyword and its value, without the addresses of functions."""
    return f"{pair[0]}={pair[1] is not None if callable(pair[1]) or pair[0] == 'decipher' else pair[1]}"


def test_two_equal_runs_show_the_same() -> None:
    given = {"runners": "fqir,fasmir"}
    assert seen_of_main(given) == seen_of_main(given)


def test_an_ignored_option_would_be_noticed() -> None:
    assert seen_of_main({"runners": "fqir"}) == seen_of_main({"runners": "fqir", "timeout": 5.0})
    assert set(MAIN) > {"timeout"}
