#include "train/original/import_config.h"

#include <fmt/format.h>

#include <charconv>

#include "config/fields.h"
#include "core/error.h"
#include "train/original/import_datasets.h"
#include "train/original/reference_file.h"
#include "train/original/reference_keys.h"
#include "train/run/run_config.h"

namespace vllama::train {
namespace {

// Of two whole numbers. What is none, or too large, stays as it stands for the reader to complain
// about.
std::string product(const std::string& left, const std::string& right) {
  std::int64_t numbers[2] = {};
  for (int i = 0; i < 2; ++i) {
    const std::string& text = i == 0 ? left : right;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
    if (error != std::errc() || at != text.data() + text.size()) return left;
  }
  std::int64_t result = 0;
  if (__builtin_mul_overflow(numbers[0], numbers[1], &result))
    return fmt::format("{} * {}", left, right);
  return std::to_string(result);
}

using config::Tree;

constexpr const char* kNoEffect = "no effect in the original";
// Values that the original has where its file says nothing.
constexpr const char* kImageSize = "224";
constexpr const char* kNumVideoQueries = "32";
constexpr const char* kNumAudioQueries = "8";
constexpr const char* kLanguageModel = "ckpt/vicuna-7b/";
// Files that the original downloads by itself; ours are named as in configs/runs.
constexpr const char* kVisionEncoder = "ckpt/eva_vit_g.pth";
constexpr const char* kQFormer = "ckpt/blip2_pretrained_flant5xxl.pth";

// Fills the sections of our configuration one after the other, in the order of its keys.
class Import {
 public:
  explicit Import(const ReferenceFile& file) : file_(file), keys_(file.tree) {}

  Tree run() {
    check_fixed_keys();
    is_audio_ = branch_is_audio();
    add_run();
    if (is_audio_)
      add_audio_model();
    else
      add_vision_model();
    add_data();
    add_training();
    leave_out_rest();
    return std::move(run_);
  }
  const ReferenceKeys& keys() const { return keys_; }

 private:
  Tree& place(const std::string& key) {
    Tree* tree = &run_;
    for (std::size_t start = 0; start <= key.size();) {
      const std::size_t end = std::min(key.find('.', start), key.size());
      tree = &tree->child(key.substr(start, end - start));
      start = end + 1;
    }
    return *tree;
  }
  void set(const std::string& key, const std::string& value) { place(key) = config::format(value); }
  void carry(const std::string& from, const std::string& to) {
    if (const Tree* value = keys_.carry(from)) place(to) = *value;
  }
  void carry_required(const std::string& from, const std::string& to) {
    if (!keys_.has(from)) keys_.problem(from, "is missing");
    carry(from, to);
  }

  void check_fixed_keys() {
    keys_.must_be("model.arch", {"video_llama"}, "there is no other");
    keys_.must_be("model.model_type", {kReferenceModelTypes.begin(), kReferenceModelTypes.end()},
                  "the original reads the same defaults for both");
    keys_.must_be("model.vit_model", {"eva_clip_g"}, "there is no other");
    keys_.must_be("model.drop_path_rate", {"0", "0.0"}, "the encoder is frozen");
    keys_.must_be_truth("model.freeze_vit", true, "the encoder is frozen");
    keys_.must_be_truth("model.freeze_qformer", true, "the image Q-Former is frozen");
    keys_.must_be_truth("model.low_resource", false, "the language model is not quantised");
    keys_.must_be("run.runner", {"runner_base"}, "there is no other");
    keys_.must_be("run.task", {"video_text_pretrain", "image_text_pretrain"},
                  "both are the same loop");
    keys_.must_be_truth("run.evaluate", false, "this is a training run");
  }

  // Which of the two Q-Formers trains.
  bool branch_is_audio() {
    const bool video_frozen = keys_.truth("model.frozen_video_Qformer", true);
    const bool audio_frozen = keys_.truth("model.frozen_audio_Qformer", true);
    if (video_frozen == audio_frozen)
      keys_.problem("model.frozen_video_Qformer",
                    fmt::format("frozen_video_Qformer and frozen_audio_Qformer are both {}: in the "
                                "original, {}; let one of them be false, the branch that trains",
                                video_frozen,
                                video_frozen ? "such a run stops in its first step"
                                             : "such a run hangs on several GPUs"));
    return video_frozen;
  }

