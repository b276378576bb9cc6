"""A strict reader for the zip archives that torch writes, and for no other zip file.

Only the central directory is trusted; everything else must agree with it, and the members must tile the file
without gap or overlap, so that no other reader can see another archive in the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from femtodriver.errors import ModelError
from femtodriver.safe_text import quote

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_DESCRIPTOR = struct.Struct("<4s3L")
_DESCRIPTOR64 = struct.Struct("<4sL2Q")

_HAS_DESCRIPTOR = 0x0008
_ALLOWED_FLAGS = _HAS_DESCRIPTOR | 0x0800  # the second: names are UTF-8
_MAX_MEMBERS = 16
_MAX_SMALL_MEMBER = 1024

# Member name without the root -> its allowed contents (stripped); None = anything.
_MEMBERS: dict[str, tuple[bytes, ...] | None] = {
    "data.pkl": None,
    "version": (b"1", b"2", b"3"),
    "byteorder": (b"little",),
    ".data/serialization_id": None,
    ".format_version": (b"1",),
    ".storage_alignment": None,
}


@dataclass(frozen=True)
class _Member:
    name: str
    flags: int
    crc: int
    size: int
    header: int
    """Position of the local header."""


def read_torch_zip(data: bytes) -> bytes:
    """The contents of ``<root>/data.pkl``, checked against its CRC.

    Raises ModelError for anything that differs from what torch.save writes for a graph without tensors.
    """
    directory, count = _directory(data)
    members = _central(data, directory, count)
    _check_tiling(data, members, directory[0])  # before any slicing: overlapping members would multiply memory
    contents = {member.name: data[slice(*_span(data, member))] for member in members}
    root = _root(members)
    for name, content in contents.items():
        _check_member(name[len(root) + 1 :], content)
    for needed in ("data.pkl", "version"):
        if f"{root}/{needed}" not in contents:
            raise ModelError(f"the archive must have a member {needed}; it was not saved by torch.save.")
    for member in members:
        if zlib.crc32(contents[member.name]) != member.crc:
            raise ModelError(f"the checksum of member {quote(member.name)} must be right; the file is damaged.")
    return contents[f"{root}/data.pkl"]


def _unpack(layout: struct.Struct, data: bytes, position: int, signature: bytes, what: str) -> tuple[int, ...]:
    """The numbers after the signature of one zip structure."""
    if position < 0 or position + layout.size > len(data) or data[position : position + 4] != signature:
        raise ModelError(f"the archive must have its {what} where it belongs; the file is truncated or damaged.")
    return layout.unpack_from(data, position)[1:]


def _directory(data: bytes) -> tuple[tuple[int, int], int]:
    """Start and end of the central directory, and its number of entries."""
    end_at = len(data) - _END.size
    disk, cd_disk, here, total, size, start, comment = _unpack(_END, data, end_at, b"PK\5\6", "end record")
    if disk or cd_disk or here != total or comment:
        raise ModelError("the archive must be a single one without comment; it was not saved by torch.save.")
    locator_at = end_at - _LOCATOR.size
    if locator_at >= 0 and data[locator_at : locator_at + 4] == b"PK\6\7":
        end_at = _check_end64(data, locator_at, (here, total, size, start))
    if start + size != end_at:
        raise ModelError("the archive's directory must end at its end record; the file is damaged.")
    if not 0 < total <= _MAX_MEMBERS:
        raise ModelError(f"the archive must have 1 to {_MAX_MEMBERS} members, not {total}.")
    return (start, end_at), total


def _check_end64(data: bytes, locator_at: int, classic: tuple[int, int, int, int]) -> int:
    """Position of the ZIP64 end record, which must agree with the classic one."""
    disk, position, disks = _unpack(_LOCATOR, data, locator_at, b"PK\6\7", "ZIP64 locator")
    values = _unpack(_END64, data, position, b"PK\6\6", "ZIP64 end record")
    if disk or disks > 1 or position + _END64.size != locator_at or values[0] != _END64.size - 12:
        raise ModelError("the archive's ZIP64 end record must precede its locator; the file is damaged.")
    if values[3] or values[4] or values[5:] != classic:
        raise ModelError("the two end records of the archive must agree; the file is damaged or forged.")
    return position


def _central(data: bytes, directory: tuple[int, int], count: int) -> list[_Member]:
    position, end = directory
    members: list[_Member] = []
    for _ in range(count):
        values = _unpack(_CENTRAL, data, position, b"PK\1\2", "directory entry")
        _, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size, disk, _, _, header = values
        name_at = position + _CENTRAL.size
        position = name_at + name_size + extra_size + comment_size
        if position > end:
            raise ModelError("the archive's directory entries must fit the directory; the file is damaged.")
        name = _name(data[name_at : name_at + name_size])
        if method or packed != size or flags & ~_ALLOWED_FLAGS or extra_size or comment_size or disk:
            raise ModelError(f"member {quote(name)} must be stored plainly (no compression, encryption, comment).")
        members.append(_Member(name, flags, crc, size, header))
    if position != end:
        raise ModelError("the archive's directory must have nothing but its entries; the file is damaged.")
    if len({member.name for member in members}) != count:
        raise ModelError("the archive must not have two members of one name; the file is forged.")
    return members


def _name(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError("member names must be UTF-8; the archive was not saved by torch.save.") from None


def _span(data: bytes, member: _Member) -> tuple[int, int]:
    """Start and end of a member's contents; its local header must agree with the directory."""
    values = _unpack(_LOCAL, data, member.header, b"PK\3\4", "local header")
    _, flags, method, _, _, crc, packed, size, name_size, extra_size = values
    name_at = member.header + _LOCAL.size
    start = name_at + name_size + extra_size
    if start + member.size > len(data):
        raise ModelError(f"member {quote(member.name)} must lie inside the file; the file is truncated or forged.")
    if method or flags != member.flags or data[name_at : name_at + name_size] != member.name.encode():
        raise ModelError(f"the local header of member {quote(member.name)} must agree with the directory.")
    known = (member.crc, member.size, member.size)
    if (crc, packed, size) != known and not (flags & _HAS_DESCRIPTOR and (crc, packed, size) == (0, 0, 0)):
        raise ModelError(f"the local header of member {quote(member.name)} must agree with the directory.")
    return start, start + member.size


