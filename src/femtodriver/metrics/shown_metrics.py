"""The YAML text of a metrics document as ``Femtodriver.simulate`` gives it: a text, which shows its figures shortly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import yaml

from femtodriver.files.plain_yaml import load_yaml
from femtodriver.metrics.metrics_yaml import document_yaml
from femtodriver.metrics.named_figures import FIGURES, NamedFigure, values_at
from femtodriver.metrics.text_cells import count_text, percent_text, quantity
from femtodriver.notebook_html import html_table

_SHORT = ("latency", "cycles", "power", "energy")
_LAYERS = 8


class MetricsYaml(str):
    """YAML text of a metrics document. It is a text in every respect, but for what a prompt or a notebook shows of it;
    ``print`` shows all.
    """

    def __reduce__(self) -> tuple[type[MetricsYaml], tuple[str]]:
        return MetricsYaml, (str(self),)

    @property
    def document(self) -> Mapping[str, Any]:
        """The document, read again: whoever gets it may change it."""
        content = self.encode("utf-8")
        found: Mapping[str, Any] = load_yaml(content, "metrics", max_bytes=len(content))
        return found

    @cached_property
    def _shown(self) -> Mapping[str, Any]:
        """The same, read once for all that is shown of it."""
        return self.document

    def __repr__(self) -> str:
        doc = self._shown
        figures = ", ".join(f"{name} {FIGURES[name].text(FIGURES[name].of(doc))}" for name in _SHORT)
        return f"<metrics of {_title(doc)}: {figures}; print() shows all>"

    def _repr_html_(self) -> str:
        doc = self._shown
        rows = [(figure.summary, figure.text(figure.of(doc)), _band(figure, doc)) for figure in _shown()]
        return "\n".join(
            [html_table(f"Metrics of {_title(doc)}", ("per frame", "", "low to high"), rows), _layers_html(doc)]
        )


def shown_yaml(doc: Mapping[str, object]) -> MetricsYaml:
    """The YAML text of the document."""
    return MetricsYaml(document_yaml(doc))


def _title(doc: Mapping[str, Any]) -> str:
    part = doc["hardware"]
    clock, frames = quantity(part["clock_hz"], "Hz"), doc["Frames Simulated"]
    return f"{doc['model']['name']} on {part['name']} at {clock}, {frames:,} frame{'' if frames == 1 else 's'}"


def _shown() -> list[NamedFigure]:
    return [figure for figure in FIGURES.values() if figure.headline]


def _band(figure: NamedFigure, doc: Mapping[str, Any]) -> str:
    path = figure.path.removesuffix(".typical")
    if path == figure.path:
        return ""
    (band,) = values_at(doc, path)
    return f"{quantity(band['low'], figure.unit)} to {quantity(band['high'], figure.unit)}"


def _layers_html(doc: Mapping[str, Any]) -> str:
    """The layers that take most cycles."""
    layers = sorted((row for row in doc["layers"] if row["cycles"]), key=lambda row: -row["cycles"])
    total = sum(row["cycles"] for row in layers)
    rows = [
        (row["name"], count_text(row["cycles"]), percent_text(row["cycles"] / total), quantity(row["energy_j"], "J"))
        for row in layers[:_LAYERS]
    ]
    more = f", the first {_LAYERS} of {len(layers)}" if len(layers) > _LAYERS else ""
    return html_table(f"Layers by busy cycles{more}", ("layer", "cycles", "share", "energy"), rows)


def _as_text(dumper: yaml.representer.SafeRepresenter, text: MetricsYaml) -> yaml.ScalarNode:
    return dumper.represent_str(str(text))


# Whoever writes results as YAML gets the same bytes as from a plain text.
yaml.representer.SafeRepresenter.add_representer(MetricsYaml, _as_text)
