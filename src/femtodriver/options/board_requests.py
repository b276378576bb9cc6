"""The options of ``femtodrive board``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.option import option
from femtodriver.options.value_kinds import MACHINE, PATH, SECONDS, SHARE, SWITCH, whole

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class BoardRequest(DebugRequest):
    """What ``femtodrive board`` takes."""

    one_of: ClassVar[tuple[str, ...]] = ("listen", "redis")
    faults: ClassVar[str] = "faults of the link, for tests and demonstrations (with --listen)"

    listen: str | None = option(
        None, metavar="HOST[:PORT]", help="serve the ZCU104 protocol at this address; port 0 takes any free port"
    )
    redis: str | None = option(
        None, metavar="HOST[:PORT]", help="serve the redis protocol through the server at this address"
    )
    hw_config: AnyPath = option(
        "spu001", kind=PATH, metavar="PART", help="name of a part, or a .toml file (default spu001)"
    )
    keyring: AnyPath | None = option(
        None, kind=PATH, metavar="FILE", help="file with the board's keys, for encrypted programs (default: FS_KEYRING)"
    )
    machine: str | None = option(
        None,
        kind=MACHINE,
        metavar="native|numpy",
        help="what runs programs: the compiled loop (default where it was built) or NumPy, with equal results",
    )
    replay: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="PATH",
        help="load a program first: a folder with 0PROG_A and 0PROG_D, a model's folder, or setup.yaml",
    )
    drop: float | None = option(
        None,
        kind=SHARE,
        metavar="SHARE",
        group=faults,
        help="share of entries, in both directions, that are lost",
    )
    corrupt: float | None = option(
        None,
        kind=SHARE,
        metavar="SHARE",
        group=faults,
        help="share of entries, in both directions, in which one bit is flipped",
    )
    delay: float | None = option(
        None, kind=SHARE, metavar="SHARE", group=faults, help="share of answers that come late"
    )
    delay_s: float | None = option(
        None, kind=SECONDS, metavar="S", group=faults, help="the longest delay in seconds (default 0.02)"
    )
    split: bool = option(False, kind=SWITCH, group=faults, help="send answers in small pieces")
    close_after: int | None = option(
        None,
        kind=whole(1),
        metavar="BYTES",
        group=faults,
        help="close the connection once, after this many bytes from the board",
    )
    close_after_entries: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=faults,
        help="close the connection once, after this many entries from the client",
    )
    seed: int | None = option(None, kind=whole(0), metavar="N", group=faults, help="seed of the faults (default 0)")
