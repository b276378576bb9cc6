"""``femtodrive completion``: the scripts, in the shells that they are for."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from femtodriver.cli import main
from femtodriver.cli.subcommands import SUBCOMMANDS
from femtodriver.options.value_kinds import SHELLS
from femtodriver.part import part_names
from femtodriver.runners.runner_table import RUNNERS

pytest.importorskip("shtab", reason="shtab is not installed; pip install '.[completion]' brings it")
Complete = Callable[[str], list[str]]
BASH = """
source script.bash
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_shtab_femtodrive 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def need(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


@pytest.fixture
def place(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with files of several kinds, and the scripts."""
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        (here / f"script.{shell}").write_text(capsys.readouterr().out, "utf-8")
    for name in ("net.pt", "net.femto", "part.toml", "sound.wav"):
        (here / name).touch()
    (here / "clips").mkdir()
    return here


def told(command: list[str], place: Path) -> list[str]:
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.fixture
def bash(place: Path) -> Complete:
    """What bash offers for the last word of a line."""
    need("bash")

    def complete(line: str) -> list[str]:
        words = " ".join(f"'{word}'" for word in line.split(" "))
        return told(["bash", "--norc", "-c", BASH.format(words=words)], place)

    return complete


@pytest.fixture
def fish(place: Path) -> Complete:
    """What fish offers for the last word of a line."""
    need("fish")
    script = "source script.fish; complete -C $argv[1]"
    return lambda line: told(["fish", "--no-config", "-c", script, line], place)


def test_words_of_bash(bash: Complete) -> None:
    offered = bash("femtodrive ")
    assert set(SUBCOMMANDS) | {"LOOPBACK", "net.pt", "net.femto", "clips"} == set(offered)
    assert bash("femtodrive do") == ["doctor"]
    assert bash("femtodrive LOOPBACK --hardw") == ["--hardware", "--hardware-address"]
    assert bash("femtodrive LOOPBACK --hardware z") == ["zynq"]
    assert set(bash("femtodrive net.pt --runners ")) == set(RUNNERS)
    assert bash("femtodrive net.pt --runners fqir,fm") == ["fqir,fmir"]
    assert set(bash("femtodrive net.pt --hw-config ")) == {*part_names(), "part.toml", "clips"}
    assert bash("femtodrive net.pt --output-dir ") == ["clips"]
    assert "sound.wav" in bash("femtodrive net.pt --input-file ")
    assert bash("femtodrive net.pt --machine ") == ["native", "numpy"]
    assert bash("femtodrive net.pt --profile --by m") == ["module"]


def test_words_of_subcommands_in_bash(bash: Complete) -> None:
    assert set(bash("femtodrive evaluate ")) == {"LOOPBACK", "net.pt", "net.femto", "clips"}
    assert bash("femtodrive evaluate net.pt --label") == ["--labels", "--label-rule"]
    assert bash("femtodrive evaluate net.pt --label-rule m") == ["mean", "max"]
    assert bash("femtodrive sweep net.pt --objective e") == ["energy"]
    assert bash("femtodrive inspect net.f") == ["net.femto"]
    assert bash("femtodrive completion ") == list(SHELLS)
    assert bash("femtodrive inspect net.pt --runners") == []


def test_words_of_fish(fish: Complete) -> None:
    assert {*SUBCOMMANDS, "LOOPBACK", "net.pt", "clips/"} <= set(fish("femtodrive "))
    assert fish("femtodrive do") == ["doctor"]
    assert fish("femtodrive LOOPBACK --hardware z") == ["zynq"]
    assert fish("femtodrive net.pt --runners fqir,fm") == ["fqir,fmir"]
    assert set(part_names()) <= set(fish("femtodrive net.pt --hw-config "))
    assert sorted(fish("femtodrive evaluate net.pt --label-rule m")) == ["max", "mean"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_finds_no_fault_in_its_script(shell: str, place: Path) -> None:
    need(shell)
    assert told([shell, "-n", f"script.{shell}"], place) == []


def test_no_placeholder_is_left(place: Path) -> None:
    for shell in SHELLS:
        text = (place / f"script.{shell}").read_text("utf-8")
        assert not any(word in text for word in ("@MODELS@", "@ENDINGS@", "@PARTS@", "@RUNNERS@", "@BOARDS@"))


def test_without_shtab_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "shtab":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'open-femtodriver[completion]'" in capsys.readouterr().err


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "SHELL: must be bash, zsh or fish, not 'tcsh'" in capsys.readouterr().err
