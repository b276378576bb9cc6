"""What docs/audio.md shows works as it stands there, with a small network and a second of audio."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from femtodriver.cli import main
from femtodriver.runners.execution import PartialRun
from tests.inputs.wav_bytes import pcm, simple

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "audio.md").read_text("utf-8")
BLOCKS = [(kind, text.strip()) for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
SAMPLES = [37 * place % 2000 - 1000 for place in range(16000)]

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "keyword_spotter" / "keyword_spotter.pt", "denoiser.pt")
    Path("hour.wav").write_bytes(simple(SAMPLES))


def only(kind: str, with_text: str = "") -> str:
    """The only block of a kind with that text in it."""
    found: str
    (found,) = (text for name, text in BLOCKS if name == kind and with_text in text)
    return found


def clean() -> bytes:
    return Path("clean.wav").read_bytes()[44:]


def test_the_commands_and_the_program_give_the_same() -> None:
    program, *words = shlex.split(only("sh", "denoiser.pt --runners fasmir --input-file hour.wav"))
    assert program == "femtodrive"
    assert main(words) == 0
    from_file = clean()
    assert len(from_file) == 2 * 5 * (16000 // 32)
    assert np.frombuffer(from_file, "<i2").any()

    Path("clean.wav").unlink()
    subprocess.run([sys.executable, "-c", only("python", "Femtodriver")], check=True, timeout=60, capture_output=True)
    assert clean() == from_file

    _, live, _ = only("sh", "arecord").split("|")
    program, *words = shlex.split(live)
    command = [sys.executable, "-m", "femtodriver", *words]
    done = subprocess.run(command, input=pcm(SAMPLES), check=True, timeout=60, capture_output=True)
    assert (program, done.stdout) == ("femtodrive", from_file)


def test_the_entry_of_a_partial_run_is_that_of_the_page() -> None:
    run = PartialRun({"fasmir": 12345}, 225000, "interrupted", 2)
    assert yaml.safe_load(only("yaml")) == {"partial": run.table}
    assert run.text in PAGE
