"""What `make` says while pip installs."""

from __future__ import annotations

import pytest
from environment import follow, package

PIP = """\
Looking in links: wheels
Obtaining file:///somewhere/open-femtodriver
  Installing build dependencies: started
Collecting numpy>=1.26 (from open-femtodriver==0.1.0)
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl (16.9 MB)
Collecting scipy (from fmot>=3.21->open-femtodriver==0.1.0)
  Using cached scipy-1.16.3-cp311-cp311-manylinux_2_28_x86_64.whl (from fmot>=3.21->open-femtodriver==0.1.0)
Processing wheels/torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl (from open-femtodriver==0.1.0)
  Using cached python_speech_features-0.6.tar.gz (5.6 kB)
Requirement already satisfied: pip in lib (26.3)
Installing collected packages: numpy, scipy, torch
Successfully installed numpy-2.4.6 scipy-1.16.3 torch-2.13.0+cpu
"""


def test_each_package_that_is_fetched_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PIP.splitlines(keepends=True)
    assert follow(lines) == lines
    assert capsys.readouterr().out.splitlines() == [
        "  numpy 2.4.6 (16.9 MB)",
        "  scipy 1.16.3",
        "  torch 2.13.0+cpu",
        "  python_speech_features 0.6 (5.6 kB)",
        "  unpacking 3 packages",
    ]


def test_a_single_package_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    follow(["Installing collected packages: pip\n"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ruff-0.17.6-py3-none-manylinux_2_17_x86_64.whl", "ruff 0.17.6"),
        ("a/b/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl", "torch 2.13.0+cpu"),
        ("x-1.0.zip", "x 1.0"),
    ],
)
def test_a_file_names_its_package(file: str, name: str) -> None:
    assert package(file) == name
