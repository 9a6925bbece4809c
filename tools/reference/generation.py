"""Writes tests/golden/reference/generation.json, and generation_families.json for LLaMA's relatives: answers
of transformers' generate() for the models that llama.py recorded (greedy, repetition penalty, beam search), and what its logits warpers leave
to draw from.

Run with torch 2.11 and transformers 4.57:  python tools/reference/generation.py
Where there is a repetition penalty, prompts are given as embeddings, as a prompt with media is, so
that it sees the answer only. (Embeddings of a single token confuse generate().) Every model ends its answers with several different tokens, so that some end early.
"""

import json

import safetensors.torch
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.generation import logits_process

import golden_file

MODELS = ["grouped", "linear", "llama3", "biased"]
FAMILIES = ["qwen2", "qwen3", "mistral"]
PROMPT_LENGTHS = [2, 9, 24]
MAX_NEW_TOKENS = 24
SEARCHES = [
    {"num_beams": 1},
    {"num_beams": 1, "repetition_penalty": 1.5},
    {"num_beams": 2},
    {"num_beams": 4},
    {"num_beams": 4, "length_penalty": 0.0},
    {"num_beams": 4, "length_penalty": 2.0},
    {"num_beams": 3, "length_penalty": -1.0},
    {"num_beams": 3, "repetition_penalty": 1.3},
]
DRAWS = [
    {"temperature": 1.0, "top_k": 0, "top_p": 1.0},
    {"temperature": 0.5, "top_k": 0, "top_p": 0.9},
    {"temperature": 1.0, "top_k": 50, "top_p": 0.9},
    {"temperature": 2.0, "top_k": 7, "top_p": 1.0},
    {"temperature": 0.7, "top_k": 20, "top_p": 0.6},
    {"temperature": 1.0, "top_k": 50, "top_p": 0.01},
]


def load(name):
    path = golden_file.FOLDER / f"llama_{name}.config.json"
    config = AutoConfig.for_model(**json.loads(path.read_text()))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    tensors = safetensors.torch.load_file(golden_file.FOLDER / f"llama_{name}.safetensors")
    state = {key[6:]: value for key, value in tensors.items() if key.startswith("state.")}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("lm_head" in key for key in missing), (missing, unexpected)
    return model


def answers(name, generator):
    model = load(name)
    for length in PROMPT_LENGTHS:
        prompt = torch.randint(3, model.config.vocab_size, (1, length), generator=generator)
        with torch.inference_mode():
            as_ids = {"input_ids": prompt}
            as_embeddings = {"inputs_embeds": model.model.embed_tokens(prompt)}
            free = model.generate(
                **as_embeddings, max_new_tokens=MAX_NEW_TOKENS, do_sample=False, eos_token_id=None
            )[0].tolist()
            for end_token in [2, free[4], free[11]]:
                for search in SEARCHES:
                    inputs = as_embeddings if "repetition_penalty" in search else as_ids
                    output = model.generate(
                        **inputs,
                        attention_mask=torch.ones_like(prompt),
                        max_new_tokens=MAX_NEW_TOKENS,
                        do_sample=False,
                        eos_token_id=end_token,
                        pad_token_id=0,
                        **search,
                    )[0].tolist()
                    if inputs is as_ids:
                        output = output[length:]
                    yield {
                        "model": name,
                        "prompt": prompt[0].tolist(),
                        "end_token": end_token,
                        "search": search,
                        "ids": output,
                    }


def draws(generator):
    for settings in DRAWS:
        logits = 3 * torch.randn(1, 90, generator=generator)
        scores = logits_process.TemperatureLogitsWarper(settings["temperature"])(None, logits)
        if settings["top_k"] > 0:
            scores = logits_process.TopKLogitsWarper(settings["top_k"])(None, scores)
        if settings["top_p"] < 1:
            scores = logits_process.TopPLogitsWarper(settings["top_p"])(None, scores)
        probabilities, ids = torch.softmax(scores[0], 0).sort(descending=True)
        kept = int((probabilities > 0).sum())
        yield {
            "settings": settings,
            "logits": logits[0].tolist(),
            "ids": ids[:kept].tolist(),
            "probabilities": probabilities[:kept].tolist(),
        }


def write(name, models, with_draws, seed):
    generator = torch.Generator().manual_seed(seed)
    content = {
        "origin": f"tools/reference/generation.py with torch {torch.__version__}, "
        f"transformers {transformers.__version__}, fp32 on a CPU",
        "max_new_tokens": MAX_NEW_TOKENS,
        "answers": [case for model in models for case in answers(model, generator)],
    }
    if with_draws:
        content["draws"] = list(draws(generator))
    path = golden_file.FOLDER / name
    path.write_text(json.dumps(content) + "\n")
    lengths = sorted({len(case["ids"]) for case in content["answers"]})
    print(f"{path.name}: {len(content['answers'])} answers of {lengths} tokens")


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    write("generation.json", MODELS, True, 1)
    write("generation_families.json", FAMILIES, False, 2)


if __name__ == "__main__":
    main()
