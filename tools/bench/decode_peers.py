#!/usr/bin/env python3
"""Compares `vllama bench decode` with torchcodec and decord: CPU time per clip, one thread each.

Every reader opens each clip and returns the same uniform frames at 224x224, resized in the way the
library itself offers. Without files, clips like those of WebVid are made with ffmpeg.

    tools/bench/decode_peers.py [--vllama build/release/vllama] [FILE...]

Needs Python packages torchcodec and eva-decord (or decord).
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time


def make_clips(folder):
    """x264 clips with B-frames, two key frames each, moving content with noise."""
    clips = []
    for number, seconds in enumerate((10, 13, 17)):
        path = folder / f"clip{number}.mp4"
        source = f"testsrc2=size=596x336:rate=25:duration={seconds}"
        motion = (
            f"rotate=t/{number + 3}:fillcolor=gray,"
            f"noise=alls=12:allf=t:all_seed={number},gblur=sigma=1"
        )
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-vf", motion]
            + ["-c:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p"]
            + ["-g", "250", "-bf", "2", "-refs", "3", str(path)],
            check=True,
        )
        clips.append(path)
    return clips


def uniform(num_frames, count):
    return [i * num_frames // count for i in range(count)]


def decord_reader(size):
    import decord

    def read(path, count):
        reader = decord.VideoReader(
            str(path), ctx=decord.cpu(0), width=size, height=size, num_threads=1
        )
        return reader.get_batch(uniform(len(reader), count)).asnumpy()

    return read


def torchcodec_reader(size, seek_mode):
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    def read(path, count):
        decoder = VideoDecoder(
            str(path),
            num_ffmpeg_threads=1,
            seek_mode=seek_mode,
            dimension_order="NHWC",
            transforms=[Resize((size, size))],
        )
        return decoder.get_frames_at(uniform(len(decoder), count)).data

    return read


def best_cpu_seconds(read, path, count, repeat):
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        frames = read(path, count)
        best = min(best, time.process_time() - start)
        assert tuple(frames.shape)[0] == count, frames.shape
    return best


def peer_seconds(name, make_reader, clips, arguments):
    try:
        read = make_reader()
        read(clips[0], arguments.frames)  # libraries load lazily
    except Exception as error:  # a peer that cannot run is left out, visibly
        print(f"{name}: not measured ({error})")
        return None
    return [best_cpu_seconds(read, clip, arguments.frames, arguments.repeat) for clip in clips]


def our_seconds(clips, arguments):
    command = [arguments.vllama, "bench", "decode", "--json", "--repeat", str(arguments.repeat)]
    command += ["--frames", str(arguments.frames), "--size", str(arguments.size)]
    output = subprocess.run(
        command + [str(clip) for clip in clips], check=True, capture_output=True, text=True
    ).stdout
    report = json.loads(output)
    return {
        "vllama": [clip["ours_cpu_seconds"] for clip in report["clips"]],
        "plain full decoding": [clip["plain_cpu_seconds"] for clip in report["clips"]],
    }


def measure(clips, arguments):
    seconds = our_seconds(clips, arguments)
    peers = {
        "decord": lambda: decord_reader(arguments.size),
        "torchcodec": lambda: torchcodec_reader(arguments.size, "exact"),
        "torchcodec (approximate seek)": lambda: torchcodec_reader(arguments.size, "approximate"),
    }
    for name, make_reader in peers.items():
        found = peer_seconds(name, make_reader, clips, arguments)
        if found is not None:
            seconds[name] = found
    return seconds


def print_table(seconds, clips):
    ours = sum(seconds["vllama"])
    print(f"{'reader':32} {'clips/s/core':>12} {'vllama is':>10}   ms per clip")
    for name, values in seconds.items():
        each = " ".join(f"{value * 1e3:7.1f}" for value in values)
        rate = len(clips) / sum(values)
        print(f"{name:32} {rate:12.2f} {sum(values) / ours:9.2f}x   {each}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--vllama", default="build/release/vllama")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = arguments.files or make_clips(pathlib.Path(folder))
        print_table(measure(clips, arguments), clips)


if __name__ == "__main__":
    main()
