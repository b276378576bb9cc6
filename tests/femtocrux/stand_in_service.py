"""A compiler service to test with, by the description of the vendor's; it runs in a container.

Programs are those of our own compiler without what they say about themselves, so that they are foreign ones; outputs
are those of our reference. The profile "conservative" takes a minute.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np

from femtodriver.errors import FemtoError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.model.build_model import build
from femtodriver.model.load_model import OWN_META, Source
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY
from tests.femtocrux.stand_in_messages import SERVICE, array_bytes, arrays_of, decode, encode, part, status


def main() -> None:
    """Serve on the port that the arguments name, until the container is stopped."""
    port = sys.argv[sys.argv.index("--port") + 1]
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                SERVICE,
                {
                    "version": grpc.unary_unary_rpc_method_handler(version),
                    "compile": grpc.unary_unary_rpc_method_handler(compiled),
                    "simulate": grpc.stream_stream_rpc_method_handler(simulated),
                },
            ),
        ]
    )
    server.add_insecure_port(f"0.0.0.0:{port}")
    server.start()
    print(f"serving on {port}, for {os.environ.get('FS_HW_CFG')}", flush=True)
    server.wait_for_termination()


def version(request: bytes, context: Any) -> bytes:
    return encode([(1, os.environ["STAND_IN_VERSION"])])


def compiled(request: bytes, context: Any) -> bytes:
    fields = decode(request)
    print("compile", part(fields, 4).decode(), flush=True)
    slowly(fields)
    try:
        program = build(Source("net", "net", OWN_META, network_in(fields))).data
    except FemtoError as error:
        return encode([(4, status(False, str(error)))])
    metadata = {key: value for key, value in program.metadata.items() if key not in (KEY, "encrypted")}
    foreign = CompiledData(metadata, program.mems_per_core, {})
    return encode([(1, foreign.to_zip_bytes()), (2, part(fields, 3)), (4, status(True))])


def simulated(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
    network: Network | None = None
    for request in requests:
        fields = decode(request)
        if 1 in fields:
            print("model for the simulator", flush=True)
            network = network_in(decode(part(fields, 1)))
            yield encode([(4, status(True))])
        elif network is not None:
            yield outputs(network, decode(part(fields, 2)))


def outputs(network: Network, data: dict[int, list[int | float | bytes]]) -> bytes:
    inputs = arrays_of(part(data, 1))
    if set(inputs) != {tensor.name for tensor in network.inputs}:
        return encode([(4, status(False, f"unknown inputs {sorted(inputs)}"))])
    reference = Reference(network)
    reference.reset()
    rows = []
    for number in range(len(next(iter(inputs.values())))):
        frame = {name: values[number].astype(np.int64) for name, values in inputs.items()}
        shaped = {tensor.name: frame[tensor.name].reshape(tensor.shape) for tensor in network.inputs}
        rows.append({name: np.reshape(value, -1).astype(np.int16) for name, value in reference.step(shaped).items()})
    made = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    period = data.get(4, [0.0])[-1]
    report = json.dumps({"Frames Simulated": len(rows), "Input Period (s)": round(float(period), 6)})
    entries = [(1, encode([(1, name), (2, array_bytes(array))])) for name, array in made.items()]
    return encode([(1, encode(entries)), (3, report), (4, status(True))])


def network_in(fields: dict[int, list[int | float | bytes]]) -> Network:
    return load_network(part(decode(part(fields, 1)), 1))


def slowly(fields: dict[int, list[int | float | bytes]]) -> None:
    """A compilation that takes a minute, for the profile of that name."""
    if part(fields, 4) == b"conservative":
        time.sleep(60)


if __name__ == "__main__":
    main()
