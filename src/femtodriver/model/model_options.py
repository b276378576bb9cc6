"""The model-options file: YAML with ``DEFAULT`` and one entry per model."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from femtodriver.compiler.compiler_options import Options, documentation
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import read_file
from femtodriver.files.plain_yaml import load_yaml
from femtodriver.options.bind_request import check_value
from femtodriver.options.value_kinds import OPT_PROFILE

MOST_BYTES = 1 << 20
DEFAULT = "DEFAULT"
OPTIONS_FILE = "options.yaml"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelOptions:
    """What the file says about one model: free text for its type, flags for the compiler, and a profile of the vendor's
    compiler, which stands for an objective of ours."""

    model_type: str | None = None
    compiler_kwargs: Mapping[str, Any] = field(default_factory=dict)
    opt_profile: str | None = None


def model_options(
    path: str | os.PathLike[str] | None,
    source_dir: str | os.PathLike[str] | None,
    name: str,
    vendor: bool = False,
) -> ModelOptions:
    """The entry ``name`` over the entry ``DEFAULT``, from ``path``, else from ``options.yaml`` in ``source_dir``.

    No file given: no options. Raises UsageError for a file that is given but missing or malformed. Flags that are not
    options of our compiler (docs/compiler.md) are named in a warning and change nothing; ``vendor``: the flags are for
    the vendor's compiler.
    """
    if path is None and source_dir is None:
        return ModelOptions()
    file = Path(path) if path is not None else Path(str(source_dir)) / OPTIONS_FILE
    try:
        content = load_yaml(read_file(file, MOST_BYTES), str(file))
    except ProgramError as error:
        raise UsageError(f"model options: {error}") from None
    top = _mapping(str(file), {} if content is None else content)
    if not {DEFAULT, name} & set(map(str, top)):
        _log.warning("%s: without effect, because it has neither an entry %r nor one named %s", file, name, DEFAULT)
    merged: dict[str, Any] = {}
    flags: dict[str, Any] = {}
    for key in (DEFAULT, name):
        entry = _mapping(f"{file}: {key}", top.get(key) or {})
        merged.update(entry)
        flags.update(_mapping(f"{file}: {key}: compiler_kwargs", entry.get("compiler_kwargs") or {}))
    foreign = [str(flag) for flag in flags if str(flag).replace("-", "_") not in documentation()]
    if foreign and not vendor:
        listed = ", ".join(foreign)
        _log.warning("%s: compiler flags without a meaning for this compiler are ignored: %s", file, listed)
    kind = merged.get("type")
    return ModelOptions(None if kind is None else str(kind), flags, _profile(file, merged))


def _profile(file: Path, merged: Mapping[str, Any]) -> str | None:
    """The profile, under either spelling of its key."""
    profile: str | None = merged.get("opt_profile", merged.get("opt-profile"))
    if profile is not None:
        check_value(OPT_PROFILE, profile, f"{file}: opt_profile")
    return profile


def compiler_options(file: ModelOptions, given: Mapping[str, Any] | Sequence[str] | None) -> Options:
    """Options of the compiler: from the file, overlaid by ``given`` (a mapping, or texts "name=value")."""
    values = {str(name).replace("-", "_"): value for name, value in file.compiler_kwargs.items()}
    values = {name: value for name, value in values.items() if name in documentation()}
    return Options.parse({**values, **_pairs(given)})


def _pairs(given: Mapping[str, Any] | Sequence[str] | None) -> Mapping[str, Any]:
    if given is None or isinstance(given, Mapping):
        return given or {}
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"compiler option {text!r}: must have the form name=value.")
        pairs[name] = value
    return pairs


def _mapping(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: must be a mapping, not {type(value).__name__}.")
    return value
