"""``IOSpec``: the I/O specification of a model, made call by call or read from YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import AnyPath, read_file, shown_path, write_file
from femtodriver.files.plain_yaml import dump_yaml, load_yaml
from femtodriver.iospec.spec_fields import checked_comments, checked_counts, checked_name, checked_variable
from femtodriver.iospec.spec_records import COMPLEX, INPUT, OUTPUT, SIMPLE, SpecSequence, SpecVariable
from femtodriver.iospec.spec_yaml import plain_sections, read_sections
from femtodriver.safe_text import quote, shown

MOST_BYTES = 1 << 20
_WHERE = "iospec"
_SHOWN = 6
Padding = dict[str, tuple[tuple[int], tuple[int | None]]]
Counts = Mapping[str, int] | Sequence[str]
"""Names with how many frames of each, or names of which there is one frame each."""


class IOSpec:
    """Inputs, outputs and sequences of a model, in order. Two that say the same are equal.

    ``IOSpec()`` is empty; ``IOSpec("io.yaml")`` reads a file. Names of variables and sequences are keys of ``inputs``,
    ``outputs``, ``simple_sequences`` and ``complex_sequences``, which are read-only. Every method raises UsageError for
    what makes no specification, and leaves the object as it was.
    """

    def __init__(self, fname: AnyPath | None = None) -> None:
        self._inputs: dict[str, SpecVariable] = {}
        self._outputs: dict[str, SpecVariable] = {}
        self._sequences: dict[str, SpecSequence] = {}
        if fname is not None:
            self._read(_file(fname), shown_path(fname))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IOSpec) and self.serialize_to_string() == other.serialize_to_string()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        counts = (f"{len(self._inputs)} inputs", f"{len(self._outputs)} outputs", f"{len(self._sequences)} sequences")
        return f"<IOSpec: {', '.join(counts)}>"

    @property
    def inputs(self) -> Mapping[str, SpecVariable]:
        """The inputs by name."""
        return MappingProxyType(self._inputs)

    @property
    def outputs(self) -> Mapping[str, SpecVariable]:
        """The outputs by name."""
        return MappingProxyType(self._outputs)

    @property
    def sequences(self) -> Mapping[str, SpecSequence]:
        """All sequences by name."""
        return MappingProxyType(self._sequences)

    @property
    def simple_sequences(self) -> dict[str, SpecSequence]:
        """The sequences that take and give one frame of each variable."""
        return {name: one for name, one in self._sequences.items() if one.kind == SIMPLE}

    @property
    def complex_sequences(self) -> dict[str, SpecSequence]:
        """The sequences that say how many frames of each variable they take and give."""
        return {name: one for name, one in self._sequences.items() if one.kind == COMPLEX}

    @property
    def input_padding(self) -> Padding:
        """{input: ((length,), (padded length or None,))}."""
        return {name: one.padding for name, one in self._inputs.items()}

    @property
    def output_padding(self) -> Padding:
        """{output: ((length,), (padded length or None,))}."""
        return {name: one.padding for name, one in self._outputs.items()}

    @property
    def is_simple(self) -> bool:
        """Whether at most one sequence has outputs, and none takes or gives more than one frame of a variable."""
        counts = [count for one in self._sequences.values() for part in (one.inputs, one.outputs)
                  for count in part.values()]  # fmt: skip
        return len(self.producing()) <= 1 and max(counts, default=1) <= 1

    def producing(self) -> dict[str, SpecSequence]:
        """The sequences that have outputs."""
        return {name: one for name, one in self._sequences.items() if one.outputs}

    def latched_input_names(self) -> list[str]:
        """Inputs that no sequence with outputs uses: they keep their last value until another one is sent."""
        used = {name for one in self.producing().values() for name in one.inputs}
        return [name for name in self._inputs if name not in used]

    def add_input(
        self,
        varname: str,
        length: int,
        precision: int,
        quant_scale: float | None = None,
        quant_zp: int | None = None,
        comments: Mapping[str, Any] | None = None,
        padded_length: int | None = None,
    ) -> None:
        """Add an input of ``length`` elements of ``precision`` bits behind the others."""
        added = SpecVariable(varname, length, precision, padded_length, quant_scale, quant_zp, comments=comments or {})
        self._add(INPUT, added)

    def add_output(
        self,
        varname: str,
        length: int,
        precision: int,
        quant_scale: float | None = None,
        quant_zp: int | None = None,
        comments: Mapping[str, Any] | None = None,
        padded_length: int | None = None,
    ) -> None:
        """Add an output of ``length`` elements of ``precision`` bits behind the others."""
        added = SpecVariable(varname, length, precision, padded_length, quant_scale, quant_zp, comments=comments or {})
        self._add(OUTPUT, added)

    def add_variable(self, kind: str, variable: SpecVariable) -> None:
        """Add an input or output, as ``kind`` says, with everything that a record may state."""
        self._add(kind, variable)

    def add_sequence(
        self,
        inputs: Counts,
        outputs: Counts,
        name: str | None = None,
        comments: Mapping[str, Any] | None = None,
    ) -> str:
        """Add a sequence of variables that are there already; its name, by itself ``sequence_<n>``.

        Two lists of names make a simple one; a mapping from name to number of frames makes a complex one.
        """
        kind = COMPLEX if isinstance(inputs, Mapping) or isinstance(outputs, Mapping) else SIMPLE
        called = self._free_name() if name is None else checked_name(name, f"{_WHERE}: name of a sequence")
        where = f"{_WHERE}: {quote(called)}"
        found = [checked_counts(part, f"{where}: {what}") for part, what in ((inputs, "inputs"), (outputs, "outputs"))]
        added = SpecSequence(kind, found[0], found[1], checked_comments(comments or {}, where))
        self._check_order({**self._sequences, called: added}, where)
        self._add_sequence(called, added, where)
        return called

    def add_signature(
        self,
        inputs: Sequence[str],
        latched_inputs: Sequence[str],
        outputs: Sequence[str],
        name: str | None = None,
        comments: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a simple sequence from inputs to outputs, and one without outputs for each latched input."""
        before = dict(self._sequences)
        try:
            self.add_sequence(inputs, outputs, name, comments)
            for latched in latched_inputs:
                counts = checked_counts([latched], f"{_WHERE}: latched_inputs")
                self._add_sequence(self._free_name(), SpecSequence(SIMPLE, counts, {}, dict(comments or {})), _WHERE)
        except UsageError:
            self._sequences = before
            raise

    def set_padded_length(self, name: str, padded_length: int | None) -> None:
        """Set the length with padding of the inputs and outputs of that name; None: not stated."""
        homes = [(kind, home) for kind, home in self._homes().items() if isinstance(name, str) and name in home]
        if not homes:
            raise UsageError(f"{_WHERE}: the variable must be one of {self._names()}, not {shown(name)}.")
        changed = [
            (home, checked_variable(kind, replace(home[name], padded_length=padded_length), _WHERE))
            for kind, home in homes
        ]
        for home, variable in changed:
            home[name] = variable

    def serialize_to_string(self) -> str:
        """The specification as YAML."""
        return dump_yaml(plain_sections(self._inputs, self._outputs, self._sequences), _WHERE)

    def write_spec_to_file(self, fname: AnyPath) -> None:
        """Write the YAML, in one step. ProgramError if the file cannot be written."""
        write_file(Path(fname), self.serialize_to_string().encode("ascii"))

    @classmethod
    def deserialize_from_string(cls, yamlstr: str, where: str = _WHERE) -> IOSpec:
        """The specification in YAML; ``where`` names it in messages."""
        made = cls()
        made._read(yamlstr.encode("utf-8", "surrogatepass"), where)
        return made

    def _read(self, content: bytes, where: str) -> None:
        try:
            found = load_yaml(content, where, max_bytes=MOST_BYTES)
        except ProgramError as error:
            raise UsageError(str(error)) from None
        variables, sequences = read_sections(found, where)
        for kind, variable in variables:
            self._add(kind, variable, where)
        for name, sequence in sequences.items():
            self._add_sequence(name, sequence, f"{where}: {quote(name)}")
        self._check_order(self._sequences, where)

    def _homes(self) -> dict[str, dict[str, SpecVariable]]:
        return {INPUT: self._inputs, OUTPUT: self._outputs}

    def _names(self) -> str:
        return _listed([*self._inputs, *self._outputs]) or "none, as there is no variable yet"

    def _add(self, kind: str, variable: SpecVariable, where: str = _WHERE) -> None:
        if kind not in (INPUT, OUTPUT):
            raise UsageError(f"{where}: a variable must be an {INPUT} or an {OUTPUT}, not {kind!r:.60}.")
        checked = checked_variable(kind, variable, where)
        home = self._homes()[kind]
        if checked.varname in home:
            raise UsageError(f"{where}: {kind}s: the name {quote(checked.varname)} must be there once, not twice.")
        home[checked.varname] = checked

    def _add_sequence(self, name: str, sequence: SpecSequence, where: str) -> None:
        if name in self._sequences:
            raise UsageError(f"{where}: the name must be that of one sequence, not of two.")
        for variable in sequence.inputs:
            if variable not in self._inputs and variable not in self._outputs:
                raise UsageError(f"{where}: inputs: must be variables ({self._names()}), not {quote(variable)}.")
        for variable in sequence.outputs:
            if variable not in self._outputs:
                known = _listed([*self._outputs]) or "none"
                raise UsageError(f"{where}: outputs: must be outputs ({known}), not {quote(variable)}.")
        self._sequences[name] = sequence

    def _check_order(self, sequences: Mapping[str, SpecSequence], where: str) -> None:
        """UsageError for outputs that sequences need in a circle."""
        # Variables are nodes too: edges from sequence to sequence would be as many as pairs of sequences.
        needed: TopologicalSorter[tuple[bool, str]] = TopologicalSorter()
        for name, one in sequences.items():
            needed.add((True, name), *((False, variable) for variable in one.inputs if variable not in self._inputs))
            for variable in one.outputs:
                needed.add((False, variable), (True, name))
        try:
            needed.prepare()
        except CycleError as error:
            names = [name for is_sequence, name in error.args[1] if is_sequence]
            closed = names if names[0] == names[-1] and len(names) > 1 else [*names, names[0]]
            circle = " > ".join(map(quote, closed[:_SHOWN]))
            raise UsageError(f"{where}: sequences must not need each other in a circle: {circle}.") from None

    def _free_name(self) -> str:
        number = len(self._sequences)
        while f"sequence_{number}" in self._sequences:
            number += 1
        return f"sequence_{number}"


def _listed(names: Sequence[str]) -> str:
    """Some of the names, for a message."""
    return ", ".join(map(quote, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")


def _file(fname: AnyPath) -> bytes:
    try:
        return read_file(Path(fname), MOST_BYTES)
    except ProgramError as error:
        raise UsageError(str(error)) from None
