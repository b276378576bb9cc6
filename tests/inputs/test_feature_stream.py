"""Features of audio from a pipe: the frames of a file with the same samples, however the bytes come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import InputError, UsageError
from femtodriver.inputs import open_inputs
from femtodriver.inputs.feature_stream import FeatureStream
from femtodriver.inputs.pcm_format import PCM_FORMATS
from femtodriver.inputs.reading import Reading
from tests.inputs.test_micro_frontend import SPEC, noise, wav

HOW = Reading(rate_hz=16000.0, frontend="micro")
pytest.importorskip("pymicro_features", reason="pymicro-features is not installed")


class Pipe:
    """Gives at most ``most`` bytes at a time."""

    def __init__(self, content: bytes, most: int) -> None:
        self._content, self._most = content, most

    def read(self, wanted: int) -> bytes:
        size = min(wanted, self._most)
        found, self._content = self._content[:size], self._content[size:]
        return found


def all_frames(stream: FeatureStream, most: int) -> Any:
    found = []
    while rows := stream.next_frames(most):
        found.append(rows["audio"])
    return np.concatenate(found)


@pytest.mark.parametrize(("piece", "most"), [(7, 1), (320, 1), (5000, 3), (1 << 20, 100)])
def test_frames_are_those_of_a_file(tmp_path: Path, piece: int, most: int) -> None:
    samples = noise(9000)
    (tmp_path / "a.wav").write_bytes(wav(samples))
    with open_inputs(tmp_path / "a.wav", [SPEC], frontend="micro") as reader:
        wanted = reader.read(0, reader.n_frames)["audio"]
    stream = FeatureStream(Pipe(samples.tobytes(), piece).read, SPEC, PCM_FORMATS["s16le"], HOW)
    np.testing.assert_array_equal(all_frames(stream, most), wanted)
    assert (stream.period_s, stream.rate_hz, stream.n_frames) == (0.03, 4000.0, None)


def test_frames_overlap_with_a_hop() -> None:
    how = Reading(rate_hz=16000.0, frontend="micro", hop=320)
    stream = FeatureStream(Pipe(noise(6400).tobytes(), 999).read, SPEC, PCM_FORMATS["s16le"], how)
    rows = all_frames(stream, 2)
    np.testing.assert_array_equal(rows[1:, :40], rows[:-1, 80:])


def test_what_is_too_short_or_too_slow_is_refused() -> None:
    stream = FeatureStream(Pipe(noise(700).tobytes(), 999).read, SPEC, PCM_FORMATS["s16le"], HOW)
    with pytest.raises(
        InputError, match='its 2 groups of features do not make one frame of input "audio", which takes 3'
    ):
        stream.next_frames(1)
    with pytest.raises(UsageError, match="micro hears 16000 Hz, but standard input has 8000 Hz"):
        FeatureStream(Pipe(b"", 1).read, SPEC, PCM_FORMATS["s16le"], Reading(rate_hz=8000.0, frontend="micro"))
    how = Reading(rate_hz=16000.0, frontend="micro", channel=1)
    with pytest.raises(UsageError, match="channel: must be given for a WAV file, not for standard input"):
        FeatureStream(Pipe(b"", 1).read, SPEC, PCM_FORMATS["s16le"], how)
