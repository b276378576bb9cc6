"""The metrics document as YAML text: safe, in the document's own order, and equal again when read back."""

from __future__ import annotations

from collections.abc import Mapping

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # Plain and single-quoted styles lose some control characters (U+0085); double quotes escape them.
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if value.isprintable() else '"')


_Dumper.add_representer(str, _text)


def document_yaml(doc: Mapping[str, object]) -> str:
    """YAML text of the document; ``yaml.safe_load`` gives it back. Small mappings are on one line."""
    text: str = yaml.dump(
        dict(doc), Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120
    )
    return text