  void add_run() {
    carry_required("run.output_dir", "output_dir");
    carry_required("run.seed", "seed");
    carry("run.device", "device");
    set("model.branches", is_audio_ ? "audio" : "vision");
  }

  void add_vision_model() {
    carry("model.image_size", "model.vision.encoder.image_size");
    carry("model.num_query_token", "model.vision.image_q_former.num_queries");
    carry("model.num_video_query_token", "model.vision.video_q_former.num_queries");
    carry("model.max_frame_pos", "model.vision.max_frame_positions");
    set("model.weights.vision_encoder", keys_.text("model.vit_ckpt", kVisionEncoder));
    std::string q_former = keys_.text("model.q_former_model", kQFormer);
    if (q_former.starts_with("http")) {
      keys_.add_note(
          "model.q_former_model",
          fmt::format("not supported: nothing is downloaded; fetch it as '{}'", kQFormer));
      q_former = kQFormer;
    }
    set("model.weights.q_former", q_former);
    add_language_model();
    carry("model.llama_proj_model", "model.weights.projection");
    carry("model.ckpt", "model.weights.vision_checkpoint");
    if (keys_.truth("model.frozen_llama_proj", true))
      keys_.problem("model.frozen_llama_proj",
                    "must be false (without it the original says true): the projection trains with "
                    "the vision branch");
    else
      keys_.add_note("model.frozen_llama_proj",
                     "must be false, as it is: the projection trains with the vision branch");
    keys_.leave_out("model.ckpt_2", "not supported: the vision branch starts from one checkpoint");
    for (const char* key : {"equip_audio_branch", "imagebind_ckpt_path", "num_audio_query_token"})
      keys_.leave_out(std::string("model.") + key,
                      "no effect: only the branch that trains is built");
  }

  void add_audio_model() {
    carry("model.image_size", "model.audio.vision_encoder.image_size");
    carry("model.num_audio_query_token", "model.audio.audio_q_former.num_queries");
    set("model.audio.embedding_scale", "published");  // what the original computes
    std::string image_bind = keys_.text("model.imagebind_ckpt_path", "");
    if (image_bind.empty()) keys_.problem("model.imagebind_ckpt_path", "is missing");
    if (!image_bind.ends_with(".pth"))
      image_bind += image_bind.ends_with('/') ? "imagebind_huge.pth" : "/imagebind_huge.pth";
    set("model.weights.image_bind", image_bind);
    add_language_model();
    carry(keys_.has("model.ckpt_2") ? "model.ckpt_2" : "model.ckpt",
          "model.weights.audio_checkpoint");
    keys_.leave_out("model.ckpt",
                    "no effect: ckpt_2 has the audio branch, the only one that is built");
    keys_.must_be_truth("model.equip_audio_branch", true, "the audio branch trains");
    for (const char* key : {"num_query_token", "num_video_query_token", "max_frame_pos",
                            "q_former_model", "vit_ckpt", "llama_proj_model", "frozen_llama_proj"})
      keys_.leave_out(std::string("model.") + key,
                      "no effect: of the vision branch, which is not built");
  }

  void add_language_model() {
    set("model.weights.language_model", keys_.text("model.llama_model", kLanguageModel));
    const std::string precision = keys_.text("model.vit_precision", "fp16");
    set("model.precision", precision == "fp32" ? "fp32" : "bf16");
    if (precision == "fp16")
      keys_.add_note("model.vit_precision",
                     "not supported: what the original keeps in fp16 is bf16 here");
    else if (precision != "fp32" && precision != "bf16")
      keys_.problem("model.vit_precision",
                    fmt::format("must be fp16, bf16 or fp32, not '{}'", precision));
  }

