"""What ``SPURunner`` and ``make_runner`` can be given: our names, the reference's, and nothing else."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.device import BoardSettings, DataPlace, Timeouts, make_runner
from femtodriver.device.boards import BOARDS
from femtodriver.device.runner_arguments import BY_PLACE, OUR_NAMES, REFERENCE_NAMES, settings_of_arguments
from femtodriver.device.spu_runner import FakeSPURunner, SPURunner
from femtodriver.device.virtual.zcu104_server import BoardServer
from femtodriver.errors import InputError, UsageError
from tests.device.networks import compiled

PLACE = DataPlace(0, 0, 4, 16)


def settings(*by_place: Any, **by_name: Any) -> BoardSettings:
    return settings_of_arguments(by_place, by_name, "test")


@pytest.mark.parametrize(
    ("name", "near"),
    [("verfy", "verify"), ("adress", "address"), ("encryption_key_indx", "encryption_key_index"), ("saltt", "salt")],
)
@pytest.mark.parametrize("kind", [SPURunner, FakeSPURunner])
def test_a_typing_error_is_refused_with_the_nearest_name(kind: type[SPURunner], name: str, near: str) -> None:
    wrong: dict[str, Any] = {name: True}
    for error in (UsageError, TypeError):
        with pytest.raises(error, match=f"{kind.__name__}: .* not '{name}'. Did you mean '{near}'"):
            kind(compiled("identity"), **wrong)
    with pytest.raises(UsageError, match=f"make_runner: .* not '{name}'. Did you mean '{near}'"):
        make_runner(compiled("identity"), "fakezynq", **wrong)


def test_a_name_that_is_like_none_is_refused_with_all_of_ours() -> None:
    with pytest.raises(UsageError, match=f"not 'q7'. It knows {', '.join(OUR_NAMES)}"):
        settings(q7=1)


def test_arguments_that_are_given_twice() -> None:
    with pytest.raises(TypeError, match="test: platform must be given once, by position or by name"):
        settings(None, "zcu104", platform="zcu104")
    with pytest.raises(TypeError, match="arguments by position must be at most 14 after the program, not 15"):
        settings(*[None] * 15)
    with pytest.raises(UsageError, match="zynq_host and hardware_address mean the same; give one of them"):
        settings(zynq_host="a", hardware_address="b")
    assert settings(zynq_host="a", hardware_address="a").address == "a"
    assert settings(zynq_host="a", hardware_address=None).address == "a"
    assert settings(zynq_host=None, hardware_address="a").address == "a"
    with pytest.raises(UsageError, match="platform must not be given together with hardware"):
        settings(platform="redis", hardware="zynq")
    extras: list[dict[str, Any]] = [{"verify": True}, {"verfy": True}]
    for extra in extras:
        with pytest.raises(TypeError, match=f"SPURunner: {next(iter(extra))} must not be given together with settings"):
            SPURunner(compiled("identity"), settings=BoardSettings(), **extra)
    with pytest.raises(TypeError, match="arguments by position must not be given together with settings"):
        SPURunner(compiled("identity"), "data", settings=BoardSettings())


# What each name of the reference becomes: (given, field, value).
BECOMES: dict[str, tuple[Any, str, Any]] = {
    "platform": ("redis", "hardware", "redis"),
    "fake_connection": (True, "hardware", "fakezynq"),
    "program_pll": (True, "hardware", "zynq"),
    "debug_vars": ({"v": PLACE}, "debug_places", {"v": PLACE}),
    "encrypt": (True, "encrypted", True),
    "encryption_key_idx": (7, "key_index", 7),
    "encryption_key_index": (7, "key_index", 7),
    "encryption_salt": (5, "salt", 5),
    "io_records_dir": ("there", "records_dir", "there"),
    "recording_dir": ("there", "records_dir", "there"),
    "zynq_host": ("127.0.0.1", "address", "127.0.0.1"),
    "hardware_address": ("127.0.0.1", "address", "127.0.0.1"),
}
FOR_FAKES = ("fake_hw_recv_vals", "fake_values")
WITHOUT_EFFECT: dict[str, Any] = {
    "mem_expectations": {"a": 1},
    "insert_debug_stores": True,
    "compiler_kwargs": {"a": 1},
    "safety_bits": 2,
    "ioplugin_kwargs": {"a": 1},
}


def test_every_name_of_the_reference_is_tried_here() -> None:
    assert {*BECOMES, *FOR_FAKES, *WITHOUT_EFFECT, "data_dir"} == set(REFERENCE_NAMES)
    assert set(BY_PLACE) <= {*REFERENCE_NAMES, *OUR_NAMES}
    told = {name for name, row in REFERENCE_NAMES.items() if row.told}
    assert told == set(WITHOUT_EFFECT)
    assert {row.becomes for row in REFERENCE_NAMES.values()} <= {*OUR_NAMES, ""}


@pytest.mark.parametrize("name", BECOMES)
def test_a_name_of_the_reference_becomes_one_of_ours(name: str, caplog: pytest.LogCaptureFixture) -> None:
    given, field, value = BECOMES[name]
    assert getattr(settings(**{name: given}), field) == value
    if name in BY_PLACE:
        defaults = {"platform": "zcu104", "debug_vars": ()}
        by_place = [defaults.get(other) for other in BY_PLACE[: BY_PLACE.index(name)]]
        assert getattr(settings(*by_place, given), field) == value
    assert caplog.text == ""


@pytest.mark.parametrize("name", FOR_FAKES)
def test_reply_values_by_their_other_names(name: str) -> None:
    assert settings(fake_connection=True, **{name: [1, -1]}).reply_values == [1, -1]


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_what_would_have_an_effect_in_the_reference_is_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="femtodriver"):
        empty: tuple[Any, ...] = (None, False, {}, ())
        for nothing in empty:
            settings(**{name: nothing})
        assert caplog.text == ""
        settings(**{name: WITHOUT_EFFECT[name]})
    assert f"test: {name} has no effect here: " in caplog.text


def test_defaults() -> None:
    found = settings("somewhere")
    assert (found.hardware, found.records_dir, found.address) == ("fpgazynq", "io_records", None)
    assert found.verifies
    assert not settings(verify=False).verifies
    assert not settings(fake_connection=True, verify=True).verifies
    assert settings(hardware="evk2").hardware == "evk2"
    assert FakeSPURunner(compiled("identity"), hardware="fakezynq").name == "fakezynq"
    assert FakeSPURunner(compiled("identity"), None, "zcu104", (), None, False).name == "fakezynq"
    assert FakeSPURunner(compiled("identity")).compiler_kwargs == {}
    assert FakeSPURunner(compiled("identity"), compiler_kwargs={"a": 1}).compiler_kwargs == {"a": 1}
    with pytest.raises(UsageError, match="the hardware must be a fake, not zynq"):
        FakeSPURunner(compiled("identity"), settings=BoardSettings(hardware="zynq"))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"platform": "zcu106"}, NotImplementedError, "platform: must be one of zcu104, redis, evk2, not 'zcu106'"),
        ({"platform": "evk2", "fake_connection": True}, UsageError, "evk2: has no fake board; zcu104 and redis have"),
        ({"debug_vars": ["a"]}, UsageError, "with their places in data memory"),
        ({"debug_places": {"a": 7}}, UsageError, "must be DataPlace values, not 'a'"),
        ({"zynq_host": "a:b:c]"}, UsageError, "address: must be HOST or HOST:PORT"),
        ({"zynq_host": "a:99999"}, UsageError, "address: must be HOST or HOST:PORT"),
        ({"zynq_host": 7}, UsageError, "address: must be a text, not 7"),
        ({"hardware": "fakezynq", "address": "a"}, UsageError, "hardware fakezynq: must not have an address"),
        ({"hardware": "zinq"}, UsageError, f"hardware: must be one of {', '.join(BOARDS)}, not 'zinq'"),
        ({"fake_hw_recv_vals": [1]}, UsageError, "reply values are for fake boards; this is a real one"),
        ({"hardware": "fakezynq", "reply_values": [0.5]}, InputError, "reply values: must be a 1-D array of integers"),
        ({"settle_scale": -1.0}, UsageError, "settle_scale: must be a number from 0"),
        ({"settle_scale": "1"}, UsageError, "settle_scale: must be a number from 0"),
        ({"verify": "no"}, UsageError, "verify: must be True, False or None, not 'no'"),
        ({"encrypt": 2}, UsageError, "encrypted: must be True, False or None, not 2"),
        ({"encryption_key_idx": 32}, UsageError, "key_index: must be a whole number in 0...31, not 32"),
        ({"encryption_key_idx": True}, UsageError, "key_index: must be a whole number"),
        ({"salt": "x"}, UsageError, "salt: must be a whole number in 0"),
        ({"salt": 1 << 64}, UsageError, "salt: must be a whole number in 0"),
        *(({"timeout": wrong}, UsageError, "timeout: must be a positive num") for wrong in (0, -1, float("nan"), True)),
        ({"timeout": "1"}, UsageError, "timeout: must be a positive number of seconds"),
    ],
)
def test_wrong_values(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SPURunner(compiled("identity"), **{"io_records_dir": None, **options})


@pytest.mark.parametrize("name", ["connect", "io", "output", "lock"])
@pytest.mark.parametrize("wrong", [0, -1, float("inf"), "1", None])
def test_timeouts_must_be_times(name: str, wrong: Any) -> None:
    with pytest.raises(UsageError, match=f"timeouts: {name} must be a positive number of seconds"):
        Timeouts(**{name: wrong})


def test_one_timeout_limits_all() -> None:
    waits = settings(hardware="redis", timeout=2).waits
    assert waits == Timeouts(connect=2, io=2, output=2, lock=2)
    assert settings(hardware="redis", timeout=700).waits == Timeouts(connect=5, io=700, output=700, lock=60)
    assert settings(timeouts=Timeouts(io=3)).waits == Timeouts(io=3)
    assert settings(hardware="redis").waits.io == 600


def test_the_references_arguments_run_a_program(server: BoardServer, tmp_path: Path) -> None:
    runner = SPURunner(
        compiled("identity"),
        str(tmp_path),
        platform="zcu104",
        debug_vars=[],
        mem_expectations={},
        fake_connection=False,
        encrypt=None,
        program_pll=False,
        insert_debug_stores=False,
        compiler_kwargs={},
        io_records_dir=str(tmp_path),
        zynq_host=server.endpoint,
    )
    with pytest.raises(UsageError, match="variable 'nothing': must be a state"):
        runner.reset(reset_vals={"nothing": 0})
    with runner:
        runner.reset(record=False)
        assert runner.step({"x": np.arange(16)})[0]["%x.4"].tolist() == list(range(16))
    assert list(tmp_path.iterdir()) == []


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        BoardSettings().hardware = "zynq"  # type: ignore[misc]
    assert all(one.kind is one.KEYWORD_ONLY for one in inspect.signature(BoardSettings).parameters.values())
