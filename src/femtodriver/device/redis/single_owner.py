"""One at a time: claims to a redis server's lists, as keys that others ignore.

The lists ``req`` and ``reply`` have no owner of their own: two drivers would take each other's answers, two client
sides each other's requests. So a driver or a board of this package claims its role first. A claim is the key
``client_ROLE_owner``, which names its holder and expires after ``SILENCE_S`` of silence, and ``client_ROLE_count``,
which counts claims: a holder that was silent for longer sees whether another one came in between. What is written under
a claim is written in the same transaction that checks it.

A holder that has lost its connection to the server has lost its claim. Emptying the database, as other drivers do at
their start, ends all claims.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from typing import Any

from femtodriver.errors import DeviceError

SILENCE_S = 30
DRIVER, CLIENT_SIDE = "driver", "board"
_TRIES = 3
# Begins every script: the claim must still be ours, or nobody's and untouched; then it is renewed.
_STILL_OURS = """
local owner = redis.call('GET', KEYS[1])
if redis.call('GET', KEYS[2]) ~= ARGV[2] or (owner and owner ~= ARGV[1]) then return LOST end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
"""
_WRITE = (
    _STILL_OURS.replace("LOST", "-1")
    + """
local waiting = redis.call('LLEN', KEYS[4])
if waiting > 0 then return waiting end
for first = 4, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[3], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
return 0
"""
)
_TAKE = _STILL_OURS.replace("LOST", "{0}") + "return {1, redis.call('LPOP', KEYS[3], ARGV[4]) or {}}"
_RENEW = _STILL_OURS.replace("LOST", "0") + "return 1"
_DELETE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def claim_keys(role: str) -> tuple[str, str]:
    """The keys of a claim: who holds it, and how many there were."""
    return f"client_{role}_owner", f"client_{role}_count"


def holder_id(owner: str | None) -> int | None:
    """The number of the holder's connection, from the value of a claim."""
    first = (owner or "").split(" ", 1)[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) < 20 else None


def in_use_by(role: str, who: str) -> str:
    """The message for a second client."""
    return (
        f"the server is in use by another {role} ({who[:60]!r}); wait until that has finished, and try again. One that "
        f"says nothing for {SILENCE_S} s gives way."
    )


class Claim:
    """The claim of one connection to one role. Errors of the redis package pass through."""

    def __init__(self, client: Any, role: str) -> None:
        self._client = client
        self._role = role
        self._keys = claim_keys(role)
        self._text = f"{client.client_id()} {secrets.token_hex(8)} {socket.gethostname()}:{os.getpid()}"
        self._count = ""
        self._scripts = {
            name: client.register_script(text)
            for name, text in (("write", _WRITE), ("take", _TAKE), ("renew", _RENEW), ("delete", _DELETE))
        }

    def acquire(self, where: str) -> None:
        """Claim the role. DeviceError, which begins with ``where``, when another client has it."""
        holder = ""
        for _ in range(_TRIES):
            if self._client.set(self._keys[0], self._text, nx=True, px=1000 * SILENCE_S):
                self._count = str(self._client.incr(self._keys[1]))
                return
            holder = self._client.get(self._keys[0]) or ""
            if holder and _lives(self._client, holder):
                break
            self._scripts["delete"](keys=self._keys[:1], args=[holder])
        raise DeviceError(f"{where}: {in_use_by(self._role, holder.split(' ')[-1])}")

    def renew(self) -> bool:
        """Whether the claim is still ours; it is renewed."""
        return bool(self._run("renew", ()))

    def write(self, key: str, elements: Sequence[int], empty: str = "") -> int:
        """Put elements at the end of a list: 0. If the claim was lost, nothing is written: -1.

        ``empty``: a list that must have no elements; if it has some, nothing is written: their number.
        """
        return int(self._run("write", (key, empty), *elements))

    def take(self, key: str, most: int) -> list[str] | None:
        """So many elements, or fewer, from the beginning of a list; None if the claim was lost."""
        ours, *found = self._run("take", (key,), most)
        elements: list[str] = found[0] if found else []
        return elements if ours else None

    def _run(self, name: str, keys: Sequence[str], *arguments: int) -> Any:
        fixed = (self._text, self._count, 1000 * SILENCE_S)
        return self._scripts[name](keys=[*self._keys, *keys], args=[*fixed, *arguments])

    def release(self) -> None:
        """Give the role up, if it is still ours."""
        self._scripts["delete"](keys=self._keys[:1], args=[self._text])


def _lives(client: Any, holder: str) -> bool:
    """Whether the holder of a claim is still connected, as far as the server says."""
    number = holder_id(holder)
    rows = connections(client)
    return number is None or rows is None or any(row["id"] == str(number) for row in rows)


def connections(client: Any) -> list[dict[str, str]] | None:
    """The connections of the server; None where it does not list them for everybody."""
    from redis.exceptions import ResponseError

    try:
        found: list[dict[str, str]] = client.client_list()
    except ResponseError:
        return None
    return found