def _check_tiling(data: bytes, members: list[_Member], directory: int) -> None:
    """Members must follow each other from byte 0 to the directory, with nothing between but their descriptors."""
    expected = 0
    for member in sorted(members, key=lambda member: member.header):
        if member.header != expected:
            raise ModelError("the members of the archive must follow each other without gap or overlap.")
        expected = _span(data, member)[1]
        if member.flags & _HAS_DESCRIPTOR:
            expected += _descriptor_size(data, member, expected)
    if expected != directory:
        raise ModelError("the members of the archive must follow each other without gap or overlap.")


def _descriptor_size(data: bytes, member: _Member, position: int) -> int:
    for layout in (_DESCRIPTOR64, _DESCRIPTOR):
        if data[position : position + layout.size] == layout.pack(b"PK\7\10", member.crc, member.size, member.size):
            return layout.size
    raise ModelError(f"the data descriptor of member {quote(member.name)} must agree with the directory.")


def _root(members: list[_Member]) -> str:
    """The one directory that all members are in."""
    roots = {member.name.partition("/")[0] for member in members}
    root = next(iter(roots))
    if len(roots) != 1 or root in ("", ".", "..") or any(char in "\\:" or not char.isprintable() for char in root):
        raise ModelError("the archive must have one plainly named directory; it was not saved by torch.save.")
    return root


def _check_member(name: str, content: bytes) -> None:
    if name not in _MEMBERS:
        raise ModelError(
            f"the archive must not have a member {quote(name)}: graph files hold no tensors, code or other files."
        )
    if name != "data.pkl" and len(content) > _MAX_SMALL_MEMBER:
        raise ModelError(f"member {quote(name)} must have at most {_MAX_SMALL_MEMBER} bytes, not {len(content)}.")
    allowed = _MEMBERS[name]
    if allowed is not None and content.strip() not in allowed:
        wanted = " or ".join(text.decode() for text in allowed)
        raise ModelError(f"member {quote(name)} must be {wanted}, not {content[:20]!a}.")
