"""Finding EVK2 boards on USB, and keeping one for ourselves."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femtodriver.device.evk2.hid_link import EvkLink, HidDevice
from femtodriver.device.link_request import LinkRequest
from femtodriver.errors import DeviceError

VENDOR, PRODUCT, INTERFACE = 0x16C0, 0x0486, 0
PRODUCTS = ("SPU001", "SPU150")
NEW_FIRMWARE = "femtoai"
LOCK_TIMEOUT_S = 0.1
_log = logging.getLogger(__name__)
# The folder that all tools for this board agreed on, whatever TMPDIR says.
LOCK_FOLDER = Path(os.sep) / "tmp"


@dataclass(frozen=True)
class EvkBoard:
    """A board on USB. ``product``: the part on it; ``flashed``: whether its firmware is there."""

    serial: str
    product: str
    manufacturer: str
    path: bytes

    @property
    def flashed(self) -> bool:
        """Whether the board carries firmware that we know."""
        return self.product in PRODUCTS

    @property
    def tells_time(self) -> bool:
        """Whether the firmware knows the execution time; older firmware resets the board when asked."""
        return self.manufacturer.lower() == NEW_FIRMWARE


def make_link(request: LinkRequest) -> EvkLink:
    """The maker of EVK2 boards; the address is a serial number."""
    return EvkLink(EvkOpener(request.address), request.timeouts)


def hid_package() -> Any:
    """The module of the package `hidapi`; DeviceError when it is not installed."""
    try:
        import hid  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise DeviceError(
            f"evk2: the Python package `hidapi` is not usable ({error}); pip install 'open-femtodriver[hid]' brings it."
        ) from None
    if not hasattr(hid, "device"):
        raise DeviceError(
            "evk2: the module `hid` belongs to another package than `hidapi`; pip uninstall hid, then "
            "pip install 'open-femtodriver[hid]'."
        )
    return hid


def list_boards(package: Any = None) -> tuple[EvkBoard, ...]:
    """The boards that are connected, flashed or not."""
    found = (package or hid_package()).enumerate(VENDOR, PRODUCT)
    _log.debug("USB has %d interfaces of EVK2 boards", len(found))
    return tuple(
        EvkBoard(
            str(entry.get("serial_number") or ""),
            str(entry.get("product_string") or ""),
            str(entry.get("manufacturer_string") or ""),
            bytes(entry["path"]),
        )
        for entry in found
        if entry.get("interface_number") == INTERFACE
    )


def boards_with(spu: str | None, package: Any = None) -> list[EvkBoard]:
    """The connected boards that carry this part, in any case of letters; all of them for None, "" and "all"."""
    wanted = None if spu is None or spu.lower() in ("", "all") else spu.lower()
    return [board for board in list_boards(package) if wanted in (None, board.product.lower())]


def board_state(board: EvkBoard, lock_folder: Path = LOCK_FOLDER) -> str:
    """What may be done with a board: "ready", "used by another process" or "not flashed"."""
    if not board.flashed:
        return "not flashed"
    try:
        import fcntl

        lock = os.open(_lock_path(board, lock_folder), os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except (ImportError, OSError):
        return "ready"
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return "used by another process"
    finally:
        os.close(lock)
    return "ready"


def _lock_path(board: EvkBoard, folder: Path) -> Path:
    return folder / f"evk2_{Path(board.serial).name or 'unknown'}.lock"


class EvkOpener:
    """Opens the board of that serial number, or the first one that nobody else uses."""

    def __init__(self, serial: str | None = None, package: Any = None, lock_folder: Path = LOCK_FOLDER) -> None:
        self._serial = serial
        self._package = package
        self._folder = lock_folder
        self._lock: int | None = None

    def open(self) -> tuple[HidDevice, bool]:
        """The device and whether it knows the execution time; DeviceError when there is none that is free."""
        package = self._package or hid_package()
        boards = [board for board in list_boards(package) if self._serial in (None, board.serial)]
        if not boards:
            wanted = "EVK2" if self._serial is None else f"EVK2 with serial number {self._serial}"
            raise DeviceError(f"evk2: no {wanted} is connected; check the cable and the rights on the USB device.")
        for board in boards:
            if not board.flashed:
                continue
            if self._acquire(board):
                return self._opened(package, board), board.tells_time
        raise DeviceError(
            "evk2: no board is free: " + "; ".join(f"{board.serial} ({_state(board)})" for board in boards) + "."
        )

    def release(self) -> None:
        """Let others use the board."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _opened(self, package: Any, board: EvkBoard) -> HidDevice:
        device: HidDevice
        try:
            device = package.device()
            device.open_path(board.path)  # type: ignore[attr-defined]
        except (OSError, ValueError) as error:
            self.release()
            raise DeviceError(f"evk2 {board.serial}: cannot be opened: {error}; check the rights on it.") from None
        return device

    def _acquire(self, board: EvkBoard) -> bool:
        """The lock of the board, if it is free within a moment; systems without such locks do without."""
        try:
            import fcntl
        except ImportError:
            return True
        path = _lock_path(board, self._folder)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            raise DeviceError(f"evk2 {board.serial}: the lock {path} cannot be opened: {error.strerror}.") from None
        with contextlib.suppress(OSError):  # somebody else's file stays as it is
            os.fchmod(lock, 0o666)
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    return False
                time.sleep(LOCK_TIMEOUT_S / 5)
            else:
                self._lock = lock
                return True


def _state(board: EvkBoard) -> str:
    return "used by another process" if board.flashed else f"not flashed, {board.product or 'no product'}"
