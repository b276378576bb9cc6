"""Arguments of the facade brought into one form."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.boards import DEFAULT_HARDWARE
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import make_directory, read_file, write_file
from femtodriver.files.plain_yaml import load_yaml

MOST_BYTES = 1 << 20
AnyPath = str | os.PathLike[str]


class CompileArguments(NamedTuple):
    """How a model is compiled and where to: the arguments that ``compile``, ``compile_metadata`` and ``run`` share."""

    output_dir: AnyPath
    model_options_file: AnyPath | None
    hw_config: str | Path | None
    dump_ir: AnyPath | None
    compiler_options: Mapping[str, Any] | Sequence[str] | None
    noencrypt: bool


class RunArguments(NamedTuple):
    """What runners are made with: the arguments that ``create_runner``, ``execute_runner``, ``compare`` and ``run``
    share. ``zynq_host`` and ``hardware_address`` mean the same."""

    noencrypt: bool = False
    hardware: str = DEFAULT_HARDWARE
    dummy_output_file: AnyPath | None = None
    debug_vars: str | Sequence[str] | None = None
    debug_vars_fname: AnyPath | None = None
    zynq_host: str | None = None
    hardware_address: str | None = None
    timeout: float | None = None
    fake_output_file: AnyPath | None = None

    @property
    def address(self) -> str | None:
        """Where the board is. UsageError for two different places."""
        if None not in (self.zynq_host, self.hardware_address) and self.zynq_host != self.hardware_address:
            raise UsageError(
                f"zynq_host: must be the same as hardware_address ({self.hardware_address!r:.60}) if both are given, "
                f"not {self.zynq_host!r:.60}."
            )
        return self.hardware_address if self.zynq_host is None else self.zynq_host

    def checked(self) -> RunArguments:
        """The arguments themselves; UsageError for what would fail later, before a long run finds out."""
        BoardSettings(hardware=self.hardware, address=self.address, timeout=self.timeout)
        return self

    @property
    def debugged(self) -> tuple[str, ...]:
        """Names of the debug variables, as they were given."""
        return (*listed(self.debug_vars), *names_in(self.debug_vars_fname))


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names from a comma-separated text or a sequence; no names from None or ""."""
    if names is None:
        return ()
    parts = names.split(",") if isinstance(names, str) else names
    return tuple(part.strip() for part in parts if part.strip())


def names_in(path: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """Names from a file, one a line; no names for None. UsageError if the file cannot be read."""
    if path is None:
        return ()
    try:
        text = read_file(path, MOST_BYTES).decode("utf-8")
    except ProgramError as error:
        raise UsageError(f"debug variables: {error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"debug variables: {os.fspath(path)}: must be text in UTF-8.") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def check_period(seconds: object) -> None:
    """UsageError for an input period that is neither None nor a positive number, before a long run finds out."""
    if seconds is None or (
        isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < math.inf
    ):
        return
    raise UsageError(f"input period: must be a positive number of seconds, not {seconds!r}.")


def dump_into(folder: str | os.PathLike[str] | None) -> Callable[[str, str], None] | None:
    """What the compiler calls with name and text of every stage; None for no folder."""
    if folder is None:
        return None
    place = Path(folder)
    make_directory(place)

    def dump(name: str, text: str) -> None:
        write_file(place / name, text.encode("utf-8", "backslashreplace"))

    return dump


def metrics_document(metrics: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The metrics document from YAML text or a mapping. UsageError for anything else."""
    content = metrics
    if isinstance(metrics, str):
        try:
            content = load_yaml(metrics.encode("utf-8"), "metrics")
        except ProgramError as error:
            raise UsageError(f"{error} Give what simulate returned.") from None
    if not isinstance(content, Mapping) or "schema" not in content:
        raise UsageError("metrics: must be the document that simulate returned, not something else.")
    return content
