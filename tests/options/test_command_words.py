"""A request as a command, which gives the same request again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.options.command_words import command_text, shown_file, values_of_python
from femtodriver.options.main_requests import MainRequest
from femtodriver.options.option import given_options
from femtodriver.options.option_parser import OptionParser, normalised

GIVEN: dict[str, Any] = {
    "input_file": "words.npz",
    "input_sample_indices": (3, 9),
    "input_period": 0.016,
    "clock": 76.8e6,
    "check_state": True,
    "compiler_options": ["cores=1", "pack=false"],
    "debug_vars": ("a", "b c"),
    "output_dir": "some where",
    "report": "report.html",
    "trace_frames": (0, 4),
}


def parsed(text: str) -> MainRequest:
    program, *words = shlex.split(text)
    assert program == "femtodrive"
    parser = OptionParser("femtodrive", MainRequest, "", "")
    given = vars(parser.parse_args(normalised(words)))
    known = {option.name for option in given_options(MainRequest(**given))} | {"model"}
    return MainRequest(**{name: value for name, value in given.items() if name in known})


def test_the_command_gives_the_request_again() -> None:
    request = MainRequest(model="net.pt", **GIVEN)
    found = parsed(command_text("net.pt", ("fqir", "fasmir"), request))
    for name, value in GIVEN.items():
        again = getattr(found, name)
        if name == "debug_vars":
            assert again == "a,b c"
        else:
            assert again == value, name
    assert (found.model, found.runners) == ("net.pt", "fqir,fasmir")


def test_nothing_that_was_not_given_is_in_the_command() -> None:
    assert command_text("LOOPBACK", (), MainRequest(model="LOOPBACK")) == "femtodrive LOOPBACK"


def test_a_mapping_of_options_is_written_out() -> None:
    request = MainRequest(model="a.pt", compiler_options={"cores": 1, "pack": False})
    text = command_text("a.pt", (), request)
    assert text == "femtodrive a.pt --compiler-options cores=1 --compiler-options pack=false"


def test_what_only_python_can_hold_is_named() -> None:
    request = MainRequest(model="a.pt", input_file=np.zeros((2, 3)), clock=5e7)
    assert values_of_python(request) == ["input_file"]
    assert command_text("a.pt", (), request) == "femtodrive a.pt --clock 50000000.0"
    assert values_of_python(replace(request, input_file="a.npz")) == []


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a/b.pt", "a/b.pt"),
        ("../b.pt", "../b.pt"),
        ("/x/y/b.pt", "b.pt"),
        (Path("/x/b.npz"), "b.npz"),
        ("LOOPBACK",) * 2,
    ],
)
def test_absolute_paths_are_cut(path: str | Path, shown: str) -> None:
    assert shown_file(path) == shown
    assert "/x" not in command_text(str(path), (), MainRequest(model="a", input_file=path, output_dir=path))
