#!/usr/bin/env python3
"""Recordings of spoken digits as data sets: make_data.py spoken_digits.tar FOLDER [SEED]

Writes FOLDER/digits with the recordings, FOLDER/sequences with some of one speaker behind one another, and for both
annotations to train on and questions to ask. Two of the six speakers are only asked about. The archive holds mono WAV
files named DIGIT_SPEAKER_TAKE.wav."""

import json
import random
import sys
import tarfile
import wave
from pathlib import Path

HELD_OUT = ("theo", "yweweler")
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
QUESTION = "Which digit is spoken?"
SEQUENCE_QUESTION = "Which digits are spoken?"
NUM_TAKES = 10  # of each digit and speaker, as single recordings; sequences are made of all
NUM_SEQUENCES = {"train": 600, "test": 100}
MOST_DIGITS = 4
LONGEST_SECONDS = 4.0
PAUSE_SECONDS = (0.05, 0.3)


def unpack(archive, folder):
    """The recordings of each speaker: [(name, digit)]."""
    folder.mkdir(parents=True, exist_ok=True)
    speakers = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            if not member.isfile() or not name.endswith(".wav"):
                continue
            digit, speaker, _ = name.split("_")
            (folder / name).write_bytes(tar.extractfile(member).read())
            speakers.setdefault(speaker, []).append((name, int(digit)))
    return {speaker: sorted(recordings) for speaker, recordings in sorted(speakers.items())}


def read_samples(file):
    with wave.open(str(file)) as sound:
        return sound.readframes(sound.getnframes()), sound.getparams()


def write_sequence(target, files, draws):
    """Recordings with pauses between them; returns how many were taken before it would be too long."""
    samples, params = read_samples(files[0])
    num_taken = 1
    most_bytes = int(LONGEST_SECONDS * params.framerate) * params.sampwidth
    for file in files[1:]:
        pause = int(draws.uniform(*PAUSE_SECONDS) * params.framerate) * params.sampwidth
        more = bytes(pause) + read_samples(file)[0]
        if len(samples) + len(more) > most_bytes:
            break
        samples += more
        num_taken += 1
    with wave.open(str(target), "wb") as sound:
        sound.setparams(params)
        sound.writeframes(samples)
    return num_taken


def sequences(folder, recordings, speakers, part, draws):
    """[(name, digits)] of new sequences, for a part of the data."""
    made = []
    for number in range(NUM_SEQUENCES[part]):
        chosen = draws.choices(recordings[draws.choice(speakers)], k=draws.randint(1, MOST_DIGITS))
        name = f"{part}_{number:04d}.wav"
        files = [folder / "digits" / file for file, _ in chosen]
        num_taken = write_sequence(folder / "sequences" / name, files, draws)
        made.append((name, [digit for _, digit in chosen[:num_taken]]))
    return made


def first_takes(recordings, speakers):
    return [
        (name, digit)
        for speaker in speakers
        for name, digit in recordings[speaker]
        if int(Path(name).stem.split("_")[2]) < NUM_TAKES
    ]


def as_sequences(recordings):
    return [(name, [digit]) for name, digit in recordings]


def write_lines(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_conversations(file, question, sounds):
    """To train on: the sound, the question, and the words for the digits."""
    rows = []
    for name, digits in sounds:
        answer = " ".join(WORDS[digit] for digit in digits) + "."
        content = [{"audio": name}, {"text": question}]
        rows.append(
            {
                "id": Path(name).stem,
                "messages": [
                    {"role": "user", "content": content},
                    {"role": "assistant", "content": [{"text": answer}]},
                ],
            }
        )
    write_lines(file, rows)


def write_questions(file, question, sounds):
    rows = []
    for name, digits in sounds:
        answer = " ".join(WORDS[digit] for digit in digits) + "."
        kind = f"{len(digits)} digits" if len(digits) > 1 else WORDS[digits[0]]
        rows.append(
            {"id": Path(name).stem, "sound": name, "question": question, "answer": answer, "type": kind}
        )
    write_lines(file, rows)


def main():
    archive, folder = Path(sys.argv[1]), Path(sys.argv[2])
    draws = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    recordings = unpack(archive, folder / "digits")
    known = [speaker for speaker in recordings if speaker not in HELD_OUT]
    (folder / "sequences").mkdir(exist_ok=True)
    train = first_takes(recordings, known)
    test = first_takes(recordings, HELD_OUT)
    write_conversations(folder / "digits_train.jsonl", QUESTION, as_sequences(train))
    write_questions(folder / "digits_test.jsonl", QUESTION, as_sequences(test))
    made = sequences(folder, recordings, known, "train", draws)
    write_conversations(folder / "sequences_train.jsonl", SEQUENCE_QUESTION, made)
    made = sequences(folder, recordings, list(HELD_OUT), "test", draws)
    write_questions(folder / "sequences_test.jsonl", SEQUENCE_QUESTION, made)
    print(f"{len(train)} recordings to train on, {len(test)} of other speakers to ask about")


main()
