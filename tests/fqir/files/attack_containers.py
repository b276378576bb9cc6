"""Part 1 of the hostile files: containers. Each row: short name -> (what the refusal says, how to build the file)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.fqir.graph_wire import Archive, Member, archive, bare, graph, legacy, members, with_member

Rows = dict[str, tuple[str, Callable[[], bytes]]]

FORM = "must be a graph saved by torch.save"
TILE = "follow each other without gap or overlap"
PLAIN = "must be stored plainly"


def good() -> tuple[Member, ...]:
    return members(bare(graph()))


def tar() -> bytes:
    header = b"storages".ljust(257, b"\0") + b"ustar\x0000"
    return header.ljust(512, b"\0") + bytes(1024)


def renamed(path: bytes) -> bytes:
    """An archive whose data.pkl has another name."""
    return Archive(with_member(good(), "a/data.pkl", path=path)).write()


def extra(*more: Member) -> bytes:
    return Archive((*good(), *more)).write()


def changed(member: str, **changes: object) -> bytes:
    return Archive(with_member(good(), member, **changes)).write()


def deflated() -> bytes:
    plain = bytes(10_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(plain) + packer.flush()
    return changed("a/data.pkl", data=packed, method=8)


def nested_overlap() -> bytes:
    """The record of ``version`` lies inside the data of data.pkl."""
    inner = Member(b"a/version", b"3\n")
    pickle = Member(b"a/data.pkl", bare(graph()) + inner.local())
    at = len(pickle.local()) - 16 - len(inner.local())
    return Archive((pickle, replace(inner, header=at))).write()


def overlap() -> bytes:
    """Two entries share one local record, which has the name of the first."""
    return extra(Member(b"a/data/0", bare(graph()), header=0))


def shared_record() -> bytes:
    """Two entries of one name and one local record."""
    return extra(Member(b"a/data.pkl", bare(graph()), header=0))


def size_lie() -> bytes:
    return changed("a/data.pkl", size=1 << 31)


def local_changed(data: bytes, at: int, value: bytes) -> bytes:
    """The archive with bytes of the first local header replaced."""
    return data[:at] + value + data[at + len(value) :]


def comment() -> bytes:
    data = archive(graph())
    return data[:-2] + struct.pack("<H", 5) + b"hello"


def no_members() -> bytes:
    """A local header that no directory mentions."""
    return Member(b"a/data.pkl", bare(graph())).local() + Archive((), end={"start": HIDDEN}, with64=False).write()


HIDDEN = len(Member(b"a/data.pkl", bare(graph())).local())

ZIPS: Rows = {
    "empty_file": ("not empty", lambda: b""),
    "text": (FORM, lambda: b"import os\nprint('hello')\n" * 20),
    "tar": ("not a tar archive", tar),
    "zip_truncated": ("end record", lambda: archive(graph())[:-40]),
    "zip_cut_head": (FORM, lambda: archive(graph())[10:]),
    "zip_only_magic": ("end record", lambda: b"PK\3\4"),
    "zip_prefix": ("after other bytes", lambda: b"#!/bin/sh\n" + archive(graph())),
    "zip_trailing": ("end record", lambda: archive(graph()) + b"trailing"),
    "zip_comment": ("end record", comment),
    "zip_deflate": (PLAIN, deflated),
    "zip_nested_overlap": (TILE, nested_overlap),
    "zip_overlap": ("must agree|without gap", overlap),
    "zip_dup": ("two members of one name", lambda: extra(Member(b"a/data.pkl", bare(5)))),
    "zip_dup_record": ("two members of one name", shared_record),
    "zip_two_pkl": ("one plainly named directory", lambda: extra(Member(b"b/data.pkl", bare(5)))),
    "zip_toplevel": ("one plainly named directory", lambda: renamed(b"data.pkl")),
    "zip_nested_root": ("must not have a member", lambda: renamed(b"a/b/data.pkl")),
    "zip_no_pkl": ("must have a member data.pkl", lambda: Archive(good()[1:]).write()),
    "zip_traversal": ("must not have a member", lambda: renamed(b"a/../../etc/passwd")),
    "zip_dotdot_root": ("one plainly named directory", lambda: Archive(members(bare(graph()), "..")).write()),
    "zip_abs": ("one plainly named directory", lambda: renamed(b"/data.pkl")),
    "zip_backslash": ("one plainly named directory", lambda: Archive(members(bare(graph()), "a\\b")).write()),
    "zip_drive": ("one plainly named directory", lambda: Archive(members(bare(graph()), "c:")).write()),
    "zip_nul": ("must not have a member", lambda: renamed(b"a/data.pkl\0.txt")),
    "zip_nul_root": ("one plainly named directory", lambda: Archive(members(bare(graph()), "a\0b")).write()),
    "zip_non_utf8": ("must be UTF-8", lambda: renamed(b"a/\xff\xfe.pkl")),
    "zip_extra_member": ("must not have a member", lambda: extra(Member(b"a/code/x.py", b"print()"))),
    "zip_storage_member": ("no tensors", lambda: extra(Member(b"a/data/0", bytes(64)))),
    "zip_many": ("1 to 16 members", lambda: extra(*(Member(b"a/%d" % index, b"") for index in range(500)))),
    "zip_empty_directory": ("1 to 16 members", no_members),
    "zip_crc": ("checksum", lambda: changed("a/data.pkl", crc=12345)),
    "zip_size_lie": ("inside the file", size_lie),
    "zip_count_lie": (
        "1 to 16 members|damaged",
        lambda: Archive(good(), end={"count": 65535}, with64=False).write(),
    ),
    "zip_count_short": (
        "nothing but its entries",
        lambda: Archive(good(), end={"count": 5}, end64={"count": 5}).write(),
    ),
    "zip_cd_off": ("directory must end", lambda: Archive(good(), {"start": 1 << 30}, {"start": 1 << 30}).write()),
    "zip64_disagree": ("two end records", lambda: Archive(good(), end64={"count": 5}).write()),
    "zip_encrypted": (PLAIN, lambda: changed("a/data.pkl", flags=0x0809)),
    "zip_strong_encryption": (PLAIN, lambda: changed("a/data.pkl", flags=0x0848)),
    "zip_hidden_names": (PLAIN, lambda: changed("a/data.pkl", flags=0x2808)),
    "zip_name_mismatch": ("must agree", lambda: changed("a/data.pkl", local_path=b"a/data.txt")),
    "zip_local_size": ("must agree", lambda: local_changed(archive(graph()), 18, struct.pack("<L", 7))),
    "zip_local_method": ("must agree", lambda: local_changed(archive(graph()), 8, b"\x08\0")),
    "zip_bigendian": ("must be little", lambda: changed("a/byteorder", data=b"big")),
    "zip_version9": ("must be 1 or 2 or 3", lambda: changed("a/version", data=b"9\n")),
    "zip_no_version": ("must have a member version", lambda: Archive((*good()[:4], good()[5])).write()),
    "zip_long_id": ("at most 1024 bytes", lambda: changed("a/.data/serialization_id", data=b"0" * 2000)),
}

LEGACY: Rows = {
    "leg_protocol": ("protocol 1001", lambda: legacy(graph(), protocol=1002)),
    "leg_protocol_text": ("protocol 1001", lambda: legacy(graph(), protocol="1001")),
    "leg_sysinfo": ("little-endian", lambda: legacy(graph(), system=[1, 2])),
    "leg_bigendian": ("little-endian", lambda: legacy(graph(), system={"little_endian": False})),
    "leg_sysinfo_empty": ("little-endian", lambda: legacy(graph(), system={})),
    "leg_keys": ("must not have tensors", lambda: legacy(graph(), keys=["0"])),
    "leg_trailing": ("bytes after it", lambda: legacy(graph()) + bytes(8)),
    "leg_magic_only": ("must start with protocol", lambda: legacy(graph())[:15]),
    "leg_no_keys": ("must start with protocol", lambda: legacy(graph())[:-5]),
    "leg_other_magic": ("bytes after it", lambda: legacy(graph(), magic=1234)),
}

ROWS: Rows = {**ZIPS, **LEGACY}
