"""Runs whose reports the tests look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from femtodriver import Femtodriver
from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph, Node
from femtodriver.model.build_model import Built, build
from femtodriver.model.load_model import OWN_META, Source, load_source
from femtodriver.model.model_encryption import Encryption
from femtodriver.options.runner_requests import ComparisonRequest
from femtodriver.output.report_file import report_facts
from femtodriver.output.told_places import Repeated
from femtodriver.report.report_facts import ReportFacts
from femtodriver.report.report_page import report_page
from femtodriver.runners.execution import RunInputs, execute
from tests.agree.networks import PRODUCT, network, parameter, tensor

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter"
SCRIPT = "<script>document.title='hacked'</script>"
ATTACKS = (
    SCRIPT,
    "<img src=x onerror=\"document.title='hacked'\">",
    "\"></svg><script>document.title='hacked'</script>",
    "' onmouseover='document.title=1' x='",
    "{{ 7 * 191 }}{% raw %}",
    "&lt;script&gt;",
    "]]></style><style>*{display:none}",
    "javascript:document.title='hacked'",
    "\u202e\u0000\n\u2028 \ud800",
)


def spotter(folder: Path) -> Path:
    """The report of the keyword spotter on its first frames."""
    path = folder / "spotter.html"
    Femtodriver().run(
        str(EXAMPLE / "keyword_spotter.pt"),
        runners="fqir,fasmir",
        input_file=str(EXAMPLE / "words.npz"),
        input_sample_indices=(0, 12),
        input_period=0.016,
        battery_mwh=225.0,
        quantization=True,
        output_dir=str(folder / "models"),
        report=str(path),
    )
    return path


def words(frames: int) -> dict[str, Int64Array]:
    """The first frames of the example."""
    with np.load(EXAMPLE / "words.npz") as archive:
        return {name: archive[name][:frames].astype(np.int64) for name in archive.files}


def facts_of(built: Built, inputs: Mapping[str, Int64Array], request: ComparisonRequest) -> ReportFacts:
    """What the report of a run of fqir and fasmir is made of."""
    request = replace(request, report="report.html", machine="numpy")
    done = execute(("fqir", "fasmir"), RunInputs(inputs), Encryption().applied(built), request)
    return report_facts(done, done.metrics(request), request, Repeated(request))


def loopback(request: ComparisonRequest | None = None) -> ReportFacts:
    """The facts of three frames of LOOPBACK."""
    rows = {"x": np.arange(48).reshape(3, 16)}
    return facts_of(build(load_source("LOOPBACK")), rows, request or ComparisonRequest(input_period=0.016))


def hostile_network() -> Built:
    """A network in which everything that can have a name has one that tries to be HTML."""
    names = [f"{attack} {number}" for number, attack in enumerate(ATTACKS)]
    x, weight = tensor(names[0], 8), parameter(names[1], 40 * np.eye(8, dtype=int))
    nodes, last = [], x
    for place in range(2 * len(ATTACKS)):
        made = tensor(f"{names[place % len(ATTACKS)]} {place}")
        nodes.append(Node("", "matmul", {"x": weight, "y": last}, (made,), PRODUCT, {}))
        last = made
    frame = Graph("", (x,), (last,), (weight,), tuple(nodes))
    built = build(Source(SCRIPT, f"/somewhere/private/{SCRIPT}.pt", OWN_META, network(frame), sha256="0" * 64))
    if built.description is None:
        raise TypeError("the network must be compiled with a description")
    layers = tuple(
        replace(layer, module=ATTACKS[place % len(ATTACKS)], line=ATTACKS[1], op=ATTACKS[2])
        for place, layer in enumerate(built.description.layers or ())
    )
    return replace(built, description=replace(built.description, layers=layers))


def attacked(folder: Path) -> Path:
    """The report of the hostile network."""
    built = hostile_network()
    (name,) = (spec.name for spec in built.inputs)
    rows = {name: np.arange(-16, 16).reshape(4, 8) * 999}
    path = folder / "attacked.html"
    path.write_bytes(report_page(facts_of(built, rows, ComparisonRequest(input_file=ATTACKS[1], input_period=0.01))))
    return path
