"""A small run, made on the spot: random weights, five clips of two seconds, captions, a configuration."""
import os
import subprocess

SIZES = """\
vision:
  encoder: {image_size: 28, width: 16, num_blocks: 2, num_heads: 2, mlp_width: 32}
  image_q_former: {num_queries: 3, num_layers: 2, width: 16, num_heads: 2, mlp_width: 32, cross_attention_every: 2}
  video_q_former: {num_queries: 4, num_layers: 2, width: 16, num_heads: 2, mlp_width: 32, cross_attention_every: 1}
"""
LANGUAGE = "language: {width: 16, mlp_width: 32, num_layers: 2, num_heads: 2, max_positions: 64}\n"
RUN = """\
output_dir: {folder}/run
device: cpu
num_threads: 1
model:
  branches: vision
{sizes}
  weights:
    vision_encoder: {folder}/weights/eva_vit_g.pth
    q_former: {folder}/weights/blip2_qformer.pth
    language_model: {folder}/weights/llama
  precision: fp32
data:
  sets:
  - name: clips
    format: webvid
    annotations: {folder}/annotations
    media_root: {folder}/videos
    num_frames: 3
    sampling: headtail
  loader: {{num_workers: 2, queue_depth: 2}}
training: {{batch_size: 4, micro_batch_size: 1, num_epochs: 1, steps_per_epoch: {num_steps}}}
checkpoints: {{every_steps: 5, keep_last: 2}}
distributed: {{join_timeout_seconds: 20, timeout_seconds: 60, silence_seconds: 10}}
schedule: {{peak_learning_rate: 1e-2, warmup_steps: 2}}
"""


def make(folder, program, num_steps):
    """Makes what is not there yet; returns the path of the configuration."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    for name in ("annotations", "videos/page"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, "sizes.yaml"), "w") as file:
        file.write(SIZES + LANGUAGE)
    tokenizer = os.path.join(root, "tests/golden/text/llama_tokenizer.model")
    subprocess.run([program, "make-weights", os.path.join(folder, "sizes.yaml"),
                    os.path.join(folder, "weights"), "--tokenizer", tokenizer],
                   check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "annotations/clips.csv"), "w") as captions:
        captions.write("videoid,page_dir,name\n")
        for clip in range(5):
            captions.write(f"clip{clip},page,caption number {clip} of a moving pattern\n")
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
                            "testsrc2=size=64x48:rate=10:duration=2", "-vf", f"hue=h={60 * clip}",
                            "-pix_fmt", "yuv420p", os.path.join(folder, f"videos/page/clip{clip}.mp4")],
                           check=True)
    config = os.path.join(folder, "run.yaml")
    sizes = "\n".join("  " + line for line in SIZES.splitlines())
    with open(config, "w") as file:
        file.write(RUN.format(folder=folder, sizes=sizes, num_steps=num_steps))
    return config
