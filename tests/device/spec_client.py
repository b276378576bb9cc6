"""A minimal client of the ZCU104 protocol, written from the specification alone; shares no code with the product.

It knows the load sequence as literal addresses, and programs as images and numbers.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

POWER = {"CD": 0x05098, "ON": 0x11098}


class SpecClient:
    """One connection; every call blocks until its answer is complete, at most 10 s."""

    def __init__(self, host: str, port: int) -> None:
        self.link = socket.create_connection((host, port), 10)

    def close(self) -> None:
        self.link.close()

    def entry(self, code: int, address: int, data: int = 0) -> None:
        self.link.sendall(struct.pack("<II", code << 28 | address, data))

    def answer(self) -> tuple[int, int, int]:
        data = b""
        while len(data) < 8:
            more = self.link.recv(8 - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        head, word = struct.unpack("<II", data)
        return head >> 28, head & 0x0FFFFFFF, word

    def top_read(self, address: int) -> int:
        self.entry(7, address)
        code, _, word = self.answer()
        assert code == 11
        return word

    def apb_read(self, address: int) -> int:
        self.entry(0, address)
        code, _, word = self.answer()
        assert code == 4
        return word

    def burst(self, address: int, words64: Sequence[int]) -> None:
        for number, word in enumerate(words64):
            self.entry(1, address + 8 * number, word & 0xFFFFFFFF)
            self.entry(1, address + 8 * number + 4, word >> 32)

    def message(self, core: int, pc: int, payload: Sequence[int]) -> None:
        words = [core, pc]
        for word in payload:
            words += [word & 0xFFFFFFFF, word >> 32]
        fields = [0] * (len(words) - 2) + [1, 5]
        for field, word in zip(fields, words, strict=True):
            self.entry(3, field, word)

    def axis_read(self, words64: int) -> list[tuple[int, int]]:
        """(low, high) of each 64-bit word; [] for a lone end marker."""
        self.entry(2, words64)
        found: list[int] = []
        while True:
            code, _, word = self.answer()
            if code == 6:
                break
            assert code == 5
            found.append(word)
        return list(zip(found[0::2], found[1::2], strict=True))

    def start(self, pll: bool = True) -> None:
        """Steps 1 to 5 of the load sequence."""
        self.entry(10, 0)
        if pll:
            for address, value in ((0x0C, 60), (0x10, 0), (0x14, 121), (0x18, 0), (0x08, 1), (0x08, 0)):
                self.entry(8, address, value)
            while not self.top_read(0x1C):
                pass
        self.entry(8, 0x08, 0x40)
        self.entry(8, 0x00, 0x800)
        self.entry(8, 0x00, 0)

    def load(self, metadata: Mapping[str, Any], images: Mapping[int, Mapping[str, Any]]) -> None:
        """Steps 6 to 9 for a program that is not encrypted."""
        self.entry(1, 0x18, 0)
        for address in (0x28, 0x24, 0x20, 0x1C):
            self.entry(1, address, 0)
        for core in range(len(metadata["inst_counts"])):
            registers = [0x64 + 0x34 * core]
            registers += [
                0x34 + 0x34 * core + 4 * bank for bank, size in metadata["data_bank_sizes"][core].items() if size
            ]
            registers += [
                0x54 + 0x34 * core + 4 * bank for bank, size in metadata["table_bank_sizes"][core].items() if size
            ]
            for register in registers:
                self.entry(1, register, POWER["CD"])
                self.entry(1, register, POWER["ON"])
        for core, count in metadata["inst_counts"].items():
            base = 0x100000 * (core + 1)
            image = {name: [int(word) for word in groups[0]] for name, groups in images[core].items() if groups}
            for bank, size in metadata["data_bank_sizes"][core].items():
                self.burst(base + 0x10000 * bank, image["DM"][8192 * bank : 8192 * bank + size])
            for bank, size in metadata["table_bank_sizes"][core].items():
                self.burst(base + 0x80000 + 0x10000 * bank, image["TM"][2048 * bank : 2048 * bank + size])
            self.burst(base + 0xC0000, image["SB"])
            self.burst(base + 0xD0000, image["RQ"])
            self.burst(base + 0xE0000, image["PB"])
            self.burst(base + 0xF0000, image["IM"][:count])
        for core in metadata["inst_counts"]:
            self.entry(1, 0x100000 * (core + 1) + 0xFFFE8, len(images[core]["RQ"][0]))
            self.entry(1, 0x100000 * (core + 1) + 0xFFFEC, 0)

    def frame(self, metadata: Mapping[str, Any], inputs: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
        """One frame of 16-bit vectors."""
        for name, record in metadata["inputs"].items():
            assert record["precision"] == "DBL"
            elements = [*inputs[name], *[0] * (4 * record["len_64b_words"] - len(inputs[name]))]
            data = struct.pack(f"<{len(elements)}h", *elements)
            self.message(record["core"], record["pc_val"], struct.unpack(f"<{len(data) // 8}Q", data))
        while not self.top_read(0x24):
            pass
        boxes = {record["mailbox_id"]: (name, record) for name, record in metadata["outputs"].items()}
        words = self.axis_read(sum(record["len_64b_words"] + 1 for record in metadata["outputs"].values()))
        outputs: dict[str, list[int]] = {}
        while words:
            status, mailbox = words.pop(0)
            assert status == 0x1F
            name, record = boxes[mailbox]
            payload = [words.pop(0) for _ in range(record["len_64b_words"])]
            data = b"".join(struct.pack("<II", low, high) for low, high in payload)
            values = struct.unpack(f"<{len(data) // 2}h", data)
            outputs[name] = list(values[: metadata["fqir_output_padding"][name]["fqir"]])
        return outputs
