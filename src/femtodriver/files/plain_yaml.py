"""Plain YAML in and out: mappings, lists, numbers, text, bytes; no tags that name classes, no merge keys.

The reader builds values from parser events, without recursion, and counts every value (aliases at their expanded size)
before it stores it. So neither deep nesting nor a small file that means a huge document can hurt the caller.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from femtodriver.errors import ProgramError
from femtodriver.files.nesting import MAX_DEPTH

MAX_VALUES = 2_000_000
MAX_SCALAR = 64  # longest number, truth value or null; longer plain scalars are text
_TAG = "tag:yaml.org,2002:"
_BRACKET = re.compile(rb"[][{}]")
_INT = _TAG + "int"
_TEXT_TAGS = (_TAG + "str", _TAG + "timestamp", _TAG + "value")
_BINARY = _TAG + "binary"
_VALUE_TAGS = (_INT, _BINARY, *(_TAG + name for name in ("bool", "float", "null")))
_CONTAINER_TAGS = (None, "!", _TAG + "map", _TAG + "seq")


def load_yaml(data: bytes, where: str, *, max_bytes: int = 16 << 20) -> Any:
    """The value of one YAML document: dict (key order kept), list, str, int, float, bool, None or bytes.

    Raises ProgramError for anything that is not plain YAML, is too deep or too large, or repeats a key.
    """
    if len(data) > max_bytes:
        raise ProgramError(f"{where}: YAML text must have at most {max_bytes} bytes, not {len(data)}.")
    builder = _Builder(where)
    for event in _events(data, where):
        builder.take(event)
    return builder.result


def dump_yaml(value: object, where: str = "metadata") -> str:
    """Text of a plain value, key order kept, without aliases. Numpy numbers become plain ones.

    Raises ProgramError for values that plain YAML cannot hold.
    """
    import yaml

    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc,valid-type,unused-ignore]
        """Writes shared values in full, so that readers without aliases can read them."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    try:
        return str(yaml.dump(plain(value, where), Dumper=Dumper, sort_keys=False, width=4096, allow_unicode=False))
    except (yaml.YAMLError, UnicodeError) as error:
        raise ProgramError(f"{where}: must be plain YAML: {' '.join(str(error).split())}.") from None


def plain(value: object, where: str, depth: int = 0) -> Any:
    """A copy of ``value`` in builtin types only; ProgramError for other types, odd keys or more than 32 levels."""
    if depth > MAX_DEPTH:
        raise ProgramError(f"{where}: must be nested at most {MAX_DEPTH} deep.")
    if isinstance(value, Mapping):
        return {_plain_key(key, where): plain(item, where, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, where, depth + 1) for item in value]
    return _plain_scalar(value, where)


def _plain_key(key: object, where: str) -> Any:
    key = _plain_scalar(key, where)
    if isinstance(key, (str, int)):
        return key
    raise ProgramError(f"{where}: a key must be text or a whole number, not {key!r}.")


def _plain_scalar(value: object, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, bytes)):
        return value
    if isinstance(value, str):
        return str(value)
    raise ProgramError(f"{where}: a value must be a mapping, list, number, text or bytes, not {type(value).__name__}.")


