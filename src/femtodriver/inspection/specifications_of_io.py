"""Inspecting I/O specifications."""

from __future__ import annotations

from collections.abc import Mapping

from femtodriver.inspection.findings import Facts, Findings
from femtodriver.iospec import IOSpec, SpecVariable


def inspect_iospec(findings: Findings, content: bytes) -> None:
    """Its variables and sequences, or what is wrong with it (UsageError)."""
    spec = IOSpec.deserialize_from_string(content.decode("utf-8", "replace"), findings.where)
    latched = set(spec.latched_input_names())
    findings.sections["inputs"] = [
        {**_variable(one), "pc": one.pc, "latched": name in latched} for name, one in spec.inputs.items()
    ]
    findings.sections["outputs"] = [{**_variable(one), "mailbox_id": one.mailbox_id} for one in spec.outputs.values()]
    findings.sections["sequences"] = [
        {"name": name, "kind": one.kind, "inputs": _counts(one.inputs), "outputs": _counts(one.outputs)}
        for name, one in spec.sequences.items()
    ]


def _variable(one: SpecVariable) -> Facts:
    return {
        "name": one.varname,
        "length": one.length,
        "precision": one.precision,
        "padded_length": one.padded_length,
        "scale": one.scale,
        "zero_pt": one.zero_pt,
        "length_64b_words": one.length_64b_words,
        "core_id": one.core_id,
    }


def _counts(part: Mapping[str, int]) -> list[str]:
    return [name if count == 1 else f"{count} x {name}" for name, count in part.items()]
