"""Layout B of the ``.femto`` container: a header of 256 bytes, model, part, pages. Magic ``f3mt0``.

The profiles "B-packed" and "B-aligned" hold the same fields; the second fills four items to multiples of 4 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from femtodriver.errors import ProgramError
from femtodriver.program.femto.binary_reader import (
    FILLER,
    BinaryReader,
    Order,
    filled,
    numbers,
    small_numbers,
    text_field,
)
from femtodriver.program.femto.femto_records import (
    BANK_FSM,
    BANK_OFF,
    CHUNK,
    VECTOR_BITS,
    VECTOR_CODES,
    VECTOR_KINDS,
    FemtoCore,
    FemtoHeader,
    FemtoModel,
    FemtoSequence,
    FemtoSpu,
    FemtoVector,
    ParsedFile,
    part_geometry,
)
from femtodriver.program.femto.pages import Banks, build_pages
from femtodriver.program.memory_map import Geometry
from femtodriver.program.metadata import NOT_ENCRYPTED

MAGIC = b"f3mt0"
MAX_VECTORS = 255
_VECTORS_AT, _VECTOR_SIZE = 16, 12
_SEQUENCE_HEAD = 5
_CORES_AT = 6
# The offset of the SPU config is a 16-bit number and a multiple of 256 when the model config is large.
_MODEL_MOST = 0xFF00 - CHUNK


def parse_b(data: bytes, where: str, problems: list[str] | None = None) -> ParsedFile:
    """Records of a Layout B file. Raises ProgramError with the offset of what is wrong; see BinaryReader for
    ``problems``."""
    flag = BinaryReader(data, where).u8(5)
    reader = BinaryReader(data, where, "<" if flag == 1 else ">", problems)
    reader.raw(0, CHUNK)
    reader.expect(6, "the chunk size", reader.u16(6), CHUNK)
    model_at, spu_at, pages_at, reference_at = _check_chain(reader)
    page_size = reader.u32(86)
    count = reader.u16(model_at + 2)
    reader.expect(86, "the page-area size", page_size, count * CHUNK)
    # The profile is found out by writing the file again; see femtofile.py.
    header = FemtoHeader("B-aligned", reader.text(10, 16), flag, reader.u16(8), reader.u32(74))
    reference = reader.raw(reference_at, reader.u32(94))
    model = replace(_parse_model(reader, model_at, spu_at), reference=reference)
    spu, banks_off = _parse_spu(reader, spu_at, spu_at + reader.u16(82))
    return ParsedFile(header, model, spu, pages_at, count, banks_off)


def _check_chain(reader: BinaryReader) -> tuple[int, int, int, int]:
    """Offsets of model config, SPU config, pages, reference sequences; each must start where the one before ends."""
    model_at, spu_at, pages_at, reference_at = reader.u16(80), reader.u16(84), reader.u32(90), reader.u32(98)
    reader.expect(80, "the model-config offset", model_at, CHUNK)
    reader.expect(84, "the SPU-config offset", spu_at, model_at + reader.u16(78))
    reader.expect(90, "the page-area offset", pages_at, spu_at + reader.u16(82))
    reader.expect(98, "the reference offset", reference_at, pages_at + reader.u32(86))
    reader.expect(94, "the size of the file", len(reader.data), reference_at + reader.u32(94))
    return model_at, spu_at, pages_at, reference_at


def _parse_model(reader: BinaryReader, at: int, end: int) -> FemtoModel:
    vectors, vectors_at = reader.u16(at + 4), at + reader.u16(at + 6)
    sequences, sequences_at = reader.u16(at + 8), at + reader.u16(at + 10)
    size, user_at = reader.u16(at + 12), at + reader.u16(at + 14)
    for here, name, start, least in (
        (6, "the vector table", vectors_at, at + _VECTORS_AT),
        (10, "the sequence section", sequences_at, vectors_at + vectors * _VECTOR_SIZE),
        (14, "the user data", user_at, sequences_at + 4 * sequences),
        (14, "the end of the model config", end, user_at + size),
    ):
        if start < least:
            raise reader.error(at + here, f"{name} must start at {least:#x} or later, not at {start:#x}")
    return FemtoModel(
        type_code=reader.u16(at),
        name=reader.text(26, 32),
        version=reader.text(58, 16),
        vectors=_parse_vectors(reader, vectors_at, vectors),
        sequences=tuple(_parse_sequence(reader, sequences_at, user_at, i) for i in range(sequences)),
        user_data=reader.raw(user_at, size),
    )


def _parse_vectors(reader: BinaryReader, at: int, count: int) -> tuple[FemtoVector, ...]:
    vectors: list[FemtoVector] = []
    ids: set[int] = set()
    for start in range(at, at + count * _VECTOR_SIZE, _VECTOR_SIZE):
        number, kind, core, bits = reader.raw(start, 4)
        if kind not in VECTOR_KINDS:
            raise reader.error(start + 1, f"the vector type must be 0, 1 or 2, not {kind}")
        if bits not in VECTOR_BITS:
            raise reader.error(start + 3, f"the precision must be 8 or 16 bits (32 in the open SPU), not {bits}")
        if number in ids:
            raise reader.error(start, f"the vector id {number} must appear once")
        ids.add(number)
        lengths = reader.u16(start + 4), reader.u16(start + 6)
        vectors.append(FemtoVector(number, VECTOR_KINDS[kind], core, bits, *lengths, reader.u32(start + 8)))
    return tuple(vectors)


def _parse_sequence(reader: BinaryReader, section: int, end: int, index: int) -> FemtoSequence:
    size, offset = reader.u16(section + 4 * index), reader.u16(section + 4 * index + 2)
    at = section + offset
    if size < _SEQUENCE_HEAD or at + size > end:
        raise reader.error(section + 4 * index, f"sequence {index} must lie inside the sequence section")
    number, inputs, inputs_at, outputs, outputs_at = reader.raw(at, _SEQUENCE_HEAD)
    if inputs_at + inputs > size or outputs_at + outputs > size:
        raise reader.error(at, f"the vector ids of sequence {index} must lie inside its record of {size} bytes")
    ids = [tuple(reader.raw(at + start, count)) for start, count in ((inputs_at, inputs), (outputs_at, outputs))]
    return FemtoSequence(number, ids[0], ids[1])


def _parse_spu(reader: BinaryReader, at: int, end: int) -> tuple[FemtoSpu, frozenset[tuple[int, str]]]:
    part, key_index, clock = reader.u8(at), reader.u8(at + 1), reader.u16(at + 2)
    if key_index > NOT_ENCRYPTED:
        raise reader.error(at + 1, f"the key index must be in 0...{NOT_ENCRYPTED}, not {key_index}")
    geometry = part_geometry(part, f"{reader.where}: offset {at:#x}")
    count, section = reader.u8(at + 4), at + reader.u8(at + 5)
    cores: list[FemtoCore] = []
    off: set[tuple[int, str]] = set()
    for index in range(count):
        size, offset = reader.u16(section + 4 * index), reader.u16(section + 4 * index + 2)
        start = section + offset
        if size < 4 or start + size > end:
            raise reader.error(section + 4 * index, f"core record {index} must lie inside the SPU config")
        core, status, banks, banks_at = reader.raw(start, 4)
        if core >= geometry.cores or core in [other.core_id for other in cores]:
            raise reader.error(start, f"the core must be in 0...{geometry.cores - 1} and appear once, not {core}")
        if banks_at + 2 * banks > size:
            raise reader.error(start + 2, f"the {banks} bank descriptors must lie inside the record of {size} bytes")
        cores.append(FemtoCore(core, status))
        off |= {(core, name) for name in _banks_off(reader.raw(start + banks_at, 2 * banks), geometry)}
    return FemtoSpu(part, key_index, clock, tuple(cores)), frozenset(off)


def _banks_off(descriptors: bytes, geometry: Geometry) -> Iterable[str]:
    names = {bank.uid: bank.name for bank in geometry.switched_banks}
    pairs = zip(descriptors[::2], descriptors[1::2], strict=True)
    return [names[uid] for uid, state in pairs if state == BANK_OFF and uid in names]


def build_b(header: FemtoHeader, model: FemtoModel, spu: FemtoSpu, banks: Banks) -> bytes:
    """Bytes of a Layout B file in the header's profile. Raises ProgramError for what the layout cannot hold:
    more than 255 vectors, numbers above their field, a model config (user data mostly) above about 65,000 bytes."""
    align = 4 if header.layout == "B-aligned" else 1
    pages = build_pages(banks, spu.geometry, header.order)
    model_part = _build_model(header.order, model, len(pages) // CHUNK, align)
    spu_part = _build_spu(header.order, spu, banks, align)
    if len(model_part) + len(spu_part) > CHUNK:
        model_part, spu_part = filled(model_part, CHUNK), filled(spu_part, CHUNK)
    else:
        spu_part = spu_part.ljust(CHUNK - len(model_part), FILLER)
    if len(model_part) > _MODEL_MOST:
        raise ProgramError(
            f"Layout B: the model config (vectors, sequences and {len(model.user_data)} bytes of user data) must have "
            f"at most {_MODEL_MOST} bytes, not {len(model_part)}; shorten the user data."
        )
    spu_at = CHUNK + len(model_part)
    pages_at = spu_at + len(spu_part)
    head = MAGIC + numbers(header.order, "122", header.byte_order, CHUNK, header.format_version, where="header")
    head += text_field(header.producer, 16) + text_field(model.name, 32) + text_field(model.version, 16)
    head += numbers(
        header.order,
        "422224444",
        *(header.checksum, len(model_part), CHUNK, len(spu_part), spu_at),
        *(len(pages), pages_at, len(model.reference), pages_at + len(pages)),
        where="header",
    )
    return head.ljust(CHUNK, FILLER) + model_part + spu_part + pages + model.reference


def _build_model(order: Order, model: FemtoModel, pages: int, align: int) -> bytes:
    if len(model.vectors) > MAX_VECTORS:
        raise ProgramError(f"Layout B: vectors must be at most {MAX_VECTORS}, not {len(model.vectors)}.")
    vectors = b"".join(_vector(vector, order) for vector in model.vectors)
    sequences_at = _VECTORS_AT + len(vectors)
    sequences = filled(_table([_sequence(entry) for entry in model.sequences], order, "sequences"), align)
    head = numbers(
        order,
        "22222222",
        *(model.type_code, pages, len(model.vectors), _VECTORS_AT, len(model.sequences), sequences_at),
        *(len(model.user_data), sequences_at + len(sequences)),
        where="model (is the user data too long?)",
    )
    return filled(head + vectors + sequences + model.user_data, align)


def _table(records: list[bytes], order: Order, where: str) -> bytes:
    """A mapping table of (size, offset), offsets from the table's start, then the records."""
    at = 4 * len(records)
    table = b""
    for record in records:
        table += numbers(order, "22", len(record), at, where=where)
        at += len(record)
    return table + b"".join(records)


