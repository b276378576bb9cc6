"""No option can be accepted and then ignored: each makes a difference that is seen from outside."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.device.virtual import serve as serving
from femtodriver.device.virtual.link_faults import Faults
from femtodriver.evaluation import evaluate_clips
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.option import AnyRequest, options_of
from tests.board_bench import board_here
from tests.options import option_effects
from tests.options.evaluate_effects import EVALUATE, in_this_process, prepare_clips, without_results, written_files
from tests.options.option_effects import prepare, seen_of_command, seen_of_main

TABLES = {**option_effects.TABLES, "evaluate": EVALUATE}

REQUESTS: dict[str, type[AnyRequest]] = {
    "": MainRequest,
    **{name: row.command.request for name, row in SUBCOMMANDS.items()},
}
OPTIONS = [(command, option.name) for command, request in REQUESTS.items() for option in options_of(request)]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FS_KEYRING", "FS_ENCRYPTION_KEY_IDX", "FS_ENCRYPTION_SALT", "FS_HWTS_ZYNQ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "hid", SimpleNamespace(device=None, enumerate=lambda *_: []))
    prepare()
    prepare_clips()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", REQUESTS)
def test_every_option_has_a_row_and_every_row_an_option(command: str) -> None:
    names = [option.name for option in options_of(REQUESTS[command])]
    missing = [name for name in names if name not in TABLES.get(command, {})]
    assert missing == [], f"tests/options/*_effects.py: the table of {command or 'the main command'} lacks {missing}"
    assert [name for name in TABLES[command] if name not in names] == []


@pytest.mark.slow
@pytest.mark.parametrize(("command", "name"), OPTIONS)
def test_the_option_makes_a_difference(
    command: str, name: str, silent_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = TABLES[command][name]
    monkeypatch.setattr(serving, "serve", lambda *given, **named: print(given, sorted(map(shown, named.items()))))

    for work in ("run_local", "run_on_cluster"):
        monkeypatch.setattr(evaluate_clips, work, in_this_process)

    def seen(value: Any) -> list[str]:
        given = case.given(name, value)
        if command == "evaluate":
            without_results(given)
            return [*seen_of_command(command, given, capsys), *written_files()]
        if given.get("address", "").endswith("{silent}"):
            given["address"] = f"127.0.0.1:{silent_port}"
        if given.get("address") == "{cutting}":
            with board_here(faults=Faults(close_after=40)) as server:
                return seen_of_main({**given, "address": server.endpoint})
        return seen_of_command(command, given, capsys) if command else seen_of_main(given)

    first, second = seen(case.first), seen(case.second)
    assert first != second, f"{name} is accepted and then ignored"


def shown(pair: tuple[str, Any]) -> str:
    """A keyword and its value, without the addresses of functions."""
    return f"{pair[0]}={pair[1] is not None if callable(pair[1]) or pair[0] == 'decipher' else pair[1]}"


def test_two_equal_runs_show_the_same() -> None:
    given = {"runners": "fqir,fasmir"}
    assert seen_of_main(given) == seen_of_main(given)


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (
            {"runners": "fqir", "timeout": 5.0},
            "timeout: without effect, because only hw and fakehw use it, which do not run",
        ),
        (
            {"runners": "fqir", "tolerance": 1},
            "tolerance: without effect, because one runner alone is compared with nothing",
        ),
        (
            {"runners": "fqir", "input_file": "rows.npy", "seed": 3},
            "seed: without effect, because the frames come from the input",
        ),
        (
            {"runners": "fqir", "input_period": 0.1},
            "input_period: without effect, because only fasmir and femtocrux use it, which do not run",
        ),
        ({"input_file": "rows.npy"}, "input_file: without effect, because no runner runs; name them with --runners"),
        ({"debug_vars": "all"}, "debug_vars: without effect, because no runner runs"),
    ],
)
def test_an_option_without_effect_is_told(given: dict[str, Any], note: str) -> None:
    assert f"note: {note}" in "\n".join(seen_of_main(given))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"input_file": "gone.wav"}, "InputError: gone.wav: the file must exist"),
        ({"debug_vars_fname": "gone.txt"}, "UsageError: debug variables: gone.txt: the file must exist"),
        (
            {"debug_vars": "nothing"},
            "UsageError: debug variables: must be names of values of the network, not 'nothing'",
        ),
        ({"dummy_output_file": "gone.npy"}, "InputError: gone.npy: the file must exist"),
        ({"reply_file": "gone.npy"}, "InputError: gone.npy: the file must exist"),
        ({"input_sample_indices": (5, 2)}, "InputError: frame range: must be lo,hi with 0 <= lo < hi, not 5,2"),
        ({"n_frames": -3}, "UsageError: n_frames: must be a whole number of at least 1, not -3"),
    ],
)
def test_a_wrong_argument_is_wrong_however_little_runs(given: dict[str, Any], sentence: str) -> None:
    seen = seen_of_main(given)
    assert sentence in "\n".join(seen)
    assert not any(text.startswith("model_datas") for text in seen)
