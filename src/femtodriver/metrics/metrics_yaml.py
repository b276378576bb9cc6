"""The metrics document as YAML text: safe, in the document's own order, and equal again when read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

# Up to here both writers of PyYAML give the same bytes. libyaml's is 20 times as fast, but it escapes characters above
# U+FFFF, folds escaped text elsewhere, and has its own rules for empty and long keys.
_MOST_KEY = 100


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


class _FastDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # Plain and single-quoted styles lose some control characters (U+0085); double quotes escape them.
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if value.isprintable() else '"')


_Dumper.add_representer(str, _text)


def document_yaml(doc: Mapping[str, object]) -> str:
    """YAML text of the document; ``yaml.safe_load`` gives it back. Small mappings are on one line."""
    dumper = _FastDumper if all(_alike(text, most) for text, most in _texts(doc)) else _Dumper
    text: str = yaml.dump(
        dict(doc), Dumper=dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120
    )
    return text


def _alike(text: str, most: int | None) -> bool:
    """Whether both writers write this text alike; ``most`` is the longest key, None for a value."""
    return text.isascii() and text.isprintable() and (most is None or 0 < len(text) <= most)


def _texts(value: object) -> Iterator[tuple[str, int | None]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key), _MOST_KEY
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value, None
