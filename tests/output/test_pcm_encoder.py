"""Samples of an output: what goes in as audio comes out as the same audio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import UsageError
from femtodriver.inputs import InputSpec
from femtodriver.inputs.open_inputs import audio_levels
from femtodriver.inputs.pcm_format import PCM_FORMATS
from femtodriver.inputs.wav_file import pcm_samples
from femtodriver.output.pcm_encoder import PcmEncoder

LIMITS = {8: 127, 16: 32767, 24: 8388607}


@given(st.sampled_from([8, 16, 24]), st.sampled_from(list(PCM_FORMATS)), st.data())
def test_a_network_that_does_nothing_changes_no_sample(bits: int, form: str, data: st.DataObject) -> None:
    row = PCM_FORMATS[form]
    spec = InputSpec("x", 4, bits, quanta=1 - bits)
    if row.is_float:
        values = data.draw(st.lists(st.integers(-LIMITS[bits] - 1, LIMITS[bits]), min_size=4, max_size=4))
        content = (np.array(values) * 2.0 ** (1 - bits)).astype("<f4").tobytes()
    else:
        kept = min(bits, row.bits)  # what is narrower on the way is lost
        values = data.draw(st.lists(st.integers(-(1 << (kept - 1)), (1 << (kept - 1)) - 1), min_size=4, max_size=4))
        whole = np.array(values, np.int64) << (row.bits - kept)
        content = PcmEncoder(InputSpec("x", 4, row.bits), row).encode(whole)
    convert, _ = audio_levels(spec, row.block, row.is_float, None, "x")
    taken = convert(pcm_samples(np.frombuffer(content, np.uint8), row.block, row.is_float).reshape(1, 4), 0)
    assert PcmEncoder(spec, row).encode(taken) == content


@pytest.mark.parametrize(
    ("bits", "form", "wanted"),
    [
        (8, "u8", [0, 128, 255]),
        (16, "s16le", [0, 128, 0, 0, 255, 127]),
        (16, "u8", [0, 128, 255]),
        (24, "s24le", [0, 0, 128, 0, 0, 0, 255, 255, 127]),
        (8, "s16le", [0, 128, 0, 0, 0, 127]),
    ],
)
def test_full_scale_stays_full_scale(bits: int, form: str, wanted: list[int]) -> None:
    rows = np.array([[-LIMITS[bits] - 1, 0, LIMITS[bits]]])
    encoder = PcmEncoder(InputSpec("y", 3, bits), PCM_FORMATS[form])
    assert list(encoder.encode(rows)) == wanted
    assert encoder.clipped == ()


def test_real_numbers_keep_their_values_and_are_clipped() -> None:
    encoder = PcmEncoder(InputSpec("y", 4, 16, quanta=-14), PCM_FORMATS["s16le"], "real")
    samples = np.frombuffer(encoder.encode(np.array([[3, -3, 16384, -20000]])), "<i2")
    assert samples.tolist() == [6, -6, 32767, -32768]
    assert encoder.clipped == ('output "y": 2 of 4 samples clipped to full scale',)
    assert encoder.notes == ()
    offset = PcmEncoder(InputSpec("y", 4, 8, quanta=-7, zero_point=-128), PCM_FORMATS["u8"], "real")
    assert list(offset.encode(np.array([[-128, -64, 0]]))) == [128, 192, 255]
    half = PcmEncoder(InputSpec("y", 4, 16, quanta=-16), PCM_FORMATS["s16le"], "real")
    assert np.frombuffer(half.encode(np.array([[3, -3, 2, 0]])), "<i2").tolist() == [2, -1, 1, 0]


def test_levels_that_the_network_means_otherwise_are_told() -> None:
    assert PcmEncoder(InputSpec("y", 4, 16, quanta=-11), PCM_FORMATS["u8"]).notes == (
        'output "y": 32767, which stands for 16 (quanta -11), becomes full scale (1.0); --scale real keeps 1.0 at 1.0',
        'output "y": the lowest 8 of 16 bits are not in u8',
    )


def test_real_levels_need_quanta() -> None:
    with pytest.raises(UsageError, match='output "y": the program does not state the quanta of this output'):
        PcmEncoder(InputSpec("y", 4, 16), PCM_FORMATS["s16le"], "real")
