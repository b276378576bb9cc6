"""The link to the ZCU104, byte for byte: the worked example of the protocol, and what goes over the wire around it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from femtodriver.device.session.frame_messages import input_messages, output_arrays
from femtodriver.device.timeouts import Timeouts
from femtodriver.device.zcu104.tcp_link import TcpLink
from femtodriver.errors import DeviceError, UsageError
from femtodriver.program.metadata import InputRecord, OutputRecord

PATIENT = Timeouts()
HASTY = Timeouts(io=0.3)
"""For who waits for what never comes."""
SENT = """
00 00 00 30  01 00 00 00
00 00 00 30  03 00 00 00
01 00 00 30  01 00 ff ff
05 00 00 30  02 00 00 00
"""
REQUEST = "02 00 00 20 00 00 00 00"
INPUT = InputRecord("x", core=1, pc_val=3, words=1, bits=16, usable=4)
OUTPUT = OutputRecord("y", core=0, mailbox_id=7, words=1, bits=16, usable=4)


class Peer:
    """A listening socket whose client is served by ``script(socket)`` in a thread."""

    def __init__(self, script: Callable[[socket.socket], object]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.script = script
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        client, _ = self.listener.accept()
        with client:
            client.settimeout(20)
            self.script(client)

    def link(self, timeouts: Timeouts = PATIENT) -> TcpLink:
        return TcpLink("127.0.0.1", self.listener.getsockname()[1], timeouts)

    def end(self) -> None:
        """Also after a test that failed before anybody connected."""
        with contextlib.suppress(OSError):
            socket.create_connection(self.listener.getsockname(), 1).close()
        self.thread.join(20)
        self.listener.close()


Peers = Callable[[Callable[[socket.socket], object]], Peer]


@pytest.fixture
def peers() -> Iterator[Peers]:
    """Makes peers, which end with the test."""
    made: list[Peer] = []

    def make(script: Callable[[socket.socket], object]) -> Peer:
        made.append(Peer(script))
        return made[-1]

    yield make
    for peer in made:
        peer.end()


def receive(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        assert more, "closed"
        data += more
    return data


def entry(code: int, data: int, address: int = 0) -> bytes:
    return struct.pack("<II", code << 28 | address, data)


def test_the_worked_example(peers: Peers) -> None:
    seen: list[bytes] = []
    payload = (0xFFFF0001, 0x00000002)

    def script(client: socket.socket) -> None:
        seen.append(receive(client, 32))
        seen.append(receive(client, 8))
        client.sendall(entry(5, 0x1F) + entry(5, 7) + entry(5, payload[0]) + entry(5, payload[1]) + entry(6, 99, 1234))

    peer = peers(script)
    with peer.link() as link:
        (message,) = input_messages({"x": np.array([1, -1, 2, 0])}, [INPUT])
        link.write("axis", 0, 0, len(message), message)
        words = link.read("axis", 0, 0, 4)
    assert seen == [bytes.fromhex(SENT), bytes.fromhex(REQUEST)]
    assert output_arrays(words, [OUTPUT], "test")["y"].tolist() == [1, -1, 2, 0]


def test_writes_of_every_target_are_entries_with_their_addresses(peers: Peers) -> None:
    seen: list[bytes] = []
    peer = peers(lambda client: seen.append(receive(client, 8 * 6)))
    with peer.link() as link:
        link.write("host", 0, 1, 1, [0])
        link.write("spu_top", 0x08, 0x0C, 1, [0x40])
        link.write("apb", 0x100000, 0x10000C, 3, [1, 2, 0xFFFFFFFF])
        link.write("apb", 0x18, 0x1C, 1, [5])
        peer.thread.join()
    assert seen[0] == (
        entry(10, 0, 0)
        + entry(8, 0x40, 8)
        + entry(1, 1, 0x100000)
        + entry(1, 2, 0x100004)
        + entry(1, 0xFFFFFFFF, 0x100008)
        + entry(1, 5, 0x18)
    )


def test_the_last_address_that_an_entry_can_carry(peers: Peers) -> None:
    seen: list[bytes] = []
    peer = peers(lambda client: seen.append(receive(client, 8 * 2)))
    last = (1 << 28) - 1
    with peer.link() as link:
        link.write("host", last, last + 1, 1, [7])
        link.write("apb", last - 3, last + 1, 1, [8])
        for target, first, end, words in (("host", last + 1, last + 2, [0]), ("apb", last - 3, last + 5, [0, 0])):
            with pytest.raises(UsageError, match="an address must be below 0x10000000, not 0x10000000"):
                link.write(target, first, end, len(words), words)
        peer.thread.join()
    assert seen[0] == entry(10, 7, last) + entry(1, 8, last - 3)


def test_apb_reads_go_in_batches_of_64_that_wait_for_their_answers(peers: Peers) -> None:
    batches: list[int] = []

    def script(client: socket.socket) -> None:
        for size in (64, 64, 2):
            requests = receive(client, 8 * size)
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(5)
            heads = [head for head, _ in struct.iter_unpack("<II", requests)]
            batches.append(len(heads))
            client.sendall(b"".join(entry(4, head & 0xFFFFFFF) for head in heads))

    peer = peers(script)
    with peer.link() as link:
        words = link.read("apb", 0x100000, 0x100000 + 4 * 130, 130)
    assert batches == [64, 64, 2]
    assert words.tolist() == [0x100000 + 4 * at for at in range(130)]


def test_no_send_call_is_longer_than_512_bytes(peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    plain = socket.socket.sendall

    def sendall(link: socket.socket, data: memoryview) -> None:
        sizes.append(len(data))
        plain(link, data)

    peer = peers(lambda client: receive(client, 8 * 1000))
    monkeypatch.setattr(socket.socket, "sendall", sendall)
    with peer.link() as link:
        link.write("apb", 0x100000, 0x100000 + 4000, 1000, np.arange(1000))
        peer.thread.join()
    assert sizes == [512] * 15 + [320]


def test_a_lone_end_marker_means_that_nothing_is_there(peers: Peers) -> None:
    def script(client: socket.socket) -> None:
        receive(client, 8)
        client.sendall(entry(6, 0))

    peer = peers(script)
    with peer.link() as link:
        assert link.read("axis", 0, 0, 4).tolist() == []
        assert link.is_open


@pytest.mark.parametrize("step", [1, 3, 7, 8, 9, 30])
def test_answers_may_come_in_any_pieces(peers: Peers, step: int) -> None:
    answer = b"".join(entry(5, word) for word in range(40)) + entry(6, 0)

    def script(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        receive(client, 8)
        for at in range(0, len(answer), step):
            client.sendall(answer[at : at + step])
        receive(client, 8)
        client.sendall(entry(11, 1)[:3])
        client.sendall(entry(11, 1)[3:])

    peer = peers(script)
    with peer.link() as link:
        assert link.read("axis", 0, 0, 40).tolist() == list(range(40))
        assert link.read("spu_top", 0x24, 0x28, 1).tolist() == [1]


AXIS = ("axis", 0, 0, 4)
APB = ("apb", 0x34, 0x3C, 2)


@pytest.mark.parametrize(
    ("request_", "answer", "message"),
    [
        (AXIS, b"", "the axis read of 2 64-bit words: the board closed the connection; expected 40 bytes, got 0"),
        (AXIS, entry(5, 1) * 3 + b"abc", "the board closed the connection; expected 40 bytes, got 27"),
        (AXIS, entry(5, 1) * 3 + entry(6, 0), "expected 4 data entries before the end marker, got 3"),
        (AXIS, entry(5, 1) * 5, "expected 4 data entries, got more"),
        (
            AXIS,
            entry(5, 1) + entry(4, 0),
            r"expected code 5 \(axis data\) in entry 1 of the answer, got code 4 \(apb r",
        ),
        (AXIS, entry(5, 1) * 4 + entry(6, 0) + b"x", "expected nothing after the end marker, got 1 bytes"),
        (AXIS, bytes(range(200)), "expected code 5"),
        (
            APB,
            entry(4, 0),
            "the apb read of 2 words from 0x34: the board closed the connection; expected 16 bytes, got 8",
        ),
        (APB, entry(4, 0) + entry(11, 0), r"expected code 4 \(apb reply\) in entry 1 of the answer, got code 11"),
        (APB, entry(15, 0) + entry(4, 0), r"got code 15 \(unknown\)"),
    ],
)
def test_wrong_answers_are_device_errors_that_say_what_was_expected(
    peers: Peers, request_: tuple[str, int, int, int], answer: bytes, message: str
) -> None:
    def script(client: socket.socket) -> None:
        receive(client, 16 if request_ is APB else 8)
        client.sendall(answer)

    peer = peers(script)
    with peer.link() as link:
        with pytest.raises(DeviceError, match=message):
            link.read(*request_)
        assert not link.is_open
        with pytest.raises(DeviceError, match="the link is closed after a failure"):
            link.read(*request_)


@pytest.mark.slow
def test_silence_ends_in_an_error_after_the_timeout(peers: Peers) -> None:
    done = threading.Event()

    def script(client: socket.socket) -> None:
        receive(client, 8)
        client.sendall(entry(5, 1))
        done.wait(5)

    peer = peers(script)
    with peer.link(HASTY) as link, pytest.raises(DeviceError, match=r"no answer within 0.3 s; expected 40 byt"):
        link.read(*AXIS)
    done.set()


def test_a_trickle_does_not_stretch_the_timeout(peers: Peers) -> None:
    done = threading.Event()

    def script(client: socket.socket) -> None:
        receive(client, 8)
        while not done.wait(0.02):
            try:
                client.sendall(b"\x00")
            except OSError:
                return

    peer = peers(script)
    with peer.link(HASTY) as link, pytest.raises(DeviceError, match=r"no answer within|expected code"):
        link.read("axis", 0, 0, 2000)
    done.set()


def test_bytes_that_nobody_asked_for_are_refused(peers: Peers) -> None:
    ready = threading.Event()

    def script(client: socket.socket) -> None:
        client.sendall(entry(11, 1))
        ready.set()
        client.recv(1)

    peer = peers(script)
    with peer.link() as link:
        ready.wait(5)
        with pytest.raises(DeviceError, match="expected no bytes from the board, got 8"):
            link.read("spu_top", 0x24, 0x28, 1)


@pytest.mark.slow
def test_a_board_that_takes_nothing_does_not_hang_the_client(peers: Peers) -> None:
    done = threading.Event()

    def script(client: socket.socket) -> None:
        done.wait(20)

    def write(link: TcpLink) -> None:
        for _ in range(100):
            link.write("apb", 0x100000, 0x100000 + 4 * 16384, 16384, np.zeros(16384))

    peer = peers(script)
    with peer.link(HASTY) as link, pytest.raises(DeviceError, match=r"the board took no data for 0.3 s"):
        write(link)
    done.set()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DeviceError, match=r"cannot be reached: Connection refused. Check the address"):
        TcpLink("127.0.0.1", port, PATIENT).open()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("memory", 0, 4, 1), "the target must be one of apb, axis, spu_top, host"),
        (("apb", 0, 8, 1), "must have a length from 1 and fitting addresses"),
        (("apb", 2, 6, 1), "must be a multiple of 4"),
        (("axis", 0, 0, 3), "whole 64-bit words"),
        (("apb", 1 << 28, (1 << 28) + 4, 1), "must be below 0x10000000"),
        (("host", 0, 1, 1), "nothing can be read from the host"),
    ],
)
def test_wrong_arguments_are_usage_errors(peers: Peers, arguments: tuple[str, int, int, int], message: str) -> None:
    peer = peers(lambda client: client.recv(1))
    with peer.link() as link:
        with pytest.raises(UsageError, match=message):
            link.read(*arguments)
        assert link.is_open


def test_an_unopened_link_says_so() -> None:
    with pytest.raises(DeviceError, match="the link is not open"):
        TcpLink("127.0.0.1", 1, PATIENT).read(*APB)
