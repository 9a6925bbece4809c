#!/usr/bin/env python3
"""Writes where clips start and end, in the exact fractions that the reference's sampler uses.

    python tools/reference/mel_clip_spans.py tests/golden/audio/mel_clip_spans.json

The duration is a float (samples / 16000); from there on pytorchvideo 0.1.5 (constant clips per
video) and ImageBind's data.py compute in fractions and cut to whole samples at the end.
Keys are "samples/clips", values are lists of [begin, end).
"""
import json
import sys
from fractions import Fraction

RATE = 16000
SECONDS = 2


def spans(num_samples, num_clips):
    duration = num_samples / RATE
    step = Fraction(max(duration - SECONDS, 0)) / num_clips
    starts = [step * clip for clip in range(num_clips)]
    return [[int(start * RATE), min(int((start + SECONDS) * RATE), num_samples)]
            for start in starts]


def main():
    lengths = [400, 31999, 32000, 32001, 32007, 32008, 48000, 65537, 160000, 160029, 161616,
               2900008, 57600000]
    lengths += [32000 + 13 * 8 * i for i in range(1, 60)]
    result = {f"{n}/{clips}": spans(n, clips) for n in lengths for clips in (3, 8)}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(f'"{key}": {json.dumps(value)}'
                                      for key, value in result.items()) + "\n}\n")


if __name__ == "__main__":
    main()
