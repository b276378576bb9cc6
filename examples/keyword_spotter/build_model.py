"""Make ``keyword_spotter.pt`` and ``words.npz``: train a small GRU on synthetic words, prune, quantize, trace.

Running the example does not need this script: both files are shipped. The script needs torch and fmot
(``pip install torch==2.13.0 fmot``) and takes half a minute on one core. Everything is seeded and single-threaded:
another run with the same library versions on the same kind of processor gives the same files, byte for byte.

    python build_model.py [FOLDER]      # default: beside this script
"""

from __future__ import annotations

import sys
from pathlib import Path

import fmot
import numpy as np
import sounds
import torch

SEED = 7
HIDDEN = 48
PENCIL = 8  # weights are pruned in groups of 8 neighbouring outputs of one input feature
KEEP = 0.5  # share of the groups of the recurrent layer that stay
STEPS, PRUNE_AT, BATCH = 500, 200, 32
STORY = ("up", "hold", "trill", "down")  # the words of words.npz


class KeywordSpotter(torch.nn.Module):
    """(batch, frames, BANDS) features / FEATURE_SCALE -> (batch, frames, words + background) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.listen = torch.nn.GRU(sounds.BANDS, HIDDEN, batch_first=True)
        self.answer = torch.nn.Linear(HIDDEN, len(sounds.LABELS))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        heard, _ = self.listen(features)
        return self.answer(heard)


def draw(rng: np.random.Generator, count: int, words: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """``count`` recordings of ``words`` random words: features (count, frames, BANDS), labels (count, frames)."""
    stories = [rng.choice(sounds.LABELS[1:], size=words).tolist() for _ in range(count)]
    rows = np.stack([sounds.features(sounds.record(story, rng)) for story in stories])
    wanted = np.stack([sounds.labels(story) for story in stories])
    return torch.from_numpy(rows.astype(np.float32) / sounds.FEATURE_SCALE), torch.from_numpy(wanted)


def pencil_mask(weight: torch.Tensor) -> torch.Tensor:
    """1 for the KEEP share of pencils (PENCIL rows of one column) with the largest absolute sum, else 0."""
    strength = weight.detach().abs().reshape(-1, PENCIL, weight.shape[1]).sum(dim=1)
    bar = torch.quantile(strength, 1 - KEEP)
    return (strength > bar).repeat_interleave(PENCIL, dim=0).to(weight.dtype)


def train(model: KeywordSpotter, rng: np.random.Generator) -> None:
    """Train for STEPS batches; from PRUNE_AT on with the weak pencils held at zero."""
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    pruned = (model.listen.weight_ih_l0, model.listen.weight_hh_l0)
    masks: list[torch.Tensor] = []
    for step in range(STEPS):
        if step == PRUNE_AT:
            masks = [pencil_mask(weight) for weight in pruned]
        features, wanted = draw(rng, BATCH)
        loss = torch.nn.functional.cross_entropy(model(features).transpose(1, 2), wanted, ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for weight, mask in zip(pruned, masks, strict=False):
                weight *= mask
        if step % 50 == 49:
            print(f"step {step + 1:4d} of {STEPS}: loss {loss.item():.4f}", flush=True)


def accuracy(model: torch.nn.Module, features: torch.Tensor, wanted: torch.Tensor) -> float:
    """Share of the labelled frames whose largest score is at the wanted label."""
    with torch.no_grad():
        answers = model(features).argmax(dim=-1)
    judged = wanted >= 0
    return float((answers == wanted)[judged].float().mean())


def main(folder: Path) -> None:
    """Train, prune, quantize, trace and save."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    model = KeywordSpotter()
    train(model, rng)
    model.eval()
    test_features, test_labels = draw(rng, 64, words=4)
    print(f"float, unseen recordings: {accuracy(model, test_features, test_labels):.1%} of frames right")

    converted = fmot.ConvertedModel(model, batch_dim=0, seq_dim=1)
    converted.set_input_details(0, -15)  # integer = real * 2**15 = real * FEATURE_SCALE
    converted.quantize([draw(rng, 4)[0] for _ in range(8)])
    print(f"quantized, same recordings: {accuracy(converted, test_features, test_labels):.1%} of frames right")
    torch.save(converted.trace(), folder / "keyword_spotter.pt")
    story = sounds.features(sounds.record(STORY, np.random.default_rng(2024)))
    np.savez_compressed(folder / "words.npz", features=story)
    print(f"wrote {folder / 'keyword_spotter.pt'} and {folder / 'words.npz'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
