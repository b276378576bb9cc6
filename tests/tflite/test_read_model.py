"""Every field that is read, against the classes of the package ``tflite``, which were generated from the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from femtodriver.tflite.builtin_names import BUILTIN_NAMES
from femtodriver.tflite.operator_kinds import NUMBERS, OPERATOR_KINDS, REAL, TEXT
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import TENSOR_KINDS, FileGraph, FileOperator, FileTensor, TfliteModel
from tests.tflite.real_models import real_models
from tests.tflite.sample_models import samples
from tests.tflite.tflite_writer import write

tflite = pytest.importorskip("tflite", reason="tflite is not installed; install it with '.[test]'")


def listed(parent: Any, name: str) -> list[Any]:
    """The elements of a vector, by the accessors that the generated classes have."""
    count = getattr(parent, f"{name}Length")()
    return [getattr(parent, name)(place) for place in range(count)]


def text(value: bytes | None) -> str:
    return (value or b"").decode()


def compare_models(found: TfliteModel, data: bytes) -> None:
    wanted = tflite.Model.GetRootAs(data, 0)
    assert wanted.Version() == 3
    assert found.description == text(wanted.Description())
    assert len(found.graphs) == wanted.SubgraphsLength()
    for graph, other in zip(found.graphs, listed(wanted, "Subgraphs"), strict=True):
        compare_graphs(graph, other, wanted)
    assert len(found.signatures) == wanted.SignatureDefsLength()
    for one, signature in zip(found.signatures, listed(wanted, "SignatureDefs"), strict=True):
        assert (one.key, one.graph) == (text(signature.SignatureKey()), signature.SubgraphIndex())
        assert one.inputs == tensor_map(listed(signature, "Inputs"))
        assert one.outputs == tensor_map(listed(signature, "Outputs"))


def tensor_map(rows: Sequence[Any]) -> Mapping[str, int]:
    return {text(row.Name()): row.TensorIndex() for row in rows}


def compare_graphs(found: FileGraph, wanted: Any, model: Any) -> None:
    assert found.name == text(wanted.Name())
    assert list(found.inputs) == listed(wanted, "Inputs")
    assert list(found.outputs) == listed(wanted, "Outputs")
    assert len(found.tensors) == wanted.TensorsLength()
    for index, (tensor, other) in enumerate(zip(found.tensors, listed(wanted, "Tensors"), strict=True)):
        assert tensor.index == index
        compare_tensors(tensor, other, model)
    assert len(found.operators) == wanted.OperatorsLength()
    for index, (operator, row) in enumerate(zip(found.operators, listed(wanted, "Operators"), strict=True)):
        assert operator.index == index
        compare_operators(operator, row, model)


def compare_tensors(found: FileTensor, wanted: Any, model: Any) -> None:
    assert found.name == text(wanted.Name())
    assert list(found.shape) == listed(wanted, "Shape")
    assert found.kind == TENSOR_KINDS[wanted.Type()]
    data = model.Buffers(wanted.Buffer()).DataAsNumpy()
    assert (found.data is not None) == isinstance(data, np.ndarray)
    if found.data is not None:
        assert bytes(found.data) == data.tobytes()
    quantization = wanted.Quantization()
    scales = [] if quantization is None else listed(quantization, "Scale")
    assert (found.quantization is not None) == bool(scales)
    if found.quantization is not None:
        assert found.quantization.scale.tolist() == scales
        assert found.quantization.zero_point.tolist() == listed(quantization, "ZeroPoint")
        assert found.quantization.axis == (quantization.QuantizedDimension() if len(scales) > 1 else 0)


def compare_operators(found: FileOperator, wanted: Any, model: Any) -> None:
    code = model.OperatorCodes(wanted.OpcodeIndex())
    number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
    assert (found.name, found.version) == (BUILTIN_NAMES[number], code.Version())
    assert found.name == builtin_name(number)
    assert list(found.inputs) == listed(wanted, "Inputs")
    assert list(found.outputs) == listed(wanted, "Outputs")
    kind = OPERATOR_KINDS[found.name]
    if not wanted.BuiltinOptionsType():
        assert found.options == {item.name: empty(item.layout, item.default) for item in kind.options}
        return
    assert wanted.BuiltinOptionsType() == kind.options_type
    options = getattr(tflite, options_name(kind.options_type))()
    options.Init(wanted.BuiltinOptions().Bytes, wanted.BuiltinOptions().Pos)
    for item in kind.options:
        assert found.options[item.name] == option(options, item.name, item.layout), (found.name, item.name)


def empty(layout: str, default: int) -> object:
    return {TEXT: "", NUMBERS: (), REAL: 0.0}.get(layout, default)


def option(options: Any, name: str, layout: str) -> object:
    renamed = {"fused_activation": "FusedActivationFunction", "stride_w": "StrideW", "stride_h": "StrideH"}
    dilation = {"dilation_w": "DilationWFactor", "dilation_h": "DilationHFactor"}
    accessor = {**renamed, **dilation}.get(name) or "".join(part.capitalize() for part in name.split("_"))
    if layout == NUMBERS:
        return tuple(listed(options, accessor))
    value = getattr(options, accessor)()
    return text(value) if layout == TEXT else value


def names_of(kind: type) -> dict[int, str]:
    return {number: name for name, number in vars(kind).items() if not name.startswith("_")}


def builtin_name(number: int) -> str:
    return names_of(tflite.BuiltinOperator)[number]


def options_name(number: int) -> str:
    return names_of(tflite.BuiltinOptions)[number]


@pytest.mark.parametrize("name", samples())
def test_built_models_are_read_as_the_schema_says(name: str) -> None:
    data = write(samples()[name])
    compare_models(read_model(data), data)


@pytest.mark.slow
def test_real_models_are_read_as_the_schema_says() -> None:
    for data in real_models().values():
        compare_models(read_model(data), data)


def test_names_and_types_are_those_of_the_schema() -> None:
    wanted = names_of(tflite.BuiltinOperator)
    assert dict(enumerate(BUILTIN_NAMES)) == wanted
    types = names_of(tflite.TensorType)
    assert {number: types[number] for number in TENSOR_KINDS} == TENSOR_KINDS
    for kind in OPERATOR_KINDS.values():
        if kind.options_type:
            assert options_name(kind.options_type).endswith("Options")


@pytest.mark.parametrize("codes", [(18, 0), (0, 18), (5, 18), (18, 3)])
def test_the_code_of_an_operator_is_the_larger_of_two(codes: tuple[int, int]) -> None:
    root = samples()["MUL"]
    for slot, number in zip((0, 3), codes, strict=True):
        root[1][0][slot] = type(root[1][0][slot])(root[1][0][slot].layout, number)
    (operator,) = read_model(write(root)).graphs[0].operators
    assert operator.name == "MUL"


def test_constants_cannot_be_changed() -> None:
    model = read_model(write(samples()["FULLY_CONNECTED"]))
    constant = model.graphs[0].tensors[2].constant()
    assert constant is not None
    assert constant.shape == (3, 4)
    with pytest.raises(ValueError, match="read-only"):
        constant[0, 0] = 1
    assert model.graphs[0].tensors[0].constant() is None
