"""What a user can switch in the compiler. Options never change results, only cost; see docs/compiler.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from femtodriver.errors import UsageError

AUTO = "auto"
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_DOCS = {
    "cores": "how many cores to use: auto, or a number up to the part's",
    "reuse": "compute equal operations on equal operands once",
    "drop_dead": "leave out what no output, state or message needs",
    "fuse_interpolation": "one instruction for an interpolation in a table instead of six operations",
    "fold_copies": "make values where they are wanted instead of copying them there",
    "pack": "one instruction for many equal operations on small vectors",
    "pack_weights": "store only groups of weights that are not all zero, where that takes fewer bytes",
    "accumulators": "keep values that only vector instructions touch in accumulators instead of memory",
}


@dataclass(frozen=True)
class Options:
    """One field per option. ``cores`` None chooses by need and gain."""

    cores: int | None = None
    reuse: bool = True
    drop_dead: bool = True
    fuse_interpolation: bool = True
    fold_copies: bool = True
    pack: bool = True
    pack_weights: bool = True
    accumulators: bool = True

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Options:
        """Options from names and values as text or YAML gives them; dashes and underscores alike.

        Raises UsageError for an unknown name or a value of the wrong kind.
        """
        parsed: dict[str, object] = {}
        for given, value in values.items():
            name = str(given).replace("-", "_")
            if name not in _DOCS:
                raise UsageError(f"compiler option {given!r}: must be one of {', '.join(_DOCS)}.")
            parsed[name] = _cores(value) if name == "cores" else _switch(name, value)
        return cls(**parsed)  # type: ignore[arg-type]

    def table(self) -> dict[str, object]:
        """Names and values as plain data."""
        return {name: AUTO if value is None else value for name, value in asdict(self).items()}


def documentation() -> dict[str, tuple[str, str]]:
    """Default and meaning of every option."""
    defaults = Options().table()
    return {entry.name: (str(defaults[entry.name]).lower(), _DOCS[entry.name]) for entry in fields(Options)}


def _cores(value: object) -> int | None:
    if value is None or value == AUTO:
        return None
    text = str(value)
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"compiler option cores: must be auto or a number from 1 on, not {value!r}.")
    return int(text)


def _switch(name: str, value: object) -> bool:
    found = _SWITCH.get(str(value).lower())
    if found is None:
        raise UsageError(f"compiler option {name}: must be true or false, not {value!r}.")
    return found
