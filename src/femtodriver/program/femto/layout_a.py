"""Layout A of the ``.femto`` container: a fixed block of 256 bytes, then the pages. Magic ``femtosense_model``."""

from __future__ import annotations

from collections.abc import Mapping

from femtodriver.errors import ProgramError
from femtodriver.program.femto.binary_reader import FILLER, BinaryReader, Order, numbers, small_numbers, text_field
from femtodriver.program.femto.femto_records import (
    BANK_FSM,
    BANK_OFF,
    CHUNK,
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
    version_code,
    version_text,
)
from femtodriver.program.femto.pages import Banks, build_pages
from femtodriver.program.memory_map import Geometry
from femtodriver.program.metadata import NOT_ENCRYPTED

MAGIC = b"femtosense_model"
MAX_VECTORS = 8
MAX_SEQUENCES = 4
MAX_CLOCK_MHZ = 300

_MODEL_AT, _MODEL_SIZE = 48, 128
_SPU_AT, _SPU_SIZE = 176, 80
_VECTORS_AT, _VECTOR_SIZE = _MODEL_AT + 24, 9
_SEQUENCES_AT, _SEQUENCE_SIZE = _MODEL_AT + 96, 5
_CORES_AT, _CORE_SIZE, _CORE_SLOTS = _SPU_AT + 4, 28, 2
_NONE = 0xFF


def parse_a(data: bytes, where: str, problems: list[str] | None = None) -> ParsedFile:
    """Records of a Layout A file. Raises ProgramError with the offset of what is wrong; see BinaryReader for
    ``problems``."""
    reader = BinaryReader(data, where, "<" if BinaryReader(data, where).u8(16) == 1 else ">", problems)
    reader.raw(0, CHUNK)
    _check_chain(reader)
    count = reader.u16(_MODEL_AT + 4)
    reader.expect(37, "the page-area size", reader.u32(37), count * CHUNK)
    reader.expect(37, "the size of the file", len(data), CHUNK + count * CHUNK)
    header = FemtoHeader("A", version_text(reader.u16(21)), reader.u8(16), reader.u16(19), reader.u32(23))
    model = FemtoModel(
        type_code=reader.u16(_MODEL_AT),
        name=reader.text(_MODEL_AT + 8, 16),
        version=version_text(reader.u16(_MODEL_AT + 2)),
        vectors=_parse_vectors(reader),
        sequences=_parse_sequences(reader),
        audio_channels=reader.u8(_MODEL_AT + 6),
        audio_rate_khz=reader.u8(_MODEL_AT + 7),
    )
    part = reader.u8(_SPU_AT)
    geometry = part_geometry(part, f"{where}: offset {_SPU_AT:#x}")
    cores, banks_off = _parse_cores(reader, geometry)
    spu = FemtoSpu(part, reader.u8(_SPU_AT + 1), reader.u16(_SPU_AT + 2), cores)
    if spu.key_index > NOT_ENCRYPTED:
        raise reader.error(_SPU_AT + 1, f"the key index must be in 0...{NOT_ENCRYPTED}, not {spu.key_index}")
    return ParsedFile(header, model, spu, CHUNK, count, banks_off)


def _check_chain(reader: BinaryReader) -> None:
    for at, name, wanted in (
        (17, "the chunk size", CHUNK),
        (27, "the model-config offset", _MODEL_AT),
        (29, "the model-config size", _MODEL_SIZE),
        (31, "the SPU-config offset", _SPU_AT),
        (33, "the SPU-config size", _SPU_SIZE),
        (35, "the page-area offset", CHUNK),
    ):
        reader.expect(at, name, reader.u16(at), wanted)


def _slots(reader: BinaryReader, at: int, size: int, count: int) -> list[int]:
    """Offsets of the used slots of a table; unused ones (all 0xFF) may only follow them."""
    used = [reader.raw(at + i * size, size) != FILLER * size for i in range(count)]
    if used != sorted(used, reverse=True):
        raise reader.error(at, "used slots must come before unused ones")
    return [at + i * size for i in range(sum(used))]


def _parse_vectors(reader: BinaryReader) -> tuple[FemtoVector, ...]:
    vectors = []
    for at in _slots(reader, _VECTORS_AT, _VECTOR_SIZE, MAX_VECTORS):
        kind = reader.u8(at + 1)
        if kind not in VECTOR_KINDS:
            raise reader.error(at + 1, f"the vector type must be 0, 1 or 2, not {kind}")
        size = reader.u16(at + 3)
        core, parameter = reader.u8(at + 2), reader.u32(at + 5)
        vectors.append(FemtoVector(reader.u8(at), VECTOR_KINDS[kind], core, 16, size, size, parameter))
    return tuple(vectors)


def _parse_sequences(reader: BinaryReader) -> tuple[FemtoSequence, ...]:
    sequences = []
    for at in _slots(reader, _SEQUENCES_AT, _SEQUENCE_SIZE, MAX_SEQUENCES):
        ids = [tuple(i for i in reader.raw(start, 2) if i != _NONE) for start in (at + 1, at + 3)]
        sequences.append(FemtoSequence(reader.u8(at), ids[0], ids[1]))
    return tuple(sequences)


