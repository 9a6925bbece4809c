#include "train/original/reference_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "train/original/reference_keys.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kBeta2OfReference = 0.999;

bool trains_audio(const RunConfig& config) {
  return config.model.branches == models::BranchSet::audio;
}

Json run_section(const RunConfig& config) {
  const TrainingConfig& training = config.training;
  const optim::ScheduleConfig& schedule = config.schedule;
  Json run{{"task", "video_text_pretrain"},
           {"lr_sched", config::name_of(schedule.kind)},
           {"init_lr", schedule.peak_learning_rate},
           {"min_lr", schedule.min_learning_rate},
           {"warmup_lr", schedule.warmup_learning_rate},
           {"weight_decay", config.optimizer.weight_decay},
           {"max_epoch", training.num_epochs},
           {"batch_size_train", training.batch_size},
           {"batch_size_eval", training.batch_size},
           {"num_workers", config.data.loader.num_workers},
           {"warmup_steps", schedule.warmup_steps},
           {"iters_per_epoch", training.steps_per_epoch},
           {"seed", config.seed},
           {"output_dir", config.output_dir},
           {"amp", config.model.precision != models::Precision::fp32},
           {"resume_ckpt_path", nullptr},
           {"evaluate", false},
           {"train_splits", {"train"}},
           {"device", config.device == distributed::DeviceChoice::cpu ? "cpu" : "cuda"},
           {"world_size", 1},
           {"dist_url", "env://"},
           {"distributed", false}};
  if (config.optimizer.beta2 != kBeta2OfReference) run["beta2"] = config.optimizer.beta2;
  return run;
}

// The original looks for a fixed name in a folder.
std::string folder_of(const std::string& file) {
  return std::filesystem::path(file).parent_path().string();
}

std::string model_type_of(const std::string& family) {
  std::string type = "pretrain_" + family;
  if (std::ranges::find(kReferenceModelTypes, type) == kReferenceModelTypes.end())
    throw UserError(fmt::format(
        "data.conversations.template is {}, which the Python original does not know", family));
  return type;
}

Json model_section(const RunConfig& config) {
  const models::ModelConfig& model = config.model;
  const models::WeightFiles& weights = model.weights;
  const bool is_audio = trains_audio(config);
  Json section{
      {"arch", "video_llama"},
      {"image_size",
       std::int64_t{is_audio ? model.audio.twin.as<encoders::ImageBindVisionConfig>().image_size
                             : model.vision.encoder.as<encoders::EvaVitConfig>().image_size}},
      {"drop_path_rate", 0},
      {"use_grad_checkpoint", false},
      {"vit_precision", config::name_of(model.precision)},
      {"freeze_vit", true},
      {"freeze_qformer", true},
      {"num_query_token", std::int64_t{model.vision.resampler.num_queries}},
      {"llama_model", weights.language_model},
      {"prompt", ""},
      {"model_type", model_type_of(config.data.conversations.family)},
      {"max_frame_pos", std::int64_t{model.vision.max_positions}},
      {"fusion_head_layers", 2},
      {"fusion_header_type", "seqTransf"},
      {"num_video_query_token", std::int64_t{model.vision.q_former.num_queries}},
      {"num_audio_query_token", std::int64_t{model.audio.q_former.num_queries}},
      {"equip_audio_branch", model.has_audio()},
      {"frozen_llama_proj", is_audio},
      {"frozen_video_Qformer", is_audio},
      {"frozen_audio_Qformer", !model.has_audio()}};
  const auto add = [&section](const char* key, const std::string& path) {
    if (!path.empty()) section[key] = path;
  };
  add("q_former_model", weights.q_former);
  add("imagebind_ckpt_path", folder_of(weights.image_bind));
  add("llama_proj_model", weights.projection);
  add("ckpt", weights.vision_checkpoint);
  add(model.has_vision() ? "ckpt_2" : "ckpt", weights.audio_checkpoint);
  add("prompt_path", config.data.captions.prompt_file);
  if (!config.data.captions.prompt_file.empty())
    section["prompt_template"] = config.data.captions.prompt_template;
  section["end_sym"] = config.data.captions.end_sign;
  section["max_txt_len"] = config.data.captions.max_tokens;
  return section;
}

Json processors(const std::string& pixels, std::int64_t image_size, std::int64_t num_frames) {
  return {{"name", pixels}, {"n_frms", num_frames}, {"image_size", image_size}};
}

// The key by which the original knows a data set; ours for those that it has not.
std::string key_of(const datasets::DatasetConfig& set) {
  if (set.format == "videochat_instruct") return "webvid_instruct";
  return set.format;
}

Json dataset_section(const datasets::DatasetConfig& set, std::int64_t image_size) {
  const bool is_image =
      set.format == "cc_sbu_align" || set.format == "llava_instruct" || set.format == "cc595k";
  const std::string pixels =
      (is_image ? "blip2_image_" : "alpro_video_") + config::name_of(set.transform);
  Json section{{"data_type", is_image ? "images" : "video"},
               {"build_info", {{"anno_dir", set.annotations}, {"videos_dir", set.media_root}}},
               {"vis_processor", {{"train", processors(pixels, image_size, set.num_frames)}}},
               {"text_processor", {{"train", {{"name", "blip_caption"}}}}},
               {"sample_ratio", set.weight}};
  if (set.format == "cc_sbu_align")
    section["build_info"] = {{"storage", folder_of(set.annotations)}};
  return section;
}

}  // namespace

Json reference_config(const RunConfig& config) {
  Json datasets = Json::object();
  Json result{{"run", run_section(config)}, {"model", model_section(config)}};
  const Json image_size = result["model"]["image_size"];
  std::int64_t num_frames = datasets::DatasetConfig{}.num_frames;
  for (const datasets::DatasetConfig& set : config.data.sets) {
    datasets[key_of(set)] = dataset_section(set, image_size);
    num_frames = std::max(num_frames, set.num_frames);
  }
  const Json visual{{"train", processors("alpro_video_train", image_size, num_frames)},
                    {"eval", processors("alpro_video_eval", image_size, num_frames)}};
  const Json text{{"train", {{"name", "blip_caption"}}}, {"eval", {{"name", "blip_caption"}}}};
  result["preprocess"] = {{"vis_processor", visual}, {"text_processor", text}};
  result["datasets"] = datasets;
  return result;
}

}  // namespace vllama::train
