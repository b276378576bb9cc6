"""A file with the ending of something else is told what it is, and not how its bytes failed to be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import ModelError, ProgramError
from femtodriver.model.load_model import load_source

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def arrays() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, x=np.zeros(3))
    return stream.getvalue()


CONTENTS = {
    "an empty file": b"",
    "text": b"hello\n",
    "a network or model that torch.save wrote (.pt)": SPOTTER.read_bytes(),
    "an archive of NumPy arrays (.npz)": arrays(),
    "a gzip file": b"\x1f\x8b\x08",
}


@pytest.mark.parametrize("ending", [".zip", ".femto", ".FEMTO"])
@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_program(tmp_path: Path, ending: str, kind: str) -> None:
    path = tmp_path / f"model{ending}"
    path.write_bytes(CONTENTS[kind])
    with pytest.raises(ProgramError) as caught:
        load_source(path)
    assert f": must be a {'.femto' if 'f' in ending.lower() else 'zip'}" in str(caught.value)
    assert f", not {kind}. " in str(caught.value)


def test_programs_with_the_ending_of_another_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Femtodriver() as fd:
        _, femto, _ = fd.compile("LOOPBACK")
        assert fd.compiled_data is not None
        fd.compiled_data.to_zip_file("program.zip")
    Path("container.zip").write_bytes(Path(femto).read_bytes())
    Path("archive.femto").write_bytes(Path("program.zip").read_bytes())
    Path("archive.pt").write_bytes(Path("program.zip").read_bytes())
    Path("container.pt").write_bytes(Path(femto).read_bytes())
    for name, error, told in (
        ("container.zip", ProgramError, "must be a zip archive of memory images, not a compiled program (.femto)"),
        ("archive.femto", ProgramError, "must be a .femto container, not a zip archive"),
        ("archive.pt", ModelError, "must be a graph saved by torch.save, not a compiled program (.zip)"),
        ("container.pt", ModelError, "must be a graph saved by torch.save, not a compiled program (.femto)"),
    ):
        with pytest.raises(error) as caught:
            load_source(name)
        assert told in str(caught.value)
