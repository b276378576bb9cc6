"""Where a board is: ``HOST[:PORT]``, and the addresses that the tools agreed on."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping

from femtodriver.errors import UsageError

ZYNQ_PORT = 7
REDIS_PORT = 6379
ZYNQ_HOST = "192.168.1.8"
LAB_HOST = "192.168.1.145"
LAB_HOST_OLD_CHIP = "192.168.1.64"
OLD_CHIP = "spu1p2v1.dat"


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
    if not number.isascii() or not number.isdigit() or int(number) > 65535:
        raise UsageError(_wrong(what, text))
    return host, int(number)


def endpoint_text(host: str, port: int) -> str:
    """The text that ``parse_endpoint`` reads."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, as far as its name tells without asking the network."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def zynq_host(environment: Mapping[str, str] | None = None) -> str:
    """The host of the ZCU104 when the user names none: by ``FS_HWTS_ZYNQ`` and ``FS_HW_CFG``."""
    found = os.environ if environment is None else environment
    if not found.get("FS_HWTS_ZYNQ"):
        return ZYNQ_HOST
    return LAB_HOST_OLD_CHIP if found.get("FS_HW_CFG") == OLD_CHIP else LAB_HOST


def redis_port() -> int:
    """The port of this user's redis server: 6379 + user id modulo 20."""
    return REDIS_PORT + (os.getuid() % 20 if hasattr(os, "getuid") else 0)


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _wrong(what: str, text: str) -> str:
    return f"{what}: must be HOST or HOST:PORT (an IPv6 host in brackets), with a port up to 65535, not {text!r:.80}."
