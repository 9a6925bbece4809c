"""The model of docs/scaling.md: the time of a training step against GPUs and networks.

scaling_tables.py prints what it says. Every constant stands in docs/scaling.md with its origin: derived,
cited or assumed. Times are in seconds, sizes in bytes, rates per second.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from statistics import NormalDist

GPUS_PER_NODE = 8
RATES = {"396": 396e12, "790": 790e12}  # FLOP/s sustained in large products
MEMORY_RATE = 3.35e12  # of the GPU's memory
SMALLEST_STEP = 0.012  # time to launch a micro-batch's kernels
NVLINK = 300e9  # what a collective gets out of NVLink
NETWORK_SHARE = 0.85  # of the line rate that arrives
NVLINK_LATENCY, NETWORK_LATENCY = 3e-6, 15e-6  # of one message
NETWORKS = {"25 Gb/s": 25e9, "100 Gb/s": 100e9, "400 Gb/s": 400e9, "8 x 400 Gb/s": 3200e9}
SPEED_SPREAD, STEP_SPREAD = 0.02, 0.01  # standard deviations: between GPUs, from step to step
CORES_PER_GPU, CLIPS_PER_CORE, IMAGES_PER_CORE = 16, 9.0, 100.0
GPU_COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


@dataclass(frozen=True)
class Language:
    name: str
    layers: int
    width: int
    mlp: int
    vocabulary: int = 32000

    def layer_parameters(self):
        return 4 * self.width**2 + 3 * self.width * self.mlp + 2 * self.width

    def parameters(self):
        return self.layers * self.layer_parameters() + 2 * self.vocabulary * self.width + self.width

    def forward(self, tokens):  # matrices, and causal attention
        linears = 2 * tokens * self.layers * (self.layer_parameters() - 2 * self.width)
        return linears + self.attention(tokens)

    def attention(self, tokens):
        return 2 * tokens**2 * self.width * self.layers

    def backward(self, tokens):  # gradients of activations only
        return self.forward(tokens) + 1.5 * self.attention(tokens)

    def logits(self, tokens):  # forward and backward
        return 4 * tokens * self.width * self.vocabulary


SEVEN, THIRTEEN = Language("7B", 32, 4096, 11008), Language("13B", 40, 5120, 13824)
THIRTY_THREE = Language("33B", 60, 6656, 17920)


@dataclass(frozen=True)
class Recipe:
    name: str
    video_share: float  # of the steps
    batch: int  # of a GPU, as published on 8
    trained: int  # parameters
    tokens: float  # mean of a sample
    token_spread: float  # standard deviation
    frame_encoder: float  # FLOP of a frame in the frozen encoders
    video_q_former: float  # FLOP of a video in the trained part, forward and backward
    image_q_former: float
    encoder_parameters: int
    samples: int  # of the whole published run
    language: Language = SEVEN

    def global_batch(self):
        return 8 * self.batch


def vit_frame():
    n, d, f, layers = 257, 1408, 6144, 39
    return layers * (2 * n * (4 * d * d + 2 * d * f) + 4 * n * n * d) + 2 * 256 * 588 * d


def image_q_former_frame():
    h = 768
    own = 12 * (2 * 32 * 4 * h * h + 4 * 32**2 * h + 2 * 32 * 2 * h * 3072)
    return own + 6 * (2 * 32 * 2 * h * h + 2 * 257 * 2 * 1408 * h + 4 * 32 * 257 * h)


def image_bind_frame():
    n, d, layers = 257, 1280, 32
    return layers * (2 * n * 12 * d * d + 4 * n * n * d) + 2 * 256 * 1176 * d + 2 * d * 1024


def trained_part(queries, states, state_width, language):
    h = 768
    own = 2 * queries * 4 * h * h + 4 * queries**2 * h + 2 * queries * 2 * h * 3072
    cross = 2 * queries * 2 * h * h + 2 * states * 2 * state_width * h + 4 * queries * states * h
    return 3 * (2 * (own + cross) + 2 * queries * h * language.width)


def vision(name, batch, tokens, spread, video_share, samples):
    frame = vit_frame() + image_q_former_frame()
    part = [trained_part(32, 32 * frames, 768, SEVEN) for frames in (8, 1)]
    encoders = 985_894_528 + 2_816 + 105_137_664 + 24_576
    return Recipe(
        name, video_share, batch, 22_104_064, tokens, spread, frame, *part, encoders, samples
    )


def audio(name, batch, tokens, spread, video_share, samples):
    part = [trained_part(8, frames, 1024, SEVEN) for frames in (8, 1)]
    return Recipe(
        name,
        video_share,
        batch,
        22_855_680,
        tokens,
        spread,
        image_bind_frame(),
        *part,
        632_829_440,
        samples,
    )


RECIPES = [
    vision("VL stage 1", 32, 58, 5, 100 / 124, 3_200_000),
    vision("VL stage 2", 4, 250, 100, 1 / 3, 96_000),
    audio("AL stage 1", 32, 34, 5, 100 / 124, 6_400_000),
    audio("AL stage 2", 4, 226, 100, 1 / 3, 96_000),
]


def sample_flops(recipe, is_video, tokens=None):
    tokens = tokens or recipe.tokens
    language = recipe.language
    frames = 8 if is_video else 1
    encoders = frames * recipe.frame_encoder
    trained = recipe.video_q_former if is_video else recipe.image_q_former
    return (
        encoders,
        trained,
        language.forward(tokens),
        language.backward(tokens),
        language.logits(tokens),
    )


def micro_batch_seconds(recipe, is_video, samples, rate):
    """Parts one after the other, each as long as its arithmetic or as the reading of its weights."""
    flops = [samples * part for part in sample_flops(recipe, is_video)]
    language = 2 * recipe.language.parameters()
    reads = [2 * recipe.encoder_parameters, 3 * 4 * recipe.trained, language, language, 0]
    parts = [max(f / rate, r / MEMORY_RATE) for f, r in zip(flops, reads)]
    return max(SMALLEST_STEP, sum(parts)), parts


def optimizer_seconds(recipe):
    return 44 * recipe.trained / MEMORY_RATE


@lru_cache(maxsize=None)
def expected_maximum(count):
    """Of `count` independent standard normal numbers."""
    if count == 1:
        return 0.0
    normal, low, high, steps = NormalDist(), -8.0, 9.0, 6000
    width = (high - low) / steps
    total = 0.0
    for i in range(steps + 1):
        x = low + i * width
        weight = 1 if i in (0, steps) else (4 if i % 2 else 2)
        total += weight * x * count * normal.pdf(x) * normal.cdf(x) ** (count - 1)
    return total * width / 3


def rank_seconds(recipe, is_video, local_batch, rate):
    """Mean and standard deviation over ranks of a step without communication."""
    num_micro = math.ceil(local_batch / recipe.batch)
    mean = num_micro * micro_batch_seconds(recipe, is_video, local_batch / num_micro, rate)[0]
    mean += optimizer_seconds(recipe)
    language = recipe.language
    per_token = (language.forward(1) + language.backward(1) + language.logits(1)) / rate
    length = per_token * recipe.token_spread * math.sqrt(local_batch)
    return mean, math.hypot(length, SPEED_SPREAD * mean, STEP_SPREAD * mean)


def ring_seconds(num_bytes, members, bandwidth, latency):
    return 2 * (members - 1) * (num_bytes / members / bandwidth + latency)


def tree_seconds(num_bytes, members, bandwidth, latency):
    return (
        2 * num_bytes / bandwidth + 2 * math.ceil(math.log2(members)) * latency
        if members > 1
        else 0.0
    )


def all_reduce_seconds(num_bytes, gpus, network):
    """In three stages: within nodes, between nodes (the quicker of ring and tree), within nodes."""
    local = min(gpus, GPUS_PER_NODE)
    nodes = max(1, gpus // GPUS_PER_NODE)
    inside = ring_seconds(num_bytes, local, NVLINK, NVLINK_LATENCY)
    bandwidth = NETWORK_SHARE * network / 8
    between = min(
        algorithm(num_bytes, nodes, bandwidth, NETWORK_LATENCY)
        for algorithm in (ring_seconds, tree_seconds)
    )
    return inside + between


@dataclass(frozen=True)
class Step:
    seconds: float
    compute: float  # of the mean rank
    waiting: float  # of the mean rank, for the slowest
    communication: float  # not hidden


def step(recipe, gpus, local_batch, rate, network, overlap=False):
    shares = [(True, recipe.video_share), (False, 1 - recipe.video_share)]
    compute = waiting = communication = 0.0
    reduce = all_reduce_seconds(4 * recipe.trained, gpus, network)
    for is_video, share in shares:
        mean, spread = rank_seconds(recipe, is_video, local_batch, rate)
        hidden = 0.0
        if overlap:  # behind the frozen encoders, which need no trained weight
            hidden = micro_batch_seconds(recipe, is_video, min(local_batch, recipe.batch), rate)[1][
                0
            ]
        compute += share * mean
        waiting += share * spread * expected_maximum(gpus)
        communication += share * max(0.0, reduce - hidden)
    return Step(compute + waiting + communication, compute, waiting, communication)


def decode_cores(recipe, rate):
    """Of one GPU that computes all the time."""
    per_sample = recipe.video_share / CLIPS_PER_CORE + (1 - recipe.video_share) / IMAGES_PER_CORE
    return recipe.batch * per_sample / step(recipe, 1, recipe.batch, rate, 1e12).compute


def weak_efficiency(recipe, gpus, rate, network, overlap=False):
    """Against one GPU that computes all the time."""
    alone = step(recipe, 1, recipe.batch, rate, network).compute
    return alone / step(recipe, gpus, recipe.batch, rate, network, overlap).seconds


def strong_step(recipe, gpus, rate, network):
    return step(recipe, gpus, recipe.global_batch() / gpus, rate, network)


def strong_efficiency(recipe, gpus, rate, network):
    alone = strong_step(recipe, 1, rate, network).compute
    return alone / gpus / strong_step(recipe, gpus, rate, network).seconds


def simulated_waiting(gpus, by_length, trials=40):
    """Of stage 2 with 4 samples a GPU: how far the longest share lies above the mean one, in tokens."""
    draws, longest, mean = Random(17), 0.0, 0.0
    for _ in range(trials):
        lengths = [min(512, max(60, draws.gauss(250, 100))) for _ in range(4 * gpus)]
        if by_length:  # there and back, so that the longest meets the shortest
            lengths.sort()
            lengths = [
                lengths[turn * gpus + (i if turn % 2 == 0 else gpus - 1 - i)]
                for turn in range(4)
                for i in range(gpus)
            ]
        sums = [sum(lengths[rank::gpus]) for rank in range(gpus)]
        longest += max(sums)
        mean += sum(sums) / gpus
    return longest / mean - 1
