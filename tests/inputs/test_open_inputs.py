"""From every kind of source to frames, and what users are told on the way."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.array_names import escape_name
from femtodriver.arrays import AnyArray
from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.open_inputs import open_inputs, read_array
from tests.inputs.wav_bytes import RAMP, chunk, fmt, pcm, real, riff, simple

X = InputSpec("x", 16, 16)
BOTH = [InputSpec("a", 3, 16), InputSpec("b", 5, 8)]
SQUARE = InputSpec("x", 4, 16, shape=(2, 2))


def frames(source: Any, specs: Any, scale: Any = None) -> dict[str, Any]:
    """All frames as lists."""
    with open_inputs(source, specs, scale) as reader:
        return {name: array.tolist() for name, array in reader.read(0, reader.n_frames).items()}


def notes(source: Any, specs: Any, scale: Any = None) -> tuple[str, ...]:
    """What is told when all frames have been read."""
    with open_inputs(source, specs, scale) as reader:
        reader.read(0, reader.n_frames)
        return reader.notes


def refusal(source: Any, specs: Any, scale: Any = None) -> str:
    with pytest.raises(InputError) as caught:
        frames(source, specs, scale)
    return str(caught.value)


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def archive(path: Path, arrays: dict[str, AnyArray]) -> Path:
    """An archive with members of exactly these names."""
    with zipfile.ZipFile(path, "w") as made:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, array)
            made.writestr(f"{name}.npy", stream.getvalue())
    return path


# Files of audio


@pytest.mark.parametrize("name", ["a.wav", "b.WAV"])
def test_a_wav_file_tells_its_period_and_what_is_left_over(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name, simple(RAMP[:40]))
    with open_inputs(str(path), [X]) as reader:
        assert (reader.n_frames, reader.period_s) == (2, 16 / 16000)
        assert reader.read(0, 2)["x"].tolist() == [RAMP[:16], RAMP[16:32]]
        assert reader.notes == ('input "x": the last 8 of 40 samples are not used; a frame takes 16',)


def test_samples_that_fill_their_frames_need_no_note(tmp_path: Path) -> None:
    assert notes(put(tmp_path / "a.wav", simple(RAMP)), [X]) == ()


def test_a_file_without_a_rate_tells_no_period(tmp_path: Path) -> None:
    with open_inputs(put(tmp_path / "a.wav", simple(RAMP, rate=0)), [X]) as reader:
        assert reader.period_s is None


@pytest.mark.parametrize("bits", [8, 16, 24])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_full_scale_of_every_file_is_full_scale_of_every_input(tmp_path: Path, width: int, bits: int) -> None:
    extremes = b"\0\xff" if width == 1 else b"\0" * (width - 1) + b"\x80" + b"\xff" * (width - 1) + b"\x7f"
    path = put(tmp_path / "a.wav", riff(fmt(8 * width), chunk(b"data", extremes)))
    spec = InputSpec("x", 2, bits)
    low, high = spec.limits
    assert frames(path, [spec]) == {"x": [[low, high - (2 ** max(0, bits - 8 * width) - 1)]]}
    lost = max(0, 8 * width - bits)
    told = f'{path}: the lowest {lost} of {8 * width} bits are not used; input "x" has {bits}'
    assert notes(path, [spec]) == ((told,) if lost else ())


@pytest.mark.parametrize(
    ("from_bits", "to_bits", "before", "after"),
    [
        (16, 16, [-32768, 5], [-32768, 5]),
        (24, 16, [256, 255, -1, -256, -257, 2**23 - 1], [1, 0, -1, -1, -2, 32767]),
        (16, 8, [-32768, 255, 256, -1, 32767], [-128, 0, 1, -1, 127]),
        (16, 24, [-32768, 1], [-(2**23), 256]),
        (32, 16, [-(2**31), 65536], [-32768, 1]),
    ],
)
def test_samples_are_shifted(tmp_path: Path, from_bits: int, to_bits: int, before: list[int], after: list[int]) -> None:
    path = put(tmp_path / "a.wav", riff(fmt(from_bits), chunk(b"data", pcm(before, from_bits))))
    assert frames(path, [InputSpec("x", len(after), to_bits)]) == {"x": [after]}


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_floats_use_the_full_width_of_the_input(tmp_path: Path, bits: int) -> None:
    step = 2.0 ** (1 - bits)
    values = [0.0, 1.0, -1.0, 2.5, -7.0, 0.5 * step, -0.5 * step, 1.4 * step, -1.6 * step, 0.25]
    path = put(tmp_path / "a.wav", real(values, 64))
    low, high = InputSpec("x", 10, bits).limits
    wanted = [0, high, low, high, low, 1, 0, 1, -2, 2 ** (bits - 3)]
    assert frames(path, [InputSpec("x", 10, bits)]) == {"x": [wanted]}
    (told,) = notes(path, [InputSpec("x", 10, bits)])
    assert told.startswith(f'input "x": 3 of 10 values clipped to {low}..{high}; the farthest was -7 (times ')


def test_a_float_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", real([0.0] * 21 + [float("nan")] + [0.0] * 10))
    assert refusal(path, [X]) == 'input "x": frame 1, element 5: must be a finite number, not nan. Correct the input.'


@pytest.mark.parametrize("content", [simple(RAMP), real([value / 64 for value in RAMP])])
def test_the_level_is_told_where_the_network_reads_it_as_another(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path / "a.wav", content)
    assert notes(path, [InputSpec("x", 16, 16, quanta=-15)]) == ()
    assert notes(path, [InputSpec("x", 16, 16, quanta=-14)]) == (
        f'{path}: full scale (1.0) becomes 32767, which input "x" reads as 2 (quanta -14); '
        "--scale real keeps 1.0 at 1.0",
    )


def test_the_level_of_audio_can_be_kept(tmp_path: Path) -> None:
    spec = InputSpec("x", 4, 16, quanta=-14)
    path = put(tmp_path / "a.wav", real([0.5, -0.25, 0.125, 1.0]))
    assert frames(path, [spec], "real") == {"x": [[8192, -4096, 2048, 16384]]}
    assert frames(path, [spec], 100) == {"x": [[50, -25, 12, 100]]}
    assert notes(path, [spec], "real") == (
        f'{path}: full scale is 1.0; input "x": real numbers times 16384 (quanta -14), rounded down',
    )
    path = put(tmp_path / "b.wav", simple([16384, -8192, 3, -3]))
    assert frames(path, [spec], "real") == {"x": [[8192, -4096, 1, -2]]}


def test_a_wav_file_that_is_too_short(tmp_path: Path) -> None:
    text = refusal(put(tmp_path / "a.wav", simple(RAMP[:15])), [X])
    assert text == 'input "x": must have at least 16 samples, which make one frame, not 15.'


# Files of arrays


def test_npy_files_of_every_shape(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.arange(40))
    np.save(tmp_path / "two.npy", np.arange(32).reshape(2, 16).astype(float))
    np.save(tmp_path / "three.npy", np.zeros((1, 2, 16), int))
    for name in ("one.npy", "two.npy"):
        assert frames(tmp_path / name, [X]) == {"x": np.arange(32).reshape(2, 16).tolist()}
    assert notes(tmp_path / "one.npy", [X]) == ('input "x": the last 8 of 40 samples are not used; a frame takes 16',)
    assert refusal(tmp_path / "three.npy", [X]) == 'input "x": must have the shape (frames, 16), not (1, 2, 16).'


def test_the_axes_of_the_network_are_taken_from_every_source(tmp_path: Path) -> None:
    array = np.arange(12).reshape(3, 2, 2)
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "f.npy", np.asfortranarray(array))
    np.savez(tmp_path / "a.npz", x=array)
    for source in (tmp_path / "a.npy", tmp_path / "f.npy", tmp_path / "a.npz", array, {"x": array}, array.tolist()):
        assert frames(source, [SQUARE]) == {"x": array.reshape(3, 4).tolist()}
    wrong = array.reshape(3, 4, 1)
    np.save(tmp_path / "w.npy", wrong)
    np.savez(tmp_path / "w.npz", x=wrong)
    for source in (tmp_path / "w.npy", tmp_path / "w.npz", wrong, {"x": wrong}):
        text = refusal(source, [SQUARE])
        assert text == 'input "x": must have the shape (frames, 4) or (frames, 2, 2), not (3, 4, 1).'


def test_an_npz_file_feeds_several_inputs(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", b=np.arange(10).reshape(2, 5), a=np.arange(7))
    assert frames(tmp_path / "a.npz", BOTH) == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b": np.arange(10).reshape(2, 5).tolist(),
    }
    assert notes(tmp_path / "a.npz", BOTH) == ('input "a": the last 1 of 7 samples are not used; a frame takes 3',)


def test_arrays_of_other_names_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "none.npz", np.zeros((1, 16), int))
    assert 'must have an array for "x", which is missing. Inputs: x (16 x 16 bits)' in refusal(
        tmp_path / "none.npz", [X]
    )
    np.savez(tmp_path / "more.npz", x=np.zeros((1, 16), int), labels=np.zeros(1))
    assert 'must be inputs of the network, not "labels".' in refusal(tmp_path / "more.npz", [X])


names = st.text(st.sampled_from("a/%25Fb\x1b."), max_size=6)


@given(st.lists(names, min_size=1, max_size=4, unique=True), st.booleans())
def test_names_are_found_escaped_and_as_they_are(tmp_path_factory: Any, wanted: list[str], escaped: bool) -> None:
    specs = [InputSpec(name, 1, 8) for name in wanted]
    arrays = {escape_name(name) if escaped else name: np.array([[at]]) for at, name in enumerate(wanted)}
    path = archive(tmp_path_factory.mktemp("names") / "a.npz", arrays)
    assert frames(path, specs) == {name: [[at]] for at, name in enumerate(wanted)}


def test_names_that_could_mean_one_input_are_told_apart_or_refused(tmp_path: Path) -> None:
    specs = [InputSpec("a/b", 1, 8), InputSpec("a%2Fb", 1, 8)]
    as_written = archive(tmp_path / "a.npz", {"a%2Fb": np.array([[1]]), "a%252Fb": np.array([[2]])})
    assert frames(as_written, specs) == {"a/b": [[1]], "a%2Fb": [[2]]}
    as_they_are = archive(tmp_path / "b.npz", {"a/b": np.array([[1]]), "a%2Fb": np.array([[2]])})
    assert frames(as_they_are, specs) == {"a/b": [[1]], "a%2Fb": [[2]]}
    assert 'must be inputs of the network, not "a%2Fb".' in refusal(as_they_are, specs[:1])


# Arrays


def test_a_mapping_is_checked_and_cut_into_frames() -> None:
    assert frames({"a": list(range(6)), "b": np.ones((2, 5))}, BOTH) == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b": [[1] * 5] * 2,
    }
    assert refusal({"a": list(range(6)), "b": np.ones((3, 5))}, BOTH) == (
        'input "b": must have as many frames as "a", 2, not 3.'
    )


@given(st.lists(st.integers(-100, 100), max_size=60), st.integers(1, 20))
def test_samples_become_whole_frames(samples: list[int], length: int) -> None:
    spec = InputSpec("x", length, 16)
    if len(samples) < length:
        text = refusal(np.array(samples, int), [spec])
        assert text == f'input "x": must have at least {length} samples, which make one frame, not {len(samples)}.'
        return
    count = len(samples) // length
    found = frames(np.array(samples), [spec])["x"]
    assert found == [samples[length * at : length * (at + 1)] for at in range(count)]
    assert len(notes(np.array(samples), [spec])) == (len(samples) % length > 0)


def test_samples_for_several_inputs_are_dealt_out() -> None:
    assert frames(np.arange(20), BOTH) == {
        "a": [[0, 1, 2], [8, 9, 10]],
        "b": [[3, 4, 5, 6, 7], [11, 12, 13, 14, 15]],
    }
    assert notes(np.arange(20), BOTH) == (
        "one array for 2 inputs: every frame takes 8 samples, dealt out in order",
        "inputs: the last 4 of 20 samples are not used; a frame takes 8",
    )
    assert refusal(np.arange(7), BOTH) == (
        "inputs: must have at least 8 samples, which make one frame of all inputs, not 7."
    )


def test_real_numbers_become_integers_by_the_quanta_or_a_number() -> None:
    spec = InputSpec("x", 2, 16, quanta=-14)
    values = np.array([[0.5, -0.25], [1.0, 3.0]])
    assert frames(values, [spec], "real") == {"x": [[8192, -4096], [16384, 32767]]}
    assert notes(values, [spec], "real") == (
        'input "x": real numbers times 16384 (quanta -14), rounded down',
        'input "x": 1 of 4 values clipped to -32768..32767; the farthest was 3 (times 16384)',
    )
    assert frames({"x": values.astype(int)}, [spec], 10.5) == {"x": [[0, 0], [10, 31]]}
    assert "frame 0, element 0: must be a whole number, not 0.5" in refusal(values, [spec])


def test_a_mask_is_refused_in_every_place() -> None:
    hidden: Any = np.ma.masked_array(np.zeros((2, 16), int), mask=np.eye(2, 16, dtype=bool))
    assert "inputs: must be a plain array, not a masked one (masked values: 2, the first at [0, 0])" in refusal(
        hidden, [X]
    )
    assert 'input "x": must be a plain array, not a masked one' in refusal({"x": hidden}, [X])


def test_an_error_names_the_frame_of_the_whole_source() -> None:
    samples = np.zeros(48, int)
    samples[37] = 40000
    with open_inputs(samples, [X]) as reader:
        assert reader.read(0, 2)["x"].shape == (2, 16)
        with pytest.raises(InputError, match='input "x": frame 2, element 5: must be between -32768 and 32767'):
            reader.read(1, 3)


def test_nothing_of_the_caller_is_changed() -> None:
    samples = np.arange(32)
    with open_inputs(samples, [X]) as reader:
        reader.read(0, 2)["x"][:] = 0
    assert samples.tolist() == list(range(32))


def test_a_network_without_inputs_takes_an_empty_mapping() -> None:
    assert frames({}, []) == {}


# What is refused


def test_what_has_no_name_cannot_feed_several_inputs(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 3), int))
    wav = put(tmp_path / "a.wav", simple(RAMP))
    for source, what, remedy in (
        (wav, "a.wav: a .wav file", "Use a .npz file with one array per input name."),
        (tmp_path / "a.npy", "a.npy: a .npy file", "Use a .npz file with one array per input name."),
        (np.zeros((9, 8), int), "an array without a name", "Give a mapping from input name to array."),
    ):
        listed = "a (3 x 16 bits), b (5 x 8 bits)"
        assert f"{what} can feed a network of one input, not of 2: {listed}. {remedy}" in refusal(source, BOTH)


@pytest.mark.parametrize(("name", "shown"), [("a.mp3", "'.mp3'"), ("a", "'nothing'"), ("a.wave", "'.wave'")])
def test_an_unknown_file_type_is_a_usage_error(name: str, shown: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_inputs(name, [X])
    assert str(caught.value) == f"{name}: an input file must end in .wav, .npy, .npz, not {shown}."
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("suffix", ["wav", "npy", "npz"])
def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe.{suffix}")
    (tmp_path / f"zero.{suffix}").symlink_to(os.devnull)
    (tmp_path / f"folder.{suffix}").mkdir()
    for name, kind in (("pipe", "a pipe"), ("zero", "a device"), ("folder", "a directory")):
        text = refusal(tmp_path / f"{name}.{suffix}", [X])
        assert text.endswith(f"{name}.{suffix}: must be an ordinary file, not {kind}.")
    assert refusal(tmp_path / f"none.{suffix}", [X]).endswith(f"none.{suffix}: the file must exist.")
    for name in ("pipe", "folder", "none"):
        with pytest.raises(InputError):
            read_array(tmp_path / f"{name}.{suffix}")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    for suffix, content, kind in (
        ("wav", b"fLaC" + bytes(60), "must be a WAV file, not FLAC audio."),
        ("npy", simple(RAMP), "not a WAV file."),
        ("npz", b'{"a": 1}', "not text."),
    ):
        assert refusal(put(tmp_path / f"a.{suffix}", content), [X]).endswith(kind)


def test_files_are_closed_when_they_are_refused(tmp_path: Path) -> None:
    # An open file would be a ResourceWarning, which is an error here.
    np.save(tmp_path / "a.npy", np.zeros((3, 5)))
    np.savez(tmp_path / "a.npz", a=np.zeros((2, 3), int), b=np.zeros((3, 5), int))
    assert "must have the shape" in refusal(tmp_path / "a.npy", [X])
    assert "as many frames as" in refusal(tmp_path / "a.npz", BOTH)


def test_arrays_of_files_are_read_whole(tmp_path: Path) -> None:
    array = np.arange(6).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array, y=array + 1)
    np.savez_compressed(tmp_path / "b.NPZ.npz", x=array)
    assert np.array_equal(np.asarray(read_array(tmp_path / "a.npy")), array)
    found = read_array(str(tmp_path / "a.npz"))
    assert isinstance(found, dict)
    assert list(found) == ["x", "y"]
    assert np.array_equal(found["y"], array + 1)
    found = read_array(tmp_path / "b.NPZ.npz")
    assert isinstance(found, dict)
    assert np.array_equal(found["x"], array)


def read(source: Any, specs: Any, **how: Any) -> tuple[list[list[int]], float | None, tuple[str, ...]]:
    """The frames of the only input, the period, and what is told."""
    with open_inputs(source, specs, **how) as reader:
        return reader.read(0, reader.n_frames)[specs[0].name].tolist(), reader.period_s, reader.notes


@pytest.mark.parametrize("kind", ["wav", "npy", "array", "mapping"])
def test_a_hop_makes_frames_of_every_source_overlap(tmp_path: Path, kind: str) -> None:
    np.save(tmp_path / "x.npy", np.array(RAMP))
    sources: dict[str, Any] = {
        "wav": put(tmp_path / "x.wav", simple(RAMP)),
        "npy": tmp_path / "x.npy",
        "array": np.array(RAMP),
        "mapping": {"x": np.array(RAMP)},
    }
    found, period_s, told = read(sources[kind], [X], hop=6, rate_hz=16000)
    assert found == [RAMP[start : start + 16] for start in range(0, 65, 6)]
    assert period_s == 6 / 16000
    assert told[0].endswith("the last 4 of 80 samples are not used; a frame takes 16, 6 after the one before")
    assert read(sources[kind], [X], hop=16, rate_hz=16000)[0] == frames(sources[kind], [X])["x"]


@pytest.mark.parametrize(
    ("source", "specs", "how", "sentence"),
    [
        (np.zeros((3, 16)), [X], {"hop": 4}, "hop: must be given for samples in one row, not for arrays that are"),
        (np.zeros(80), BOTH, {"hop": 2}, "not for an array that is dealt out to 2 inputs"),
        (np.zeros(80), [X], {"hop": 17}, 'hop: must be at most 16, the width of input "x", not 17'),
        (np.zeros(80), [X], {"channel": 1}, "channel: must be given for a WAV file, not for arrays"),
    ],
)
def test_a_hop_or_a_channel_that_cannot_be(source: Any, specs: Any, how: dict[str, int], sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        read(source, specs, **how)


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_one_channel_is_taken_of_several(tmp_path: Path, bits: int) -> None:
    left, right, both = RAMP, RAMP[::-1], [value for pair in zip(RAMP, RAMP[::-1], strict=True) for value in pair]
    data = bytes(value + 128 for value in both) if bits == 8 else pcm(both, bits)
    path = put(tmp_path / "x.wav", riff(fmt(bits, channels=2), chunk(b"data", data)))
    spec = InputSpec("x", 16, bits)
    for channel, samples in ((1, left), (2, right)):
        found, _, told = read(path, [spec], channel=channel)
        assert [value for row in found for value in row] == samples
        assert f"{path}: channel {channel} of 2 is used" in told
    with pytest.raises(InputError, match=r"channel: must be one of the file's, from 1 to 2, not 3\."):
        read(path, [spec], channel=3)
    with pytest.raises(
        InputError, match=r"must be mono, not of 2 channels\. Choose one of them with --channel \(1 to 2\)"
    ):
        read(path, [spec])


def test_a_rate_that_the_file_states_otherwise(tmp_path: Path) -> None:
    path = put(tmp_path / "x.wav", simple(RAMP, rate=8000))
    assert read(path, [X], rate_hz=8000)[1] == 0.002
    with pytest.raises(UsageError, match=r"input_rate: must be what .*x\.wav states, 8000 Hz, not 16000 Hz"):
        read(path, [X], rate_hz=16000)
    assert read(put(tmp_path / "y.wav", simple(RAMP, rate=0)), [X], rate_hz=16000)[1] == 0.001


def test_standard_input_is_for_whole_jobs() -> None:
    with pytest.raises(UsageError, match="-: standard input is read frame by frame"):
        open_inputs("-", [X])
