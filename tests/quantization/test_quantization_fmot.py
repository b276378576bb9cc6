"""A freshly quantized model beside its own float values, as docs/quantization.md shows it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.output.output_files import npz

FEATURES, FRAMES = 12, 20


@pytest.mark.slow
@pytest.mark.fmot
@pytest.mark.usefixtures("fmot")
def test_noise_falls_with_the_width_of_the_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    double, eights = compared("double"), compared("eights")
    assert set(double) == set(eights) == {"0", "2"}
    for name, ratio in double.items():
        assert 25 < ratio < 80
        assert ratio > eights[name] + 3


def compared(precision: str) -> dict[str, float]:
    """Signal-to-noise ratios of the linear layers of a small model, in dB, by their paths."""
    import fmot
    import torch

    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(FEATURES, 16), torch.nn.ReLU(), torch.nn.Linear(16, 5)).eval()
    inputs = torch.randn((1, FRAMES, FEATURES))
    kept, hooks = {}, []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            keep = partial(lambda name, module, given, made: kept.update({name: made}), name)
            hooks.append(module.register_forward_hook(keep))
    model(inputs)
    for hook in hooks:
        hook.remove()  # fmot converts no model with hooks
    arrays = {name: made[0].detach().numpy() for name, made in kept.items()}
    Path("float.npz").write_bytes(npz(arrays))
    np.save("inputs.npy", inputs[0].numpy())
    converted = fmot.ConvertedModel(model, precision=precision, batch_dim=0, seq_dim=1)
    converted.quantize([torch.randn((2, FRAMES, FEATURES)) for _ in range(4)])
    driver = Femtodriver()
    driver.run(converted.trace(), input_file="inputs.npy", scale="real", quantization=True, float_values="float.npz")
    report = driver.quantization
    if report is None:
        pytest.fail("the report must be there")
    assert (report.frames, report.compared) == (FRAMES, 2)
    return {row.label: row.snr_db or 0.0 for row in report.rows if row.compared}
