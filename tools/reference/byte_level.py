"""Writes tests/golden/text/byte_level/*: small byte-level vocabularies with the rules of SmolLM2, Llama 3 and Qwen, and
what the library `tokenizers` makes of lines in many scripts: with special tokens counting, as in a template, and
without, as in what users write.

Run with tokenizers 0.22:  python tools/reference/byte_level.py
`python tools/reference/byte_level.py MODEL_FOLDER VLLAMA` compares 20,000 lines of a real model's vocabulary with the
program instead, and writes nothing.
"""
import json
import pathlib
import subprocess
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from text_lines import lines

FOLDER = pathlib.Path(__file__).parents[2] / "tests/golden/text/byte_level"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level(False)])


KINDS = {
    "digits": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)]),
    "llama3": split(LLAMA3),
    "qwen2": split(QWEN2),
}


def vocabulary(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    tokenizer.pre_tokenizer = KINDS[name]
    tokenizer.decoder = decoders.ByteLevel()
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(
        vocab_size=700, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(lines(4000, seed=1), trainer)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<|im_start|>", "<|im_end|>")])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False)])
    return tokenizer


def readers(tokenizer):
    """Of templates, in which special tokens count, and of users."""
    pair = []
    for counts in (True, False):
        reader = Tokenizer.from_str(tokenizer.to_str())
        reader.encode_special_tokens = not counts
        pair.append(reader)
    return pair


def recorded(tokenizer, count, seed):
    for_templates, for_users = readers(tokenizer)
    for text in lines(count, seed):
        ids = [reader.encode(text, add_special_tokens=False).ids for reader in (for_templates, for_users)]
        yield {"text": text, "ids": ids[0]} | ({} if ids[0] == ids[1] else {"users": ids[1]})


def record(name):
    tokenizer = vocabulary(name)
    content = json.loads(tokenizer.to_str())
    if name == "llama3":  # the older spelling
        content["model"]["merges"] = [" ".join(merge) for merge in content["model"]["merges"]]
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False) + "\n")
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>"}\n')
    with open(folder / "lines.jsonl", "w") as file:
        for line in recorded(tokenizer, 250, seed=2):
            file.write(json.dumps(line) + "\n")


def compare(model, program):
    tokenizer = Tokenizer.from_file(f"{model}/tokenizer.json")
    # A line end would make two texts of one on the program's standard input.
    texts = [text.replace("\n", " ").replace("\r", " ") for text in lines(20000, seed=7)]
    for reader, options in zip(readers(tokenizer), (["--template-text"], [])):
        output = subprocess.run(
            [program, "tokenize", model, "--json", *options], input="\n".join(texts), text=True, capture_output=True
        ).stdout
        found = [json.loads(line)["ids"] for line in output.splitlines()]
        expected = [reader.encode(text, add_special_tokens=False).ids for text in texts]
        different = [i for i, ids in enumerate(expected) if i >= len(found) or found[i] != ids]
        print(f"{len(texts)} lines, {len(different)} different", *(repr(texts[i]) for i in different[:3]))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        compare(*sys.argv[1:])
    else:
        for kind in KINDS:
            record(kind)
