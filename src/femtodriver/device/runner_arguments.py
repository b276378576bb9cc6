"""The arguments of ``SPURunner``: our names, the reference's names, and what each of those means."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.boards import board_like
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.errors import UsageError

DEFAULT_RECORDS_DIR = "io_records"
_log = logging.getLogger(__name__)


class UnknownSettingError(UsageError, TypeError):
    """An unknown argument, or one that was given twice."""


@dataclass(frozen=True)
class ReferenceName:
    """A name of the reference. ``becomes``: our name for it, "" where there is nothing of the kind.

    ``told``: why it has no effect here though it has one in the reference; "" where it has none there either.
    """

    becomes: str
    told: str = ""


# ``platform``, ``fake_connection`` and ``program_pll`` choose the hardware together.
FAKE: Mapping[str, Any] = {"fake_connection": True}
CHOOSES_HARDWARE = ("platform", "fake_connection", "program_pll")
REFERENCE_NAMES: Mapping[str, ReferenceName] = {
    "data_dir": ReferenceName(""),  # the program is in ``compiled_data``
    "platform": ReferenceName("hardware"),
    "fake_connection": ReferenceName("hardware"),
    "program_pll": ReferenceName("hardware"),
    "debug_vars": ReferenceName("debug_places"),
    "mem_expectations": ReferenceName("", "memories are compared with the program after loading, with nothing else"),
    "fake_hw_recv_vals": ReferenceName("reply_values"),
    "fake_values": ReferenceName("reply_values"),
    "encrypt": ReferenceName("encrypted"),
    "encryption_key_idx": ReferenceName("key_index"),
    "encryption_key_index": ReferenceName("key_index"),
    "encryption_salt": ReferenceName("salt"),
    "insert_debug_stores": ReferenceName("", "the compiler keeps debug variables, a runner cannot add them"),
    "compiler_kwargs": ReferenceName("", "the program is compiled already"),
    "safety_bits": ReferenceName("", "the compiler decides about bits, a runner cannot change them"),
    "ioplugin_kwargs": ReferenceName("", "a link takes timeout, timeouts and settle_scale"),
    "io_records_dir": ReferenceName("records_dir"),
    "recording_dir": ReferenceName("records_dir"),
    "zynq_host": ReferenceName("address"),
    "hardware_address": ReferenceName("address"),
}
# The order of the reference's constructor, after the program.
BY_PLACE = (
    "data_dir",
    "platform",
    "debug_vars",
    "mem_expectations",
    "fake_connection",
    "fake_hw_recv_vals",
    "encrypt",
    "encryption_key_idx",
    "salt",
    "program_pll",
    "insert_debug_stores",
    "compiler_kwargs",
    "io_records_dir",
    "zynq_host",
)
OUR_NAMES = tuple(one.name for one in fields(BoardSettings))


def settings_of_arguments(
    by_place: Sequence[Any], by_name: Mapping[str, Any], where: str, always: Mapping[str, Any] | None = None
) -> BoardSettings:
    """The settings that arguments in our words, the reference's or both ask for. ``always``: what they cannot change.

    An argument that has no effect here, though it has one in the reference, is told in a log warning. Without
    ``hardware`` it is that of ``platform`` ("zcu104"), ``fake_connection`` and ``program_pll``.

    UnknownSettingError (a UsageError and a TypeError), naming the nearest one, for an unknown argument, and
    for one given twice; UsageError for two names of one setting with different values, and as of ``BoardSettings``.
    """
    given = {**_together(by_place, by_name, where), **(always or {})}
    found: dict[str, Any] = {"records_dir": DEFAULT_RECORDS_DIR, "hardware": _hardware(given, where)}
    called: dict[str, str] = {}
    for name, value in given.items():
        becomes = REFERENCE_NAMES[name].becomes if name in REFERENCE_NAMES else name
        if not becomes:
            _tell(where, name, value)
        elif becomes == "debug_places":
            found[becomes] = _debug_places(value)
        elif value is None and becomes in called:
            continue
        else:
            if becomes in called and found[becomes] is not None and not _same(found[becomes], value):
                raise UsageError(f"{where}: {called[becomes]} and {name} mean the same; give one of them.")
            found[becomes], called[becomes] = value, name
    return BoardSettings(**found)


def _together(by_place: Sequence[Any], by_name: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All arguments by name."""
    if len(by_place) > len(BY_PLACE):
        raise UnknownSettingError(
            f"{where}: arguments by position must be at most {len(BY_PLACE)} after the program, not {len(by_place)}. "
            "Give the others by name."
        )
    given = dict(zip(BY_PLACE, by_place, strict=False))
    for name, value in by_name.items():
        if name not in REFERENCE_NAMES and name not in OUR_NAMES:
            raise UnknownSettingError(_unknown(where, name))
        if name in given:
            raise UnknownSettingError(f"{where}: {name} must be given once, by position or by name.")
        given[name] = value
    return given


def _hardware(given: dict[str, Any], where: str) -> str:
    """The hardware option, by its name or by the three arguments that describe it, which are taken out of ``given``."""
    described = {name: given.pop(name) for name in CHOOSES_HARDWARE if name in given}
    if "hardware" not in given:
        platform = described.get("platform", "zcu104")
        return board_like(platform, *(bool(described.get(name)) for name in CHOOSES_HARDWARE[1:])).option
    if described and described != FAKE:
        raise UsageError(f"{where}: {next(iter(described))} must not be given together with hardware.")
    return str(given.pop("hardware"))


def _unknown(where: str, name: str) -> str:
    known = (*OUR_NAMES, *REFERENCE_NAMES)
    near = get_close_matches(name, known, 1, 0.5)
    advice = f"Did you mean {near[0]!r}?" if near else f"It knows {', '.join(OUR_NAMES)}."
    return f"{where}: arguments must be among those that it knows, not {name!r:.60}. {advice}"


def _tell(where: str, name: str, value: Any) -> None:
    told = REFERENCE_NAMES[name].told
    empty = value is None or value is False or (hasattr(value, "__len__") and not len(value))
    if told and not empty:
        _log.warning("%s: %s has no effect here: %s", where, name, told)


def _same(first: Any, second: Any) -> bool:
    return first is second or (isinstance(first, (str, int)) and type(first) is type(second) and bool(first == second))


def _debug_places(debug_vars: Any) -> dict[str, DataPlace]:
    if debug_vars is None or (hasattr(debug_vars, "__len__") and not len(debug_vars)):
        return {}
    if isinstance(debug_vars, Mapping):
        return dict(debug_vars)
    raise UsageError(
        f"debug variables: must be given with their places in data memory, not by names alone ({debug_vars!r:.60})."
    )
