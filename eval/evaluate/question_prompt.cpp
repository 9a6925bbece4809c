#include "eval/evaluate/question_prompt.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

#include "core/hash.h"
#include "core/random.h"
#include "inference/media_embedding.h"
#include "media/error.h"
#include "models/model_input.h"

namespace vllama::eval {
namespace {

std::int64_t num_frames(const inference::ChatSettings& chat, const PromptConfig& config,
                        const TaskConfig& task) {
  if (task.num_frames > 0) return task.num_frames;
  return config.num_frames > 0 ? config.num_frames : chat.num_frames;
}

// Which of `count` frames or clips of sound stands at each place.
std::vector<std::int64_t> order_of_units(std::int64_t count, const TaskConfig& task,
                                         const std::string& id) {
  std::vector<std::int64_t> units(static_cast<std::size_t>(count));
  std::iota(units.begin(), units.end(), std::int64_t{0});
  if (task.frame_order == FrameOrder::reversed) std::ranges::reverse(units);
  if (task.frame_order == FrameOrder::shuffled) {
    RandomStream stream(random_key(
        {task.control_seed, static_cast<std::uint64_t>(RandomPurpose::frame_order), fnv1a(id)}));
    for (std::size_t left = units.size(); left > 1; --left)
      std::swap(units[left - 1], units[stream.below(left)]);
  }
  return units;
}

bool is_sound(const samples::MediaInput& input) {
  return input.kind == MediaKind::sound;
}

}  // namespace

samples::MediaConfig media_of_task(const inference::ChatSettings& chat, const PromptConfig& config,
                                   const TaskConfig& task) {
  return {.num_frames = num_frames(chat, config, task),
          .inputs = task.inputs,
          .time_message = chat.time_message,
          .transform = samples::Transform::eval};
}

QuestionPrompts::QuestionPrompts(const inference::ModelView& model, const PromptConfig& config,
                                 const TaskConfig& task)
    : model_(model),
      layout_kind_(eval::layout_kind(config.layout).value_or(model.chat.layout)),
      layout_(text::prompt_template(model.chat.family).layout(layout_kind_)),
      task_(task),
      system_(config.system.empty() ? model.chat.system : config.system),
      media_(task.name, media_of_task(model.chat, config, task), model.media,
             models::model_input(model.model.branches())) {}

PreparedQuestion QuestionPrompts::prepare(const Question& question) const {
  PreparedQuestion prepared{.question = &question};
  if (question.expected.shown == kNothingShown) return prepared;
  if (!question.medium) {
    prepared.problem = "missing media";
    return prepared;
  }
  samples::StageSeconds seconds;
  try {
    prepared.medium = media_.build(*question.medium, {}, 0, seconds);
  } catch (const media::MediaError& error) {
    prepared.problem = error.what();
    return prepared;
  }
  for (samples::MediaInput& input : prepared.medium.inputs) {
    const std::int64_t num_units = input.values.size(0);
    if (!is_sound(input)) prepared.num_frames = num_units;
    if (task_.frame_order != FrameOrder::in_order)
      input.values = input.values.index_select(
          0, at::tensor(order_of_units(num_units, task_, question.expected.id), at::kLong));
  }
  return prepared;
}

text::Chat QuestionPrompts::chat_of(const PreparedQuestion& prepared) const {
  const auto& inputs = prepared.medium.inputs;
  const bool has_sound = std::ranges::any_of(inputs, is_sound);
  text::Chat chat{
      .system = system_,
      .question = prepared.question->prompt,
      .reads_special_tokens = samples::compat_of(model_.media.compat).reads_special_tokens};
  if (inputs.empty()) return chat;
  const bool is_heard_only = has_sound && inputs.size() == 1;
  chat.media.push_back({.kind = is_heard_only ? MediaKind::sound : prepared.question->medium->kind,
                        .has_sound = has_sound && !is_heard_only && !prepared.medium.is_interleaved,
                        .time_message = prepared.medium.time_message});
  return chat;
}

inference::Prompt QuestionPrompts::prompt(const PreparedQuestion& prepared) const {
  const text::ChatPrompt chat =
      text::build_chat_prompt(model_.tokenizer, layout_, chat_of(prepared));
  const auto [frames_QH, sound_QH] = inference::media_blocks(model_.model, prepared.medium);
  std::vector<at::Tensor> blocks;
  if (sound_QH && layout_.sound_first) blocks.push_back(*sound_QH);
  if (frames_QH) blocks.push_back(*frames_QH);
  if (sound_QH && !layout_.sound_first) blocks.push_back(*sound_QH);
  return inference::make_prompt(model_.model.language_model(), chat.pieces, blocks,
                                fnv1a(prepared.question->expected.id));
}

}  // namespace vllama::eval