  void add_data() {
    const ReferenceModel model{
        .image_size = keys_.text("model.image_size", kImageSize),
        .num_media_tokens = is_audio_ ? keys_.text("model.num_audio_query_token", kNumAudioQueries)
                                      : keys_.text("model.num_video_query_token", kNumVideoQueries),
        .language_model = keys_.text("model.llama_model", kLanguageModel)};
    const Tree* datasets = file_.tree.find("datasets");
    std::string conversation_template;
    place("data.sets") =
        import_datasets(datasets ? *datasets : Tree{}, model, keys_, conversation_template);
    if (!keys_.text("model.prompt_path", "").empty()) {
      carry("model.prompt_path", "data.captions.prompt_file");
      carry("model.prompt_template", "data.captions.prompt_template");
    }
    keys_.leave_out("model.prompt_template", "no effect in the original without prompt_path");
    carry("model.end_sym", "data.captions.end_sign");
    carry("model.max_txt_len", "data.captions.max_tokens");
    if (!conversation_template.empty()) {
      set("data.conversations.template", conversation_template);
      set("data.conversations.max_tokens", "512");  // a constant of the original
    }
    carry("run.num_workers", "data.loader.num_workers");
  }

  void add_training() {
    carry_required("run.batch_size_train", "training.micro_batch_size");
    const std::string accumulation = keys_.text("run.accum_grad_iters", "1");
    set("training.batch_size", product(keys_.text("run.batch_size_train", "1"), accumulation));
    keys_.add_note("run.batch_size_train",
                   "is per GPU in the original, training.batch_size is over all ranks here: "
                   "multiply it by the number of GPUs of the original run");
    if (accumulation != "1")
      keys_.add_note("run.accum_grad_iters",
                     "epochs and warm-up count micro-batches in the original, optimizer steps "
                     "here: divide steps_per_epoch and warmup_steps by it for as many samples");
    carry_required("run.max_epoch", "training.num_epochs");
    carry_required("run.iters_per_epoch", "training.steps_per_epoch");
    carry("run.log_freq", "training.steps_per_log_line");
    carry("run.beta2", "optimizer.beta2");
    carry_required("run.weight_decay", "optimizer.weight_decay");
    carry_required("run.lr_sched", "schedule.kind");
    carry_required("run.init_lr", "schedule.peak_learning_rate");
    carry_required("run.min_lr", "schedule.min_learning_rate");
    set("schedule.warmup_learning_rate", "-1");  // of the original, where it says nothing
    carry("run.warmup_lr", "schedule.warmup_learning_rate");
    carry("run.warmup_steps", "schedule.warmup_steps");
    carry("run.lr_decay_rate", "schedule.decay_rate");
  }

  void leave_out_rest() {
    for (const char* key :
         {"model.use_grad_checkpoint", "model.device_8bit", "model.fusion_header_type",
          "model.fusion_head_layers", "model.prompt", "preprocess."})
      keys_.leave_out(key, kNoEffect);
    keys_.leave_out("run.amp",
                    "not supported: model.precision says what frozen parts compute in, "
                    "what trains is fp32");
    keys_.leave_out("run.resume_ckpt_path", "not supported: `vllama train --resume` resumes");
    for (const char* key : {"run.batch_size_eval", "run.train_splits", "run.valid_splits",
                            "run.test_splits", "run.use_dist_eval_sampler"})
      keys_.leave_out(key,
                      "no effect in the original: it trains on all data and evaluates nothing");
    for (const char* key : {"run.world_size", "run.dist_url", "run.distributed"})
      keys_.leave_out(key, "no effect: the launcher's environment says it");
    keys_.leave_out_unknown();
    keys_.note_stand_ins();
  }

  const ReferenceFile& file_;
  ReferenceKeys keys_;
  Tree run_;
  bool is_audio_ = false;
};

}  // namespace

ImportedConfig import_config(const std::string& text, const std::string& name) {
  const ReferenceFile file = read_reference_file(text, name);
  Import import(file);
  ImportedConfig imported{import.run(), file.warnings};
  import.keys().throw_problems(name);
  config::read<RunConfig>(imported.run);  // wrong types and ranges name the original's line
  const auto& notes = import.keys().notes();
  imported.notes.insert(imported.notes.end(), notes.begin(), notes.end());
  return imported;
}

}  // namespace vllama::train
