from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from femtodriver.errors import UsageError
from femtodriver.fqir.reference import Reference
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.output.output_files import npz
from femtodriver.program.description import DescribedLayer, Description, LayerFate
from femtodriver.quantization.quantization_files import quantization_csv, quantization_json
from femtodriver.quantization.quantization_observer import QuantizationObserver
from femtodriver.quantization.quantization_rows import QuantizationReport, QuantizationRow, report_of, unique_names
from femtodriver.quantization.quantization_text import quantization_text
from femtodriver.runners.fqir_runner import FqirRunner
from tests.notebook_tables import table_of
from tests.quantization.small_values import clipping_network, comparing_network

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"
LAYERS = (
    DescribedLayer(
        "0 vvadd doubled", "vvadd", "doubled", 0, 3, module="lin", step="sum", fate=LayerFate("fused", (1,))
    ),
    DescribedLayer("1 relu positive", "relu", "positive", 0, 3, module="lin", line="net.py:9"),
)
DESCRIPTION = Description(2, "open-spu/3", {}, {}, layers=LAYERS, source_map={}, memory={})


def small_report(float_file: Path | None = None) -> QuantizationReport:
    """Two frames of the clipping network."""
    network = clipping_network()
    observer = QuantizationObserver(network, Reference(network).ranges)
    reference = Reference(network, observer)
    opened = observer.compare_with(float_file, unique_names(DESCRIPTION)) if float_file else None
    for frame in ([100, 100, -3], [-120, 5, 127]):
        observer.begin_frame({"x": np.array(frame)})
        reference.step({"x": np.array(frame)})
        observer.end_frame()
    if opened is not None:
        opened.close()
    return report_of("small", observer, DESCRIPTION)


def float_file(folder: Path) -> Path:
    """The same in real numbers, without limits; positive by the label of its layer."""
    x = np.array([[100, 100, -3], [-120, 5, 127]]) / 8
    path = folder / "float.npz"
    path.write_bytes(npz({"x": x, "doubled": 2 * x, "lin net.py:9": np.maximum(2 * x, 0)}))
    return path


def test_rows_have_labels_kinds_and_noise(tmp_path: Path) -> None:
    report = small_report(float_file(tmp_path))
    x, doubled, positive = report.rows
    assert (report.frames, report.compared) == (2, 3)
    assert (x.label, x.kind, x.is_exact, x.snr_db) == ("x", "value", True, None)
    assert (doubled.label, doubled.kind, doubled.clipped, doubled.elements) == ("lin sum", "step", 4, 6)
    assert doubled.clipped_share == pytest.approx(4 / 6)
    signal, noise = 200**2 * 2 + 36 + 240**2 + 100 + 254**2, 73**2 * 2 + 112**2 + 127**2
    assert doubled.snr_db == pytest.approx(10 * np.log10(signal / noise))
    assert (positive.label, positive.compared, positive.is_exact) == ("lin net.py:9", 6, False)


def test_the_repr_is_short() -> None:
    assert repr(small_report()) == "<QuantizationReport of 'small': 3 values, 1 of them clipped, 2 frames>"


def test_a_notebook_shows_the_values_and_their_noise_where_it_is_known(tmp_path: Path) -> None:
    (head, *rows) = table_of(small_report()._repr_html_())
    assert head == ["layer", "operator", "value", "bits", "low", "high", "bits used", "clipped", "share"]
    assert [row[2] for row in rows] == ["x", "doubled", "positive"]
    assert rows[1][4:] == ["-128", "127", "8", "4", "66.7 %"]
    (head, *rows) = table_of(small_report(float_file(tmp_path))._repr_html_())
    assert head[-1] == "SNR"
    assert any(row[-1].endswith(" dB") for row in rows)


def test_the_text(golden: Callable[[str, str], None], tmp_path: Path) -> None:
    golden("plain.txt", quantization_text(small_report()))
    golden("compared.txt", quantization_text(small_report(float_file(tmp_path))))


def test_both_files_hold_all_figures(tmp_path: Path) -> None:
    report = small_report(float_file(tmp_path))
    document = json.loads(quantization_json(report))
    assert (document["schema"], document["model"], document["frames"]) == ("femtodriver-quantization/1", "small", 2)
    names = list(QuantizationRow.__dataclass_fields__)
    rows = list(csv.DictReader(io.StringIO(quantization_csv(report))))
    for row, other, one in zip(report.rows, document["rows"], rows, strict=True):
        assert list(one) == list(other) == names
        for name in names:
            value = getattr(row, name)
            assert other[name] == value
            assert one[name] == ("" if value is None else str(value).lower() if isinstance(value, bool) else str(value))


def test_results_of_comparisons_are_not_too_wide() -> None:
    network = comparing_network()
    observer = QuantizationObserver(network, Reference(network).ranges)
    reference = Reference(network, observer)
    observer.begin_frame({"x": np.array([5, -3, 1])})
    reference.step({"x": np.array([5, -3, 1])})
    observer.end_frame()
    report = report_of("small", observer, None)
    assert [(row.value, row.unused_bits, row.boolean) for row in report.rows] == [("x", 4, False), ("above", 6, True)]
    assert "Too wide   x (x) 4 of 8 bits unused" in quantization_text(report).splitlines()


def test_the_sum_of_what_is_used_and_unused_is_the_type() -> None:
    for row in small_report().rows:
        assert row.used_bits + row.unused_bits == row.bits == 8
        assert (row.type_low, row.type_high) == (-128, 127)


def test_a_real_network_uses_its_types_as_the_values_do() -> None:
    built = build(load_source(str(EXAMPLE / "keyword_spotter.pt"), None))
    if built.source.network is None:
        raise TypeError("a network")
    runner, plain = (FqirRunner(built.source.network, built.inputs, names) for names in ((), ("all",)))
    observer = runner.observe()
    runner.reset()
    plain.reset()
    with np.load(EXAMPLE / "words.npz") as words:
        frames = words["features"][:6].astype(np.int64)
    kept = []
    for frame in frames:
        outputs, _ = runner.step({"features": frame})
        wanted, internals = plain.step({"features": frame})
        assert np.array_equal(outputs["output.0"], wanted["output.0"])
        kept.append(internals)
    rows = {row.value: row for row in report_of("spotter", observer, built.description).rows}
    assert rows["%x.8"].label == "listen.layers.0.linear_ih"
    assert (rows["%x.14"].kind, rows["%x.20_rem"].kind, rows["%x.21"].kind) == ("moved", "step", "value")
    for name in ("%x.8", "%x.20", "%x.32", "output.0"):
        values = np.array([internals[name] for internals in kept])
        assert (rows[name].low, rows[name].high, rows[name].elements) == (values.min(), values.max(), values.size)
        assert rows[name].rms == pytest.approx(np.sqrt(np.mean(values.astype(float) ** 2)))


def test_values_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    network = clipping_network()
    observer = QuantizationObserver(network, Reference(network).ranges)
    path = tmp_path / "float.npz"
    path.write_bytes(npz({"nothing": np.zeros((1, 3))}))
    with pytest.raises(UsageError, match="names must be those of values, or labels"):
        observer.compare_with(path, {})
