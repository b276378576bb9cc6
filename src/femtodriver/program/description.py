"""What a program for the open SPU says about itself beside its images: origin, part, widths, layers, memory.

It is under the key ``femtodriver`` of ``metadata.yaml`` and, without layers, source map, memory, kept places and
states, in the user data of a ``.femto`` (see ``femto/user_data.py``). A program without it is foreign: it can be
converted, but nobody here knows what it means. Execution never looks at it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.isa.limits import ISA_FAMILY, ISA_NAME
from femtodriver.program.plain_records import PlainValue, from_plain, to_plain
from femtodriver.program.program_states import ProgramState, check_states

KEY = "femtodriver"
SCHEMA = 2
"""Counts up when a reader must know more than the last one did. 2: axes and quanta of inputs and outputs."""
_OLDEST = 1
MOST_BITS = 32
MOST_QUANTA = 1000

LOST = ("layers", "source_map", "memory", "kept", "states")
"""What a ``.femto`` has no room for."""

SourceRange = tuple[int, int, int]
"""First PC, end PC and place in ``layers`` of neighbouring instructions of one layer."""


FATES = (FUSED, VIEW, UNUSED) = ("fused", "view", "unused")


@dataclass(frozen=True)
class LayerFate:
    """What has become of a layer that has no instructions of its own.

    ``how``: FUSED (instructions of other layers do its work too), VIEW (its values need no work: they are where other
    layers, inputs or constants have them) or UNUSED (nothing needs it). ``into``: places of these other layers.
    """

    how: str
    into: tuple[int, ...] = ()


@dataclass(frozen=True)
class DescribedLayer:
    """One layer in program order; ``source`` is the value it computes; ``bytes`` has those it stores, by kind.

    ``module``, ``step`` and ``line``: where it comes from in the user's model (``fqir/node_origin.py``). ``fate``: what
    has become of a layer without instructions of its own, see ``LayerFate``. None: nobody knows, or there is none.
    """

    name: str = ""
    op: str = ""
    source: str = ""
    core: int | None = None
    elements: int | None = None
    bytes: Mapping[str, int] | None = None
    module: str | None = None
    step: str | None = None
    line: str | None = None
    fate: LayerFate | None = None


@dataclass(frozen=True, kw_only=True)
class CoreMemory:
    """What the program uses of one core's memory: bytes by kind, and words per memory (data memory: per bank)."""

    weights: int = 0
    indices: int = 0
    constants: int = 0
    activations: int = 0
    state: int = 0
    tables: int = 0
    instructions: int = 0
    dm_used_words_per_bank: tuple[int, ...]
    tm_used_words: int
    im_used_words: int


@dataclass(frozen=True)
class KeptPlace:
    """``length`` elements of ``bits`` bits from a byte address of a core's data memory on."""

    core: int
    address: int
    bits: int
    length: int


@dataclass(frozen=True)
class VariableForm:
    """What the network says of an input or output: the axes of a frame, row-major, () for one axis; quanta and zero
    point: an integer v stands for the real number (v - zero point) * 2**quanta; None where nobody knows, and where the
    network has no zero points (see ``fqir/graph.py``). ``latched``: True for an input that keeps its last value where a
    frame does not give it, as an I/O specification says. ``other_names``: others that users may know it by."""

    shape: tuple[int, ...] = ()
    quanta: PlainValue = None
    zero_point: PlainValue = None
    latched: PlainValue = None
    other_names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class CompilerOrigin:
    """Version of the compiler and all its options."""

    version: str = ""
    options: Mapping[str, PlainValue] | None = None


@dataclass(frozen=True, kw_only=True)
class ConversionOrigin:
    """How a network was made of a PyTorch module: names of files without folders, their SHA-256, and what made it.

    ``function``: what in the file gave the module, or the class of a module that was in memory. ``versions``: of torch
    and fmot. ``quality``: accuracy and signal-to-noise ratios on the calibration, of the module and of the quantized
    one (docs/pytorch.md).
    """

    source: str | None = None
    source_sha256: str | None = None
    function: str = ""
    calibration: str = ""
    calibration_sha256: str = ""
    precision: str = ""
    versions: Mapping[str, PlainValue] | None = None
    quality: Mapping[str, PlainValue] | None = None


