"""What `vllama bench generate` measures, done by transformers: greedy answers of LlamaForCausalLM.

    vllama bench generate --save-model folder --batch 8
    python tools/bench/generate_peer.py --model folder --batch 8

Prompts are the same tokens, and answers are hashed in the same way: equal hashes are equal tokens.
"""

import argparse
import json
import statistics
import time

import torch
import transformers

BOS, FIRST_PLAIN_TOKEN = 1, 3


def prompts(arguments, vocabulary_size):
    num_plain = vocabulary_size - FIRST_PLAIN_TOKEN
    return torch.tensor(
        [
            [BOS]
            + [
                FIRST_PLAIN_TOKEN + (row * 7919 + place * 104729) % num_plain
                for place in range(1, arguments.prompt_tokens)
            ]
            for row in range(arguments.batch)
        ]
    )


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & ((1 << 64) - 1)
    return f"{value:016x}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", required=True, help="what --save-model wrote")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--prompt-tokens", type=int, default=64)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments = parser.parse_args()
    if arguments.threads > 0:
        torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    dtype = torch.bfloat16 if arguments.precision == "bf16" else torch.float32
    model = transformers.LlamaForCausalLM.from_pretrained(arguments.model, dtype=dtype)
    model = model.to(arguments.device).eval()
    ids = prompts(arguments, model.config.vocab_size).to(arguments.device)

    def answers():
        with torch.inference_mode():
            return model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=arguments.new_tokens,
                do_sample=False,
                eos_token_id=None,
                pad_token_id=0,
            )[:, ids.shape[1] :]

    answers()
    seconds = []
    for _ in range(arguments.rounds):
        begin = time.perf_counter()
        tokens = answers().tolist()
        seconds.append(time.perf_counter() - begin)
    whole = statistics.median(seconds)
    report = {
        "batch": arguments.batch,
        "threads": torch.get_num_threads(),
        "seconds": whole,
        "tokens_per_second": arguments.batch * arguments.new_tokens / whole,
        "token_hash": fnv1a("".join(f"{token} " for row in tokens for token in row)),
        "attention": model.config._attn_implementation,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
