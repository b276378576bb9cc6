"""An I/O specification and the model that it is for: checked against it, and used for the order of its variables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from femtodriver.errors import UsageError
from femtodriver.files.file_access import AnyPath, shown_path
from femtodriver.fqir.graph import Network, Tensor
from femtodriver.inputs import InputSpec
from femtodriver.iospec import IOSpec, SpecVariable
from femtodriver.iospec.spec_records import COMPLEX, INPUT, OUTPUT
from femtodriver.model.described_program import network_inputs, network_outputs
from femtodriver.model.load_model import Source
from femtodriver.program.metadata import InputRecord, OutputRecord, ProgramInfo
from femtodriver.program.program_iospec import stored_entries
from femtodriver.safe_text import quote

_WHERE = "iospec"


def specified(source: Source, given: IOSpec | AnyPath | None) -> Source:
    """The model with its I/O specification, an object or the path of its YAML; None: without one.

    UsageError for a file that cannot be read, for a specification that contradicts the network, and for what a model
    here cannot do: frames of its inputs come together, and every one gives all outputs.
    """
    if given is None:
        return replace(source, iospec=None)
    if isinstance(given, IOSpec):
        spec = IOSpec.deserialize_from_string(given.serialize_to_string())  # the caller's may change
        where = _WHERE
    else:
        spec, where = IOSpec(given), shown_path(given)
    _check_sequences(spec, where)
    if source.network is not None:
        outputs = [_as_wide(one, spec) for one in network_outputs(source.network)]  # see `check_widths`
        check_variables(spec, network_inputs(source.network), outputs, where)
    return replace(source, iospec=spec)


def specified_network(source: Source) -> Network | None:
    """The network with inputs and outputs in the order of its specification, if it has one."""
    network, spec = source.network, source.iospec
    if network is None or spec is None:
        return network
    outside = {tensor.name: tensor for tensor in network.inputs}
    ordered = iter([outside[name] for name in input_order(spec)])
    inputs = tuple(next(ordered) if tensor.name in outside else tensor for tensor in network.frame.inputs)
    by_name: dict[str, Tensor] = {tensor.name: tensor for tensor in network.outputs}
    outputs = tuple(by_name[name] for name in spec.outputs)
    frame = replace(network.frame, inputs=inputs, outputs=outputs)
    return replace(network, frame=frame, main=frame if network.main is network.frame else network.main)


def latched_names(source: Source) -> tuple[str, ...]:
    """The inputs of a model that its specification latches."""
    return tuple(source.iospec.latched_input_names()) if source.iospec is not None else ()


def placed_spec(given: IOSpec | None, derived: IOSpec) -> IOSpec:
    """The specification that a model was given, with the padding and places that its program has (``derived``)."""
    if given is None:
        return derived
    placed = IOSpec()
    for kind, told, known in ((INPUT, given.inputs, derived.inputs), (OUTPUT, given.outputs, derived.outputs)):
        for name, one in told.items():
            scale = known[name].scale if one.scale is None else one.scale
            zero = known[name].zero_pt if one.zero_pt is None else one.zero_pt
            placed.add_variable(kind, replace(known[name], comments=one.comments, scale=scale, zero_pt=zero))
    for name, sequence in given.sequences.items():
        counts = (sequence.inputs, sequence.outputs)
        inputs, outputs = counts if sequence.kind == COMPLEX else map(list, counts)
        placed.add_sequence(inputs, outputs, name, sequence.comments)
    return placed


def input_order(spec: IOSpec) -> list[str]:
    """The names of the inputs: the latched ones first, then those of the sequence in its order."""
    latched = spec.latched_input_names()
    return [*latched, *(name for one in spec.producing().values() for name in one.inputs)]


def specified_inputs(specs: Sequence[InputSpec], spec: IOSpec | None) -> tuple[InputSpec, ...]:
    """Inputs in the order of the specification, with what it knows beside them."""
    if spec is None:
        return tuple(specs)
    by_name, latched = {one.name: one for one in specs}, set(spec.latched_input_names())
    return tuple(
        replace(_scaled(by_name[name], spec.inputs[name]), latched=name in latched) for name in input_order(spec)
    )


def specified_outputs(specs: Sequence[InputSpec], spec: IOSpec | None) -> tuple[InputSpec, ...]:
    """Outputs likewise."""
    if spec is None:
        return tuple(specs)
    by_name = {one.name: one for one in specs}
    return tuple(_scaled(by_name[name], one) for name, one in spec.outputs.items())


def check_variables(
    spec: IOSpec, inputs: Sequence[InputSpec], outputs: Sequence[InputSpec], where: str = _WHERE
) -> None:
    """UsageError for names, lengths, precisions or scales other than those of the model."""
    for kind, told, specs in ((INPUT, spec.inputs, inputs), (OUTPUT, spec.outputs, outputs)):
        names = [one.name for one in specs]
        for name in (*told, *names):
            if name not in told or name not in names:
                raise UsageError(
                    f"{where}: {kind}s: must be those of the model ({', '.join(map(quote, names))}), not "
                    f"{', '.join(map(quote, told)) or 'none'}."
                )
        for one in specs:
            _check_variable(told[one.name], one, f"{where}: {kind} {quote(one.name)}")


def check_records(spec: IOSpec | None, info: ProgramInfo, where: str = _WHERE) -> None:
    """UsageError for padding or places in a specification other than those of the program."""
    if spec is None:
        return
    records: tuple[tuple[str, Mapping[str, SpecVariable], Sequence[InputRecord | OutputRecord]], ...] = (
        (INPUT, spec.inputs, info.inputs),
        (OUTPUT, spec.outputs, info.outputs),
    )
    for kind, told, found in records:
        for record in found:
            for key, value in stored_entries(record).items():
                wanted = getattr(told[record.name], key)
                if wanted is not None and wanted != value:
                    raise UsageError(
                        f"{where}: {kind} {quote(record.name)}: {key}: must be {value}, as the compiler has placed it, "
                        f"not {wanted}; leave it out if it may be anything."
                    )


def check_widths(spec: IOSpec | None, network: Network, widths: Mapping[str, int], where: str = _WHERE) -> None:
    """UsageError for outputs of another precision than the network declares, or than its program gives (``widths``).

    An output whose values need more bits than the network declares is wider in the program.
    """
    if spec is None:
        return
    for one in network_outputs(network):
        wanted, given = spec.outputs[one.name].precision, widths.get(one.name, one.bits)
        if wanted not in (one.bits, given):
            raise UsageError(
                f"{where}: {OUTPUT} {quote(one.name)}: precision: must be {given}, as in the program, not {wanted}."
            )


def _as_wide(one: InputSpec, spec: IOSpec) -> InputSpec:
    """The output with the precision that its specification states."""
    return replace(one, bits=spec.outputs[one.name].precision) if one.name in spec.outputs else one


def _check_sequences(spec: IOSpec, where: str) -> None:
    producing = spec.producing()
    if len(producing) != 1:
        raise UsageError(
            f"{where}: one sequence must have outputs, not {len(producing)}: every frame of a model here takes all "
            "inputs and gives all outputs."
        )
    if not spec.is_simple:
        raise UsageError(f"{where}: a sequence must have one frame of each variable, as models here do, not more.")
    for name, one in producing.items():
        for variable in one.inputs:
            if variable not in spec.inputs:
                raise UsageError(f"{where}: {quote(name)}: inputs: must be inputs, not {quote(variable)}.")
        for variable in spec.outputs:
            if variable not in one.outputs:
                raise UsageError(
                    f"{where}: {quote(name)}: outputs: must be all outputs, because every frame gives them; "
                    f"{quote(variable)} is missing."
                )


def _check_variable(told: SpecVariable, one: InputSpec, where: str) -> None:
    for key, wanted, value in (("length", told.length, one.length), ("precision", told.precision, one.bits)):
        if wanted != value:
            raise UsageError(f"{where}: {key}: must be {value}, as in the model, not {wanted}.")
    if told.zero_pt is not None and told.zero_pt != (one.zero_point or 0):
        raise UsageError(
            f"{where}: quantization: zero_pt: must be {one.zero_point or 0}, as in the model, not {told.zero_pt}."
        )
    if told.scale is not None:
        quanta = math.log2(told.scale)
        if one.quanta is not None and quanta != one.quanta:
            raise UsageError(
                f"{where}: quantization: scale: must be 2^{one.quanta:g}, as in the model, not {told.scale!r}."
            )
        if one.quanta is None and quanta != round(quanta):
            raise UsageError(f"{where}: quantization: scale: must be a power of two, not {told.scale!r}.")


def _scaled(one: InputSpec, told: SpecVariable) -> InputSpec:
    """With the scale of the specification, where the model does not state one."""
    if one.quanta is not None or told.scale is None:
        return one
    return replace(one, quanta=math.log2(told.scale))
