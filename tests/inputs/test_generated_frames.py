"""Frames that we make: the same everywhere, and such that every input meets its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.errors import UsageError
from femtodriver.inputs.generated_frames import (
    CYCLE,
    FAKE_STYLES,
    STYLES,
    default_frames,
    default_frames_text,
    fake_frames,
    generated_inputs,
    generated_text,
    random_inputs,
)
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.options.value_kinds import STYLES as OPTION_STYLES

X = InputSpec("x", 16, 16)
BOTH = [InputSpec("a", 3, 16), InputSpec("b", 5, 8)]
THREE = [InputSpec("a", 4, 16), InputSpec("b", 4, 16), InputSpec("c", 4, 16)]


def test_random_inputs_have_the_documented_range_and_shape() -> None:
    specs = [InputSpec("a", 50, 8), InputSpec("b", 40, 16), InputSpec("c", 30, 24)]
    inputs = random_inputs(specs, 2000, 3)
    assert {name: array.shape for name, array in inputs.items()} == {"a": (2000, 50), "b": (2000, 40), "c": (2000, 30)}
    assert all(array.dtype == np.int64 for array in inputs.values())
    limits = {name: (array.min(), array.max()) for name, array in inputs.items()}
    assert limits == {"a": (-128, 127), "b": (-2048, 2047), "c": (-2048, 2047)}


def test_random_inputs_are_the_same_everywhere() -> None:
    # Pinned: a change of these numbers changes every recorded result.
    wanted = [[560, -943, -1881, -1981], [1283, 1690, 436, 940]]
    assert random_inputs([InputSpec("x", 4, 16)], 2, 0)["x"].tolist() == wanted


def test_random_inputs_are_uniform() -> None:
    values = random_inputs([InputSpec("x", 1, 16)], 400_000, 1)["x"].ravel()
    counts = np.bincount((values + 2048) >> 8, minlength=16)
    assert abs(counts / len(values) - 1 / 16).max() < 0.002


def test_random_inputs_depend_on_the_seed_and_differ_between_inputs() -> None:
    twins = [InputSpec("a", 16, 16), InputSpec("b", 16, 16)]
    first, again, other = random_inputs(twins, 4, 0), random_inputs(twins, 4, 0), random_inputs(twins, 4, 1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["a"], other["a"])
    assert not np.array_equal(first["a"], first["b"])


@pytest.mark.parametrize("make", [random_inputs, default_frames])
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**70))
def test_more_frames_only_append(make: Any, few: int, more: int, seed: int) -> None:
    short, long = make(BOTH, few, seed), make(BOTH, few + more, seed)
    assert all(np.array_equal(short[name], long[name][:few]) for name in short)


@pytest.mark.parametrize("make", [random_inputs, default_frames])
@pytest.mark.parametrize(
    ("n_frames", "seed", "message"),
    [
        (0, 0, "n_frames: must be a whole number of at least 1, not 0."),
        (-3, 0, "n_frames: must be a whole number of at least 1, not -3."),
        (2.0, 0, "n_frames: must be a whole number of at least 1, not the real number 2.0."),
        ("2\x1b", 0, 'n_frames: must be a whole number of at least 1, not the text "2\\u001b".'),
        (2, -1, "seed: must be a whole number of at least 0, not -1."),
        (2, None, "seed: must be a whole number of at least 0, not None."),
        (10**15, 0, 'n_frames: must be at most 16777216 for input "x", not 1000000000000000.'),
        (10**30, 0, "n_frames: must be at most 16777216"),
    ],
)
def test_a_wrong_count_or_seed_is_refused(make: Any, n_frames: Any, seed: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make([X], n_frames, seed)
    assert message in str(caught.value)


def test_default_frames_are_the_same_everywhere() -> None:
    # Pinned: a change of these numbers changes every recorded result.
    assert default_frames([InputSpec("x", 3, 16)], 8, 0)["x"].tolist() == [
        [8975, -15088, -30083],
        [32767, 32767, 32767],
        [-32768, -32768, -32768],
        [32767, -32768, 32767],
        [-32768, 32767, -32768],
        [-21257, 23801, 2717],
        [-821, -317, -1933],
        [-1539, 698, 602],
    ]


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_one_cycle_holds_every_kind(bits: int) -> None:
    spec = InputSpec("x", 200, bits)
    low, high = spec.limits
    frames = default_frames([spec], len(CYCLE), 1)["x"]
    assert frames.dtype == np.int64
    found = [(int(row.min()), int(row.max()), len(set(row.tolist()))) for row in frames]
    assert found[1:5] == [(high, high, 1), (low, low, 1), (low, high, 2), (low, high, 2)]
    assert frames[3].tolist() == frames[4].tolist()[::-1] == [high, low] * 100
    for row in frames[[0, 5]]:
        assert low <= row.min() < low / 2
        assert high / 2 < row.max() <= high
    assert np.array_equal(frames[6:], random_inputs([spec], len(CYCLE), 1)["x"][6:])


def test_inputs_meet_in_all_combinations_of_their_limits() -> None:
    frames = default_frames(THREE, 4 * len(CYCLE), 0)
    met = {tuple(int(np.sign(frames[name][at, 0])) for name in "abc") for at in range(4 * len(CYCLE))}
    assert len(met) == 8
    extremes = {
        tuple(int(frames[name][at, 0]) for name in "abc")
        for at in range(4 * len(CYCLE))
        if CYCLE[at % len(CYCLE)] in ("all-max", "all-min")
    }
    assert extremes == {(a, b, c) for a in (-32768, 32767) for b in (-32768, 32767) for c in (-32768, 32767)}


def test_frames_are_told_by_kind() -> None:
    assert default_frames_text(1, 7) == "1 frame from seed 7 (1 full-range)"
    assert default_frames_text(16, 0) == (
        "16 frames from seed 0 (4 full-range, 2 all-max, 2 all-min, 2 max-min, 2 min-max, 4 12-bit)"
    )


def test_a_network_without_inputs_gets_none() -> None:
    assert default_frames([], 3, 0) == random_inputs([], 3, 0) == {}


def test_the_styles_of_the_reference_have_its_formulas() -> None:
    saw = generated_inputs("sawtooth", BOTH, 7, 0)
    for spec in BOTH:
        s = 1 << (spec.bits - 2)
        wanted = [((i % 16) * 2 * s) // 16 - s for i in range(7 * spec.length)]
        assert saw[spec.name].ravel().tolist() == wanted
        assert saw[spec.name].shape == (7, spec.length)
    half = generated_inputs("half-random", [X], 5000, 3)["x"]
    assert (half.min(), half.max()) == (-(1 << 14), (1 << 14) - 1)
    assert np.array_equal(half[:9], generated_inputs("half-random", [X], 9, 3)["x"])
    assert not np.array_equal(half[:9], generated_inputs("half-random", [X], 9, 4)["x"])


def test_styles_have_their_names_and_notes() -> None:
    assert STYLES == OPTION_STYLES
    assert np.array_equal(generated_inputs("random", [X], 3, 5)["x"], random_inputs([X], 3, 5)["x"])
    assert np.array_equal(generated_inputs("varied", [X], 3, 5)["x"], default_frames([X], 3, 5)["x"])
    assert generated_text("sawtooth", 1, 0) == ["inputs: 1 sawtooth frame; --input-file takes others"]
    assert generated_text("half-random", 2, 6) == [
        "inputs: 2 half-random frames from seed 6; --input-file takes others"
    ]
    assert generated_text("random", 2, 6) == []
    assert generated_text("varied", 1, 6) == ["inputs: 1 frame from seed 6 (1 full-range); --input-file takes others"]
    with pytest.raises(UsageError, match="style: must be one of random, varied, sawtooth, half-random, not 'sine'"):
        generated_inputs("sine", [X], 1, 0)
    with pytest.raises(UsageError, match="n_frames: must be at most"):
        generated_inputs("sawtooth", [X], 1 << 40, 0)


@pytest.mark.parametrize("bits", [1, 2, 3, 32])
def test_every_style_gives_what_an_input_of_any_width_can_hold(bits: int) -> None:
    narrow = InputSpec("x", 3, bits)
    made = [generated_inputs(style, [narrow], 20, 1)["x"] for style in STYLES]
    made += [fake_frames([narrow], 20, style, None, 1)["x"] for style in FAKE_STYLES]
    for rows in made:
        assert rows.shape == (20, 3)
        assert narrow.limits[0] <= rows.min() < rows.max() <= narrow.limits[1]


def test_fake_frames_go_up_to_the_scale() -> None:
    for style in FAKE_STYLES:
        for scale, top in ((None, 1 << 14), (100, 100), (1 << 15, 1 << 15)):
            found = fake_frames([X], 50, style, scale, 3)["x"]
            assert found.shape == (50, 16)
            assert found.min() >= -top
            assert found.max() <= min(top, (1 << 15) - 1)
            assert found.max() > 0.8 * top
    assert np.array_equal(fake_frames(BOTH, 7, "sawtooth", None, 0)["b"], generated_inputs("sawtooth", BOTH, 7, 0)["b"])
    assert fake_frames([X], 1, "sine", 1000, 0)["x"][0, :5].tolist() == [0, 383, 707, 924, 1000]
    assert np.array_equal(fake_frames([X], 2, "random", 9, 1)["x"], fake_frames([X], 2, "random", 9, 1)["x"])
    with pytest.raises(UsageError, match="style: must be one of sawtooth, random, sine, not 'varied'"):
        fake_frames([X], 1, "varied", None, 0)
    for wrong in (0, 40000, float("nan"), True):
        with pytest.raises(UsageError, match='scale: must be a number from 1 to 32768 for input "x"'):
            fake_frames([X], 1, "sine", wrong, 0)