def _vector(vector: FemtoVector, order: Order) -> bytes:
    values = (vector.id, VECTOR_CODES[vector.kind], vector.core, vector.bits, vector.usable, vector.padded)
    return numbers(order, "1111224", *values, vector.parameter, where=f"vector {vector.id}")


def _sequence(entry: FemtoSequence) -> bytes:
    counts = (len(entry.inputs), _SEQUENCE_HEAD, len(entry.outputs), _SEQUENCE_HEAD + len(entry.inputs))
    return small_numbers((entry.id, *counts, *entry.inputs, *entry.outputs), f"sequence {entry.id}")


def _build_spu(order: Order, spu: FemtoSpu, banks: Banks, align: int) -> bytes:
    values = (spu.part, spu.key_index, spu.clock_mhz, len(spu.cores), _CORES_AT)
    head = numbers(order, "11211", *values, where="spu")
    records = [_core(core, spu, banks) for core in spu.cores]
    return filled(head + filled(_table(records, order, "cores"), align), align)


def _core(core: FemtoCore, spu: FemtoSpu, banks: Banks) -> bytes:
    switched = spu.geometry.switched_banks
    record = small_numbers((core.core_id, core.status, len(switched), 4), "core")
    for bank in switched:
        record += bytes([bank.uid, BANK_FSM if len(banks.get((core.core_id, bank.name), ())) else BANK_OFF])
    return record
