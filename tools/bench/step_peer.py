"""One optimizer step of the vision branch in PyTorch with modules of transformers: what
`vllama bench step` is compared with. The mathematics is the same; the code is what a careful user of
those libraries writes: frozen parts without autograd, fused attention, a fused optimizer, captions
padded on the right.

    python tools/bench/step_peer.py --config 100m --steps 10 --threads 2
"""

import argparse
import json
import resource
import statistics
import time

import torch
import transformers
from torch import nn
from transformers import (
    Blip2QFormerConfig,
    Blip2QFormerModel,
    Blip2VisionConfig,
    Blip2VisionModel,
    LlamaConfig,
    LlamaForCausalLM,
)

# The sizes of tools/bench/step_model.cpp.
SIZES = {
    "tiny": {
        "vision": {"image_size": 56, "hidden_size": 48, "num_hidden_layers": 2,
                   "num_attention_heads": 4, "intermediate_size": 192},
        "q_former": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
                     "intermediate_size": 128},
        "num_queries": 8,
        "language": {"vocab_size": 1000, "hidden_size": 64, "num_hidden_layers": 2,
                     "num_attention_heads": 4, "intermediate_size": 172},
    },
    "100m": {
        "vision": {"image_size": 224, "hidden_size": 192, "num_hidden_layers": 6,
                   "num_attention_heads": 3, "intermediate_size": 768},
        "q_former": {"hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 3,
                     "intermediate_size": 768},
        "num_queries": 32,
        "language": {"vocab_size": 32000, "hidden_size": 640, "num_hidden_layers": 10,
                     "num_attention_heads": 10, "intermediate_size": 1728},
    },
    "video-llama-7b": {
        "vision": {"image_size": 224, "hidden_size": 1408, "num_hidden_layers": 39,
                   "num_attention_heads": 16, "intermediate_size": 6144},
        "q_former": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
                     "intermediate_size": 3072},
        "num_queries": 32,
        "language": {"vocab_size": 32000, "hidden_size": 4096, "num_hidden_layers": 32,
                     "num_attention_heads": 32, "intermediate_size": 11008},
    },
}
VIDEO_Q_FORMER_LAYERS = 2
MAX_FRAME_POSITIONS = 32
IGNORED = -100
PIXEL_MEAN = [0.48145466, 0.4578275, 0.40821073]
PIXEL_DEVIATION = [0.26862954, 0.26130258, 0.27577711]


def frozen(module, dtype):
    return module.eval().requires_grad_(False).to(dtype)


