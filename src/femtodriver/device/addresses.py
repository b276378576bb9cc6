"""Where a board is: ``HOST[:PORT]``, and the addresses that the tools agreed on."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping

from femtodriver.device.chip_versions import CHIP_1_2, chip_of_environment
from femtodriver.errors import UsageError

ZYNQ_PORT = 7
REDIS_PORT = 6379
LAB_VARIABLE = "FS_HWTS_ZYNQ"
LAB_HOST = "192.168.1.145"
LAB_HOST_OLD_CHIP = "192.168.1.64"
_LARGEST_PORT = 65535


def parse_endpoint(text: str, port: int, what: str = "address") -> tuple[str, int]:
    """(host, port) of ``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT``; UsageError for anything else.

    ``port``: the one to take when the text names none. A port of 0 is allowed: a server picks a free one.
    """
    text = text.strip()
    host, number = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        number = rest[1:]
        if not bracket or (rest and not rest.startswith(":")):
            raise UsageError(_wrong(what, text))
    elif text.count(":") == 1:
        host, _, number = text.partition(":")
    if not host or any(char.isspace() or char in "[]" for char in host) or (":" in host and not _is_ipv6(host)):
        raise UsageError(_wrong(what, text))
    if not number:
        return host, port
    if not number.isascii() or not number.isdigit() or len(number) > 5 or int(number) > _LARGEST_PORT:
        raise UsageError(_wrong(what, text))
    return host, int(number)


def endpoint_text(host: str, port: int) -> str:
    """The text that ``parse_endpoint`` reads."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, as far as its name says without asking the network."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def lab_address(environment: Mapping[str, str] | None = None) -> str | None:
    """The host of the lab's ZCU104 for those who asked for it with ``FS_HWTS_ZYNQ``; None for everybody else."""
    found = os.environ if environment is None else environment
    if not found.get(LAB_VARIABLE):
        return None
    return LAB_HOST_OLD_CHIP if chip_of_environment(found) is CHIP_1_2 else LAB_HOST


def redis_port() -> int:
    """The port of this user's redis server: 6379 + user id modulo 20."""
    return REDIS_PORT + (os.getuid() % 20 if hasattr(os, "getuid") else 0)


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _wrong(what: str, text: str) -> str:
    return (
        f"{what}: must be HOST or HOST:PORT (an IPv6 host in brackets), with a port up to {_LARGEST_PORT}, "
        f"not {text!r:.80}."
    )