@dataclass(frozen=True)
class ModelOrigin:
    """Name of the network and SHA-256 of its file, as far as they are known. ``requantize``: of a TFLite file, whose
    kernels' rounding the program has; ``conversion``: of a PyTorch module."""

    name: str | None = None
    sha256: str | None = None
    requantize: str | None = None
    conversion: ConversionOrigin | None = None


@dataclass(frozen=True)
class ProgramDigest:
    """SHA-256 of sizes, inputs, outputs and origin; and the first 16 digits of that of each bank ("core 0 DM0")."""

    records: str
    banks: Mapping[str, str]


@dataclass(frozen=True)
class Description:
    """The whole document.

    ``input_bits`` and ``output_bits`` are the declared widths by name, ``input_forms`` and ``output_forms`` axes and
    quanta (None in documents of schema 1, which do not state them). ``source_map`` and ``memory`` are by core; ``kept``
    says where inner values stand when a frame has ended, ``states`` where the network's states do. These, and
    ``layers``, are None where the program has lost them. Forms, part, compiler, model and digest are filled in once the
    compiler is done, see ``model/described_program.py``.
    """

    schema: int
    isa: str
    input_bits: Mapping[str, int]
    output_bits: Mapping[str, int]
    input_forms: Mapping[str, VariableForm] | None = None
    output_forms: Mapping[str, VariableForm] | None = None
    layers: tuple[DescribedLayer, ...] | None = None
    source_map: Mapping[int, tuple[SourceRange, ...]] | None = None
    memory: Mapping[int, CoreMemory] | None = None
    kept: Mapping[str, KeptPlace] | None = None
    states: Mapping[str, ProgramState] | None = None
    part: str | None = None
    part_sha256: str | None = None
    part_geometry: Mapping[str, int] | None = None
    compiler: CompilerOrigin | None = None
    model: ModelOrigin | None = None
    digest: ProgramDigest | None = None

    @property
    def has_layers(self) -> bool:
        """Whether layers, source map and memory are there: a program from a ``.femto`` has lost them."""
        return self.layers is not None and self.source_map is not None and self.memory is not None

    def layer_at(self, core: int, pc: int) -> int | None:
        """Place in ``layers`` of what the instruction at ``pc`` belongs to, or None."""
        ranges = (self.source_map or {}).get(core, ())
        place = bisect_right(ranges, pc, key=lambda entry: entry[0]) - 1
        if place < 0 or pc >= ranges[place][1]:
            return None
        return ranges[place][2]

    def short(self) -> Description:
        """What a ``.femto`` keeps of it."""
        lasting: dict[str, Any] = {name: getattr(self, name) for name in _lasting()}
        return Description(**lasting)

    def table(self) -> dict[str, Any]:
        """The document as plain data for ``metadata.yaml``."""
        found: dict[str, Any] = to_plain(self)
        if not self.has_layers:  # the order of documents that come from a .femto
            for name in ("input_bits", "output_bits"):
                found[name] = found.pop(name)
        return found


def layers_of(description: Description | None) -> tuple[DescribedLayer, ...]:
    """The layers of a program; none where it has no description, or has lost them."""
    return (description.layers or ()) if description is not None else ()


