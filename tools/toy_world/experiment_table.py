"""What experiments.py trains, evaluates and shows.

RUNS: name -> {"config": RUN.yaml, "set": [...]}, one `vllama train` for each seed, into FOLDER/seed_<n>/<name>.
EVALUATIONS: name -> {"config": EVAL.yaml, "model": a run, "set": [...]}, one `vllama eval` for each seed, into
FOLDER/seed_<n>/eval_<name>. Without "model", "set" says what is asked.
In "set", {weights:RUN} stands for what the newest checkpoint of a run of the same seed trained, {folder:RUN} for its
folder; so runs and evaluations come after those that they need.

EXPERIMENTS: a list of {
  "name":    for --only
  "title", "claim": what the page says
  "metric":  of report.json, by default first_option
  "types":   question types, a group of bars (or a panel of lines) each; none: all questions as one
  "plot":    "bars", or "lines" over "x" of the arms, with "x_label"; arms of the same "series" are one line
  "arms":    what is compared: [{"name", "evaluation", "task": a task of its EVAL.yaml, "x", "series", "metric"}]
}
Chance and majority are drawn from the reports, where metrics have them.
"""
SEEDS = [1, 2, 3]

APPEARANCE = ["colour", "kind", "size", "count", "field"]
TIME = ["order", "direction", "speed", "mover"]
VISUAL = APPEARANCE + TIME + ["present", "bound"]
AUDIBLE = ["sound", "source", "heard", "sound_order", "source_order"]
FRAMES = [4, 8, 16, 32, 64]

STAGE1, STAGE2 = "configs/toy/vision_stage1.yaml", "configs/toy/vision_stage2.yaml"
AUDIO1, AUDIO2 = "configs/toy/audio_stage1.yaml", "configs/toy/audio_stage2.yaml"
FROM = "model.weights.vision_checkpoint={weights:%s}"
AUDIO_FROM = "model.weights.audio_checkpoint={weights:%s}"
NO_POSITIONS = "model.vision.frame_positions=none"
PUBLISHED = "model.audio.embedding_scale=published"

RUNS = {
    "vision_stage1": {"config": STAGE1},
    "vision_stage2": {"config": STAGE2, "set": [FROM % "vision_stage1"]},
    # As many steps as both stages have together.
    "vision_stage2_alone": {"config": STAGE2,
                            "set": ['model.weights.vision_checkpoint=""', "training.steps_per_epoch=1400"]},
    "no_positions_stage1": {"config": STAGE1, "set": [NO_POSITIONS]},
    "no_positions": {"config": STAGE2, "set": [NO_POSITIONS, FROM % "no_positions_stage1"]},
    "videos_stage1": {"config": STAGE1, "set": ["data.sets.1.weight=0"]},
    "videos_only": {"config": STAGE2,
                    "set": ["data.sets.0.weight=0", "data.sets.1.weight=0", FROM % "videos_stage1"]},
    "images_stage1": {"config": STAGE1, "set": ["data.sets.0.weight=0", "data.sets.2.weight=0"]},
    "images_only": {"config": STAGE2,
                    "set": ["data.sets.2.weight=0", "data.sets.3.weight=0", FROM % "images_stage1"]},
    "audio_stage1": {"config": AUDIO1},
    "audio_stage2": {"config": AUDIO2, "set": [AUDIO_FROM % "audio_stage1"]},
    "published_audio_stage1": {"config": AUDIO1, "set": [PUBLISHED]},
    "published_audio": {"config": AUDIO2, "set": [PUBLISHED, AUDIO_FROM % "published_audio_stage1"]},
    "audio_on_sound": {"config": "configs/toy/audio_on_sound.yaml"},
}

VIDEO = "configs/toy/eval_video.yaml"  # tasks: seen, unseen, other_clip, no_media, shuffled, reversed, probes
HEARING = "configs/toy/eval_hearing.yaml"  # tasks: hearing, other_sound, no_media
LONG = "configs/toy/eval_long.yaml"  # one task, long, of long clips


