"""Where a board is: texts that name a host and a port, and hosts that are this machine."""

from __future__ import annotations

import os

import pytest

from femtodriver.device.addresses import endpoint_text, is_loopback, parse_endpoint, redis_port
from femtodriver.errors import UsageError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("host", "host", 7),
        ("host:", "host", 7),
        ("host:0", "host", 0),
        ("host:8", "host", 8),
        (" host:65535 ", "host", 65535),
        ("10.0.0.1:00080", "10.0.0.1", 80),
        ("::1", "::1", 7),
        ("[::1]", "::1", 7),
        ("[::1]:", "::1", 7),
        ("[::1]:70", "::1", 70),
        ("[fe80::2]:65535", "fe80::2", 65535),
        ("[host]:1", "host", 1),
    ],
)
def test_endpoints(text: str, host: str, port: int) -> None:
    assert parse_endpoint(text, 7) == (host, port)
    assert parse_endpoint(endpoint_text(host, port), 9) == (host, port)


def test_an_ipv6_host_is_written_in_brackets() -> None:
    assert [endpoint_text(host, 7) for host in ("::1", "host", "10.0.0.1")] == ["[::1]:7", "host:7", "10.0.0.1:7"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ":",
            ":7",
            "[]",
            "[]:7",
            "[",
            "]",
            "[::1",
            "[::1]7",
            "[::1]x:7",
            "[::1]]:7",
            "[[::1]]:7",
            "ho[st",
            "ho]st",
        ),
        *("host:65536", "host:99999", "host:000070", "host:-1", "host:+1", "host:x", "host:1" + 5000 * "0", "host:٣"),
        *("a b", "a\tb", "a\nb:7", "a:b:c", "1:2:3", "[a:b]:7", "[1.2.3.4:5]:6", "::1:70:", "g::1"),
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_endpoint(text, 7, "board")
    message = str(caught.value)
    assert message.startswith("board: must be HOST or HOST:PORT (an IPv6 host in brackets), with a port up to 65535, ")
    assert message.endswith(f"not {text.strip()!r:.80}.")
    assert len(message) < 180


def test_the_ports_of_redis_are_twenty(monkeypatch: pytest.MonkeyPatch) -> None:
    for user, port in ((0, 6379), (1, 6380), (19, 6398), (20, 6379), (1001, 6380)):
        monkeypatch.setattr(os, "getuid", lambda user=user: user, raising=False)
        assert redis_port() == port
    monkeypatch.delattr(os, "getuid")
    assert redis_port() == 6379


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "127.255.255.255", "::1", "localhost", "LocalHost"])
def test_hosts_that_are_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["192.168.1.8", "board", "0.0.0.0", "::", "126.255.255.255", "128.0.0.1", "::2", "localhost.example", "", "127.1"],
)
def test_hosts_that_are_not(host: str) -> None:
    assert not is_loopback(host)
