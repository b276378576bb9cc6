"""What the client is told, and where its printing goes."""

from __future__ import annotations

import io
import logging
import os
import sys

import pytest

from femtodriver.errors import UsageError
from femtodriver.femtocrux.client_settings import hardware_config, has_terminal, no_prompt, stdout_to_log


class Terminal(io.StringIO):
    """Somebody sits in front of it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("value", ["spu1p3v1.dat", "spu1p2v1.dat", "spu2p0v1.dat", "spu2p1v1", "spu1p3v1-x"])
def test_generations_that_the_vendors_tools_have(value: str) -> None:
    assert hardware_config({"FS_HW_CFG": value}) == value


def test_the_usual_generation() -> None:
    assert hardware_config({}) == hardware_config({"FS_HW_CFG": ""}) == "spu1p3v1.dat"


@pytest.mark.parametrize("value", ["spu9", "spu1p2v1", "../spu1p3v1.dat"])
def test_other_generations_are_refused(value: str) -> None:
    with pytest.raises(UsageError, match=r"^FS_HW_CFG: must be or begin with one of spu1p3v1\.dat, .*, not '"):
        hardware_config({"FS_HW_CFG": value})


@pytest.mark.parametrize(
    ("stdin", "setting", "wanted"),
    [
        (io.StringIO(), None, "no"),
        (None, None, "no"),
        (io.StringIO(), "", "no"),
        (io.StringIO(), "yes", "yes"),
        (Terminal(), None, None),
        (Terminal(), "no", "no"),
    ],
)
def test_no_prompt_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None, setting: str | None, wanted: str | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.delenv("FS_ALLOW_DOCKER_PULL", raising=False)
    if setting is not None:
        monkeypatch.setenv("FS_ALLOW_DOCKER_PULL", setting)
    with no_prompt():
        assert os.environ.get("FS_ALLOW_DOCKER_PULL") == wanted
    assert os.environ.get("FS_ALLOW_DOCKER_PULL") == setting


def test_a_closed_stdin_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdin", closed)
    assert has_terminal() is False


def test_printed_lines_go_to_the_log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.INFO, "femtodriver"), stdout_to_log():
        print("Checking container status...")
        print("half", end="")
    assert caplog.messages == ["femtocrux: Checking container status...", "femtocrux: half"]
    assert capsys.readouterr().out == ""
