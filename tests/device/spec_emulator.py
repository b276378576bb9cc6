"""A minimal emulator of a ZCU104 with an identity network on it, written from the specification alone.

Every message of core 0 comes back as an output of mailbox 0. It checks what it gets and notes what is against the
specification; ``chunk`` splits what it sends, ``late`` reports each output some polls late.
"""

from __future__ import annotations

import socket
import struct
import threading
import time


class SpecEmulator:
    """Serves one client after the other on ``port`` of the loopback address; a context manager."""

    def __init__(self, chunk: int | None = None, late: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.chunk, self.late = chunk, late
        self.apb: dict[int, int] = {0: 0x13}
        self.writes: list[tuple[int, int, int]] = []
        self.complaints: list[str] = []
        self.outputs: list[list[int]] = []
        self.polls = 0
        self.lock_polls = 2
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self) -> SpecEmulator:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping = True
        socket.create_connection(("127.0.0.1", self.port), 5).close()
        self.thread.join(10)
        self.listener.close()

    def serve(self) -> None:
        while True:
            client, _ = self.listener.accept()
            if self.stopping:
                client.close()
                return
            self.message: list[tuple[int, int]] = []
            with client:
                self.talk(client)

    def talk(self, client: socket.socket) -> None:
        client.settimeout(10)
        data = b""
        while True:
            more = client.recv(100)
            if not more:
                break
            data += more
            while len(data) >= 8:
                head, word = struct.unpack("<II", data[:8])
                data = data[8:]
                self.send(client, self.entry(head >> 28, head & 0x0FFFFFFF, word))
        if data:
            self.complaints.append("half an entry at the end")

    def send(self, client: socket.socket, data: bytes) -> None:
        step = self.chunk or max(len(data), 1)
        for at in range(0, len(data), step):
            client.sendall(data[at : at + step])
            if self.chunk:
                time.sleep(1e-4)

    def entry(self, code: int, address: int, word: int) -> bytes:
        if code in (1, 8, 10):
            self.writes.append((code, address, word))
        elif code != 3 and word:
            self.complaints.append(f"a request of code {code} with data {word}")
        if code == 0:
            return struct.pack("<II", 4 << 28, self.apb.get(address, 0))
        if code == 1:
            self.apb[address] = word
        elif code == 2:
            return self.axis_read(address)
        elif code == 3:
            self.axis_write(address, word)
        elif code == 7:
            return struct.pack("<II", 11 << 28, self.top_read(address))
        elif code not in (8, 10):
            self.complaints.append(f"code {code}")
        return b""

    def top_read(self, address: int) -> int:
        if address == 0x1C:
            self.lock_polls -= 1
            return int(self.lock_polls <= 0)
        if address == 0x24:
            self.polls += 1
            return int(bool(self.outputs) and self.polls > self.late)
        return 0

    def axis_write(self, field: int, word: int) -> None:
        self.message.append((field, word))
        if field != 5:
            return
        fields = [item for item, _ in self.message]
        words = [item for _, item in self.message]
        self.message = []
        if len(fields) % 2 or fields != [0] * (len(fields) - 2) + [1, 5]:
            self.complaints.append(f"fields {fields}")
        self.inbox = words[:2]
        self.outputs.append([0x1F, 0, *words[2:]])
        self.polls = 0

    def axis_read(self, count: int) -> bytes:
        total = sum(len(words) for words in self.outputs)
        answer = b""
        if total == 2 * count:
            for words in self.outputs:
                answer += b"".join(struct.pack("<II", 5 << 28, word) for word in words)
            self.outputs = []
        return answer + struct.pack("<II", 6 << 28 | 4096, 0xDEADBEEF)