def lasting_entries(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """What every form of a program keeps of its description, as it is there; None where there is none."""
    told = metadata.get(KEY)
    if not isinstance(told, Mapping):
        return None
    return {name: told[name] for name in _lasting() if name in told}


def bound_entries(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same without the digest: what digests and tags are made of."""
    found = lasting_entries(metadata)
    return None if found is None else {name: value for name, value in found.items() if name != "digest"}


def _lasting() -> list[str]:
    return [field.name for field in fields(Description) if field.name not in LOST]


def is_described(metadata: Mapping[str, Any]) -> bool:
    """Whether the metadata are those of a program for the open SPU, of any version."""
    told = metadata.get(KEY)
    return isinstance(told, Mapping) and str(told.get("isa")).startswith(ISA_FAMILY)


def check_version(table: Mapping[str, Any], where: str) -> None:
    """ProgramError for a program for another version of the open SPU."""
    if table.get("isa") != ISA_NAME:
        raise ProgramError(
            f"{where}: isa: must be {ISA_NAME}, the version of the instruction set that is known here, not "
            f"{table.get('isa')!s:.40}. Compile the model again."
        )


def read_description(metadata: Mapping[str, Any], where: str, complete: bool = True) -> Description | None:
    """The checked description in a program's metadata; None for a foreign program.

    ``complete`` False: part, compiler and model may be missing, as in a program that comes straight from the compiler.

    Raises ProgramError, in one sentence that names the entry, for one that claims to be ours and is malformed.
    """
    if not is_described(metadata):
        return None
    check_version(metadata[KEY], f"{where}: {KEY}")
    return checked_description(metadata[KEY], f"{where}: {KEY}", complete)


def checked_description(table: object, where: str, complete: bool = True) -> Description:
    """The description in plain data. Raises ProgramError where it does not have the documented form."""
    try:
        told = from_plain(Description, table, where)
        _check(told, where, complete)
    except ProgramError as error:
        raise ProgramError(f"{error} Compile the model again.") from None
    if told.source_map is None:
        return told
    return replace(told, source_map={core: _ordered(ranges) for core, ranges in told.source_map.items()})


def _ordered(ranges: tuple[SourceRange, ...]) -> tuple[SourceRange, ...]:
    """The ranges that have any instruction, by their start."""
    return tuple(sorted(entry for entry in ranges if entry[0] < entry[1]))


def _check(told: Description, where: str, complete: bool) -> None:
    if not _OLDEST <= told.schema <= SCHEMA:
        raise ProgramError(f"{where}: schema: must be in {_OLDEST}...{SCHEMA}, not {told.schema}.")
    for name in ("part", "part_geometry", "compiler", "model") if complete else ():
        if getattr(told, name) is None:
            raise ProgramError(f"{where}: {name}: must be there, but is missing.")
    for key, widths in (("input_bits", told.input_bits), ("output_bits", told.output_bits)):
        for name, bits in widths.items():
            if not 1 <= bits <= MOST_BITS:
                raise ProgramError(f"{where}: {key}[{name!r:.60}]: must be in 1...{MOST_BITS}, not {bits}.")
    for key, forms in (("input_forms", told.input_forms), ("output_forms", told.output_forms)):
        for name, form in (forms or {}).items():
            _check_quanta(form.quanta, f"{where}: {key}[{name!r:.60}].quanta")
            _check_zero_point(form.zero_point, f"{where}: {key}[{name!r:.60}].zero_point")
            if form.latched not in (None, True):
                raise ProgramError(f"{where}: {key}[{name!r:.60}].latched: must be true, not {form.latched!r:.60}.")
    _check_layers(told, where)
    check_states(told.states or {}, f"{where}: states")


def _check_zero_point(zero_point: PlainValue, where: str) -> None:
    fits = isinstance(zero_point, int) and not isinstance(zero_point, bool) and abs(zero_point) < 1 << MOST_BITS
    if zero_point is not None and not fits:
        raise ProgramError(f"{where}: must be a whole number of {MOST_BITS} bits, not {zero_point!r:.60}.")


def _check_quanta(quanta: PlainValue, where: str) -> None:
    fits = isinstance(quanta, (int, float)) and not isinstance(quanta, bool) and abs(quanta) <= MOST_QUANTA
    if quanta is not None and not fits:
        raise ProgramError(f"{where}: must be a number from -{MOST_QUANTA} to {MOST_QUANTA}, not {quanta!r:.60}.")


def _check_layers(told: Description, where: str) -> None:
    layers = layers_of(told)
    for place, layer in enumerate(layers):
        _check_fate(layer.fate, len(layers), f"{where}: layers[{place}].fate")
    for core, rows in (told.source_map or {}).items():
        _check_ranges(rows, len(layers), f"{where}: source_map[{core}]")


def _check_fate(fate: LayerFate | None, layers: int, where: str) -> None:
    if fate is None:
        return
    if fate.how not in FATES:
        raise ProgramError(f"{where}.how: must be {', '.join(FATES[:-1])} or {FATES[-1]}, not {fate.how!r:.60}.")
    for place in fate.into:
        if place >= layers:
            raise ProgramError(f"{where}.into: must have layers below {layers}, not {place}.")


def _check_ranges(rows: tuple[SourceRange, ...], layers: int, where: str) -> None:
    for row in rows:
        if row[2] >= layers:
            raise ProgramError(f"{where}: must be a list whose layers are below {layers}, not {list(row)}.")
    for before, after in pairwise(_ordered(rows)):
        if after[0] < before[1]:
            raise ProgramError(
                f"{where}: must be a list of ranges that do not overlap {list(before)}, not {list(after)}."
            )