def spread(num_frames):
    """Positions of any number of frames, spread over the eight that were trained."""
    return ["model_changes=[model.vision.frame_positions=interpolated, model.vision.position_rows=8]",
            f"prompt.num_frames={num_frames}"]


EVALUATIONS = {
    "vision": {"config": VIDEO, "model": "vision_stage2"},
    "stage1": {"config": VIDEO, "model": "vision_stage1"},
    "stage2_alone": {"config": VIDEO, "model": "vision_stage2_alone"},
    "no_positions": {"config": VIDEO, "model": "no_positions"},
    "videos_only": {"config": VIDEO, "model": "videos_only"},
    "images_only": {"config": VIDEO, "model": "images_only"},
    "audio": {"config": HEARING, "model": "audio_stage2"},
    "published_audio": {"config": HEARING, "model": "published_audio"},
    "audio_on_sound": {"config": HEARING, "model": "audio_on_sound"},
    **{f"long_{count}": {"config": LONG, "model": "vision_stage2", "set": spread(count)} for count in FRAMES},
    **{f"long_{count}_table": {"config": LONG, "model": "vision_stage2", "set": [f"prompt.num_frames={count}"]}
       for count in FRAMES if count <= 32},
}


def arm(name, evaluation, task, **more):
    return {"name": name, "evaluation": evaluation, "task": task, **more}


EXPERIMENTS = [
    {"name": "blind", "title": "Seeing against guessing",
     "claim": "The trained model answers far above the same model shown another clip, its language model alone, and "
              "the commonest answer; clips with combinations it never met are no harder.",
     "types": VISUAL,
     "arms": [arm("seen", "vision", "seen"), arm("held-out pairs", "vision", "unseen"),
              arm("another clip", "vision", "other_clip"), arm("no clip", "vision", "no_media")]},
    {"name": "time", "title": "Time",
     "claim": "Without frame positions, or with frames shuffled or reversed, questions about time collapse; those "
              "about appearance do not.",
     "types": TIME + APPEARANCE,
     "arms": [arm("in order", "vision", "seen"), arm("shuffled", "vision", "shuffled"),
              arm("reversed", "vision", "reversed"), arm("trained without positions", "no_positions", "seen")]},
    {"name": "stages", "title": "Two stages",
     "claim": "Stage 2 follows instructions, and stage 1 helps it.",
     "types": VISUAL,
     "arms": [arm("both stages", "vision", "seen"), arm("stage 1 alone", "stage1", "seen"),
              arm("stage 2 alone", "stage2_alone", "seen")]},
    {"name": "images_and_videos", "title": "Images and videos",
     "claim": "Image and video data help each other.",
     "types": VISUAL,
     "arms": [arm("both", "vision", "seen"), arm("videos alone", "videos_only", "seen"),
              arm("images alone", "images_only", "seen")]},
    {"name": "hearing", "title": "Hearing without having heard",
     "claim": "An audio branch that trained on pictures alone answers questions about sounds.",
     "types": AUDIBLE,
     "arms": [arm("trained on frames", "audio", "hearing"), arm("another sound", "audio", "other_sound"),
              arm("no sound", "audio", "no_media"),
              arm("published scales", "published_audio", "hearing"),
              arm("trained on sound", "audio_on_sound", "hearing")]},
    {"name": "hallucination", "title": "Things that are not there",
     "claim": "Yes/no questions, half of them about what is not there, before and after stage 2.",
     "metric": "accuracy",
     "arms": [arm("stage 1", "stage1", "probes"), arm("both stages", "vision", "probes"),
              arm("both stages: share of yes", "vision", "probes", metric="yes_share")]},
    {"name": "long_video", "title": "Long clips",
     "claim": "Accuracy against the number of frames, by a model that trained with eight.",
     "types": ["order", "direction", "colour", "count"], "plot": "lines", "x_label": "frames",
     "arms": [arm(f"spread, {count}", f"long_{count}", "long", x=count, series="positions spread over 8")
              for count in FRAMES] +
             [arm(f"table, {count}", f"long_{count}_table", "long", x=count, series="positions by number")
              for count in FRAMES if count <= 32]},
]
