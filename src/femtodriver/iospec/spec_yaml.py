"""The sections of an I/O specification as plain data, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from femtodriver.errors import UsageError
from femtodriver.iospec.spec_fields import brief, checked_comments, checked_counts, checked_name
from femtodriver.iospec.spec_records import COMPLEX, INPUT, OUTPUT, PLACES, SIMPLE, SpecSequence, SpecVariable
from femtodriver.safe_text import quote

_VARIABLES = {"inputs": INPUT, "outputs": OUTPUT}
_SEQUENCES = {"simple_sequences": SIMPLE, "complex_sequences": COMPLEX}
SECTIONS = (*_VARIABLES, *_SEQUENCES)
_OF_VARIABLES = ("type", "varname", "length", "precision", "padded_length", "quantization", *PLACES, "comments")
_OF_SEQUENCES = ("type", "inputs", "outputs", "comments")
_NEEDED = ("type", "varname", "length", "precision", "padded_length")

Found = tuple[list[tuple[str, SpecVariable]], dict[str, SpecSequence]]
"""Variables, each with INPUT or OUTPUT, and sequences by name."""


def plain_sections(
    inputs: Mapping[str, SpecVariable], outputs: Mapping[str, SpecVariable], sequences: Mapping[str, SpecSequence]
) -> dict[str, Any]:
    """The document."""
    sections: dict[str, Any] = {
        "inputs": {name: _plain_variable(INPUT, one) for name, one in inputs.items()},
        "outputs": {name: _plain_variable(OUTPUT, one) for name, one in outputs.items()},
    }
    for section, kind in _SEQUENCES.items():
        sections[section] = {name: _plain_sequence(one) for name, one in sequences.items() if one.kind == kind}
    return sections


def read_sections(document: object, where: str) -> Found:
    """What a document holds; values of variables are still to be checked. UsageError that names section and record."""
    top = _mapping({} if document is None else document, where)
    _check_keys(top, SECTIONS, where)
    variables = [
        (kind, _variable(kind, name, record, f"{where}: {section}: {quote(name)}"))
        for section, kind in _VARIABLES.items()
        for name, record in _records(top, section, where)
    ]
    sequences: dict[str, SpecSequence] = {}
    for section, kind in _SEQUENCES.items():
        for name, record in _records(top, section, where):
            here = f"{where}: {section}: {quote(name)}"
            if name in sequences:
                raise UsageError(f"{here}: the name must be that of one sequence, not of two.")
            sequences[name] = _sequence(kind, record, here)
    return variables, sequences


def _plain_variable(kind: str, one: SpecVariable) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": kind,
        "varname": one.varname,
        "length": one.length,
        "precision": one.precision,
        "padded_length": one.padded_length,
        "quantization": {"scale": one.scale, "zero_pt": one.zero_pt},
    }
    found.update({key: getattr(one, key) for key in PLACES if getattr(one, key) is not None})
    return {**found, "comments": dict(one.comments)}


def _plain_sequence(one: SpecSequence) -> dict[str, Any]:
    parts = {"inputs": one.inputs, "outputs": one.outputs}
    plain = {key: list(part) if one.kind == SIMPLE else dict(part) for key, part in parts.items()}
    return {"type": one.kind, **plain, "comments": dict(one.comments)}


def _records(top: Mapping[Any, Any], section: str, where: str) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    content = top.get(section)
    here = f"{where}: {section}"
    for key, record in _mapping({} if content is None else content, here).items():
        name = checked_name(key, f"{here}: a name")
        yield name, _mapping(record, f"{here}: {quote(name)}")


def _variable(kind: str, name: str, record: Mapping[Any, Any], where: str) -> SpecVariable:
    _check_keys(record, _OF_VARIABLES, where)
    for key in _NEEDED:
        if key not in record:
            raise UsageError(f"{where}: {key}: must be there, but is missing.")
    _check_type(record, kind, where)
    if record["varname"] != name:
        raise UsageError(f"{where}: varname: must be the name of the record, not {brief(record['varname'])}.")
    quantization = _mapping(record.get("quantization") or {}, f"{where}: quantization")
    _check_keys(quantization, ("scale", "zero_pt"), f"{where}: quantization")
    return SpecVariable(
        name,
        record["length"],
        record["precision"],
        record["padded_length"],
        quantization.get("scale"),
        quantization.get("zero_pt"),
        **{key: record.get(key) for key in PLACES},
        comments={} if record.get("comments") is None else record["comments"],
    )


def _sequence(kind: str, record: Mapping[Any, Any], where: str) -> SpecSequence:
    _check_keys(record, _OF_SEQUENCES, where)
    for key in ("type", "inputs", "outputs"):
        if key not in record:
            raise UsageError(f"{where}: {key}: must be there, but is missing.")
    _check_type(record, kind, where)
    for key in ("inputs", "outputs"):
        if isinstance(record[key], Mapping) != (kind == COMPLEX):
            form = "a mapping from name to count" if kind == COMPLEX else "a list of names"
            raise UsageError(f"{where}: {key}: must be {form}, not {brief(record[key])}.")
    counts = [checked_counts(record[key], f"{where}: {key}") for key in ("inputs", "outputs")]
    comments = {} if record.get("comments") is None else record["comments"]
    return SpecSequence(kind, counts[0], counts[1], checked_comments(comments, where))


def _check_type(record: Mapping[Any, Any], kind: str, where: str) -> None:
    if record["type"] != kind:
        raise UsageError(f"{where}: type: must be {kind}, not {brief(record['type'])}.")


def _check_keys(record: Mapping[Any, Any], known: tuple[str, ...], where: str) -> None:
    for key in record:
        if key not in known:
            raise UsageError(f"{where}: entries must be among {', '.join(known)}, not {brief(key)}.")


def _mapping(value: object, where: str) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise UsageError(f"{where}: must be a mapping, not {brief(value)}.")
