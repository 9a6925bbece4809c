#!/usr/bin/env python3
"""Makes the small sound files of the audio tests and writes what FFmpeg's command decodes from them.

    python tools/reference/mel_media.py tests/golden/audio [FIXTURES]

With a folder of fixtures, their values are written too. Files that exist are kept, because encoders
change between versions; what counts is that decoding gives these values. Needs ffmpeg 5.1, numpy.
"""
import json
import pathlib
import subprocess
import sys

import numpy

NUM_KEPT = 32
SWEEP = "0.3*sin(2*PI*(200*t+900*t*t))"
TONE = "0.2*sin(2*PI*330*t)"
SIX_TONES = "|".join(f"0.2*sin(2*PI*{hz}*t)" for hz in (200, 330, 500, 60, 700, 900))
EXACT = ["-bitexact", "-fflags", "+bitexact"]

# name: (expression, rate, seconds, encoder settings)
MADE = {
    "aac_44k_stereo.m4a": (f"{SWEEP}|{TONE}", 44100, 0.7, ["-c:a", "aac", "-b:a", "48k"]),
    "aac_8k_mono.mp4": (SWEEP, 8000, 0.7, ["-c:a", "aac", "-b:a", "16k"]),
    "flac_16k_mono.flac": (SWEEP, 16000, 0.3, ["-c:a", "flac", "-sample_fmt", "s16"]),
    "mp3_22k_mono.mp3": (SWEEP, 22050, 0.7, ["-c:a", "libmp3lame", "-b:a", "32k"]),
    "opus_48k_5.1.webm": (f"{SIX_TONES}:c=5.1", 48000, 0.5, ["-c:a", "libopus", "-b:a", "48k"]),
    "pcm_u8_11k_mono.wav": (TONE, 11025, 0.3, ["-c:a", "pcm_u8"]),
    "pcm_s32_96k_9_channels.wav": ("|".join(f"0.1*{i}" for i in range(1, 10)), 96000, 0.003,
                                   ["-c:a", "pcm_s32le"]),
}
# Streams in which rate and channels change: the second file follows the first.
JOINED = {"aac_changing.aac": [(f"{SWEEP}|{TONE}", 44100), (SWEEP, 22050)]}
# Stream of the fixtures with sound; nasa_13013.mp4 holds two.
FIXTURES = {"applausing.mp4": 1, "audio_only_opus.mp4": 0, "boat.mp4": 1, "dog_barking.mp4": 1,
            "nasa_13013.mp4": 4, "sine_mono_s16.wav": 0, "skateboarding_dog.mp4": 1,
            "FwVYUHKoLtQ_000034.wav": 0}


def ffmpeg(*arguments):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True,
                          stdout=subprocess.PIPE).stdout


def encode(expression, rate, seconds, settings):
    source, _, layout = expression.partition(":")
    layout = f":{layout}" if layout else ""
    return ["-f", "lavfi", "-i", f"aevalsrc={source}:s={rate}:d={seconds}{layout}", *settings,
            *EXACT]


def make(folder):
    for name, parts in MADE.items():
        if not (folder / name).exists():
            ffmpeg(*encode(*parts), str(folder / name))
    for name, parts in JOINED.items():
        if not (folder / name).exists():
            settings = ["-c:a", "aac", "-b:a", "32k", "-f", "adts"]
            (folder / name).write_bytes(b"".join(
                ffmpeg(*encode(expression, rate, 0.3, settings), "-")
                for expression, rate in parts))


def facts(path, stream):
    described = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=index,sample_rate,channels", "-of",
         "json", str(path)], check=True, stdout=subprocess.PIPE).stdout
    found = [s for s in json.loads(described)["streams"] if s["index"] == stream][0]
    raw = ffmpeg("-i", str(path), "-map", f"0:{stream}", "-f", "f32le", "-")
    samples = numpy.frombuffer(raw, "<f4").reshape(-1, found["channels"]).T
    flat = samples.flatten()
    indices = [(7919 * i * i + 31 * i) % flat.size for i in range(NUM_KEPT)]
    return {"rate": int(found["sample_rate"]), "size": list(samples.shape),
            "sum_of_squares": float(numpy.square(flat.astype("f8")).sum()),
            "exact": {"indices": indices, "values": [float(flat[i]) for i in indices]}}


def main():
    folder = pathlib.Path(sys.argv[1])
    make(folder)
    result = {"made": {name: facts(folder / name, 0) for name in MADE}}
    if len(sys.argv) > 2:
        fixtures = pathlib.Path(sys.argv[2])
        result["fixtures"] = {name: facts(fixtures / name, stream)
                              for name, stream in FIXTURES.items()}
    with open(folder / "mel_media.json", "w", encoding="utf-8") as file:
        groups = [f'"{key}": {{\n' + ",\n".join(f'"{name}": {json.dumps(value)}'
                                               for name, value in group.items()) + "\n}"
                  for key, group in result.items()]
        file.write("{\n" + ",\n".join(groups) + "\n}\n")


if __name__ == "__main__":
    main()
