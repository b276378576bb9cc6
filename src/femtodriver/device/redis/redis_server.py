"""A connection to a redis server: an existing one, or one that we start on this user's port and stop again."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from typing import Any

from femtodriver.device.addresses import endpoint_text, redis_port
from femtodriver.errors import DeviceError

LOCAL = "127.0.0.1"
_RETRY_S = 0.05
_STOP_S = 5.0


def redis_errors() -> tuple[type[Exception], ...]:
    """What the redis package raises; DeviceError when it is not installed."""
    try:
        import redis
    except ImportError:
        raise DeviceError(
            "redis: the Python package `redis` is not installed; pip install 'open-femtodriver[redis]' brings it."
        ) from None
    return (redis.RedisError, OSError)


def is_refusal(error: Exception) -> bool:
    """Whether the server is there, and has refused a command."""
    import redis

    return isinstance(error, redis.ResponseError)


def connect(host: str, port: int, timeout_s: float, name: str) -> Any:
    """A client of the server there, which has answered a ping. ``name``: what the server calls the connection.

    DeviceError when none answers within the time.
    """
    errors = redis_errors()
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # A command that is sent twice would be answered twice: never retry.
    client = redis.Redis(
        host=host,
        port=port,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        decode_responses=True,
        encoding_errors="replace",  # anybody may write anything into a list
        client_name=name,
        retry=Retry(NoBackoff(), 0),
    )
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            client.ping()
            return client
        except errors as error:
            if time.monotonic() > deadline:
                client.close()
                raise DeviceError(
                    f"redis {endpoint_text(host, port)}: no server answers a ping: {str(error).rstrip('.')}. Start one "
                    f"with `redis-server --port {port}` or check the address."
                ) from None
        time.sleep(_RETRY_S)


class RedisServer:
    """The server on this user's port: reused if one answers there, else started, and then stopped by ``stop``."""

    def __init__(self, port: int | None = None) -> None:
        self.host, self.port = LOCAL, redis_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def started(self) -> bool:
        """Whether the server is ours alone."""
        return self._process is not None

    def start(self, timeout_s: float, name: str) -> Any:
        """A client of the running server, called ``name``. DeviceError when none runs and none can be started."""
        redis_errors()
        if _listens(self.host, self.port):
            return connect(self.host, self.port, timeout_s, name)
        program = shutil.which("redis-server")
        if program is None:
            raise DeviceError(
                f"redis: no server answers at {endpoint_text(self.host, self.port)} and the program redis-server is "
                "not installed (Debian: apt install redis-server); or name a running server as HOST:PORT."
            )
        command = [program, "--port", str(self.port), "--bind", LOCAL, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            return connect(self.host, self.port, timeout_s, name)
        except DeviceError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server if we started it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(host: str, port: int) -> bool:
    try:
        with contextlib.closing(socket.create_connection((host, port), 1.0)):
            return True
    except OSError:
        return False
