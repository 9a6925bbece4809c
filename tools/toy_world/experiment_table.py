"""What experiments.py makes, trains, evaluates and shows.

INPUTS: folders of what all runs read apart from worlds; when a file in them changes, nothing counts as done.
WORLDS: name -> {"folder", "options"} of `vllama toy-world`. The first is there for everything else.
RUNS: name -> {"config": RUN.yaml, "set": [...]}, one `vllama train` for each seed, into FOLDER/seed_<n>/<name>.
EVALUATIONS: name -> {"config": EVAL.yaml, "model": a run, "set": [...]}, one `vllama eval` for each seed, into
FOLDER/seed_<n>/eval_<name>. Without "model", the configuration or "set" says what is asked.
In "set", {weights:RUN} stands for what the newest checkpoint of a run of the same seed trained, {folder:RUN} for its
folder, {world:NAME} for that of a world; so all come after those that they need.

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
LONG_SECONDS = [8, 16, 32, 64]
CLIPS = [100, 300, 1000]

INPUTS = ["toy_world/weights"]
WORLDS = {
    "all": {"folder": "toy/world", "options": ["--seed", "1", "--long", "100"]},
    # The beginnings of the first, of which the annotations alone are used.
    **{f"first_{count}": {"folder": f"toy/world_{count}",
                          "options": ["--seed", "1", "--videos", str(count), "--images", str(count // 3), "--movers",
                                      str(count // 3), "--test", "1", "--sounds", "0"]} for count in CLIPS},
}

MOTION = "configs/toy/vision_motion.yaml"
STAGE1, STAGE2 = "configs/toy/vision_stage1.yaml", "configs/toy/vision_stage2.yaml"
AUDIO1, AUDIO2 = "configs/toy/audio_stage1.yaml", "configs/toy/audio_stage2.yaml"
FROM = "model.weights.vision_checkpoint={weights:%s}"
FROM_NOTHING = 'model.weights.vision_checkpoint=""'
AUDIO_FROM = "model.weights.audio_checkpoint={weights:%s}"
NO_POSITIONS = "model.vision.frame_positions=none"
PUBLISHED = "model.audio.embedding_scale=published"


def without(*sets):
    return [f"data.sets.{number}.weight=0" for number in sets]


def steps(count):
    return f"training.steps_per_epoch={count}"


def first_of(count, *files):
    """Annotations of the first so many clips, for the data sets of a recipe in their order; None: as in the recipe."""
    return [f"data.sets.{number}.annotations={{world:first_{count}}}/annotations/{file}"
            for number, file in enumerate(files) if file]


def trained_on(count):
    """All recipes of the vision branch on fewer clips."""
    return {
        f"motion_{count}": {"config": MOTION, "set": first_of(count, "movers.json")},
        f"stage1_{count}": {"config": STAGE1, "set": [FROM % f"motion_{count}", *first_of(
            count, "webvid.csv", "chat.json", "movers.csv")]},
        f"stage2_{count}": {"config": STAGE2, "set": [FROM % f"stage1_{count}", *first_of(
            count, "filter_cap.json", "llava_instruct.json", "videochat_instruct.json", "movers.json",
            "videochat_time.json")]},
    }


RUNS = {
    "vision_motion": {"config": MOTION},
    "vision_stage1": {"config": STAGE1, "set": [FROM % "vision_motion"]},
    "vision_stage2": {"config": STAGE2, "set": [FROM % "vision_stage1"]},
    "no_motion_stage1": {"config": STAGE1, "set": [FROM_NOTHING]},
    "no_motion": {"config": STAGE2, "set": [FROM % "no_motion_stage1"]},
    # As many steps as both stages have together.
    "stage2_alone": {"config": STAGE2, "set": [FROM % "vision_motion", steps(1800)]},
    "no_positions_motion": {"config": MOTION, "set": [NO_POSITIONS]},
    "no_positions_stage1": {"config": STAGE1, "set": [NO_POSITIONS, FROM % "no_positions_motion"]},
    "no_positions": {"config": STAGE2, "set": [NO_POSITIONS, FROM % "no_positions_stage1"]},
    "videos_stage1": {"config": STAGE1, "set": [FROM % "vision_motion", *without(1)]},
    "videos_only": {"config": STAGE2, "set": [FROM % "videos_stage1", *without(0, 1)]},
    "images_stage1": {"config": STAGE1, "set": [FROM_NOTHING, *without(0, 2)]},
    "images_only": {"config": STAGE2, "set": [FROM % "images_stage1", *without(2, 3, 4)]},
    "few_clips_stage1": {"config": STAGE1,
                         "set": [FROM % "motion_100", *first_of(100, "webvid.csv", None, "movers.csv")]},
    "few_clips": {"config": STAGE2,
                  "set": [FROM % "few_clips_stage1", *first_of(
                      100, None, None, "videochat_instruct.json", "movers.json", "videochat_time.json")]},
    "only_yes": {"config": STAGE2,
                 "set": [FROM % "vision_stage1",
                         "data.sets.1.annotations=toy/world/annotations/llava_only_yes.json",
                         "data.sets.2.annotations=toy/world/annotations/videochat_only_yes.json"]},
    "audio_stage1": {"config": AUDIO1},
    "audio_stage2": {"config": AUDIO2, "set": [AUDIO_FROM % "audio_stage1"]},
    "published_audio_stage1": {"config": AUDIO1, "set": [PUBLISHED]},
    "published_audio": {"config": AUDIO2, "set": [PUBLISHED, AUDIO_FROM % "published_audio_stage1"]},
    "audio_on_sound": {"config": "configs/toy/audio_on_sound.yaml"},
}
for clips in CLIPS:
    RUNS.update(trained_on(clips))

VIDEO = "configs/toy/eval_video.yaml"  # tasks: seen, unseen, other_clip, no_media, shuffled, reversed, probes, captions
SEEN = "configs/toy/eval_seen.yaml"  # tasks: seen, probes, captions
HEARING = "configs/toy/eval_hearing.yaml"  # tasks: hearing, other_sound, no_media
BOTH = "configs/toy/eval_both.yaml"  # tasks: sight_and_sound, sight, sound
LONG = "configs/toy/eval_long.yaml"  # tasks: 8s, 16s, 32s, 64s


def spread(num_frames):
    """Positions of any number of frames, spread over the eight that were trained."""
    return ["model_changes=[model.vision.frame_positions=interpolated, model.vision.position_rows=8]",
            f"prompt.num_frames={num_frames}"]


EVALUATIONS = {
    "vision": {"config": VIDEO, "model": "vision_stage2"},
    **{name: {"config": SEEN, "model": run} for name, run in {
        "stage1": "vision_stage1", "stage2_alone": "stage2_alone", "no_motion": "no_motion",
        "no_positions": "no_positions", "videos_only": "videos_only", "images_only": "images_only",
        "only_yes": "only_yes", "few_clips": "few_clips",
        **{f"clips_{count}": f"stage2_{count}" for count in CLIPS}}.items()},
    "audio": {"config": HEARING, "model": "audio_stage2"},
    "published_audio": {"config": HEARING, "model": "published_audio"},
    "audio_on_sound": {"config": HEARING, "model": "audio_on_sound"},
    "both": {"config": BOTH, "set": ["model_changes=[model.weights.vision_checkpoint={weights:vision_stage2}, "
                                     "model.weights.audio_checkpoint={weights:audio_stage2}]"]},
    "both_on_sound": {"config": BOTH, "set": ["model_changes=[model.weights.vision_checkpoint={weights:vision_stage2}, "
                                              "model.weights.audio_checkpoint={weights:audio_on_sound}]"]},
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
    {"name": "hearing", "title": "Hearing without having heard",
     "claim": "An audio branch that trained on pictures alone answers questions about sounds.",
     "types": AUDIBLE,
     "arms": [arm("trained on frames", "audio", "hearing"), arm("another sound", "audio", "other_sound"),
              arm("no sound", "audio", "no_media"),
              arm("published scales", "published_audio", "hearing"),
              arm("trained on sound", "audio_on_sound", "hearing")]},
    {"name": "sight_and_sound", "title": "Sight and sound together",
     "claim": "Both branches together answer questions that neither answers alone: of three shapes one sounds; what "
              "colour does it have?",
     "types": ["heard_colour", "source", "colour"],
     "arms": [arm("sight and sound", "both", "sight_and_sound"), arm("sight", "both", "sight"),
              arm("sound", "both", "sound"),
              arm("sight and sound, trained on sound", "both_on_sound", "sight_and_sound")]},
    {"name": "time", "title": "Time",
     "claim": "Without frame positions, or with frames shuffled or reversed, questions about time collapse; those "
              "about appearance do not.",
     "types": TIME + APPEARANCE,
     "arms": [arm("in order", "vision", "seen"), arm("shuffled", "vision", "shuffled"),
              arm("reversed", "vision", "reversed"), arm("trained without positions", "no_positions", "seen")]},
    {"name": "motion_first", "title": "Motion first",
     "claim": "Some hundred steps on single moving shapes before stage 1 are what teaches direction and speed.",
     "types": TIME + ["colour", "count"],
     "arms": [arm("motion first", "vision", "seen"), arm("stages 1 and 2 alone", "no_motion", "seen")]},
    {"name": "stages", "title": "Two stages",
     "claim": "Stage 2 follows instructions, and stage 1 helps it.",
     "types": VISUAL,
     "arms": [arm("both stages", "vision", "seen"), arm("stage 1 alone", "stage1", "seen"),
              arm("stage 2 alone", "stage2_alone", "seen")]},
    {"name": "captions", "title": "Two stages: captions",
     "claim": "Descriptions of new clips, asked for in words (ROUGE-L).",
     "metric": "rouge_l",
     "arms": [arm("both stages", "vision", "captions"), arm("stage 1 alone", "stage1", "captions"),
              arm("stage 2 alone", "stage2_alone", "captions")]},
    {"name": "images_and_videos", "title": "Images and videos",
     "claim": "Image and video data help each other.",
     "types": VISUAL,
     "arms": [arm("both", "vision", "seen"), arm("videos alone", "videos_only", "seen"),
              arm("images alone", "images_only", "seen")]},
    {"name": "few_clips", "title": "Pictures beside few clips",
     "claim": "Where clips are few, pictures help.",
     "types": VISUAL,
     "arms": [arm("100 clips, 33 pictures", "clips_100", "seen"),
              arm("100 clips, 1000 pictures", "few_clips", "seen")]},
    {"name": "hallucination", "title": "Things that are not there",
     "claim": "Yes/no questions, half of them about what is not there: before stage 2, after it, and after a stage 2 "
              "in which nothing is ever denied.",
     "metric": "accuracy", "types": ["present", "bound"],
     "arms": [arm("stage 1", "stage1", "probes"), arm("both stages", "vision", "probes"),
              arm("never denied", "only_yes", "probes")]},
    {"name": "yes_share", "title": "Things that are not there: share of yes",
     "claim": "How often the answer is yes, where half of the answers should be.",
     "metric": "yes_share", "types": ["present", "bound"],
     "arms": [arm("stage 1", "stage1", "probes"), arm("both stages", "vision", "probes"),
              arm("never denied", "only_yes", "probes")]},
    {"name": "long_video", "title": "Long clips: number of frames",
     "claim": "Accuracy in clips of 32 seconds against the number of frames, by a model that trained with eight frames "
              "of 8 seconds.",
     "types": ["order", "direction"], "plot": "lines", "x_label": "frames",
     "arms": [arm(f"spread, {count}", f"long_{count}", "32s", x=count, series="positions spread over 8")
              for count in FRAMES] +
             [arm(f"table, {count}", f"long_{count}_table", "32s", x=count, series="positions by number")
              for count in FRAMES if count <= 32]},
    {"name": "clip_length", "title": "Long clips: length",
     "claim": "The same scenes played more slowly.",
     "types": ["order", "direction"], "plot": "lines", "x_label": "seconds",
     "arms": [arm(f"{seconds} s, {count} frames", f"long_{count}", f"{seconds}s", x=seconds, series=f"{count} frames")
              for count in (8, 32) for seconds in LONG_SECONDS]},
    {"name": "data", "title": "Number of training clips",
     "claim": "Accuracy against the number of clips, with a third as many pictures and movers, and the same number of "
              "steps.",
     "types": ["colour", "count", "order", "direction", "bound"], "plot": "lines", "x_label": "clips",
     "arms": [arm(f"{count} clips", f"clips_{count}", "seen", x=count, series="seen") for count in CLIPS] +
             [arm("3000 clips", "vision", "seen", x=3000, series="seen")]},
]
