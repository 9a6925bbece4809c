#!/usr/bin/env python3
"""Writes the reference values for the audio front end, computed by torchaudio.

    python tools/reference/mel_fbank.py tests/golden/audio/mel_fbank.json

The signals are formulas of integers (see signal()), so that the test makes the same ones without a
file. For each case a scatter of values is kept, with sums over all of them, both from
torchaudio.functional.resample and torchaudio.compliance.kaldi.fbank in double precision ("exact")
and the largest difference that the same functions show in single precision.
Needs torch and torchaudio 2.11.
"""
import json
import sys

import torch
import torchaudio

NUM_KEPT = 64


def signal(kind, num_samples, rate):
    """The test's signals; noise is a 32-bit linear congruential generator (Numerical Recipes)."""
    if kind == "noise":
        state, values = 1, []
        for _ in range(num_samples):
            state = (1664525 * state + 1013904223) % 2**32
            values.append((state >> 16) / 32768.0 - 1.0)
        return torch.tensor(values, dtype=torch.float64)
    time = torch.arange(num_samples, dtype=torch.float64) / rate
    if kind == "sweep":  # 50 Hz to 7 kHz, quiet
        length = num_samples / rate
        return 0.01 * torch.sin(2 * torch.pi * (50 * time + 3475 * time**2 / length))
    if kind == "tone":
        return 0.5 * torch.sin(2 * torch.pi * 440 * time)
    if kind == "silence":
        return torch.zeros(num_samples, dtype=torch.float64)
    raise ValueError(kind)


def fbank(samples):
    return torchaudio.compliance.kaldi.fbank(
        samples[None], htk_compat=True, sample_frequency=16000, use_energy=False,
        window_type="hanning", num_mel_bins=128, dither=0.0, frame_length=25, frame_shift=10)


def scattered(tensor):
    flat = tensor.flatten()
    indices = [(7919 * i * i + 31 * i) % flat.numel() for i in range(NUM_KEPT)]
    return {"indices": indices, "values": [flat[i].item() for i in indices],
            "size": list(tensor.shape), "sum": flat.sum().item(),
            "sum_of_squares": flat.square().sum().item()}


def spread(single, double):
    return (single.double() - double).abs().max().item()


def mel_case(kind, num_samples):
    samples = signal(kind, num_samples, 16000).float()
    exact = fbank(samples.double())
    return {"signal": kind, "num_samples": num_samples, "exact": scattered(exact),
            "single_precision_difference": spread(fbank(samples), exact)}


def resample_case(kind, num_samples, rate):
    samples = signal(kind, num_samples, rate).float()
    exact = torchaudio.functional.resample(samples.double(), rate, 16000)
    single = torchaudio.functional.resample(samples, rate, 16000)
    return {"signal": kind, "num_samples": num_samples, "rate": rate, "exact": scattered(exact),
            "single_precision_difference": spread(single, exact)}


def lines(value):
    """JSON with one line for each case."""
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]"


def main():
    # The filter bank's floor is the epsilon of the dtype; the reference program works in single
    # precision, so double precision must keep that floor.
    single_epsilon = torch.tensor(torch.finfo(torch.float32).eps)
    torchaudio.compliance.kaldi._get_epsilon = lambda device, dtype: single_epsilon.to(device, dtype)
    result = {
        "torchaudio": torchaudio.__version__.split("+")[0],
        "mel": [mel_case("noise", 32000), mel_case("noise", 400), mel_case("noise", 559),
                mel_case("sweep", 32000), mel_case("tone", 32000), mel_case("silence", 32000)],
        "resample": [resample_case("noise", n, rate) for n, rate in
                     [(44100, 44100), (8000, 8000), (48000, 48000), (22050, 22050), (11025, 11025),
                      (24000, 24000), (32000, 32000), (96000, 96000), (192000, 192000),
                      (44101, 44101), (1, 44100), (2, 8000), (441, 44100), (442, 44100)]],
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(f'"{key}": {lines(value)}' for key, value in result.items())
                   + "\n}\n")


if __name__ == "__main__":
    main()
