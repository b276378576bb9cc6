"""A TCP proxy on loopback that cuts connections on purpose, as often as it is told."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator

Budget = Callable[[], int]
"""How many bytes, in both directions together, the next connection carries before it is cut."""


@contextlib.contextmanager
def cutting_proxy(address: tuple[str, int], budget: Budget) -> Iterator[tuple[str, list[int]]]:
    """The endpoint of a proxy to ``address``, and the bytes that each connection has carried so far."""
    carried: list[int] = []
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                with client, socket.create_connection(address) as board:
                    carried.append(_carry(client, board, budget(), stop))

        thread = threading.Thread(target=serve, name="cutting proxy", daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}", carried
        finally:
            stop.set()
            thread.join()


def _carry(client: socket.socket, board: socket.socket, most: int, stop: threading.Event) -> int:
    """Bytes to and fro until so many were carried, or one side has gone."""
    other = {client: board, board: client}
    left = most
    with selectors.DefaultSelector() as selector:
        for side in other:
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(side, selectors.EVENT_READ, side)
        while left and not stop.is_set():
            for key, _ in selector.select(0.05):
                side = key.data
                if not left:
                    break
                try:
                    data = side.recv(left)
                    other[side].sendall(data)
                except OSError:
                    data = b""
                if not data:
                    return most - left
                left -= len(data)
    return most - left
