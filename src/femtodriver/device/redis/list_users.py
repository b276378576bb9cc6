"""Who uses a redis server's lists, as far as the server says: the connections that wrote to lists or took from them.

Other drivers know no claims (see ``single_owner``). But the server lists its connections, with the last command of
each and how long ago it was.
"""

from __future__ import annotations

from typing import Any

from femtodriver.device.redis.single_owner import SILENCE_S, connections, holder_id

# Names of our connections: they are users only if they hold the claim.
DRIVER_NAME, CLIENT_SIDE_NAME = "open-femtodriver-driver", "open-femtodriver-board"
_LIST_COMMANDS = {"rpush", "lpush", "lpop", "rpop", "blpop", "brpop"}


def drivers(client: Any, rows: list[dict[str, str]], owner: str | None) -> dict[str, str]:
    """Whose requests may be waiting: the holder of the claim and the foreign drivers; connection's number -> address.

    ``rows``: the server's connections; ``owner``: the value of the claim.
    """
    holder = str(holder_id(owner))
    return {row["id"]: _address(row) for row in rows if row["id"] == holder or _is_foreign_driver(client, row)}


def foreign_drivers(client: Any) -> dict[str, str]:
    """The drivers that are not of this package, as far as the server says: connection's number -> address."""
    return {row["id"]: _address(row) for row in connections(client) or () if _is_foreign_driver(client, row)}


def _is_foreign_driver(client: Any, row: dict[str, str]) -> bool:
    """Whether it uses lists of our database, and was heard within ``SILENCE_S``."""
    database = client.get_connection_kwargs().get("db", 0)
    return (
        row.get("name") not in (DRIVER_NAME, CLIENT_SIDE_NAME)
        and row.get("cmd") in _LIST_COMMANDS
        and row.get("db") == str(database)
        and int(row.get("idle", 0)) < SILENCE_S
    )


def _address(row: dict[str, str]) -> str:
    return row.get("addr", "unknown")
