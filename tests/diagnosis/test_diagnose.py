"""What the doctor says about made-up surroundings, and about ours."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.device.evk2.usb_boards import EvkBoard
from femtodriver.diagnosis import surroundings
from femtodriver.diagnosis.diagnose import ABSENT, BROKEN, EXTRAS, FOR_TESTS, GOOD, diagnose, is_sound
from femtodriver.diagnosis.diagnosis_text import diagnosis_json, diagnosis_text
from femtodriver.diagnosis.surroundings import Surroundings, answers, installed_extras, look_around, why_no_run
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.plain_toml import load_toml
from tests.conftest import Golden

ROOT = Path(__file__).resolve().parents[2]
BOARD = EvkBoard("42", "SPU001", "FemtoAI", b"p")
WELL = Surroundings(
    tool="1.2.3",
    python="CPython 3.12.1, NumPy 2.1.0",
    system="Linux x86_64",
    extras={"redis": {"redis": "5.0"}, "dask": {"pyarrow": "17.0", "distributed": "2024.8"}, "test": {"pytest": None}},
    self_test="",
    native="avx2",
    no_native="",
    no_server="",
    programs=("redis-server", "podman", "chromium"),
    redis_port=6385,
    redis_answers=False,
    boards=(BOARD,),
    no_boards="",
    variables=(),
)
ILL = replace(
    WELL,
    extras={"redis": {"redis": None}, "dask": {"pyarrow": "17.0", "distributed": None}, "hid": {"hidapi": "0.14"}},
    self_test="LOOPBACK does not give back its input.",
    native="",
    no_native="the native loop was not built; install a C++ compiler, then femtodriver again: pip install .",
    no_server="Cannot assign requested address",
    programs=(),
    boards=(),
    no_boards="evk2: the module `hid` belongs to another package; pip uninstall hid, then pip install hidapi.",
    variables=("FS_KEYRING", "FS_\x1b[31m"),
)


@pytest.mark.parametrize(("name", "here", "sound"), [("well", WELL, True), ("ill", ILL, False)])
def test_the_whole_text(golden: Golden, name: str, here: Surroundings, sound: bool) -> None:
    results = diagnose(here)
    assert is_sound(results) is sound
    golden(f"{name}.txt", diagnosis_text(here, results) + "\n")


@pytest.mark.parametrize(
    ("changes", "subject", "state", "step"),
    [
        ({}, "self-test", GOOD, ""),
        ({"extras": {}}, "extras", ABSENT, "pip install open-femtodriver"),
        ({"boards": ()}, "boards on USB", ABSENT, "connect one"),
        ({"boards": (replace(BOARD, product="Teensy"),)}, "boards on USB", BROKEN, "flash"),
        ({"boards": (), "no_boards": "evk2: no `hidapi`; install it."}, "boards on USB", ABSENT, "install it"),
        ({"programs": (), "redis_answers": True}, "redis server", GOOD, ""),
        ({"programs": ()}, "redis server", ABSENT, "apt install redis-server"),
        ({"programs": ()}, "container engine", ABSENT, ""),
    ],
)
def test_single_results(changes: dict[str, Any], subject: str, state: str, step: str) -> None:
    (found,) = (one for one in diagnose(replace(WELL, **changes)) if one.subject == subject)
    assert found.state == state
    assert step in found.next_step
    assert bool(step) == bool(found.next_step)


def test_json_has_the_same_results() -> None:
    document = json.loads(diagnosis_json(ILL, diagnose(ILL)))
    assert document["sound"] is False
    assert [row["subject"] for row in document["results"]] == [one.subject for one in diagnose(ILL)]
    assert document["variables"] == list(ILL.variables)


def test_every_extra_says_what_it_is_for() -> None:
    project = load_toml((ROOT / "pyproject.toml").read_bytes(), "pyproject.toml", ProgramError)
    assert {*EXTRAS, FOR_TESTS} == set(project["project"]["optional-dependencies"])
    assert set(installed_extras()) <= {*EXTRAS, FOR_TESTS}


def test_what_is_here_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hid", None)
    monkeypatch.setenv("FS_HERE", "1")
    here = look_around()
    assert "hidapi" in here.no_boards
    assert "FS_HERE" in here.variables
    assert bool(here.native) != bool(here.no_native)
    assert here.self_test == ""


def test_a_copy_that_was_never_installed_has_no_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "DISTRIBUTION", "no-such-distribution-of-ours")
    assert installed_extras() == {}


def test_a_run_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UsageError("something: must be else.")

    monkeypatch.setattr(Femtodriver, "simulate", fail)
    assert why_no_run() == "something: must be else."
    result: dict[str, Any] = {"outputs": {"fasmir": {"%x.4": [[0] * 16]}}}
    monkeypatch.setattr(Femtodriver, "simulate", lambda *_, **__: (result, ""))
    assert why_no_run() == "LOOPBACK does not give back its input."


def test_a_port_answers_or_not() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert answers(port)
    assert not answers(port)


@pytest.mark.parametrize(("here", "status"), [(WELL, 0), (ILL, 1)])
def test_the_exit_status(
    here: Surroundings, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(surroundings, "look_around", lambda: here)
    assert main(["doctor"]) == status
    assert capsys.readouterr().out == diagnosis_text(here, diagnose(here)) + "\n"
    assert main(["doctor", "--json"]) == status
    assert json.loads(capsys.readouterr().out)["sound"] is not bool(status)


def test_devices_lists_boards_as_the_option_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"serial_number": "42", "product_string": "SPU001", "path": b"p", "interface_number": 0}]
    monkeypatch.setitem(sys.modules, "hid", SimpleNamespace(device=None, enumerate=lambda *_: rows))
    for words in (["devices"], ["devices", "spu001"], ["--list-connected-devices"]):
        assert main(words) == 0
        assert capsys.readouterr().out == "evk2  serial 42  SPU001  ready\n"
    assert main(["devices", "spu150"]) == 0
    assert capsys.readouterr().out == "no EVK2 board is connected with spu150\n"
    monkeypatch.setitem(sys.modules, "hid", None)
    assert main(["devices"]) == 3
    assert "pip install 'open-femtodriver[hid]'" in capsys.readouterr().err
