"""The example that looks for the cheapest part and clock; its page has what it prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "sweep"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The program, as a module, with fewer variants."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import cheapest

    monkeypatch.setattr(cheapest, "CORES", (1,))
    yield cheapest
    sys.modules.pop("cheapest", None)


@pytest.mark.slow
def test_the_cheapest_comes_first_and_meets_the_limit(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert example.main(["LOOPBACK", "--latency", "1e-5"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "LOOPBACK: done within 10 us: 8 of 14 variants"
    microwatts = [float(line.split(" uW")[0].split()[-1]) for line in told[1:6]]
    assert microwatts == sorted(microwatts)
    assert told[1].startswith("  spu001    1 core  ")


@pytest.mark.slow
def test_what_cannot_be_done_is_the_exit_status(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert example.main(["LOOPBACK", "--latency", "1e-9"]) == 1
    assert capsys.readouterr().out == "LOOPBACK: done within 0.001 us: 0 of 14 variants\n"
    assert example.main(["gone.pt"]) == 2
    assert capsys.readouterr().err.startswith("gone.pt: the file must exist")
