"""Writes tests/golden/reference/image_bind.safetensors: ImageBind's image and audio encoders, put
together from torch.nn's own layers, under the names of imagebind_huge.pth.

Run with torch 2.11:  python tools/reference/image_bind.py
What the paper's layers are made of here: the picture, twice in time, goes through torch.nn.Conv3d; the
learned extra key and value are those of torch.nn.MultiheadAttention(add_bias_kv=True). Recorded are
unit vectors: the audio factor is not applied. The mel values are those of half precision.
"""

import torch
from torch import nn

import golden_file

EMBEDDING_WIDTH = 10
VISION = {"image_size": 42, "patch_size": 7, "width": 16, "num_heads": 2, "mlp_width": 40}
AUDIO = {"kernel_size": 16, "stride": 12, "width": 12, "num_heads": 3, "mlp_width": 32}
NUM_BLOCKS = 2
MEL_SHAPE = (2, 1, 128, 204)


class Block(nn.Module):
    def __init__(self, sizes, has_extra_key):
        super().__init__()
        width = sizes["width"]
        self.attn = nn.MultiheadAttention(
            width, sizes["num_heads"], add_bias_kv=has_extra_key, batch_first=True
        )
        self.norm_1 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.ModuleDict(
            {
                "fc1": nn.Linear(width, sizes["mlp_width"]),
                "fc2": nn.Linear(sizes["mlp_width"], width),
            }
        )
        self.norm_2 = nn.LayerNorm(width, eps=1e-6)

    def forward(self, tokens):
        normed = self.norm_1(tokens)
        tokens = tokens + self.attn(normed, normed, normed, need_weights=False)[0]
        hidden = nn.functional.gelu(self.mlp["fc1"](self.norm_2(tokens)))
        return tokens + self.mlp["fc2"](hidden)


def head(width):
    # The layer between the two takes the class token, which comes first.
    return nn.Sequential(
        nn.LayerNorm(width, eps=1e-6), nn.Identity(), nn.Linear(width, EMBEDDING_WIDTH, bias=False)
    )


class Encoder(nn.Module):
    def __init__(self, sizes, stem, num_patches, has_extra_key):
        super().__init__()
        width = sizes["width"]
        self.stem = stem
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + num_patches, width))
        self.blocks = nn.ModuleList(Block(sizes, has_extra_key) for _ in range(NUM_BLOCKS))
        self.head = head(width)

    def embed(self, patches):
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        return tokens + self.pos_embed

    def finish(self, tokens):
        for block in self.blocks:
            tokens = block(tokens)
        return nn.functional.normalize(self.head(tokens)[:, 0], dim=-1)


class VisionEncoder(Encoder):
    def __init__(self):
        patch = VISION["patch_size"]
        stem = nn.Conv3d(3, VISION["width"], (2, patch, patch), (2, patch, patch), bias=False)
        super().__init__(VISION, stem, (VISION["image_size"] // patch) ** 2, False)
        self.pre_transformer_layer = nn.LayerNorm(VISION["width"], eps=1e-6)

    def forward(self, images):
        patches = self.stem(torch.stack([images, images], dim=2)).flatten(2).transpose(1, 2)
        return self.finish(self.pre_transformer_layer(self.embed(patches)))


class AudioEncoder(Encoder):
    def __init__(self):
        kernel, stride = AUDIO["kernel_size"], AUDIO["stride"]
        stem = nn.Conv2d(1, AUDIO["width"], kernel, stride, bias=False)
        rows, columns = ((side - kernel) // stride + 1 for side in MEL_SHAPE[2:])
        super().__init__(AUDIO, stem, rows * columns, True)
        self.patch_norm = nn.LayerNorm(AUDIO["width"])

    def forward(self, mel):
        patches = self.patch_norm(self.stem(mel).flatten(2).transpose(1, 2))
        return self.finish(self.embed(patches))


def published(modality, stem, tensors):
    """The tensors under the names of imagebind_huge.pth."""
    beginnings = {
        "stem.": f"modality_preprocessors.{modality}.rgbt_stem.{stem}.",
        "patch_norm.": f"modality_preprocessors.{modality}.rgbt_stem.norm_layer.",
        "cls_token": f"modality_preprocessors.{modality}.cls_token",
        "pos_embed": f"modality_preprocessors.{modality}.pos_embedding_helper.pos_embed",
        "pre_transformer_layer.": f"modality_trunks.{modality}.pre_transformer_layer.0.",
        "blocks.": f"modality_trunks.{modality}.blocks.",
        "head.": f"modality_heads.{modality}.",
    }
    result = {}
    for name, tensor in tensors.items():
        old = next(beginning for beginning in beginnings if name.startswith(beginning))
        result[beginnings[old] + name.removeprefix(old)] = tensor
    return result


def main():
    torch.set_num_threads(1)
    torch.manual_seed(31)
    vision, audio = VisionEncoder(), AudioEncoder()
    tensors = {
        "images": torch.randn(3, 3, VISION["image_size"], VISION["image_size"]),
        "mel": torch.randn(MEL_SHAPE).half(),
    }
    for module in (vision, audio):
        golden_file.fill_with_random_weights(module)
    with torch.no_grad():
        tensors["image_embeddings"] = vision(tensors["images"])
        tensors["sound_embeddings"] = audio(tensors["mel"].float())
    state = published("vision", "proj.1", dict(vision.named_parameters())) | published(
        "audio", "proj", dict(audio.named_parameters())
    )
    tensors |= golden_file.with_prefix("state.", state)
    golden_file.save("image_bind", tensors, f"vision {VISION}, audio {AUDIO}")


if __name__ == "__main__":
    main()
