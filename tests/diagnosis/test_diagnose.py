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
from femtodriver.diagnosis.container_engine import NO_PACKAGE, ContainerEngine
from femtodriver.diagnosis.diagnose import ABSENT, BROKEN, EXTRAS, FOR_DEVELOPERS, GOOD, diagnose, is_sound
from femtodriver.diagnosis.diagnosis_text import WIDTH, diagnosis_json, diagnosis_text
from femtodriver.diagnosis.surroundings import Surroundings, answers, installed_extras, look_around, why_no_run
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.plain_toml import load_toml
from tests.conftest import Golden

ROOT = Path(__file__).resolve().parents[2]
BOARD = EvkBoard("42", "SPU001", "FemtoAI", b"p")
WELL = Surroundings(
    tool="1.2.3",
    python="CPython 3.12.1",
    system="Linux x86_64",
    tested=(10, 11, 12, 13),
    minor=12,
    needed={"numpy": "2.1.0", "rich": "13.7"},
    extras={"redis": {"redis": "5.0"}, "dask": {"pyarrow": "17.0", "distributed": "2024.8"}, "test": {"pytest": None}},
    self_test="",
    native="avx2",
    no_native="",
    unusable=False,
    no_server="",
    board_port_taken=False,
    programs=("redis-server", "chromium"),
    redis_port=6385,
    redis_answers=False,
    boards=(BOARD,),
    no_boards="",
    lab="192.0.2.7",
    engine=ContainerEngine(("podman",), "unix:///run/p.sock", "Podman 5.4", "", "vendor/image:3.11", True),
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
    engine=ContainerEngine((), "unix:///run/p.sock", "", "there is no such socket", "vendor/image", None),
    lab=None,
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
        ({"needed": {"numpy": None}}, "packages", BROKEN, "pip install open-femtodriver"),
        ({"minor": 14}, "Python", GOOD, ""),
        ({"native": "", "no_native": "of another version; install"}, "native loop", ABSENT, "install"),
        (
            {"native": "", "no_native": "of another version; install", "unusable": True},
            "native loop",
            BROKEN,
            "install",
        ),
        ({"board_port_taken": True}, "virtual board", ABSENT, "--listen 127.0.0.1:0"),
        ({"lab": None}, "on the network", ABSENT, "--hardware zynq --address HOST[:PORT]"),
        ({"engine": replace(WELL.engine, version="", trouble="x")}, "engine", ABSENT, "start its service"),
        ({"engine": replace(WELL.engine, version="", trouble=NO_PACKAGE)}, "engine", ABSENT, "[femtocrux]"),
        ({"engine": replace(WELL.engine, version="", programs=())}, "engine", ABSENT, "apt install podman"),
        ({"engine": replace(WELL.engine, has_image=False)}, "image", ABSENT, "GH_PACKAGE_KEY"),
        ({"engine": replace(WELL.engine, has_image=None)}, "image", ABSENT, ""),
        ({"boards": ()}, "on USB", ABSENT, "connect one"),
        ({"boards": (replace(BOARD, product="Teensy"),)}, "on USB", BROKEN, "flash"),
        ({"boards": (), "no_boards": "evk2: no `hidapi`; install it."}, "on USB", ABSENT, "install it"),
        ({"programs": (), "redis_answers": True}, "redis server", GOOD, ""),
        ({"programs": ()}, "redis server", ABSENT, "apt install redis-server"),
        ({"programs": ()}, "chromium", ABSENT, ""),
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
    assert {*EXTRAS, *FOR_DEVELOPERS} == set(project["project"]["optional-dependencies"])
    assert set(installed_extras()) <= {*EXTRAS, *FOR_DEVELOPERS}


def test_lines_fit_a_terminal() -> None:
    long = replace(ILL, no_native=f"{'why not ' * 40}; install {'something ' * 30}", variables=("FS_LONG",) * 40)
    for here in (WELL, ILL, long):
        lines = diagnosis_text(here, diagnose(here)).splitlines()
        assert max(map(len, lines)) <= WIDTH


def test_a_python_that_was_not_tested_is_told() -> None:
    told = {minor: diagnose(replace(WELL, minor=minor))[0].told for minor in (13, 14)}
    assert told[13] == "CPython 3.12.1, numpy 2.1.0, rich 13.7"
    assert told[14] == f"{told[13]}; Python 3.10 to 3.13 were tested"
    assert diagnose(replace(WELL, minor=14, tested=()))[0].told == told[13]


def test_what_is_here_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hid", None)
    monkeypatch.setenv("FS_HERE", "1")
    here = look_around()
    assert "hidapi" in here.no_boards
    assert "FS_HERE" in here.variables
    assert bool(here.native) != bool(here.no_native)
    assert here.self_test == ""
    assert list(here.needed)[:3] == ["numpy", "pyyaml", "rich"]
    assert None not in here.needed.values()


def test_a_copy_that_was_never_installed_has_no_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "DISTRIBUTION", "no-such-distribution-of-ours")
    assert installed_extras() == {}
    assert surroundings.tested_versions() == ()


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
    assert capsys.readouterr().out == "no EVK2 board with spu150 is connected over USB\n"
    monkeypatch.setitem(sys.modules, "hid", None)
    assert main(["devices"]) == 3
    assert "pip install 'open-femtodriver[hid]'" in capsys.readouterr().err