def _parse_cores(reader: BinaryReader, geometry: Geometry) -> tuple[tuple[FemtoCore, ...], frozenset[tuple[int, str]]]:
    cores: list[FemtoCore] = []
    off: set[tuple[int, str]] = set()
    names = {bank.uid: bank.name for bank in geometry.switched_banks}
    for slot in range(_CORE_SLOTS):
        at = _CORES_AT + slot * _CORE_SIZE
        core = reader.u8(at)
        if core == _NONE:
            continue
        if core >= _CORE_SLOTS or core in [other.core_id for other in cores]:
            raise reader.error(at, f"the core must be 0 or 1 and appear once, not {core}")
        cores.append(FemtoCore(core, reader.u8(at + 1)))
        descriptors = reader.raw(at + 2, _CORE_SIZE - 2)
        pairs = zip(descriptors[::2], descriptors[1::2], strict=True)
        off |= {(core, names[uid]) for uid, state in pairs if state == BANK_OFF and uid in names}
    return tuple(cores), frozenset(off)


def build_a(header: FemtoHeader, model: FemtoModel, spu: FemtoSpu, banks: Banks) -> bytes:
    """Bytes of a Layout A file. Raises ProgramError for what the layout cannot hold: more than 8 vectors, 4 sequences,
    2 inputs or outputs per sequence, 2 cores, a clock above 300 MHz, user data, another part than the SPU-001."""
    _check_room(model, spu)
    order = header.order
    pages = build_pages(banks, spu.geometry, order)
    count = len(pages) // CHUNK
    head = MAGIC + numbers(
        order,
        "12224222224",
        *(header.byte_order, CHUNK, header.format_version, version_code(header.producer), header.checksum),
        *(_MODEL_AT, _MODEL_SIZE, _SPU_AT, _SPU_SIZE, CHUNK, len(pages)),
        where="header",
    )
    body = numbers(order, "222", model.type_code, version_code(model.version), count, where="model")
    body += numbers(order, "11", model.audio_channels, model.audio_rate_khz, where="model")
    body += text_field(model.name, 16)
    body += b"".join(_vector(vector, order) for vector in model.vectors).ljust(MAX_VECTORS * _VECTOR_SIZE, FILLER)
    body += b"".join(_sequence(entry) for entry in model.sequences).ljust(MAX_SEQUENCES * _SEQUENCE_SIZE, FILLER)
    chip = numbers(order, "112", spu.part, spu.key_index, spu.clock_mhz, where="spu")
    chip += b"".join(_core_slot(spu, slot, banks) for slot in range(_CORE_SLOTS))
    return head.ljust(_MODEL_AT, FILLER) + body.ljust(_MODEL_SIZE, FILLER) + chip.ljust(_SPU_SIZE, FILLER) + pages


def _check_room(model: FemtoModel, spu: FemtoSpu) -> None:
    limits: Mapping[str, tuple[int, int]] = {
        "vectors": (len(model.vectors), MAX_VECTORS),
        "sequences": (len(model.sequences), MAX_SEQUENCES),
        "inputs of one sequence": (max((len(entry.inputs) for entry in model.sequences), default=0), 2),
        "outputs of one sequence": (max((len(entry.outputs) for entry in model.sequences), default=0), 2),
        "cores": (max(spu.used_cores, default=0) + 1, _CORE_SLOTS),
        "clock (MHz)": (spu.clock_mhz, MAX_CLOCK_MHZ),
        "bytes of user data": (len(model.user_data), 0),
        "bank descriptors of a core": (len(spu.geometry.switched_banks), 13),
    }
    for what, (have, most) in limits.items():
        if have > most:
            raise ProgramError(f"Layout A: {what} must be at most {most}, not {have}; write Layout B instead.")


def _vector(vector: FemtoVector, order: Order) -> bytes:
    size = -(-vector.padded * vector.bits // 64) * 4  # whole 64-bit words, counted in int16 units
    values = (vector.id, VECTOR_CODES[vector.kind], vector.core, size, vector.parameter)
    return numbers(order, "11124", *values, where="vector")


def _sequence(entry: FemtoSequence) -> bytes:
    ids = [small_numbers(part, f"sequence {entry.id}").ljust(2, FILLER) for part in (entry.inputs, entry.outputs)]
    return small_numbers((entry.id,), "sequence") + ids[0] + ids[1]


def _core_slot(spu: FemtoSpu, slot: int, banks: Banks) -> bytes:
    status = {core.core_id: core.status for core in spu.cores}
    if slot not in spu.used_cores:
        return FILLER * _CORE_SIZE
    record = small_numbers((slot, status[slot]), "core")
    for bank in spu.geometry.switched_banks:
        record += bytes([bank.uid, BANK_FSM if len(banks.get((slot, bank.name), ())) else BANK_OFF])
    return record.ljust(_CORE_SIZE, FILLER)
