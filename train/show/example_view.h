// One example as the model gets it, in the form in which people look at it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "datasets/entries/record.h"
#include "media/image.h"
#include "samples/example.h"
#include "text/tokenizers/tokenizer.h"
#include "train/show/token_view.h"

namespace vllama::train {

using Fact = std::pair<std::string, std::string>;  // its name and what is to be said

struct ExampleView {
  std::vector<Fact> facts;  // what it is, and the text of its record
  std::vector<TokenStretch> tokens;
  media::Image frames;  // all frames, their pixels unchanged, on one sheet; empty without frames
  media::Image sound;   // a spectrogram per clip on one sheet; empty without sound
};

ExampleView view_of(const datasets::Record& record, const samples::Example& example,
                    const text::Tokenizer& tokenizer);

// A sample that training drops: its files and texts, and why.
ExampleView view_of_dropped(const datasets::Record& record, const std::string& why);

std::string example_text(const ExampleView& view, const TextStyle& style);

}  // namespace vllama::train
