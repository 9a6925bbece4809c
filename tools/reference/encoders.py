"""Writes tests/golden/reference/{siglip,clip,whisper}.safetensors: the encoders of today as transformers
computes them, with random weights of the published layout, and Whisper's mel spectrograms.

Run with torch 2.11, transformers 4.57.6:  python tools/reference/encoders.py
Of each tower: what comes behind its last norm, behind the last block but one (as LLaVA reads it), and at another
resolution, whose positions are interpolated; and the gradients of the first. CLIP's class token is left out.
"""

import numpy
import torch
import transformers
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

import golden_file

SIZES = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "patch_size": 7,
    "image_size": 38,
}
OTHER_IMAGE_SIZE = 49
WHISPER = {"num_mel_bins": 16, "d_model": 24, "encoder_layers": 2, "encoder_attention_heads": 3}
WHISPER_POSITIONS = 50
PIECE_SECONDS = 1
SOUNDS = {"short_128": (128, 3_001), "whole_80": (80, 16_000)}  # mel bins, samples


def with_gradients(module, output, tensors):
    weight = torch.randn_like(output)
    (output * weight).sum().backward()
    tensors["loss_weight"] = weight
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            tensors["grad." + name] = parameter.grad


def record_tower(name, model, num_class_tokens):
    golden_file.fill_with_random_weights(model)
    model.eval()

    def patches(states):
        return states[:, num_class_tokens:]

    tensors = golden_file.with_prefix("state.", dict(model.state_dict()))
    tensors = {key: value for key, value in tensors.items() if not key.endswith("position_ids")}
    images = torch.randint(0, 256, (2, SIZES["image_size"], SIZES["image_size"], 3), dtype=torch.uint8)
    larger = torch.randint(0, 256, (1, OTHER_IMAGE_SIZE, OTHER_IMAGE_SIZE, 3), dtype=torch.uint8)
    pixels = {"siglip": siglip_pixels, "clip": clip_pixels}[name]
    states = model(pixels(images), output_hidden_states=True)
    # CLIP's last_hidden_state lies before the norm, which transformers applies to the class token.
    output = patches(states.last_hidden_state)
    if name == "clip":
        output = model.vision_model.post_layernorm(output)
    with_gradients(model, output, tensors)
    resized = model(pixels(larger), interpolate_pos_encoding=True).last_hidden_state
    resized = patches(resized)
    if name == "clip":
        resized = model.vision_model.post_layernorm(resized)
    tensors |= {
        "images_u8": images,
        "larger_u8": larger,
        "output": output,
        "last_but_one": patches(states.hidden_states[-2]),
        "last_block": patches(states.hidden_states[-1]),
        "larger_output": resized,
    }
    golden_file.save(name, tensors, str(SIZES))


def siglip_pixels(images):
    return (images / 127.5 - 1).permute(0, 3, 1, 2)


def clip_pixels(images):
    mean, deviation = torch.tensor(OPENAI_CLIP_MEAN), torch.tensor(OPENAI_CLIP_STD)
    return ((images / 255 - mean) / deviation).permute(0, 3, 1, 2)


def record_whisper():
    config = transformers.WhisperConfig(
        **WHISPER,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=3,
        decoder_ffn_dim=40,
        max_source_positions=WHISPER_POSITIONS,
        vocab_size=60,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    )
    model = transformers.WhisperForConditionalGeneration(config).eval()
    golden_file.fill_with_random_weights(model)
    encoder = model.model.encoder
    tensors = golden_file.with_prefix("state.model.encoder.", dict(encoder.state_dict()))
    mel = torch.randn(2, WHISPER["num_mel_bins"], 2 * WHISPER_POSITIONS)
    for parameter in encoder.parameters():
        parameter.requires_grad_(True)
    output = encoder(mel).last_hidden_state
    gradients = {}
    with_gradients(encoder, output, gradients)
    tensors["loss_weight"] = gradients.pop("loss_weight")
    tensors |= {key.replace("grad.", "grad.model.encoder."): value for key, value in gradients.items()}
    tensors |= {"mel": mel, "output": output}
    for name, (bins, count) in SOUNDS.items():
        extractor = transformers.WhisperFeatureExtractor(feature_size=bins, chunk_length=PIECE_SECONDS)
        times = numpy.arange(count) / 16_000
        tone = 0.3 * numpy.sin(2 * numpy.pi * (300 + 2000 * times) * times)
        sound = (tone + 0.02 * numpy.random.randn(count)).astype(numpy.float32)
        features = extractor(sound, sampling_rate=16_000, return_tensors="pt")
        tensors[name + ".sound"] = torch.from_numpy(sound)
        tensors[name + ".mel"] = features.input_features[0]
    golden_file.save("whisper", tensors, f"{WHISPER}, {WHISPER_POSITIONS} positions")


def main():
    torch.manual_seed(5)
    numpy.random.seed(5)
    siglip = transformers.SiglipVisionModel(
        transformers.SiglipVisionConfig(**SIZES, vision_use_head=False)
    )
    record_tower("siglip", siglip, 0)
    record_tower("clip", transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**SIZES)), 1)
    record_whisper()


main()
