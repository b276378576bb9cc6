"""The quantization report as frozen rows: for each value the range that occurred against that of its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver import fixed
from femtodriver.metrics.layer_labels import layer_labels
from femtodriver.metrics.text_cells import count_text, percent_text
from femtodriver.notebook_html import html_table
from femtodriver.program.description import VIEW as VIEW_FATE
from femtodriver.program.description import Description, layers_of
from femtodriver.quantization.quantization_observer import QuantizationObserver, WatchedValue

VALUE, MOVED, STEP = "value", "moved", "step"


@dataclass(frozen=True)
class QuantizationRow:
    """A value of the network over a run. Integers are those of the value; v stands for the real number v * 2**quanta.

    ``kind``: VALUE; MOVED if its elements are those of other values; STEP if the producer has put it between two values
    of the user's model, as the steps of a table look-up. ``label``: what people know its layer by; ``value``: its name;
    ``op``: the operator that makes it. ``bits``: of its type, whose range is ``type_low`` to ``type_high``; ``low``,
    ``high``: what occurred; ``used_bits``: what these need, ``unused_bits``: the rest, negative where they do not fit.
    ``elements``: over the run; ``clipped``: how many saturations have changed, ``at_limits``: how many were the
    smallest or largest number of the type, ``zeros``: how many were 0. ``rms``: root of their mean square. ``snr_db``:
    against the float model; None without one, without a signal, and without noise. ``compared``: elements that were
    compared, ``is_exact``: whether all of them were equal. ``nested``: made in a loop or condition.
    ``boolean``: whether 0 and 1 are all that it can ever be, as for the result of a comparison.
    """

    kind: str

    label: str
    value: str
    op: str
    bits: int
    quanta: float | None
    type_low: int
    type_high: int
    low: int
    high: int
    used_bits: int
    unused_bits: int
    elements: int
    clipped: int
    at_limits: int
    zeros: int
    rms: float | None
    snr_db: float | None
    compared: int
    is_exact: bool
    nested: bool
    boolean: bool

    @property
    def clipped_share(self) -> float:
        """Clipped elements of all, from 0 to 1."""
        return self.clipped / self.elements if self.elements else 0.0


@dataclass(frozen=True, repr=False)
class QuantizationReport:
    """All values of a network in program order, inputs first, over ``frames`` frames; ``compared``: with how many
    values of a float model."""

    model: str
    frames: int
    compared: int
    rows: tuple[QuantizationRow, ...]

    def __repr__(self) -> str:
        clipped = sum(row.clipped > 0 for row in self.rows)
        return (
            f"<QuantizationReport of {self.model!r:.60}: {len(self.rows)} values, {clipped} of them clipped, "
            f"{self.frames} frames>"
        )

    def _repr_html_(self) -> str:
        """Every value but those that are only moved, and steps that clip nothing."""
        rows = [row for row in self.rows if row.kind == VALUE or row.clipped]
        head = ("layer", "operator", "value", "bits", "low", "high", "bits used", "clipped", "share")
        compared = any(row.compared for row in rows)
        cells = (_html_cells(row)[: None if compared else -1] for row in rows)
        return html_table(repr(self)[1:-1], (*head, *(["SNR"] if compared else [])), cells)


def _html_cells(row: QuantizationRow) -> tuple[object, ...]:
    found = (row.low, row.high, row.used_bits) if row.elements else ("-", "-", "-")
    noise = "exact" if row.is_exact else "-" if row.snr_db is None else f"{row.snr_db:.1f} dB"
    clipped = (count_text(row.clipped), percent_text(row.clipped_share))
    return (row.label, row.op, row.value, row.bits, *found, *clipped, noise)


def report_of(model: str, observer: QuantizationObserver, description: Description | None) -> QuantizationReport:
    """What was observed. ``description``: of the program, which knows what people call its layers."""
    labels, kinds = layer_names(description), _kinds(description)
    rows = tuple(_row(watched, labels, kinds.get(watched.layer, VALUE)) for watched in observer.values)
    compared = sum(watched.use.compared > 0 for watched in observer.values)
    return QuantizationReport(model, observer.frames, compared, rows)


def layer_names(description: Description | None) -> dict[str, str]:
    """What people call each layer, by the value that stands for it."""
    layers = layers_of(description)
    return dict(zip((layer.source for layer in layers), layer_labels(layers), strict=True))


def unique_names(description: Description | None) -> dict[str, str]:
    """The value of each layer by its label, as far as the label is that of one layer alone."""
    by_value = {value: label for value, label in layer_names(description).items() if value}
    labels = list(by_value.values())
    return {label: value for value, label in by_value.items() if labels.count(label) == 1}


def _kinds(description: Description | None) -> dict[str, str]:
    """The kinds of layers whose values are no ``VALUE``, by the value that stands for them."""
    found = {}
    for layer in layers_of(description):
        if layer.fate is not None and layer.fate.how == VIEW_FATE:
            found[layer.source] = MOVED
        elif layer.fate is not None and layer.step:
            found[layer.source] = STEP
    return found


def _row(watched: WatchedValue, labels: Mapping[str, str], kind: str) -> QuantizationRow:
    use = watched.use
    low, high = fixed.limits(use.bits)
    return QuantizationRow(
        kind=kind,
        label=labels.get(watched.layer, watched.name),
        value=watched.name,
        op=watched.op,
        bits=use.bits,
        quanta=watched.quanta,
        type_low=low,
        type_high=high,
        low=use.lowest,
        high=use.highest,
        used_bits=use.used_bits,
        unused_bits=use.unused_bits,
        elements=use.elements,
        clipped=use.clipped,
        at_limits=use.at_limits,
        zeros=use.zeros,
        rms=use.rms,
        snr_db=use.snr_db,
        compared=use.compared,
        is_exact=use.compared > 0 and not use.noise,
        nested=watched.nested,
        boolean=watched.boolean,
    )
