"""The strict reader of zip archives (hostile ones: test_attacks.py)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ModelError
from femtodriver.fqir.files.zip_reader import read_torch_zip
from tests.fqir.graph_wire import Archive, Member, archive, bare, graph, members, with_member

PICKLE = bare(graph())


@pytest.mark.parametrize("name", ["a", "my net", "archive", "сеть", "a.b-c_d", "网络 1"])
def test_the_root_may_have_any_plain_name(name: str) -> None:
    assert read_torch_zip(Archive(members(PICKLE, name)).write()) == PICKLE


def test_archives_of_old_torch_have_fewer_members_and_no_zip64() -> None:
    old = tuple(one for one in members(PICKLE) if one.path in (b"a/data.pkl", b"a/version"))
    assert read_torch_zip(Archive(old, with64=False).write()) == PICKLE


@pytest.mark.parametrize("version", [b"1", b"2\n", b"3\n"])
def test_versions_1_to_3_are_read(version: bytes) -> None:
    assert read_torch_zip(Archive(with_member(members(PICKLE), "a/version", data=version)).write()) == PICKLE


def test_an_archive_written_plainly_by_another_tool_is_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for member in members(PICKLE):
            file.writestr(member.path.decode(), member.data)
    assert read_torch_zip(buffer.getvalue()) == PICKLE


def test_our_archives_are_what_others_read_too() -> None:
    """The writer of the tests writes real zip files: the refusals of test_attacks are not about its faults."""
    with zipfile.ZipFile(io.BytesIO(archive(graph()))) as file:
        assert file.testzip() is None
        assert file.read("a/data.pkl") == PICKLE


def test_a_gap_between_members_is_refused() -> None:
    first, *rest = members(PICKLE)
    hidden = Archive((first, *rest)).write().replace(b"PK\3\4", b"gapPK\3\4", 2)
    with pytest.raises(ModelError):
        read_torch_zip(hidden)


def test_a_member_without_descriptor_must_follow_at_once() -> None:
    plain = tuple(replace(one, flags=0x0800) for one in members(PICKLE))
    with pytest.raises(ModelError, match="must agree"):  # its local header has zeros where no descriptor excuses them
        read_torch_zip(Archive(plain).write())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused_or_without_effect(data: st.DataObject) -> None:
    good = archive(graph())
    position = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[position] ^= data.draw(st.integers(1, 255))
    try:
        assert read_torch_zip(bytes(changed)) == PICKLE
    except ModelError:
        return


def test_members_are_listed_completely() -> None:
    extra = Member(b"a/notes.txt", b"hello")
    with pytest.raises(ModelError, match=r'must not have a member "notes.txt"'):
        read_torch_zip(Archive((*members(PICKLE), extra)).write())
