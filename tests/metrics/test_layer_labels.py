from __future__ import annotations

from femtodriver.metrics.layer_labels import layer_labels
from femtodriver.program.description import DescribedLayer, LayerFate


def layer(value: str, **known: object) -> DescribedLayer:
    return DescribedLayer(f"0 op {value}", "op", value, **known)  # type: ignore[arg-type]


def test_a_layer_is_called_by_what_the_network_says_of_it() -> None:
    fused = LayerFate("fused", (4,))
    layers = [
        layer("%x.1", module="lin"),
        layer("%x.2", module="gru"),
        layer("%x.3", module="gru", line="rnn.py:4"),
        layer("%x.4", module="gru", step="sigmoid_lut_0", fate=fused),
        layer("%x.5", module="gru", step="sigmoid_sum_1"),
        layer("%x.6", module="gru", step="tanh_sum"),
        layer("%x.7", line="net.py:9"),
        layer("%x.8"),
        DescribedLayer("(frame end)", "frame_end"),
    ]
    assert layer_labels(layers) == [
        "lin",
        "gru %x.2",
        "gru rnn.py:4",
        "gru sigmoid_lut_0",
        "gru sigmoid",
        "gru tanh_sum",
        "%x.7 net.py:9",
        "%x.8",
        "(frame end)",
    ]


def test_steps_without_a_common_beginning_have_the_name_of_the_last() -> None:
    fused = LayerFate("fused", (1,))
    layers = [layer("%a", module="m", step="one", fate=fused), layer("%b", module="m", step="other")]
    assert layer_labels(layers) == ["m one", "m other"]


def test_the_module_says_enough_if_others_in_it_have_no_instructions() -> None:
    layers = [layer("%a", module="m"), layer("%b", module="m", fate=LayerFate("view", (0,)))]
    assert layer_labels(layers) == ["m", "m %b"]
