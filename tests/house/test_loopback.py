"""No test goes beyond the loopback interface: neither does it connect elsewhere, nor does it ask anybody for a name."""

from __future__ import annotations

import socket

import pytest

REFUSED = "tests must stay on this machine"
# Addresses and a name that are nobody's, by the standards that reserve them.
ELSEWHERE = ("192.0.2.1", "198.51.100.7", "2001:db8::1")


@pytest.mark.parametrize("host", ELSEWHERE)
def test_connections_elsewhere_are_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as link, pytest.raises(RuntimeError, match=REFUSED):
        link.connect((host, 7))


def test_datagrams_elsewhere_are_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link, pytest.raises(RuntimeError, match=REFUSED):
        link.sendto(b"x", ("192.0.2.1", 7))


def test_names_are_asked_of_nobody() -> None:
    for ask in (lambda: socket.getaddrinfo("board.invalid", 7), lambda: socket.gethostbyname("board.invalid")):
        with pytest.raises(RuntimeError, match=REFUSED):
            ask()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_allowed(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), 10).close()