class VideoLlama(nn.Module):
    def __init__(self, sizes, dtype):
        super().__init__()
        q_former, num_queries = sizes["q_former"], sizes["num_queries"]
        vision_width, width = sizes["vision"]["hidden_size"], q_former["hidden_size"]
        language_width = sizes["language"]["hidden_size"]
        common = {"layer_norm_eps": 1e-12, "use_qformer_text_input": False}

        vision = Blip2VisionConfig(**sizes["vision"], patch_size=14)
        self.vision = frozen(Blip2VisionModel._from_config(vision, attn_implementation="sdpa"), dtype)
        self.vision_norm = frozen(nn.LayerNorm(vision_width), dtype)
        image_config = Blip2QFormerConfig(
            **q_former, **common, encoder_hidden_size=vision_width, cross_attention_frequency=2
        )
        self.image_q_former = frozen(Blip2QFormerModel(image_config), dtype)
        self.image_queries = nn.Parameter(
            torch.randn(1, num_queries, width, dtype=dtype) * 0.02, requires_grad=False
        )
        video_config = Blip2QFormerConfig(
            **(q_former | {"num_hidden_layers": VIDEO_Q_FORMER_LAYERS}),
            **common, encoder_hidden_size=width, cross_attention_frequency=1,
        )
        self.frame_positions = nn.Embedding(MAX_FRAME_POSITIONS, width)
        self.video_q_former = Blip2QFormerModel(video_config).train()
        self.video_queries = nn.Parameter(torch.randn(1, num_queries, width) * 0.02)
        self.projection = nn.Linear(width, language_width)
        language = LlamaConfig(**sizes["language"], max_position_embeddings=2048)
        self.language_model = frozen(
            LlamaForCausalLM._from_config(language, attn_implementation="sdpa"), dtype
        )
        self.register_buffer("pixel_mean", torch.tensor(PIXEL_MEAN).view(3, 1, 1))
        self.register_buffer("pixel_deviation", torch.tensor(PIXEL_DEVIATION).view(3, 1, 1))

    @torch.no_grad()
    def encode_frames(self, frames_FHWC):
        pixels = frames_FHWC.permute(0, 3, 1, 2).float().div(255)
        pixels = (pixels - self.pixel_mean) / self.pixel_deviation
        embedded = self.vision.embeddings(pixels.to(self.image_queries.dtype))
        return self.vision_norm(self.vision.encoder(inputs_embeds=embedded).last_hidden_state)

    def embed_clips(self, states, num_clips):
        with torch.no_grad():
            frames = self.image_q_former(
                query_embeds=self.image_queries.expand(len(states), -1, -1),
                encoder_hidden_states=states,
            ).last_hidden_state
        clips = frames.float().view(num_clips, -1, *frames.shape[1:])
        positions = self.frame_positions(torch.arange(clips.shape[1], device=clips.device))
        placed = (clips + positions[None, :, None]).flatten(1, 2)
        queries = self.video_queries.expand(num_clips, -1, -1)
        output = self.video_q_former(query_embeds=queries, encoder_hidden_states=placed)
        return self.projection(output.last_hidden_state)

    def loss(self, media, token_ids, attention_mask):
        """token_ids [B, 1 + caption], BOS first; the media stand behind BOS."""
        embed = self.language_model.model.embed_tokens
        with torch.no_grad():
            text = embed(token_ids)
        inputs = torch.cat([text[:, :1], media.to(text.dtype), text[:, 1:]], dim=1)
        captions = token_ids[:, 1:].masked_fill(attention_mask[:, 1:] == 0, IGNORED)
        ignored = captions.new_full((len(captions), 1 + media.shape[1]), IGNORED)
        seen = attention_mask.new_ones(media.shape[:2])
        mask = torch.cat([attention_mask[:, :1], seen, attention_mask[:, 1:]], dim=1)
        return self.language_model(
            inputs_embeds=inputs,
            attention_mask=mask,
            labels=torch.cat([ignored, captions], dim=1),
            use_cache=False,
        ).loss


class Stopwatch:
    """Adds up the time between laps, by name."""

    def __init__(self, device):
        self.device, self.laps, self.last = device, {}, None

    def now(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def start(self):
        self.last = self.now()

    def lap(self, name):
        now = self.now()
        self.laps.setdefault(name, []).append(now - self.last)
        self.last = now


def run(arguments):
    device = torch.device(arguments.device)
    sizes = SIZES[arguments.config]
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[arguments.precision]
    with torch.device(device):
        model = VideoLlama(sizes, dtype)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.05, fused=True)
    side = sizes["vision"]["image_size"]
    num_frames = arguments.batch * arguments.frames
    watch = Stopwatch(device)
    for step in range(arguments.warmup + arguments.steps):
        generator = torch.Generator().manual_seed(step)
        frames = torch.randint(0, 256, (num_frames, side, side, 3), generator=generator)
        frames = frames.to(device, torch.uint8)
        shape = (arguments.batch, 1 + arguments.caption_tokens)
        token_ids = torch.randint(3, sizes["language"]["vocab_size"], shape, generator=generator)
        token_ids = token_ids.to(device)
        attention_mask = torch.ones_like(token_ids)
        if step == arguments.warmup:
            watch.laps.clear()
        watch.start()
        states = model.encode_frames(frames)
        watch.lap("vision")
        media = model.embed_clips(states, arguments.batch)
        watch.lap("q_former")
        loss = model.loss(media, token_ids, attention_mask)
        watch.lap("llm_forward")
        loss.backward()
        watch.lap("backward")
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        watch.lap("optimizer")
    return model, loss, watch.laps


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", choices=SIZES, default="100m")
    parser.add_argument("--batch", type=int, default=4, help="clips")
    parser.add_argument("--frames", type=int, default=8, help="frames a clip")
    parser.add_argument("--caption-tokens", type=int, default=26)
    parser.add_argument("--steps", type=int, default=10, help="timed steps")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)

    model, loss, laps = run(arguments)
    totals = [sum(parts) for parts in zip(*laps.values())]
    report = {
        "config": arguments.config,
        "seconds_per_step": statistics.median(totals),
        "seconds": {name: statistics.median(times) for name, times in laps.items()},
        "loss": loss.item(),
        "num_parameters": sum(p.numel() for p in model.parameters()),
        "num_trained": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "threads": arguments.threads,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }
    if arguments.device != "cpu":
        report["peak_device_bytes"] = torch.cuda.max_memory_allocated()
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
