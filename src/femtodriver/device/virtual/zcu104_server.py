"""The virtual board on a TCP port.

Life cycle: 1. construct: the port is bound, 2. ``serve(stop)`` until the event is set (or ``start()``/``stop()``: the
same in a thread of its own), 3. ``close()``. ``with server:`` is ``start`` and ``stop``.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from femtodriver.device.addresses import endpoint_text
from femtodriver.device.virtual.link_faults import Faults, FaultStream
from femtodriver.device.virtual.virtual_board import VirtualBoard
from femtodriver.device.virtual.zcu104_side import Connection
from femtodriver.errors import DeviceError

MOST_CLIENTS = 8
_CHUNK = 1 << 16
# A client that does not fetch its answers is not read from until it does.
_MOST_UNSENT = 1 << 20
_TICK_S = 0.1
_QUICK = getattr(socket, "TCP_QUICKACK", None)


@dataclass(eq=False)
class _Client:
    link: socket.socket
    connection: Connection
    name: str
    unsent: bytearray = field(default_factory=bytearray)
    events: int = selectors.EVENT_READ
    closing: bool = False


class BoardServer:
    """Serves one board to clients, up to ``MOST_CLIENTS`` at a time, one entry after the other.

    ``address``: (host, port) that is really used, also where port 0 was asked for. DeviceError when it cannot be.
    """

    def __init__(
        self,
        board: VirtualBoard,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.board = board
        self.faults = None if faults is None else FaultStream(faults)
        self._tell = tell or _silent
        self._listener = _listen(host, port)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        # Written to when the thread is to end, so that it need not look at a clock.
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._clients: set[_Client] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """``HOST:PORT``."""
        return endpoint_text(*self.address)

    def serve(self, stop: threading.Event) -> None:
        """Answer until ``stop`` is set."""
        while not stop.is_set():
            for key, events in self._selector.select(_TICK_S):
                if key.fileobj is self._listener:
                    self._accept()
                if key.data not in self._clients:
                    continue
                if events & selectors.EVENT_WRITE:
                    self._flush(key.data)
                if events & selectors.EVENT_READ and key.data in self._clients:
                    self._receive(key.data)

    def start(self) -> None:
        """Answer in a thread from now on."""
        self._stop.clear()
        self._thread = threading.Thread(target=self.serve, args=(self._stop,), name="virtual board", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close everything."""
        self._stop.set()
        if self._thread is not None:
            self._wake.send(b"x")
            self._thread.join()
            self._thread = None
        self.close()

    def close(self) -> None:
        """Close all connections and the port; may be called twice."""
        for client in tuple(self._clients):
            self._drop(client)
        self._selector.close()
        for end in (self._listener, self._wake, self._woken):
            end.close()

    def __enter__(self) -> BoardServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _accept(self) -> None:
        try:
            link, address = self._listener.accept()
        except OSError:
            return
        name = endpoint_text(*address[:2])
        if len(self._clients) >= MOST_CLIENTS:
            self._drop_dead()
        if len(self._clients) >= MOST_CLIENTS:
            self.board.note("protocol", f"client {name}: is one too many and was turned away")
            link.close()
            return
        link.setblocking(False)
        with contextlib.suppress(OSError):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(link, Connection(self.board, self.faults), name)
        self._clients.add(client)
        self._selector.register(link, selectors.EVENT_READ, client)
        self._tell(f"client {name}: connected")

    def _drop_dead(self) -> None:
        """Clients that have gone, though it is not their turn yet."""
        for client in tuple(self._clients):
            try:
                gone = not client.link.recv(1, socket.MSG_PEEK)
            except (BlockingIOError, InterruptedError):
                gone = False
            except OSError:
                gone = True
            if gone:
                self._drop(client)

    def _receive(self, client: _Client) -> None:
        try:
            data = client.link.recv(_CHUNK)
            if _QUICK is not None:  # a client that sends small pieces waits for each to be acknowledged
                client.link.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        answer = client.connection.feed(data)
        client.closing = client.connection.closing
        if self.faults is None:
            self._send(client, answer)
        else:
            self._send_badly(client, answer, self.faults)
        if client.closing and not client.unsent:
            self._drop(client)

    def _send_badly(self, client: _Client, answer: bytes, faults: FaultStream) -> None:
        if answer:
            time.sleep(faults.pause_s())
        for piece in faults.pieces(answer):
            self._send(client, piece)

    def _send(self, client: _Client, data: bytes) -> None:
        if not data:
            return
        client.unsent += data
        self._flush(client)

    def _flush(self, client: _Client) -> None:
        if client not in self._clients:
            return
        try:
            sent = client.link.send(client.unsent) if client.unsent else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._drop(client)
            return
        del client.unsent[:sent]
        if client.closing and not client.unsent:
            self._drop(client)
            return
        events = selectors.EVENT_READ if len(client.unsent) < _MOST_UNSENT and not client.closing else 0
        events |= selectors.EVENT_WRITE if client.unsent else 0
        if events != client.events:
            client.events = events
            self._selector.modify(client.link, events, client)

    def _drop(self, client: _Client) -> None:
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._selector.unregister(client.link)
        client.link.close()
        client.connection.end()
        self._tell(f"client {client.name}: gone")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _no_port(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(MOST_CLIENTS)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _no_port(host, port, error) from None
    return listener


def _no_port(host: str, port: int, error: Exception) -> DeviceError:
    reason = getattr(error, "strerror", None) or str(error)
    return DeviceError(f"board: cannot listen on {endpoint_text(host, port)}: {reason}. Choose another port.")


def _silent(line: str) -> None:
    """Nobody wants to be told."""
