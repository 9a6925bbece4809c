#include "train/show/sample_view.h"

#include <fmt/format.h>

#include "media/error.h"
#include "output/number_text.h"
#include "text/error.h"

namespace vllama::train {
namespace {

void add_loss(const SampleLoss& loss, const std::string& checkpoint, ExampleView& view) {
  view.facts.emplace_back(
      "loss", fmt::format("{}, gradient norm {}, with the weights of {}{}",
                          output::real_text(loss.loss), output::real_text(loss.gradient_norm),
                          checkpoint, loss.problem ? ": " + problem_name(*loss.problem) : ""));
}

}  // namespace

SampleView view_sample(const datasets::Mixture& data, const datasets::PlannedSample& sample,
                       const text::Tokenizer& tokenizer, SampleLosses* losses) {
  const datasets::Record record = data.record(sample);
  const auto dropped = [&record](std::string_view reason, const char* detail) {
    const std::string why = fmt::format("{}: {}", reason, detail);
    return SampleView{view_of_dropped(record, why), why, {}};
  };
  samples::StageSeconds seconds;
  try {
    const samples::Example example = data.build(record, sample, seconds);
    SampleView view{view_of(record, example, tokenizer), {}, {}};
    if (losses != nullptr) {
      view.loss = losses->of(example);
      add_loss(*view.loss, losses->checkpoint(), view.example);
    }
    return view;
  } catch (const media::MediaError& error) {
    return dropped(media::failure_name(error.reason), error.what());
  } catch (const text::TextError& error) {
    return dropped(text::failure_name(error.reason), error.what());
  }
}

}  // namespace vllama::train
