"""What types and quantizations the tensors of each operator must have. A rule raises an error or returns nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.records import FileTensor, Quantization
from femtodriver.tflite.weight_rules import check_weights

ValueRule = Callable[[CheckedOperator], None]
"""UnsupportedError for a type that this version does not know; ModelError for values that mean nothing."""

INT8 = ("INT8",)
BYTES = ("INT8", "UINT8")
_NONE, _RELU6 = 0, 3
_KNOWN_ACTIVATIONS = 5


def elementwise(op: CheckedOperator) -> None:
    """int8 to int8, each with a scale of its own."""
    for place in range(len(op.operator.inputs)):
        activation(op, op.input(place))
    activation(op, op.output())
    fused_activation(op)


def copied(*places: int) -> ValueRule:
    """Values of the inputs at ``places`` (none: all) are copied, or selected: the quantization stays."""

    def rule(op: CheckedOperator) -> None:
        fused_activation(op)
        inputs = [op.input(place) for place in places or range(len(op.operator.inputs))]
        outputs = [op.output(place) for place in range(len(op.operator.outputs))]
        wanted = activation(op, inputs[0])
        for tensor in (*inputs, *outputs):
            if not same_quantization(activation(op, tensor), wanted):
                raise op.refuse(f"scale and zero point of tensor {tensor.index} must equal those of {inputs[0].index}")

    return rule


def mean_values(op: CheckedOperator) -> None:
    """int8 to int8; the second input is a list of axes."""
    activation(op, op.input())
    activation(op, op.output())


def requantized(op: CheckedOperator) -> None:
    """From real or 8-bit values to 8-bit values."""
    if op.input().kind != "FLOAT32":
        activation(op, op.input(), (*BYTES, "FLOAT32"))
    activation(op, op.output(), BYTES)


def dequantized(op: CheckedOperator) -> None:
    """From 8-bit values to real ones."""
    activation(op, op.input(), BYTES)
    if op.output().kind != "FLOAT32":
        raise op.unsupported(f"the type must be FLOAT32, not {op.output().kind}", op.output())


def fixed_output(scale: float, zero_point: int) -> ValueRule:
    """int8 to int8, with an output of which the quantization is given by the operator."""

    def rule(op: CheckedOperator) -> None:
        activation(op, op.input())
        found = activation(op, op.output())
        if (found.scale[0], found.zero_point[0]) != (scale, zero_point):
            raise op.refuse(
                f"the output's scale must be {scale} and its zero point {zero_point}, not {found.scale[0]} and "
                f"{found.zero_point[0]}"
            )
        if "beta" in op.operator.options and op.operator.options["beta"] != 1.0:
            raise op.unsupported(f"beta must be 1, not {op.operator.options['beta']}")

    return rule


def weighted(channel_axis: int) -> ValueRule:
    """int8 times weights, with a bias; weights have a scale of their own for each index of ``channel_axis``."""

    def rule(op: CheckedOperator) -> None:
        fused_activation(op)
        if op.operator.options.get("weights_format"):
            raise op.unsupported(f"weights_format must be 0, not {op.number('weights_format')}")
        check_weights(op, activation(op, op.input()), activation(op, op.output()), channel_axis)

    return rule


def any_values(op: CheckedOperator) -> None:
    """Operators of state: ``state_variables`` has their rules."""


def activation(op: CheckedOperator, tensor: FileTensor, kinds: Sequence[str] = INT8) -> Quantization:
    """The quantization of a tensor of one of these types with one scale. An error for another."""
    if tensor.kind not in kinds:
        raise op.unsupported(f"the type must be {' or '.join(kinds)}, not {tensor.kind}", tensor)
    if tensor.quantization is None or len(tensor.quantization.scale) != 1:
        raise op.refuse(f"tensor {tensor.index} must have one scale and one zero point")
    return tensor.quantization


def same_quantization(first: Quantization, second: Quantization) -> bool:
    """Whether the same integers stand for the same reals; both have one scale."""
    return bool(first.scale[0] == second.scale[0] and first.zero_point[0] == second.zero_point[0])


def fused_activation(op: CheckedOperator) -> None:
    """ModelError for an activation that does not exist, UnsupportedError for one that is unknown here."""
    if "fused_activation" not in op.operator.options:
        return
    found = op.number("fused_activation")
    most = _NONE if op.operator.name == "CONCATENATION" else _RELU6
    if not _NONE <= found <= _KNOWN_ACTIVATIONS:
        raise op.refuse(f"fused_activation must be from 0 to {_KNOWN_ACTIVATIONS}, not {found}")
    if found > most:
        raise op.unsupported(f"fused_activation must be from 0 to {most}, not {found}")
