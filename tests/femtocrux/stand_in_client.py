"""A client to test with: the signatures, messages and exceptions of the vendor's public client, as they are documented.

It uses the real ``docker`` package and a real container. Like the vendor's it leaves its container behind when its
constructor fails, and asks for a password where it may.
"""

from __future__ import annotations

import os
import pickle
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Queue
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.femtocrux.stand_in_messages import SERVICE, arrays_bytes, arrays_of, decode, encode, part

VERSION = "3.11.6"
HEALTH = ["python3", "/femtocrux/femtocrux/server/healthcheck.py"]
LABEL = "femtocrux_server"
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass
class FQIRModel:
    graph_proto: Any = None
    batch_dim: int | None = None
    sequence_dim: int | None = None

    def message(self) -> bytes:
        dims = [(2, self.batch_dim), (3, self.sequence_dim)]
        fields = [(number, dim) for number, dim in dims if dim is not None]
        return encode([(1, pickle.dumps(self.graph_proto, 4)), *fields])


@dataclass
class ModelAndMetadata:
    model: Any = None
    iospec: Any = None
    opt_profile: str | None = None
    user_configuration: dict[str, Any] | None = None
    memory_reservations: dict[str, Any] | None = None

    def message(self) -> bytes:
        profile = [(4, self.opt_profile)] if self.opt_profile else []
        return encode([(1, self.model.message()), (3, self.iospec.serialize_to_string()), *profile])


class CompilerClient:
    def __init__(self, docker_kwargs: dict[str, Any] | None = None) -> None:
        import docker
        import grpc

        try:
            engine = docker.from_env()
        except docker.errors.DockerException as error:
            raise RuntimeError(f"Failed to connect to the Docker daemon: {error}") from error
        image = os.environ.get("FEMTOCRUX_SERVER_IMAGE_NAME", f"ghcr.io/femtosense/femtocrux:{VERSION}")
        if not engine.images.list(image):
            assert os.environ.get("FS_ALLOW_DOCKER_PULL") == "no", "the stand-in pulls nothing"
            raise RuntimeError(f"Docker image {image} not found locally. Pull disabled by FS_ALLOW_DOCKER_PULL.")
        print("Checking container status...")
        self.container = engine.containers.run(
            image,
            ["--port", "50051"],
            name=f"femtocrux_server_{os.getpid()}_{secrets.token_hex(4)}",
            labels=[LABEL],
            ports={"50051": ("127.0.0.1", None)},
            auto_remove=True,
            detach=True,
            **(docker_kwargs or {}),
        )
        print("Container started successfully.")
        self._wait_for_health()
        self.container.reload()
        port = self.container.attrs["NetworkSettings"]["Ports"]["50051/tcp"][0]["HostPort"]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        theirs = part(decode(self._ask("version", b"")), 1).decode()
        assert theirs == VERSION, f"Client version {VERSION} does not match server version {theirs}."

    def compile(
        self,
        model: Any,
        iospec: Any = None,
        opt_profile: str | None = None,
        user_configuration: dict[str, Any] | None = None,
        memory_reservations: dict[str, Any] | None = None,
    ) -> tuple[bytes, Any, Any]:
        message = ModelAndMetadata(model, iospec, opt_profile, user_configuration).message()
        answer = decode(self._ask("compile", message))
        check_status(part(answer, 4))
        return part(answer, 1), iospec, None

    def get_simulator_object(self, model_and_metadata: ModelAndMetadata, options: dict[str, Any] | None = None) -> Any:
        return Simulator(self._channel, model_and_metadata.message())

    def close(self) -> None:
        self._channel.close()
        self.container.stop(timeout=0)

    def _ask(self, method: str, message: bytes) -> bytes:
        answer: bytes = self._channel.unary_unary(f"/{SERVICE}/{method}")(message, wait_for_ready=True, timeout=120)
        return answer

    def _wait_for_health(self) -> None:
        output = b""
        for _ in range(5):
            code, output = self.container.exec_run(HEALTH)
            if code == 0:
                print("Container passed health check.")
                return
            time.sleep(2)
        raise RuntimeError(f"Docker container failed 5 health check(s)!\n{output.decode()}")


class Simulator:
    """One stream: the model first, then inputs; every message is answered by one."""

    def __init__(self, channel: Any, model: bytes) -> None:
        self._sent: Queue[bytes] = Queue()
        self._answers = channel.stream_stream(f"/{SERVICE}/simulate")(iter(self._sent.get, None), wait_for_ready=True)
        self._ask(encode([(1, model)]))

    def simulate(self, inputs: Arrays, input_period: float = 0.016) -> tuple[dict[str, npt.NDArray[Any]], str]:
        if any(np.asarray(rows).dtype.kind not in "iu" for rows in inputs.values()):
            raise Exception("inputs must be integers")
        data = encode([(1, arrays_bytes(inputs)), (4, float(input_period))])
        answer = self._ask(encode([(2, data)]))
        return arrays_of(part(answer, 1)), part(answer, 3).decode()

    def _ask(self, message: bytes) -> dict[int, list[int | float | bytes]]:
        self._sent.put(message)
        answer = decode(next(self._answers))
        check_status(part(answer, 4))
        return answer


def check_status(data: bytes) -> None:
    fields = decode(data)
    if fields.get(1) != [1]:
        raise RuntimeError(f"Client received error from compiler server:\n{part(fields, 2).decode()}")
