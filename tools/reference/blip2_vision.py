"""Writes tests/golden/reference/blip2_vision.safetensors: transformers' Blip2VisionModel, under the
names of eva_vit_g.pth.

Run with torch 2.11 and transformers 4.57:  python tools/reference/blip2_vision.py
Video-LLaMA takes the tokens in front of the last block of the file, without the final norm, so here
they are recorded after block 2 of blocks 0 to 3. `grad.*` are gradients of sum(tokens * loss_weight).
"""

import re

import numpy
import torch
from transformers import Blip2VisionConfig, Blip2VisionModel, BlipImageProcessor

import golden_file

SIZES = {
    "image_size": 28,
    "patch_size": 7,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
NUM_BLOCKS_USED = 3
NUM_IMAGES = 2
RENAMED = [
    (r"^embeddings\.class_embedding$", "cls_token"),
    (r"^embeddings\.position_embedding$", "pos_embed"),
    (r"^embeddings\.patch_embedding\.", "patch_embed.proj."),
    (r"^encoder\.layers\.", "blocks."),
    (r"\.layer_norm([12])\.", r".norm\1."),
    (r"\.self_attn\.projection\.", ".attn.proj."),
    (r"\.self_attn\.", ".attn."),
]


def published(tensors):
    """The tensors under their published names; q_bias and v_bias are the outer thirds of a bias."""
    result = {}
    for name, tensor in tensors.items():
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        if name.endswith("attn.qkv.bias"):
            query, _, value = tensor.chunk(3)
            result[name.replace("qkv.bias", "q_bias")] = query
            result[name.replace("qkv.bias", "v_bias")] = value
        elif not name.startswith("post_layernorm"):
            result[name] = tensor
    return result


def main():
    torch.set_num_threads(1)
    torch.manual_seed(7)
    config = Blip2VisionConfig(**SIZES, layer_norm_eps=1e-6, hidden_act="gelu", qkv_bias=True)
    model = Blip2VisionModel._from_config(config, attn_implementation="eager")
    golden_file.fill_with_random_weights(model)
    for layer in model.encoder.layers:
        layer.self_attn.qkv.bias.data.chunk(3)[1].zero_()  # keys have no bias

    side = SIZES["image_size"]
    frames = numpy.random.default_rng(8).integers(0, 256, (NUM_IMAGES, side, side, 3), numpy.uint8)
    processor = BlipImageProcessor(do_resize=False)
    images = processor(list(frames), return_tensors="pt").pixel_values

    tokens = {}
    model.encoder.layers[NUM_BLOCKS_USED - 1].register_forward_hook(
        lambda module, _, output: tokens.update(used=output)
    )
    model(images)
    loss_weight = torch.randn(tokens["used"].shape)
    (tokens["used"] * loss_weight).sum().backward()

    parameters = dict(model.named_parameters())
    gradients = {name: p.grad for name, p in parameters.items() if p.grad is not None}
    tensors = (
        golden_file.with_prefix("state.", published(parameters))
        | golden_file.with_prefix("grad.", published(gradients))
        | {
            "frames": torch.from_numpy(frames),
            "images": images,
            "tokens": tokens["used"],
            "loss_weight": loss_weight,
        }
    )
    golden_file.save("blip2_vision", tensors, SIZES)


if __name__ == "__main__":
    main()
