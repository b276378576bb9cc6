"""Where a profile is shown and written, and what is refused."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.errors import UsageError
from femtodriver.options.profile_requests import ProfileRequest
from femtodriver.output.profile_output import show_profile
from femtodriver.output.told_places import check_profile
from femtodriver.profile.profile_rows import Profile
from femtodriver.profile.profile_view import view_of
from tests.profile.profile_runs import hand_made, measured, spotter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_terminal_gets_a_table_that_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    show_profile(view_of(spotter().profile), lambda text: pytest.fail(f"told {text!r}"))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()
    assert lines[0].startswith("Profile    by layer, mean of 24 frames")
    table = lines[1 : next(place for place, line in enumerate(lines) if line.startswith("Operators"))]
    assert max(len(line.rstrip()) for line in table if "no room" not in line) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in "\n".join(table)
    assert any(line.strip().startswith("sum") for line in table)
    assert any("sigmoid" in line and "vvadd +5" in line for line in table)
    assert any(line.startswith("Folded") for line in lines)


def large() -> Profile:
    """A profile of large numbers, on which nothing is lost by cutting labels."""
    profile = spotter().profile
    rows = [replace(row, counts={name: 100 * count for name, count in row.counts.items()}) for row in profile.rows]
    return replace(profile, rows=tuple(rows))


@pytest.mark.parametrize(("width", "plain"), [(80, False), (40, True)])
def test_no_figure_is_cut(width: int, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, told = Terminal(), list[str]()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    show_profile(view_of(large()), told.append)
    assert bool(told) == plain
    assert (stream.getvalue() == "") == plain
    assert "\N{HORIZONTAL ELLIPSIS}" not in stream.getvalue()


def test_elsewhere_it_is_plain_text() -> None:
    told: list[str] = []
    show_profile(view_of(measured(*hand_made()).profile, "module"), told.append)
    assert told[0].splitlines()[1].split()[:3] == ["module", "core", "cycles"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("profile.txt", "profile_file: must end in .csv or .json, not be profile.txt."),
        ("gone/profile.csv", "profile_file: must be a file in a folder that exists, not gone/profile.csv."),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_run(path: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_profile(ProfileRequest(profile_file=path))
    assert str(caught.value) == message
    with pytest.raises(UsageError, match="profile_file"):
        Femtodriver().run("LOOPBACK", profile_file=path, runners="fasmir")


def test_a_depth_is_for_modules() -> None:
    with pytest.raises(UsageError, match=r"^depth: must be given for a profile by module, not by layer; add --by mod"):
        Femtodriver().run("LOOPBACK", profile=True, depth=1)


def test_the_command_needs_no_runners_for_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["LOOPBACK", "--profile", "--profile-file", "p.json", "--by", "core", "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert "fasmir ran" in out
    assert "Profile    by core, mean of 2 frames" in out
    assert f"wrote p.json (profile by core, {Path('p.json').stat().st_size:,} bytes)" in out
    assert json.loads(Path("p.json").read_text())["rows"][1]["kind"] == "rest"


def test_options_of_a_profile_that_nobody_sees_are_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["LOOPBACK", "--runners", "fqir", "--by", "core"]) == 0
    assert "note: by: without effect, because no profile is shown; --profile asks for one" in capsys.readouterr().out
    assert main(["LOOPBACK", "--runners", "fqir", "--by", "core", "--profile"]) == 0
    out = capsys.readouterr().out
    assert "note: profile: without effect, because only fasmir uses it, which does not run" in out
    assert "note: by: without effect, because only fasmir uses it, which does not run" in out


def test_python_gets_the_profile_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    driver = Femtodriver()
    driver.compile("LOOPBACK")
    assert driver.profile is None
    driver.simulate(driver.generate_inputs(n_frames=3))
    assert driver.profile is not None
    assert driver.profile.frames == 3
    assert driver.profile.total.cycles == driver.profile.busy > 0
    driver.run("LOOPBACK", runners="fqir")
    assert driver.profile is None
