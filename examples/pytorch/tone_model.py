"""A small GRU that says whether a tone rises, falls or stays: the model as PyTorch knows it.

    femtodrive tone_model.py:build --calibrate clips.npz

``train_tones.py`` makes the weights and the clips.
"""

from __future__ import annotations

from pathlib import Path

import torch

BANDS, HIDDEN = 16, 24
CLASSES = ("rises", "falls", "stays")
WEIGHTS = Path(__file__).with_name("tone_weights.pt")


class ToneModel(torch.nn.Module):
    """(clips, frames, BANDS) spectra -> (clips, frames, classes) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = torch.nn.GRU(BANDS, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, len(CLASSES))

    def forward(self, spectra: torch.Tensor) -> torch.Tensor:
        heard, _ = self.gru(spectra)
        return self.head(heard)


def build() -> torch.nn.Module:
    """The trained model."""
    model = ToneModel()
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return model
