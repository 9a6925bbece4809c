#include "inference/chat/model_chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "inference/open_model.h"
#include "text/error.h"
#include "text/tokenizers/unicode.h"

namespace vllama::inference {

ModelChat::ModelChat(const OpenedModel& opened, const ChatSettings& settings,
                     const GenerationConfig& config)
    : opened_(opened),
      settings_(settings),
      layout_(text::prompt_template(settings.family).layout(settings.layout)),
      rules_(stop_rules(*opened.tokenizer, layout_)) {
  set_config(config);
}

void ModelChat::set_config(const GenerationConfig& config) {
  Generator(opened_.model->language_model(), *opened_.tokenizer, rules_, config);
  config_ = config;
}

const ShownMedium& ModelChat::show(ShownMedium medium) {
  const std::int64_t first_number = num_media_tokens_;
  for (const auto& embeddings : {medium.frames_QH, medium.sound_QH})
    if (embeddings) num_media_tokens_ += embeddings->size(0);
  media_.push_back({std::move(medium), turns_.size(), first_number});
  return media_.back().medium;
}

void ModelChat::reset() {
  turns_.clear();
  media_.clear();
  num_dropped_ = 0;
}

// The released demos tell a model that only sees what it can do; the demo with sound says nothing,
// except about a picture.
std::string ModelChat::system_text() const {
  if (!settings_.system.empty() || !layout_.has_demo_system) return settings_.system;
  const bool has_moving_media = std::ranges::any_of(
      media_, [](const PlacedMedium& placed) { return placed.medium.kind != MediaKind::image; });
  const bool is_silent_demo = opened_.model->config().has_audio() && has_moving_media;
  return is_silent_demo ? std::string() : std::string(text::kChatSystemText);
}

Prompt ModelChat::prompt(const std::string& question, std::size_t num_dropped) const {
  text::Chat chat{.system = system_text(), .question = question};
  chat.reads_special_tokens = samples::compat_of(opened_.media.compat).reads_special_tokens;
  for (std::size_t i = num_dropped; i < turns_.size(); ++i)
    chat.past.push_back({turns_[i].question, turns_[i].reply.text});
  std::vector<at::Tensor> blocks;
  std::vector<std::int64_t> first_numbers;
  const auto add_block = [&](const std::optional<at::Tensor>& embeddings,
                             std::int64_t first_number) {
    if (!embeddings) return;
    blocks.push_back(*embeddings);
    first_numbers.push_back(first_number);
  };
  for (const PlacedMedium& placed : media_) {
    const ShownMedium& medium = placed.medium;
    chat.media.push_back({.turn = std::max(placed.turn, num_dropped) - num_dropped,
                          .kind = medium.kind,
                          .has_sound = medium.frames_QH && medium.sound_QH,
                          .time_message = medium.time_message});
    const std::int64_t sound_row =
        placed.first_number + (medium.frames_QH ? medium.frames_QH->size(0) : 0);
    if (layout_.sound_first) add_block(medium.sound_QH, sound_row);
    add_block(medium.frames_QH, placed.first_number);
    if (!layout_.sound_first) add_block(medium.sound_QH, sound_row);
  }
  const auto built = text::build_chat_prompt(*opened_.tokenizer, layout_, chat);
  return make_prompt(opened_.model->language_model(), built.pieces, blocks,
                     /*id=*/turns_.size(), first_numbers);
}

Reply ModelChat::ask(const std::string& question,
                     const std::function<bool(std::string_view)>& listener) {
  if (text::strip_left(question).empty()) throw UserError("the question is empty");
  const auto begin = std::chrono::steady_clock::now();
  const Generator generator(opened_.model->language_model(), *opened_.tokenizer, rules_, config_);
  std::size_t num_dropped = num_dropped_;
  Reply reply;
  try {
    Prompt asked = prompt(question, num_dropped);
    while (asked.length() > generator.max_prompt_tokens() && num_dropped < turns_.size())
      asked = prompt(question, ++num_dropped);
    const AnswerListener pass_on = [&](std::size_t, std::string_view text) {
      return !listener || listener(text);
    };
    reply.answer = config_.num_beams > 1 ? generator({{asked}}, pass_on).at(0)
                                         : generator.answer(asked, kept_, pass_on);
  } catch (const text::TextError& error) {
    throw UserError(error.what());
  }
  reply.text = text::answer_in(*opened_.tokenizer, layout_, reply.answer.ids);
  reply.num_dropped_turns = num_dropped - num_dropped_;
  reply.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  num_dropped_ = num_dropped;
  turns_.push_back({question, reply});
  return reply;
}

}  // namespace vllama::inference
