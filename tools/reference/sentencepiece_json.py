"""Writes tests/golden/text/sentencepiece/*: a small SentencePiece vocabulary as tokenizer.model, the tokenizer.json that
transformers converts it to, and what the library `tokenizers` makes of lines in many scripts, in the two ways in which
such files put a mark in front of a text: in front of every stretch between special tokens, or of the first alone.

Run with tokenizers 0.22, transformers 4.57, sentencepiece:  python tools/reference/sentencepiece_json.py
`python tools/reference/sentencepiece_json.py TOKENIZER_MODEL VLLAMA` compares 20,000 lines of a real vocabulary with
the program instead, and writes nothing.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from transformers import LlamaTokenizer
from transformers.convert_slow_tokenizer import convert_slow_tokenizer

from text_lines import lines

FOLDER = pathlib.Path(__file__).parents[2] / "tests/golden/text/sentencepiece"
MARKED = ["<s>Hi</s> there", "a</s>b", "<unk> x", "[INST] Hi[/INST] yes</s>[INST]and[/INST]"]


def train(folder):
    text = folder / "lines.txt"
    # Of Latin letters alone: characters of other scripts are spelled in bytes.
    latin = ("".join(c for c in line if c.isprintable() and ord(c) < 0x250) for line in lines(4000, seed=1))
    text.write_text("\n".join(latin), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=1200,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=1.0,
        control_symbols=["[INST]", "[/INST]"],
        minloglevel=2,
    )


def converted(model):
    """Behind every special token a mark, as the slow tokenizer has it."""
    slow = LlamaTokenizer(str(model), legacy=True)
    slow.add_special_tokens({"additional_special_tokens": ["[INST]", "[/INST]"]})
    tokenizer = convert_slow_tokenizer(slow)
    tokenizer.add_special_tokens([AddedToken("<unk>", normalized=False)])
    return tokenizer


def of_today(tokenizer):
    content = json.loads(tokenizer.to_str())
    content["normalizer"] = None
    changed = Tokenizer.from_str(json.dumps(content))
    changed.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="first", split=False)
    return changed


def ids_of(tokenizer, text, counts=True):
    tokenizer.encode_special_tokens = not counts
    return tokenizer.encode(text, add_special_tokens=False).ids


def record(folder, tokenizer):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}\n')
    rows = []
    for line in MARKED + list(lines(300, seed=2)):
        row = {"text": line, "ids": ids_of(tokenizer, line)}
        users = ids_of(tokenizer, line, counts=False)
        if users != row["ids"]:
            row["users"] = users
        rows.append(json.dumps(row, ensure_ascii=True))
    (folder / "lines.jsonl").write_text("\n".join(rows) + "\n")


def compare(model, program):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tokenizer = convert_slow_tokenizer(LlamaTokenizer(model, legacy=True))
        tokenizer.add_special_tokens([AddedToken("<unk>", normalized=False)])
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}\n')
        texts = [line for line in lines(20_000, seed=3) if "\n" not in line and "\r" not in line]
        found = subprocess.run(
            [program, "tokenize", str(folder), "--template-text", "--json"],
            input="".join(text + "\n" for text in texts).encode(), capture_output=True, check=True,
        ).stdout.splitlines()
        different = 0
        for text, line in zip(texts, found, strict=True):
            if json.loads(line)["ids"] != ids_of(tokenizer, text):
                different += 1
                if different < 5:
                    print(repr(text), json.loads(line)["ids"], ids_of(tokenizer, text))
        print(f"{len(texts)} lines, {different} different")


def main():
    if len(sys.argv) > 1:
        return compare(*sys.argv[1:])
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        train(pathlib.Path(name))
        model = pathlib.Path(name) / "tokenizer.model"
        tokenizer = converted(model)
        (FOLDER / "always").mkdir(exist_ok=True)
        (FOLDER / "always/tokenizer.model").write_bytes(model.read_bytes())
    record(FOLDER / "always", tokenizer)
    record(FOLDER / "first", of_today(tokenizer))


main()
