"""Train the digit spotter on synthesized words, quantize it with fmot, and write its FQIR graph.

    python train_digits.py [FOLDER [MODEL.pt]]      # default: spoken_digits, as make_digits.py wrote it

Needs torch and fmot. Seeded and single-threaded: the same library versions on the same kind of processor give the
same file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import augment
import fmot
import numpy as np
import numpy.typing as npt
import torch
import voices
from make_digits import CLIP_SAMPLES, SETS, WORDS
from save_graph import save_graph

HOP, WINDOW = 128, 256  # samples: 16 ms and 32 ms
BANDS, INNER, HIDDEN = 32, 48, 64
COPIES = 3  # of each word, varied in another way
STEPS, BATCH = 700, 64
CALIBRATION, OF_EACH = 8, 32  # batches that quantization looks at, and clips of each
SEED = 0


class LogMel(torch.nn.Module):
    """(batch, frames, HOP) sound within -1..1 -> (batch, frames, BANDS) logarithms of the power in each band."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = fmot.nn.STFT(WINDOW, HOP, window_fn=torch.hann_window(WINDOW))
        self.magnitude = fmot.nn.signal.BarniMagnitude()
        self.bands = fmot.nn.signal.MelFilterBank(voices.RATE_HZ, WINDOW, BANDS, fmin=80.0)
        self.log = fmot.nn.signal.LogEps(2**-11)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        re, im = self.stft(sound)
        return self.log(self.bands(self.magnitude(re, im)))


class Listener(torch.nn.Module):
    """(batch, frames, BANDS) -> (batch, frames, words) scores; their mean over a clip is its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(BANDS, INNER)
        self.drop = torch.nn.Dropout(0.2)
        self.gru = torch.nn.GRU(INNER, HIDDEN, batch_first=True)
        self.answer = torch.nn.Linear(HIDDEN, len(WORDS))

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        heard, _ = self.gru(self.drop(torch.relu(self.inner(bands))))
        return self.answer(self.drop(heard))


class DigitSpotter(torch.nn.Module):
    """The whole network: (batch, frames, HOP) sound -> (batch, frames, words) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.log_mel = LogMel()
        self.listener = Listener()

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return self.listener(self.log_mel(sound))


def training_clips(folder: Path, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """COPIES of each word, each in another place, room and noise: (clips, frames, HOP), and their labels."""
    clips, labels = [], []
    for label, word in enumerate(WORDS):
        for path in sorted((folder / "train" / word).glob("*.wav")):
            speech = voices.read(path)
            for _ in range(COPIES):
                clips.append(heard(augment.vary(speech, rng), rng))
                labels.append(label)
    return hops(np.stack(clips)), torch.tensor(labels)


def heard(speech: voices.Samples, rng: np.random.Generator) -> voices.Samples:
    """(CLIP_SAMPLES,): the word somewhere, in noise 5 to 60 dB below it, or, one time in five, in silence."""
    speech = speech * (0.9 / np.abs(speech).max())
    clip = augment.place(speech, CLIP_SAMPLES, rng)
    if rng.random() < 0.8:
        clip = clip + augment.at_snr(speech, augment.noise(CLIP_SAMPLES, rng), rng.uniform(5.0, 60.0))
    return np.clip(clip * 10 ** (rng.uniform(-18.0, 0.0) / 20), -1.0, 1.0).astype(np.float32)


def hops(clips: npt.NDArray[np.float32]) -> torch.Tensor:
    """(clips, samples) as (clips, frames, HOP)."""
    return torch.from_numpy(clips).reshape(len(clips), -1, HOP)


def evaluation_clips(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The clips of a set, and their labels."""
    paths = sorted((folder / "clips").glob("*.wav"))
    labels = [WORDS.index(path.stem.split("_")[1]) for path in paths]
    return hops(np.stack([voices.read(path) for path in paths])), torch.tensor(labels)


def train(listener: Listener, bands: torch.Tensor, labels: torch.Tensor) -> None:
    """Train on (clips, frames, BANDS) for STEPS batches."""
    optimizer = torch.optim.Adam(listener.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, STEPS)
    for step in range(1, STEPS + 1):
        batch = torch.randint(len(bands), (BATCH,))
        scores = listener(bands[batch]).mean(dim=1)
        loss = torch.nn.functional.cross_entropy(scores, labels[batch], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(listener.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step} of {STEPS}: loss {loss.item():.3f}", flush=True)


def answers(network: torch.nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """(clips,) which word each clip is."""
    with torch.no_grad():
        return torch.cat([network(batch).mean(dim=1).argmax(dim=-1) for batch in clips.split(64)])


def report(name: str, spotters: tuple[torch.nn.Module, ...], clips: torch.Tensor, labels: torch.Tensor) -> None:
    """Print how many answers are right, in floats and quantized, and how many are the same."""
    floats, integers = (answers(spotter, clips) for spotter in spotters)
    right, still, same = (int((a == b).sum()) for a, b in ((floats, labels), (integers, labels), (floats, integers)))
    n = len(labels)
    print(
        f"{name:13s} n = {n:3d}: right {right / n:.1%} in floats, {still / n:.1%} quantized; same answer {same / n:.1%}"
    )


def main(folder: Path, model: Path) -> None:
    """Train, quantize, compare and save."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    clips, labels = training_clips(folder, np.random.default_rng(SEED))
    network = DigitSpotter()
    with torch.no_grad():
        network.log_mel(clips[: 8 * BATCH])  # sets the floor of the logarithm
        network.log_mel.eval()
        bands = torch.cat([network.log_mel(batch) for batch in clips.split(BATCH)])
    train(network.listener, bands, labels)
    network.eval()

    quantized = fmot.ConvertedModel(network, batch_dim=0, seq_dim=1)
    quantized.set_input_details(0, -15)  # 1.0 is full scale of 16-bit sound
    chosen = torch.randperm(len(clips))[: CALIBRATION * OF_EACH]
    quantized.quantize(list(clips[chosen].split(OF_EACH)))
    for name in SETS:
        report(name, (network, quantized), *evaluation_clips(folder / name))
    save_graph(quantized.trace(), model)


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    main(*(arguments + [Path("spoken_digits"), Path("digit_spotter.pt")][len(arguments) :]))
