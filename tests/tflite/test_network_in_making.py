"""Names as converters join them: longer than a network of ours may have."""

from __future__ import annotations

from femtodriver.fqir.validate import validate
from femtodriver.tflite.import_network import import_network
from tests.tflite.tflite_writer import Net, write


def test_long_names_are_cut_and_told_apart_by_the_number() -> None:
    net = Net()
    given, output = net.tensor([1, 4]), net.tensor([1, 4])
    for table in net.tensors:
        table[3] = "model/layer;" * 200
    net.tensors[output][3] += "other"
    net.operator("RELU", [given], [output])
    network = import_network(write(net.model([given], [output])), "net")
    validate(network)
    names = [tensor.name for tensor in (*network.inputs, *network.outputs)]
    assert names == [f"{('model/layer;' * 200)[:600]} tensor {number}" for number in (given, output)]
