"""Names of arrays: whatever the text, an archive holds it, keeps it apart from others, and gives it back."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from femtodriver import array_names
from femtodriver.array_names import escape_name, unescape_name

# Texts that lean on the marks of the escaping itself.
NEAR = st.text(st.sampled_from("%25AFaf/\\.npy~é\x00\n\u202e\ud800"), max_size=12)
NAMES = st.one_of(NEAR, st.text(), st.text(st.characters(exclude_categories=[])))


@pytest.mark.parametrize(
    "name",
    ["x", "", "%x.4", "output.0", "a b", "a.npz", "%", "%%", "%2", "%ab", "%2f", "x.npy.4", "wörter", "...", "~"],
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert escape_name(name) == name
    assert unescape_name(name) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("a%252Fb", "a%25252Fb"),
        ("%2/F", "%2%2FF"),
        ("..", "%2E."),
        (".", "%2E"),
        ("../x", "..%2Fx"),
        ("x.npy", "x%2Enpy"),
        (".npy", "%2Enpy"),
        ("a\x1b[31m\nb", "a%1B[31m%0Ab"),
        ("\u202e", "%E2%80%AE"),
        ("\udcff", "%ED%B3%BF"),
        ("C:\\x", "C%3A%5Cx"),
    ],
)
def test_other_names_are_escaped(name: str, text: str) -> None:
    assert escape_name(name) == text
    assert unescape_name(text) == name


@given(NAMES)
@example("%2")
@example("%25")
@example("%2%2F")
def test_every_name_comes_back(name: str) -> None:
    assert unescape_name(escape_name(name)) == name


@given(NEAR, NEAR)
def test_two_names_never_become_one(first: str, second: str) -> None:
    assert (escape_name(first) == escape_name(second)) == (first == second)


@given(NAMES)
def test_what_comes_out_is_one_printable_file_name(name: str) -> None:
    text = escape_name(name)
    assert text.isprintable()
    assert not set(text) & set('/\\:*?"<>|')
    assert text not in (".", "..")
    assert not text.endswith(".npy")


@given(st.text())
def test_text_of_another_origin_is_only_turned_back_if_it_could_be_ours(text: str) -> None:
    assert unescape_name(text) == text or escape_name(unescape_name(text)) == text


@pytest.mark.parametrize("text", ["a%FFb", "%C3", "a/b%2Fc", "%41"])
def test_an_escape_that_we_never_write_stays(text: str) -> None:
    assert unescape_name(text) == text


@given(st.dictionaries(NEAR, st.integers(0, 255), max_size=6))
def test_numpy_finds_every_array_under_its_escaped_name(values: dict[str, int]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, value in values.items():
            member = io.BytesIO()
            np.save(member, np.array([value]))
            archive.writestr(f"{escape_name(name)}.npy", member.getvalue())
    stream.seek(0)
    with np.load(stream) as loaded:
        assert {unescape_name(key): loaded[key].item() for key in loaded.files} == values


def test_names_that_no_archive_could_hold_are_cut_and_stay_apart() -> None:
    long = "x" * array_names.MOST_CHARACTERS
    assert escape_name(long) == long
    first, second = escape_name(long + "a"), escape_name(long + "b")
    assert first != second
    assert first.startswith(long + "%~")
    assert len(first) == len(long) + 66
    assert unescape_name(first) == first
    # Even a name that spells out what another one was cut to is told apart from it.
    assert escape_name(first) != first
