#include "train/show/example_view.h"

#include <fmt/format.h>

#include <cstring>

#include "core/terminal_text.h"
#include "train/show/picture.h"

namespace vllama::train {
namespace {

using samples::MediaInput;

constexpr std::int64_t kPixelsPerMelValue = 2;

bool is_sound(const MediaInput& input) {
  return input.kind == MediaKind::sound;
}

std::string name_of(const MediaInput& input) {
  if (is_sound(input)) return "sound";
  const char* kind = input.kind == MediaKind::image ? "image" : "video";
  return input.branch == "audio" ? fmt::format("{} for audio", kind) : kind;
}

std::string describe(const MediaInput& input) {
  const auto& values = input.values;
  const char* unit = is_sound(input) ? "clip" : "frame";
  // The last two of a spectrogram are bins and frames.
  std::string text = fmt::format(
      "{}: {} {}{} of {} x {}, {} tokens", name_of(input), values.size(0), unit,
      values.size(0) == 1 ? "" : "s", is_sound(input) ? values.size(-1) : values.size(2),
      is_sound(input) ? values.size(-2) : values.size(1), input.num_tokens);
  if (is_sound(input))
    text += fmt::format(", values from {:.3f} to {:.3f}", values.min().item<float>(),
                        values.max().item<float>());
  if (!input.times_seconds.empty())
    text += fmt::format(", at {:.2f} s", fmt::join(input.times_seconds, ", "));
  return text;
}

media::Image frame(const at::Tensor& frames_FHWC, std::int64_t index) {
  const at::Tensor pixels = frames_FHWC.select(0, index).contiguous();
  media::Image image{pixels.size(1), pixels.size(0), {}};
  image.rgb.resize(static_cast<std::size_t>(pixels.numel()));
  std::memcpy(image.rgb.data(), pixels.const_data_ptr<std::uint8_t>(), image.rgb.size());
  return image;
}

// "2:#3" for the third of the second medium; where there is one medium its number is left out.
std::string number_text(std::size_t medium, std::size_t num_media, std::int64_t index) {
  return num_media > 1 ? fmt::format("{}:#{}", medium + 1, index + 1)
                       : fmt::format("#{}", index + 1);
}

media::Image frame_sheet(std::span<const MediaInput> media) {
  std::vector<LabelledPicture> pictures;
  for (std::size_t m = 0; m < media.size(); ++m)
    for (std::int64_t i = 0; !is_sound(media[m]) && i < media[m].values.size(0); ++i) {
      std::string label = number_text(m, media.size(), i);
      if (!media[m].times_seconds.empty())
        label += fmt::format(" {:.2f}s", media[m].times_seconds[static_cast<std::size_t>(i)]);
      pictures.push_back({frame(media[m].values, i), label});
    }
  return pictures.empty() ? media::Image() : contact_sheet(pictures);
}

// Clips of one sound share one scale of colours.
media::Image sound_sheet(std::span<const MediaInput> media) {
  std::vector<LabelledPicture> pictures;
  for (std::size_t m = 0; m < media.size(); ++m) {
    if (!is_sound(media[m])) continue;
    const at::Tensor values = media[m].values.contiguous();
    const std::pair low_and_high{values.min().item<float>(), values.max().item<float>()};
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      const std::span<const float> clip(values.const_data_ptr<float>() + i * values.stride(0),
                                        static_cast<std::size_t>(values.stride(0)));
      pictures.push_back({spectrogram(clip, values.size(-2), low_and_high, kPixelsPerMelValue),
                          number_text(m, media.size(), i)});
    }
  }
  return pictures.empty() ? media::Image() : contact_sheet(pictures);
}

std::string stretch_of_file(const samples::MediaFile& file) {
  if (file.start_seconds == 0 && std::isinf(file.end_seconds)) return {};
  return fmt::format(", from {:.2f} s to {:.2f} s", file.start_seconds, file.end_seconds);
}

void add_files(const datasets::Record& record, ExampleView& view) {
  view.facts.emplace_back("id", record.id);
  for (const samples::MediaFile& file : record.media)
    view.facts.emplace_back("file", file.source.name() + stretch_of_file(file));
}

void add_texts(const datasets::Record& record, ExampleView& view) {
  const bool is_caption = record.conversation.is_caption();
  for (const text::Turn& turn : record.conversation.turns) {
    if (!is_caption) view.facts.emplace_back("question", turn.question);
    view.facts.emplace_back(is_caption ? "caption" : "answer", turn.answer);
  }
}

}  // namespace

ExampleView view_of(const datasets::Record& record, const samples::Example& example,
                    const text::Tokenizer& tokenizer) {
  ExampleView view;
  const auto add = [&view](std::string name, std::string text) {
    view.facts.emplace_back(std::move(name), std::move(text));
  };
  add_files(record, view);
  std::vector<MediumLabel> labels;
  for (std::size_t i = 0; i < example.media.size(); ++i) {
    const MediaInput& input = example.media[i];
    add(example.media.size() > 1 ? fmt::format("input {}", i + 1) : "input", describe(input));
    labels.push_back({name_of(input), input.num_tokens});
  }
  if (example.num_concealed_frames > 0)
    add("concealed", fmt::format("{} frames stand in for frames that did not decode",
                                 example.num_concealed_frames));
  add_texts(record, view);
  view.tokens = token_stretches(tokenizer, example.token_ids, example.labels, labels);
  add("tokens", fmt::format("{}: {} learned, {} ignored, {} for media{}", example.token_ids.size(),
                            count_tokens(view.tokens, TokenRole::target),
                            count_tokens(view.tokens, TokenRole::ignored),
                            count_tokens(view.tokens, TokenRole::media),
                            example.text_shortened ? "; text was left out to meet the limit" : ""));
  view.frames = frame_sheet(example.media);
  view.sound = sound_sheet(example.media);
  return view;
}

ExampleView view_of_dropped(const datasets::Record& record, const std::string& why) {
  ExampleView view;
  add_files(record, view);
  add_texts(record, view);
  view.facts.emplace_back("dropped", why);
  return view;
}

std::string example_text(const ExampleView& view, const TextStyle& style) {
  std::string text;
  for (const auto& [name, value] : view.facts)
    text += fmt::format("{:<10} {}\n", name, visible(value, style.has_unicode));
  if (view.tokens.empty()) return text;
  return text + "\n" + token_text(view.tokens, style);
}

}  // namespace vllama::train
