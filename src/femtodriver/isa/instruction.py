"""The machinery that turns a declared instruction into encoder, decoder, assembler text and docs.

An instruction *family* is a frozen dataclass whose fields carry their bit width; an *instruction* is a ``Spec``
(name, opcode, meaning, one line of documentation) of a family. All of them are in ``instructions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar, TypeVar

from femtodriver.arrays import Int64Array
from femtodriver.errors import AssemblyError
from femtodriver.isa.bits import WORD_BITS, BitField, Layout
from femtodriver.isa.operand import OPERAND_BITS, Operand

OPCODE_BITS = 6
Meaning = Callable[[Int64Array, Int64Array], Int64Array]
CycleRule = Callable[..., int]
Family = TypeVar("Family", bound="type[Instruction]")


class Result(str, Enum):
    """What an instruction leaves behind; for elements, before shifts and clipping."""

    NONE = "none"
    REGISTER = "register"
    WORDS = "words"
    TRUTH = "truth"
    OPERAND = "operand"
    NUMBER = "number"

    @property
    def doc(self) -> str:
        """One line of documentation."""
        return _RESULT_DOCS[self]


_RESULT_DOCS = {
    Result.NONE: "nothing: it sends something, or changes what runs next",
    Result.REGISTER: "the value of a base register, which must not be register 0",
    Result.WORDS: "words of data memory",
    Result.TRUTH: "elements that are 0 or 1",
    Result.OPERAND: "elements, each of them the value of one of its operands",
    Result.NUMBER: "elements of any value",
}


@dataclass(frozen=True)
class Spec:
    """One row of the instruction table.

    name, code: in assembly, and the opcode.
    doc: one line of documentation.
    meaning: the arithmetic of a vector instruction, else None. It takes and gives int64 arrays that broadcast.
    reads: how many of its family's source operands it reads, in their order.
    result: what it leaves behind.
    multiplies: whether it needs the multipliers of the lanes, in one pass or more.
    first_bits: how many low bits of its first operand it looks at.
    accumulates: whether its result is added to what its destination, in the accumulators, holds.
    uses: the fields that it looks at (None: all of its family's); the others must keep their defaults, so that they
    stay free for later use.
    """

    name: str
    code: int
    doc: str
    meaning: Meaning | None = None
    reads: int = 0
    result: Result = Result.NONE
    multiplies: bool = False
    first_bits: int = 64
    accumulates: bool = False
    uses: tuple[str, ...] | None = None

    @property
    def most(self) -> dict[str, int]:
        """Largest values of fields that could hold more: multipliers have no left shifter before them."""
        return {"shift_a": 0, "shift_b": 0} if self.multiplies else {}

    @property
    def is_move(self) -> bool:
        """Whether it does nothing but carry its one operand to its destination (with shifts and clipping)."""
        return self.reads == 1 and self.result is Result.OPERAND


def bitfield(
    width: int, default: Any = MISSING, *, signed: bool = False, bias: int = 0, most: int | None = None, doc: str = ""
) -> Any:
    """A dataclass field that occupies ``width`` bits of the instruction; the rest as in ``BitField``."""
    metadata = {"width": width, "signed": signed, "bias": bias, "most": most, "doc": doc}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def operand(default: Any = MISSING, *, doc: str = "") -> Any:
    """A dataclass field that holds an ``Operand``."""
    return bitfield(OPERAND_BITS, default, doc=doc)


@dataclass(frozen=True)
class Instruction:
    """Base of the families: encode, decode and text follow from the declared fields.

    ``cycle_rule`` is the function of ``cycles`` that says how long an instruction of the family takes, ``format_name``
    what the documentation calls the family: "Vector" for ``VectorInstruction``. ``entries``: its fields, without
    ``spec``; ``operands``: the names of those that are operands.
    """

    spec: Spec
    format_name: ClassVar[str]
    entries: ClassVar[tuple[Field[Any], ...]]
    operands: ClassVar[tuple[str, ...]]
    layout: ClassVar[Layout]
    cycle_rule: ClassVar[CycleRule]

    @property
    def words(self) -> int:
        """Number of 64-bit instruction words."""
        return self.layout.words

    def encode(self) -> tuple[int, ...]:
        """The instruction's 64-bit words; AssemblyError when a value is not legal in its field."""
        self._check_fields()
        values = {"opcode": self.spec.code}
        for entry in self.entries:
            value = getattr(self, entry.name)
            values[entry.name] = value.encode() if isinstance(value, Operand) else int(value)
        return self.layout.encode(self.spec.name, values)

    @classmethod
    def from_values(cls, spec: Spec, values: Mapping[str, int]) -> Instruction:
        """The instruction of decoded field values; AssemblyError for nonzero reserved bits."""
        arguments: dict[str, Any] = {**values}
        del arguments["opcode"]
        for name in cls.operands:
            arguments[name] = Operand.decode(arguments[name])
        if reserved := arguments.pop("reserved", 0):
            raise AssemblyError(f"{spec.name}: the reserved bits must be 0, not {reserved:#x}.")
        instruction = cls(spec, **arguments)
        instruction._check_fields()
        return instruction

    def _check_fields(self) -> None:
        """AssemblyError for values that the fields can hold and the instruction cannot."""
        for name, most in self.spec.most.items():
            if getattr(self, name) > most:
                raise AssemblyError(f"{self.spec.name}: {name} must be at most {most}, not {getattr(self, name)}.")
        if self.spec.uses is None:
            return
        for entry in self.entries:
            value = getattr(self, entry.name)
            if entry.name not in self.spec.uses and value != entry.default:
                raise AssemblyError(
                    f"{self.spec.name}: {entry.name} must be {entry.default}, because the instruction does not use it, "
                    f"not {value}."
                )

    def text(self) -> str:
        """One line of assembly: operands first, then the other fields that differ from their defaults."""
        operands, options = [], []
        for entry in self.entries:
            value = getattr(self, entry.name)
            if isinstance(value, Operand):
                operands.append(value.text())
            elif entry.default is MISSING or value != entry.default:
                options.append(f"{entry.name}={int(value)}")
        return " ".join([self.spec.name, *([", ".join(operands)] if operands else []), *options])


def family(cls: Family) -> Family:
    """Class decorator: derive the bit layout of a family from its fields, and its name from the class's."""
    cls.entries = fields(cls)[1:]
    cls.operands = tuple(entry.name for entry in cls.entries if entry.type == "Operand")
    bits = [
        BitField(entry.name, *(entry.metadata[key] for key in ("width", "signed", "bias", "most")))
        for entry in cls.entries
    ]
    used = OPCODE_BITS + sum(entry.width for entry in bits)
    reserved = -used % WORD_BITS
    cls.format_name = cls.__name__.removesuffix("Instruction")
    cls.layout = Layout(BitField("opcode", OPCODE_BITS), *bits, *([BitField("reserved", reserved)] if reserved else []))
    return cls


class InstructionSet:
    """All instructions: opcode and name look-up, decoding, parsing. Duplicates fail at construction."""

    def __init__(self, table: tuple[tuple[type[Instruction], tuple[Spec, ...]], ...]) -> None:
        self.table = table
        self._by_code: dict[int, tuple[type[Instruction], Spec]] = {}
        self._by_name: dict[str, tuple[type[Instruction], Spec]] = {}
        for cls, specs in table:
            for spec in specs:
                if spec.code in self._by_code or spec.name in self._by_name or not 0 < spec.code < 1 << OPCODE_BITS:
                    raise AssemblyError(f"{spec.name}: opcode {spec.code} and name must be unique, opcode 1 to 63.")
                self._by_code[spec.code] = self._by_name[spec.name] = (cls, spec)

    def words_of(self, first_word: int) -> int:
        """How many words the instruction that starts with ``first_word`` has; AssemblyError for an unknown opcode."""
        return self._lookup(first_word)[0].layout.words

    def decode(self, words: tuple[int, ...]) -> Instruction:
        """The instruction of its 64-bit words; AssemblyError when they are not a legal encoding."""
        if not words:
            raise AssemblyError("instruction: must have at least one word.")
        cls, spec = self._lookup(words[0])
        return cls.from_values(spec, cls.layout.decode(spec.name, words[: cls.layout.words]))

    def parse(self, text: str) -> Instruction:
        """The instruction of one line of assembly (the form that ``Instruction.text`` prints)."""
        name, _, rest = text.strip().partition(" ")
        if name not in self._by_name:
            raise AssemblyError(f"assembly: the instruction must be one of the table's names, not {name!r}.")
        cls, spec = self._by_name[name]
        tokens = re.split(r"[,\s]+", rest.strip()) if rest.strip() else []
        named = [token.split("=", 1) for token in tokens if "=" in token]
        options = dict(named)
        if len(options) != len(named):
            raise AssemblyError(f"{name}: every option must be given once, not {[option for option, _ in named]}.")
        operands = [Operand.parse(token) for token in tokens if "=" not in token]
        return _from_tokens(cls, spec, operands, options)

    def _lookup(self, first_word: int) -> tuple[type[Instruction], Spec]:
        code = first_word & ((1 << OPCODE_BITS) - 1)
        if code not in self._by_code:
            raise AssemblyError(f"instruction word {first_word:#018x}: opcode {code} is not in the table.")
        return self._by_code[code]


def _from_tokens(cls: type[Instruction], spec: Spec, operands: list[Operand], options: dict[str, str]) -> Instruction:
    arguments: dict[str, Any] = {}
    for entry in cls.entries:
        if entry.type == "Operand":
            if operands:
                arguments[entry.name] = operands.pop(0)
        elif entry.name in options:
            arguments[entry.name] = _number(spec.name, entry.name, options.pop(entry.name))
        if entry.name not in arguments and entry.default is MISSING:
            raise AssemblyError(f"{spec.name}: {entry.name} must be given.")
    if operands or options:
        raise AssemblyError(f"{spec.name}: unknown operands or options {[*operands, *options]}.")
    instruction = cls(spec, **arguments)
    instruction._check_fields()
    return instruction


def _number(owner: str, name: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise AssemblyError(f"{owner}: {name} must be a number, not {text!r}.") from None
