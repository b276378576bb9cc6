"""The outside of a ``.fqir`` file: one line with sizes and a checksum, a part in JSON, a part in bytes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from femtodriver.errors import ModelError
from femtodriver.files.exact_json import load_exact_json

FQIR_ENDING = ".fqir"
VERSION = 1
ELEMENT_TYPES = {"int8": "<i1", "int16": "<i2", "int32": "<i4", "int64": "<i8"}
MAX_TEXT_BYTES = 8 << 20
# At about 40 for a node with its tensors, enough for 12,000 nodes.
MAX_BEGINNINGS = 1 << 19
# What the largest networks of all importers have.
MAX_ARRAY_NUMBERS = 8 << 20
_START = b"fqir "
_LONGEST_LINE = 120
_NUMBER = rb"(0|[1-9][0-9]{0,8})"
_LINE = re.compile(rb"fqir " + _NUMBER + b" " + _NUMBER + b" " + _NUMBER + rb" ([0-9a-f]{64})")


@dataclass(frozen=True, eq=False)
class FqirParts:
    """What is in a file after its first line: the value of its JSON, and the bytes of its arrays."""

    value: object
    data: memoryview


def join_parts(text: bytes, data: bytes) -> bytes:
    """The file of these two parts."""
    body = text + data
    return f"fqir {VERSION} {len(text)} {len(data)} {hashlib.sha256(body).hexdigest()}\n".encode("ascii") + body


def split_parts(content: bytes) -> FqirParts:
    """The two parts of a file. ModelError, without the name of the file, for one that is damaged or something else."""
    line, newline, _ = content[:_LONGEST_LINE].partition(b"\n")
    if not line.startswith(_START):
        raise ModelError(
            f"the file must begin with 'fqir 1 ', not with {content[:8]!r}; check that it is the right file."
        )
    if line.endswith(b"\r"):
        raise ModelError("the first line must end as it was written; copy the file as binary, not as text.")
    found = _LINE.fullmatch(line)
    if found is None or not newline:
        raise ModelError("the first line must be 'fqir', a version, two sizes and a SHA-256 in 64 hex digits.")
    version, text_bytes, data_bytes = (int(found[place]) for place in (1, 2, 3))
    if version != VERSION:
        raise ModelError(f"the version must be {VERSION}, not {version}; a newer open-femtodriver may read it.")
    body = memoryview(content)[len(line) + 1 :]
    _check_sizes(len(body), text_bytes, data_bytes)
    if hashlib.sha256(body).hexdigest() != found[4].decode("ascii"):
        raise ModelError("the SHA-256 of its first line must be that of the rest; the file is damaged.")
    value = load_exact_json(bytes(body[:text_bytes]), "the JSON", ModelError, MAX_BEGINNINGS)
    return FqirParts(value, body[text_bytes:])


def _check_sizes(found: int, text_bytes: int, data_bytes: int) -> None:
    if text_bytes > MAX_TEXT_BYTES:
        raise ModelError(f"the JSON must have at most {MAX_TEXT_BYTES} bytes, not {text_bytes}.")
    if found != text_bytes + data_bytes:
        raise ModelError(
            f"the first line must be followed by {text_bytes} + {data_bytes} bytes, as it says, not {found}; the file "
            "is damaged."
        )