def _events(data: bytes, where: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(data, Loader=loader)
    except yaml.YAMLError as error:
        # The parser looks ahead: it may give up on the nesting before we have seen a single event.
        if _too_deep(data):
            raise ProgramError(f"{where}: values must be nested at most {MAX_DEPTH} deep.") from None
        raise ProgramError(f"{where}: must be YAML: {' '.join(str(error).split())}.") from None
    except UnicodeError:
        raise ProgramError(f"{where}: must be YAML in UTF-8.") from None


def _too_deep(data: bytes) -> bool:
    """Whether the brackets of a text are nested too deep, quotes and comments not looked at."""
    depth = 0
    for bracket in _BRACKET.finditer(data):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _plain_decimal(text: str) -> bool:
    return text.isascii() and text.isdigit() and (text[0] != "0" or text == "0")


class _Missing:
    """Marks the place of a key that has not come yet."""


@dataclass
class _Open:
    """A container whose end has not come: its value, the pending key, its anchor and the values counted before it."""

    value: dict[Any, Any] | list[Any]
    anchor: str | None
    before: int
    key: object = field(default_factory=lambda: _Missing)


class _Builder:
    """Turns parser events into one plain value."""

    def __init__(self, where: str) -> None:
        import yaml

        self.result: Any = None
        self._where = where
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0
        self._documents = 0
        self._yaml, self._node = yaml, yaml.ScalarNode
        self._resolver: Any = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()
        self._takers = {
            "DocumentStartEvent": self._document,
            "MappingStartEvent": self._start,
            "SequenceStartEvent": self._start,
            "MappingEndEvent": self._end,
            "SequenceEndEvent": self._end,
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
        }

    def take(self, event: Any) -> None:
        """Use one event of the parser."""
        taker = self._takers.get(type(event).__name__)
        if taker is not None:
            taker(event)

    def _fail(self, event: Any, sentence: str) -> ProgramError:
        return ProgramError(f"{self._where}: line {event.start_mark.line + 1}: {sentence}.")

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise self._fail(event, "the file must hold one YAML document, not several")

    def _start(self, event: Any) -> None:
        if event.tag not in _CONTAINER_TAGS:
            raise self._fail(event, f"the tag {event.tag!r} must not be used; only plain YAML is read")
        if len(self._open) >= MAX_DEPTH:
            raise self._fail(event, f"values must be nested at most {MAX_DEPTH} deep")
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is _Missing:
            raise self._fail(event, "a key must be text or a number, not a mapping or list")
        mapping = type(event).__name__ == "MappingStartEvent"
        before = self._count
        self._add(event, 1)
        self._open.append(_Open({} if mapping else [], event.anchor, before))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.value, self._count - done.before)
        self._put(event, done.value)

    def _scalar(self, event: Any) -> None:
        value = self._scalar_value(event)
        self._add(event, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(event, value)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise self._fail(event, f"the alias *{event.anchor} must name a value that is complete before it")
        value, size = self._anchors[event.anchor]
        self._add(event, size)
        self._put(event, value)

    def _add(self, event: Any, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise self._fail(event, f"the document must hold at most {MAX_VALUES} values")

    def _put(self, event: Any, value: Any) -> None:
        if not self._open:
            self.result = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is _Missing:
            top.key = self._key(event, top.value, value)
        else:
            top.value[top.key] = value
            top.key = _Missing

    def _key(self, event: Any, mapping: dict[Any, Any], key: object) -> object:
        if not isinstance(key, (str, int)) or (isinstance(key, int) and abs(key) >> 32):
            raise self._fail(event, f"a key must be text or a number below 2^32, not {_brief(key)}")
        if key in mapping:
            raise self._fail(event, f"the key {_brief(key)} must appear once, not twice")
        return key

    def _scalar_value(self, event: Any) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            quoted = event.style not in (None, "") or tag == "!"
            tag = None if quoted or len(event.value) > MAX_SCALAR else self._resolve(event.value)
        elif len(event.value) > MAX_SCALAR and tag not in (_TAG + "str", _TAG + "binary"):
            raise self._fail(event, f"a {tag!r} must have at most {MAX_SCALAR} characters")
        if tag is None or tag in _TEXT_TAGS:
            return event.value
        if tag not in _VALUE_TAGS:
            raise self._fail(event, f"the tag {tag!r} must not be used; only plain YAML is read")
        return self._construct(event, tag)

    def _construct(self, event: Any, tag: str) -> Any:
        """The value of a scalar whose tag names a number, truth value, null or bytes."""
        if tag == _INT and _plain_decimal(event.value):
            return int(event.value)
        try:
            if tag == _BINARY:  # PyYAML skips what is not base64
                return base64.b64decode("".join(event.value.split()), validate=True)
            return self._yaml.SafeLoader.yaml_constructors[tag](self._constructor, self._node(tag, event.value))
        except (ValueError, LookupError, OverflowError, self._yaml.YAMLError):
            raise self._fail(event, f"the value {_brief(event.value)} must fit its type {tag!r}") from None

    def _resolve(self, text: str) -> str:
        if _plain_decimal(text):
            return _INT
        return str(self._resolver.resolve(self._node, text, (True, False)))


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
