"""Train the detector on synthesized speech, quantize it with fmot, and write its FQIR graph.

    python examples/voice_activity/train_activity.py [MODEL.pt]      # default: voice_activity.pt beside this script

Takes two minutes; needs torch, fmot, espeak-ng and flite, and for the figures that it prints codec2-examples and
asterisk-core-sounds-en-wav (examples/speech/README.md). Seeded and single-threaded: the same library versions on the
same kind of processor give the same file.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import fmot
import numpy as np
import talk
import torch

# isort: split
import augment  # from examples/speech, which talk has made known
import make_noisy_speech
import voices
from save_graph import save_graph

WINDOW = 2 * talk.HOP
BANDS, HIDDEN = 16, 20
VOICES, CLIPS, SECONDS = 240, 480, 3.0  # sentences, clips of two of them
EVALUATED_S = 8.0  # the length of a clip to evaluate on
STEPS, BATCH = 600, 32
CALIBRATION, OF_EACH = 4, 32  # batches that quantization looks at, and clips of each
SNRS_DB = (0.0, 10.0, 20.0)
SEED = 3


class LogBands(torch.nn.Module):
    """(batch, frames, HOP) sound within -1..1 -> (batch, frames, BANDS) logarithms of the magnitude in each band."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = fmot.nn.STFT(WINDOW, talk.HOP, window_fn=torch.hann_window(WINDOW))
        self.magnitude = fmot.nn.signal.BarniMagnitude()
        self.bands = fmot.nn.signal.MelFilterBank(voices.RATE_HZ, WINDOW, BANDS, fmin=100.0)
        self.log = fmot.nn.signal.LogEps(2**-11)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        re, im = self.stft(sound)
        return self.log(self.bands(self.magnitude(re, im)))


class Judge(torch.nn.Module):
    """(batch, frames, BANDS) -> (batch, frames, 1): above zero where somebody speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = torch.nn.GRU(BANDS, HIDDEN, batch_first=True)
        self.answer = torch.nn.Linear(HIDDEN, 1)

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        states, _ = self.gru(bands)
        return self.answer(states)


class VoiceActivity(torch.nn.Module):
    """The whole network: (batch, frames, HOP) sound -> (batch, frames, 1) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.log_bands = LogBands()
        self.judge = Judge()

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return self.judge(self.log_bands(sound))


def batch_of(clips: list[talk.Clip]) -> tuple[torch.Tensor, torch.Tensor]:
    """(clips, frames, HOP) sound, and (clips, frames) whether somebody speaks, as 0 and 1."""
    sound = torch.from_numpy(np.stack([samples for samples, _ in clips])).reshape(len(clips), -1, talk.HOP)
    return sound, torch.from_numpy(np.stack([spoken for _, spoken in clips]).astype(np.float32))


def training_clips() -> tuple[torch.Tensor, torch.Tensor]:
    """Synthesized sentences with pauses, in noise 0 to 40 dB below them, at levels over 30 dB."""
    rng, choice = np.random.default_rng(SEED), random.Random(SEED)
    said = [
        voices.speak(make_noisy_speech.sentence(choice), voices.trained_voice(choice))[: voices.RATE_HZ]
        for _ in range(VOICES)
    ]
    clips = []
    for number in range(CLIPS):
        parts = [augment.vary(said[choice.randrange(VOICES)], rng) for _ in range(2)]
        samples, spoken = talk.talk_of(parts, SECONDS, rng.uniform(0.0, 40.0), SEED + number)
        clips.append(((samples * 10 ** (rng.uniform(-20.0, 10.0) / 20)).clip(-1.0, 1.0), spoken))
    return batch_of(clips)


def evaluation_clips(snr_db: float) -> tuple[torch.Tensor, torch.Tensor]:
    """People: sentences of codec2-examples, phrases of asterisk-core-sounds-en-wav."""
    said = make_noisy_speech.speakers() + make_noisy_speech.person()
    pairs = [said[number : number + 2] for number in range(0, len(said) - 1, 2)]
    return batch_of([talk.talk_of(pair, EVALUATED_S, snr_db, number) for number, pair in enumerate(pairs)])


def train(judge: Judge, bands: torch.Tensor, spoken: torch.Tensor) -> None:
    """Train on (clips, frames, BANDS) for STEPS batches."""
    optimizer = torch.optim.Adam(judge.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, STEPS)
    for step in range(1, STEPS + 1):
        chosen = torch.randint(len(bands), (BATCH,))
        scores = judge(bands[chosen]).squeeze(-1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, spoken[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step} of {STEPS}: loss {loss.item():.3f}", flush=True)


def report(detector: torch.nn.Module, name: str, snr_db: float) -> None:
    """Print how much of the speech is heard, and how much of the rest is taken for speech."""
    sound, spoken = evaluation_clips(snr_db)
    with torch.no_grad():
        answers = detector(sound).squeeze(-1) > 0
    heard = float(answers[spoken > 0].float().mean())
    false = float(answers[spoken == 0].float().mean())
    print(
        f"{name:9s} {snr_db:2.0f} dB: {heard:.1%} of the frames with speech, {false:.1%} of those without", flush=True
    )


def main(model: Path) -> None:
    """Train, quantize, compare and save."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    sound, spoken = training_clips()
    network = VoiceActivity()
    with torch.no_grad():
        network.log_bands(sound[: 4 * BATCH])  # sets the floor of the logarithm
        network.log_bands.eval()
        bands = torch.cat([network.log_bands(batch) for batch in sound.split(BATCH)])
    train(network.judge, bands, spoken)
    network.eval()

    quantized = fmot.ConvertedModel(network, batch_dim=0, seq_dim=1)
    quantized.set_input_details(0, -15)  # 1.0 is full scale of 16-bit sound
    chosen = torch.randperm(len(sound))[: CALIBRATION * OF_EACH]
    quantized.quantize(list(sound[chosen].split(OF_EACH)))
    for snr_db in SNRS_DB:
        report(network, "floats", snr_db)
        report(quantized, "quantized", snr_db)
    save_graph(quantized.trace(), model)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("voice_activity.pt"))
