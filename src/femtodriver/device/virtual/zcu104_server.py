"""The virtual board on a TCP port: one client at a time.

Life cycle: 1. construct: the port is bound, 2. ``serve(stop)`` until the event is set (or ``start()``/``stop()``: the
same in a thread of its own), 3. ``close()``. ``with server:`` is ``start`` and ``stop``.

The board belongs to the client that sends the first whole entry, until that client goes. Others are told so
and disconnected. A client that sends nothing owns nothing: it makes room when its place is needed. The owner loses the
board after ``SILENCE_S`` without an entry, if another client asks for it.
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
from femtodriver.device.zcu104.parting_words import GAVE_WAY, IN_USE, SILENCE_S
from femtodriver.errors import DeviceError

MOST_CLIENTS = 8
_WAITING = 128
_CHUNK = 1 << 16
# A client that does not fetch its answers is not read from until it does.
_MOST_UNSENT = 1 << 20
_TICK_S = 0.1
# So long a client that was sent away may take to read why.
_PARTING_S = 2.0
# Of what its owner has sent already, before the board goes to somebody else.
_MOST_READS = 16
_QUICK = getattr(socket, "TCP_QUICKACK", None)


@dataclass(eq=False)
class _Client:
    """``heard``: when it last sent a whole entry or took an answer. ``leaving``: it was sent away."""

    link: socket.socket
    connection: Connection
    name: str
    heard: float
    unsent: bytearray = field(default_factory=bytearray)
    events: int = selectors.EVENT_READ
    closing: bool = False
    leaving: bool = False


class BoardServer:
    """Serves one board. ``address``: (host, port) that is really used, also where port 0 was asked for.

    ``clock``: seconds, only ever forward. DeviceError for an address that cannot be used.
    """

    def __init__(
        self,
        board: VirtualBoard,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        tell: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = board
        self.faults = None if faults is None else FaultStream(faults)
        self._tell = tell or _silent
        self._clock = clock
        self._listener = _listen(host, port)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        # Written to when the thread is to end, so that it need not look at a clock.
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._clients: set[_Client] = set()
        self._owner: _Client | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """``HOST:PORT``."""
        return endpoint_text(*self.address)

    def serve(self, stop: threading.Event) -> None:
        """Answer until ``stop`` is set."""
        while not stop.is_set():
            self.turn()

    def turn(self, wait_s: float = _TICK_S) -> None:
        """Do what there is to do, after waiting so long for something to happen."""
        for key, events in self._selector.select(wait_s):
            if key.fileobj is self._listener:
                self._accept()
            if key.data not in self._clients:
                continue
            if events & selectors.EVENT_WRITE:
                self._flush(key.data)
            if events & selectors.EVENT_READ and key.data in self._clients:
                self._receive(key.data)
        self._let_the_silent_go()

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

    # -- who comes and who goes --

    def _accept(self) -> None:
        try:
            link, address = self._listener.accept()
        except OSError:
            return
        name = endpoint_text(*address[:2])
        if len(self._clients) >= MOST_CLIENTS:
            self._make_room()
        link.setblocking(False)
        with contextlib.suppress(OSError):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(link, Connection(self.board, self.faults), name, self._clock())
        self._clients.add(client)
        self._selector.register(link, selectors.EVENT_READ, client)
        self._tell(f"client {name}: connected")

    def _make_room(self) -> None:
        """One place more: that of a client that leaves anyway, or of the one that has said nothing for longest."""
        waiting = self._clients - {self._owner}
        oldest = min(waiting, key=lambda client: (not client.leaving, client.heard))
        self._tell(f"client {oldest.name}: makes room for another one")
        self._drop(oldest)

    def _let_the_silent_go(self) -> None:
        now = self._clock()
        for client in tuple(self._clients - {self._owner}):
            if now - client.heard >= (_PARTING_S if client.leaving else SILENCE_S):
                self._drop(client)

    def _may_speak(self, client: _Client) -> bool:
        """Whether the board is this client's, now that it sends something; else it is sent away."""
        if self._owner is not None and self._owner is not client:
            self._hear_out(self._owner)
        owner = self._owner
        if owner is not None and owner is not client:
            if self._clock() - owner.heard < SILENCE_S:
                self.board.note("owner", f"client {client.name}: is sent away, because {owner.name} has the board")
                self._send_away(client, IN_USE)
                return False
            self.board.note("owner", f"client {owner.name}: said nothing for {SILENCE_S:g} s and loses the board")
            self._send_away(owner, GAVE_WAY)
        if self._owner is None:
            self._owner = client
            self.board.new_client()
        return True

    def _hear_out(self, owner: _Client) -> None:
        """What the owner has sent already comes first; it may have gone since."""
        for _ in range(_MOST_READS):
            if self._owner is not owner or not owner.events & selectors.EVENT_READ or not self._receive(owner):
                return

    def _send_away(self, client: _Client, words: bytes) -> None:
        """Say why, and hear no more. The connection is closed by the client, or after ``_PARTING_S``."""
        self._release(client)
        client.leaving, client.heard = True, self._clock()
        if client.unsent:  # the words would be taken for the rest of an answer
            self._drop(client)
            return
        with contextlib.suppress(OSError):
            client.link.send(words)
            client.link.shutdown(socket.SHUT_WR)

    def _release(self, client: _Client) -> None:
        client.connection.end()
        if self._owner is client:
            self._owner = None

    def _drop(self, client: _Client) -> None:
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._selector.unregister(client.link)
        client.link.close()
        self._release(client)
        self._tell(f"client {client.name}: gone")

    # -- what they say and get --

    def _receive(self, client: _Client) -> bool:
        """Read once and answer; whether there was anything."""
        try:
            data = client.link.recv(_CHUNK)
            if _QUICK is not None:  # a client that sends small pieces waits for each to be acknowledged
                client.link.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return False
        if client.leaving:
            return True
        speaks = client.connection.completes_an_entry(data)
        if speaks and not self._may_speak(client):
            return True
        answer = client.connection.feed(data)
        if speaks:
            client.heard = self._clock()
        client.closing = client.connection.closing
        if self.faults is None:
            self._send(client, answer)
        else:
            self._send_badly(client, answer, self.faults)
        if client.closing and not client.unsent:
            self._drop(client)
        return True

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
        now = self._clock()
        try:
            sent = client.link.send(client.unsent) if client.unsent else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._drop(client)
            return
        del client.unsent[:sent]
        if sent:
            client.heard = now
        if client.closing and not client.unsent:
            self._drop(client)
            return
        events = selectors.EVENT_READ if len(client.unsent) < _MOST_UNSENT and not client.closing else 0
        events |= selectors.EVENT_WRITE if client.unsent else 0
        if events != client.events:
            client.events = events
            self._selector.modify(client.link, events, client)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise _no_port(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_WAITING)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _no_port(host, port, error) from None
    return listener


def _no_port(host: str, port: int, error: Exception) -> DeviceError:
    reason = getattr(error, "strerror", None) or str(error)
    return DeviceError(
        f"board: cannot listen on {endpoint_text(host, port)}: {reason}. Choose another address or port."
    )


def _silent(line: str) -> None:
    """Nobody wants to be told."""
