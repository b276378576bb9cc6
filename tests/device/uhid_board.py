"""A board on the kernel's own HID bus: what ``SpecBoard`` does, behind /dev/uhid, so that the whole path is used.

The events are those of linux/uhid.h. A device that the kernel makes for us is no USB device: it has no interface number
and no manufacturer, so ``KernelHid`` adds them to what the package `hidapi` finds.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

UHID = Path("/dev/uhid")
VENDOR, PRODUCT, BUS_USB = 0x16C0, 0x0486, 3
_DESTROY, _OUTPUT, _CREATE2, _INPUT2 = 1, 6, 11, 12
_MOST_DATA, _EVENT_BYTES = 4096, 4380
# A page of our own; reports of 64 bytes in and out, without numbers.
_DESCRIPTOR = bytes.fromhex("0600ff0901a10115 0026ff0075089540 0901810295400901 9102c0")


class Reports(Protocol):
    """What is behind the device."""

    replies: list[bytes]

    def write(self, data: bytes) -> int: ...


def why_not() -> str:
    """Why there can be no such board here, "" if there can."""
    if not UHID.exists():
        return f"{UHID} is not here (Linux: modprobe uhid)"
    if not os.access(UHID, os.R_OK | os.W_OK):
        return f"{UHID} cannot be opened (it needs root)"
    try:
        import hidraw  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        return "the package hidapi is not installed with its module hidraw"
    return ""


def create_event(serial: str) -> bytes:
    """The event that makes the device."""
    head = struct.pack("<I128s64s64s", _CREATE2, b"SPU001", b"", serial.encode())
    return head + struct.pack("<HHIIII", len(_DESCRIPTOR), BUS_USB, VENDOR, PRODUCT, 0, 0) + _DESCRIPTOR


def input_event(report: bytes) -> bytes:
    """The event that brings a report to the host."""
    return struct.pack("<IH", _INPUT2, len(report)) + report


def output_of(event: bytes) -> bytes | None:
    """The report of an event that brings one from the host, its number (0) first; None for any other event."""
    (kind,) = struct.unpack_from("<I", event)
    if kind != _OUTPUT:
        return None
    (size,) = struct.unpack_from("<H", event, 4 + _MOST_DATA)
    return event[4 : 4 + size]


@contextlib.contextmanager
def uhid_board(reports: Reports, serial: str) -> Iterator[None]:
    """The device is there meanwhile."""
    device = os.open(UHID, os.O_RDWR)
    stop = threading.Event()
    try:
        os.write(device, create_event(serial))
        thread = threading.Thread(target=_serve, args=(device, reports, stop), name="uhid board", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            os.write(device, struct.pack("<I", _DESTROY))
    finally:
        os.close(device)


def _serve(device: int, reports: Reports, stop: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(device, selectors.EVENT_READ)
        while not stop.is_set():
            if not selector.select(0.05):
                continue
            report = output_of(os.read(device, _EVENT_BYTES))
            if report is None:
                continue
            reports.write(report)
            while reports.replies:
                os.write(device, input_event(reports.replies.pop(0)))


class KernelHid:
    """The package `hidapi` on the kernel's HID bus, with what a device that is not on USB cannot have."""

    def __init__(self, serial: str) -> None:
        import hidraw

        self._package: Any = hidraw
        self._serial = serial

    def enumerate(self, vendor: int, product: int) -> list[dict[str, Any]]:
        found = self._package.enumerate(vendor, product)
        usb = {"interface_number": 0, "manufacturer_string": "FemtoAI", "product_string": "SPU001"}
        return [{**entry, **usb} for entry in found if entry.get("serial_number") == self._serial]

    def device(self) -> Any:
        return self._package.device()
