"""Train the denoiser on synthesized speech, quantize it with fmot, and write its FQIR graph.

    python train_denoiser.py [FOLDER [MODEL.pt]]      # default: noisy_speech, as make_noisy_speech.py wrote it

Needs torch and fmot. Seeded and single-threaded: the same library versions on the same kind of processor give the
same file.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import augment
import fmot
import numpy as np
import torch
import voices
from make_noisy_speech import SETS, SNRS_DB
from save_graph import save_graph

HOP, WINDOW = 128, 256  # samples: 16 ms and 32 ms
BINS = WINDOW // 2 + 1
BANDS, HIDDEN = 24, 48
CLIP_SAMPLES = 2 * voices.RATE_HZ // HOP * HOP
COPIES = 2  # of each clip, in other noise
STEPS, BATCH = 400, 32
CALIBRATION, OF_EACH = 4, 16  # batches that quantization looks at, and clips of each
SEED = 0


class Denoiser(torch.nn.Module):
    """(batch, frames, HOP) noisy sound within -1..1 -> the same without noise, HOP samples later."""

    def __init__(self) -> None:
        super().__init__()
        window = torch.hann_window(WINDOW).sqrt()
        self.stft = fmot.nn.STFT(WINDOW, HOP, window_fn=window)
        self.istft = fmot.nn.ISTFT(WINDOW, HOP, window_fn=window)
        self.mask = Mask()

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        re, im = self.stft(sound)
        mask = self.mask(re, im)
        return self.istft(re * mask, im * mask)


class Mask(torch.nn.Module):
    """Real and imaginary parts (batch, frames, BINS) -> how much of each bin is speech, 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.magnitude = fmot.nn.signal.BarniMagnitude()
        self.bands = fmot.nn.signal.MelFilterBank(voices.RATE_HZ, WINDOW, BANDS, fmin=0.0)
        self.log = fmot.nn.signal.LogEps(2**-12)
        self.gru = torch.nn.GRU(BANDS, HIDDEN, batch_first=True)
        self.gains = torch.nn.Linear(HIDDEN, BANDS)
        self.spread = torch.nn.Parameter(spread_of(self.bands.weight), requires_grad=False)

    def forward(self, re: torch.Tensor, im: torch.Tensor) -> torch.Tensor:
        heard, _ = self.gru(self.log(self.bands(self.magnitude(re, im))))
        return torch.matmul(torch.sigmoid(self.gains(heard)), self.spread)


def spread_of(bands: torch.Tensor) -> torch.Tensor:
    """From the bands (BINS, BANDS) a matrix (BANDS, BINS) that gives each bin the mean of the bands it belongs to."""
    shares = (bands / bands.amax(dim=0, keepdim=True)).t() + 1e-9
    middle = bands.argmax(dim=0)
    shares[0, : middle[0]] = shares[-1, middle[-1] :] = 1.0
    return shares / shares.sum(dim=0, keepdim=True)


def training_clips(folder: Path, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy and clean sound, (clips, frames, HOP) each, at SNRs of -5 to 20 dB and levels over 24 dB."""
    noisy, clean = [], []
    for path in sorted((folder / "train").glob("*.wav")) * COPIES:
        speech = augment.vary(voices.read(path), rng)[:CLIP_SAMPLES]
        speech = augment.place(speech, CLIP_SAMPLES, rng) * np.float32(10 ** (rng.uniform(-12.0, 12.0) / 20))
        noise = augment.at_snr(speech, augment.noise(CLIP_SAMPLES, rng), rng.uniform(-5.0, 20.0))
        noisy.append(np.clip(speech + noise, -1.0, 1.0))
        clean.append(speech)
    return hops(noisy), hops(clean)


def hops(clips: list[voices.Samples]) -> torch.Tensor:
    """As (clips, frames, HOP)."""
    return torch.from_numpy(np.stack(clips)).reshape(len(clips), -1, HOP)


def train(network: Denoiser, noisy: torch.Tensor, clean: torch.Tensor) -> None:
    """Bring the SNR of (clips, frames, HOP) up, for STEPS batches."""
    with torch.no_grad():
        heard = network.stft(noisy)
        wanted = network.stft(clean)
    optimizer = torch.optim.Adam(network.mask.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, STEPS)
    for step in range(1, STEPS + 1):
        batch = torch.randint(len(noisy), (BATCH,))
        re, im = (part[batch] for part in heard)
        mask = network.mask(re, im)
        signal = energy(wanted[0][batch]) + energy(wanted[1][batch])
        error = energy(wanted[0][batch] - mask * re) + energy(wanted[1][batch] - mask * im)
        loss = 10 * torch.log10(error / signal).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.mask.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step} of {STEPS}: SNR {-loss.item():.2f} dB", flush=True)


def evaluation_clips(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy and clean clips of a set, (clips, frames, HOP) each, with silence after the shorter ones."""
    pairs = [
        [voices.read(folder / kind / path.name) for path in sorted((folder / "noisy").glob("*.wav"))]
        for kind in ("noisy", "clean")
    ]
    count = -(-max(clip.size for clip in pairs[0]) // HOP) * HOP
    noisy, clean = ([np.pad(clip, (0, count - clip.size)) for clip in clips] for clips in pairs)
    return hops(noisy), hops(clean)


def energy(clips: torch.Tensor) -> torch.Tensor:
    """(clips,) sums of the squares of (clips, frames, values)."""
    return clips.square().sum(dim=(1, 2))


def snr_db(sound: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """(clips,) signal-to-noise ratios of (clips, frames, HOP)."""
    return 10 * torch.log10(energy(clean) / energy(sound - clean))


def report(name: str, denoisers: tuple[torch.nn.Module, ...], noisy: torch.Tensor, clean: torch.Tensor) -> None:
    """Print the mean gain of the denoisers, in floats and quantized."""
    before = snr_db(noisy, clean)
    with torch.no_grad():
        after = [snr_db(denoiser(noisy)[:, 1:], clean[:, :-1]) for denoiser in denoisers]
    floats, integers = (float((gained - before).mean()) for gained in after)
    print(f"{name}, n = {len(noisy):2d}: SNR gain {floats:.2f} dB in floats, {integers:.2f} dB quantized", flush=True)


def main(folder: Path, model: Path) -> None:
    """Train, quantize, compare and save."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    noisy, clean = training_clips(folder, np.random.default_rng(SEED))
    network = Denoiser()
    train(network, noisy, clean)
    network.eval()

    quantized = fmot.ConvertedModel(network, batch_dim=0, seq_dim=1)
    quantized.set_input_details(0, -15)  # 1.0 is full scale of 16-bit sound
    chosen = torch.randperm(len(noisy))[: CALIBRATION * OF_EACH]
    quantized.quantize(list(noisy[chosen].split(OF_EACH)))
    for name, snr in product(SETS, SNRS_DB):
        report(f"{name:13s} {snr:2d} dB", (network, quantized), *evaluation_clips(folder / name / f"{snr}db"))
    save_graph(quantized.trace(), model)


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:]]
    main(*(arguments + [Path("noisy_speech"), Path("denoiser.pt")][len(arguments) :]))
