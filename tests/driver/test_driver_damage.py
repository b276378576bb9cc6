"""A program that was damaged on its way is refused, or gives the outputs that it always gave; never others."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.errors import FemtoError, ProgramError

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def outputs(fd: Femtodriver) -> np.ndarray:
    inputs = fd.generate_audio_inputs(n_frames=2, seed=3)
    found: np.ndarray = fd.execute_runner("fasmir", inputs)[0]["outputs"]["fasmir"]["output.0"]
    return found


def check_flips(fd: Femtodriver, path: Path, wanted: np.ndarray, model: Path, count: int) -> int:
    """How many of ``count`` flipped bits of a file are refused; what is taken must run as before."""
    good, rng, refused = path.read_bytes(), random.Random(path.name), 0
    for _ in range(count):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        try:
            fd.compile(str(model), output_dir="out")
            assert np.array_equal(outputs(fd), wanted)
        except FemtoError:
            refused += 1
    path.write_bytes(good)
    return refused


@pytest.mark.slow
def test_flipped_bits_of_a_container_never_change_a_result(fd: Femtodriver) -> None:
    _, femto, _ = fd.compile(SPOTTER, model_name="first")
    refused = check_flips(fd, Path(femto), outputs(fd), Path(femto), 40)
    assert refused > 20  # the others hit fillers, names or the layers' names


@pytest.mark.slow
def test_flipped_bits_of_images_are_refused(fd: Femtodriver) -> None:
    meta_dir, _, _ = fd.compile(SPOTTER, model_name="first")
    wanted = outputs(fd)
    for image in sorted(Path(meta_dir).glob("test_core_0_*_hex.txt")):
        if image.stat().st_size:
            check_flips(fd, image, wanted, Path(meta_dir), 6)
    with pytest.raises(
        ProgramError, match=r"test_core_0_data_mem_initial_py_hex\.txt: the words in DM\d of core 0 must"
    ):
        one_bit(fd, Path(meta_dir))


def one_bit(fd: Femtodriver, meta_dir: Path) -> None:
    path = meta_dir / "test_core_0_data_mem_initial_py_hex.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if line.strip(b"0\n"))
    lines[number] = b"%016x\n" % (int(lines[number], 16) ^ 1 << 7)
    path.write_bytes(b"".join(lines))
    fd.compile(str(meta_dir), output_dir="out")


@pytest.mark.slow
def test_every_changed_number_of_the_metadata_is_refused(fd: Femtodriver) -> None:
    meta_dir, _, _ = fd.compile(SPOTTER, model_name="first")
    path = Path(meta_dir) / "metadata.yaml"
    lines = path.read_text().splitlines(keepends=True)
    numbers = [
        at
        for at, line in enumerate(lines[: lines.index("femtodriver:\n")])
        if line.rstrip()[-1].isdigit() and "fasmir:" not in line  # the padding, which nobody needs
    ]
    assert len(numbers) > 20
    for at in numbers:
        digit = int(lines[at].rstrip()[-1]) ^ 1
        path.write_text("".join([*lines[:at], f"{lines[at].rstrip()[:-1]}{digit}\n", *lines[at + 1 :]]))
        with pytest.raises(ProgramError, match=r"meta_from_femtodriver: "):
            fd.compile(meta_dir, output_dir="out")
