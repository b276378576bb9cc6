"""Train the model on made-up spectra of tones; write ``tone_weights.pt`` and ``clips.npz`` beside this script.

Takes a few seconds. Everything is seeded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tone_model
import torch

FRAMES, BATCH, STEPS, CLIPS = 30, 32, 60, 90


def tones(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` clips: spectra (count, FRAMES, BANDS) of a tone in noise, and which way it goes (count,)."""
    labels = rng.integers(0, len(tone_model.CLASSES), count)
    slopes = np.choose(labels, [1.0, -1.0, 0.0]) * rng.uniform(0.15, 0.3, count)
    start = np.choose(labels, [rng.uniform(1, 5, count), rng.uniform(10, 14, count), rng.uniform(3, 12, count)])
    place = start[:, None] + slopes[:, None] * np.arange(FRAMES)
    distance = np.arange(tone_model.BANDS) - place[:, :, None]
    spectra = np.exp(-(distance**2)) + rng.normal(0, 0.1, distance.shape)
    return spectra.astype(np.float32), labels


def main(folder: Path) -> None:
    """Train and write."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    model = tone_model.ToneModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(STEPS):
        spectra, labels = tones(rng, BATCH)
        scores = model(torch.from_numpy(spectra)).mean(dim=1)
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(model.state_dict(), folder / tone_model.WEIGHTS.name)
    spectra, labels = tones(rng, CLIPS)
    np.savez_compressed(folder / "clips.npz", spectra=spectra, labels=labels)
    print(f"wrote {tone_model.WEIGHTS.name} and clips.npz: {CLIPS} clips of {FRAMES} frames x {tone_model.BANDS} bands")


if __name__ == "__main__":
    main(Path(__file__).parent)
