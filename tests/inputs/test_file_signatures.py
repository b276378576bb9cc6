"""Kinds of files by their first bytes."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver.inputs.file_signatures import ENOUGH, SAVED_ARRAYS, SAVED_BY_TORCH, kind_of_file
from tests.inputs.wav_bytes import simple


def saved() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, b"a")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (simple([1]), "a WAV file"),
        (b"RIFF\0\0\0\0AVI LIST", "another RIFF file"),
        (saved(), "a NumPy array (.npy)"),
        (zipped("a/data.pkl"), SAVED_BY_TORCH),
        (zipped("x.npy"), SAVED_ARRAYS),
        (b"f3mt0\1", "a compiled program (.femto)"),
        (b"femtosense_model\0", "a compiled program (.femto)"),
        (zipped("a"), "a zip archive (.npz, .pt or .zip)"),
        (pickle.dumps([1]), "a Python pickle"),
        (b"", "an empty file"),
        (b'{"a": 1}', "text"),
        ("grün\n".encode(), "text"),
        (b"OggS\0\2", "Ogg audio"),
        (bytes(16), "something else"),
    ],
)
def test_a_kind_is_named(head: bytes, kind: str) -> None:
    assert kind_of_file(head[:ENOUGH]) == kind


@given(st.binary(max_size=ENOUGH))
def test_every_file_is_some_kind(head: bytes) -> None:
    assert kind_of_file(head)
