// Steps of a run with all their samples, as text and as a page.
#pragma once

#include <string>
#include <vector>

#include "train/record/bad_steps.h"
#include "train/show/sample_view.h"

namespace vllama::train {

// A sample of a step as text and as markup; its pictures are in the markup, as large as they are.
struct RenderedSample {
  std::string text, html;
};

// `title` says where it stands: "sample 0 of 4: clips/clip3".
RenderedSample render_sample(std::int64_t step, const std::string& title, const ExampleView& view,
                             const TextStyle& style);

// A step that is shown with its samples.
struct StepView {
  std::int64_t step = 0;
  std::vector<Fact> facts = {};
  std::vector<RenderedSample> samples = {};
};

// A row of the table of bad steps.
struct StepRow {
  BadStep step;
  std::string replay;  // what became of its replay: "all 4 samples as recorded"
  bool is_shown = false;
};

std::string step_text(const StepView& step, const TextStyle& style);
// The part of a page about one step.
std::string step_section(const StepView& step);

std::string step_table_text(const std::vector<StepRow>& rows);
// Rows of steps that are shown link to their sections.
std::string step_table_html(const std::vector<StepRow>& rows);

}  // namespace vllama::train
