"""Compares the prompts of a family with those that a model's own chat template writes:

    python tools/reference/chat_template.py MODEL_FOLDER VLLAMA [FAMILY]

Run with jinja2. The folder has chat_template.jinja, or chat_template in tokenizer_config.json. Conversations with and
without a system text are rendered as transformers does it; VLLAMA lays the questions and answers out (`tokenize --chat`),
whose ids must be those of the rendered text. Templates that put more in front of a conversation (dates, a default
system text) differ there, and are told."""

import json
import pathlib
import subprocess
import sys

import jinja2
import jinja2.sandbox

CONVERSATIONS = [
    [("What is in the picture?", "A dog.")],
    [("Who?", "Me."), ("And why?\nSay it.", "Because  of that.\n\nYes.")],
    [("", "Nothing."), ("user assistant system", "###")],
]


def read_template(folder):
    own = folder / "chat_template.jinja"
    if own.is_file():
        return own.read_text()
    return json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]


def token(config, name):
    value = config.get(name)
    return value["content"] if isinstance(value, dict) else value or ""


def rendered(folder, turns):
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)

    def refuse(message):
        raise jinja2.TemplateError(message)

    environment.globals["raise_exception"] = refuse
    config = json.loads((folder / "tokenizer_config.json").read_text())
    messages = []
    for question, answer in turns:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return environment.from_string(read_template(folder)).render(
        messages=messages,
        add_generation_prompt=False,
        enable_thinking=False,
        bos_token=token(config, "bos_token"),
        eos_token=token(config, "eos_token"),
    )


def run(program, *arguments):
    output = subprocess.run([program, "tokenize", "--json", *arguments], capture_output=True, check=True)
    return json.loads(output.stdout)


def main():
    folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    family = ["--template", sys.argv[3]] if len(sys.argv) > 3 else []
    different = 0
    for turns in CONVERSATIONS:
        expected = rendered(folder, turns)
        texts = [text for turn in turns for text in turn]
        found = run(program, str(folder), "--chat", *family, "--", *texts)
        # What a template puts behind the last end is in front of a next turn here.
        if found["text"].rstrip() != expected.rstrip():
            different += 1
            print(f"rendered {expected!r}\nlaid out {found['text']!r}")
    print(f"{len(CONVERSATIONS)} conversations, {different} different")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
