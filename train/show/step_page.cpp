#include "train/show/step_page.h"

#include <fmt/format.h>

#include "core/markup.h"
#include "core/terminal_text.h"
#include "output/number_text.h"
#include "output/table.h"
#include "train/show/example_page.h"

namespace vllama::train {
namespace {

// The cells of a row behind the number of the step.
std::vector<std::string> cells(const StepRow& row) {
  const BadStep& step = row.step;
  return {problem_name(step.problem),
          step.skipped ? "skipped" : "kept",
          output::real_text(step.loss),
          output::real_text(step.gradient_norm),
          step.loss_z ? fmt::format("{:.3g}", *step.loss_z) : "",
          std::to_string(step.samples.size()),
          row.replay};
}

const std::vector<std::string> kHeader = {"step",      "reason",  "action",  "loss",
                                          "grad norm", "z-score", "samples", "replay"};

}  // namespace

RenderedSample render_sample(std::int64_t step, const std::string& title, const ExampleView& view,
                             const TextStyle& style) {
  return {fmt::format("\nstep {}, {}\n{}", step, visible(title, style.has_unicode),
                      example_text(view, style)),
          fmt::format("<h3>Step {}, {}</h3>\n", step, markup_escaped(title)) +
              example_section(view, "h4")};
}

std::string step_text(const StepView& step, const TextStyle& style) {
  std::string text = fmt::format("\nstep {}\n", step.step);
  for (const auto& [name, value] : step.facts)
    text += fmt::format("{:<10} {}\n", name, visible(value, style.has_unicode));
  for (const RenderedSample& sample : step.samples) text += sample.text;
  return text;
}

std::string step_section(const StepView& step) {
  std::string html = fmt::format("<section id=\"step-{0}\">\n<h2>Step {0}</h2>\n", step.step) +
                     fact_table(step.facts);
  for (const RenderedSample& sample : step.samples) html += sample.html;
  return html + "</section>\n";
}

std::string step_table_text(const std::vector<StepRow>& rows) {
  output::Table table{.title = "", .header = kHeader};
  for (const StepRow& row : rows) {
    std::vector<std::string> line = {std::to_string(row.step.step)};
    for (std::string& cell : cells(row)) line.push_back(std::move(cell));
    table.rows.push_back(std::move(line));
  }
  return output::format_table(table);
}

std::string step_table_html(const std::vector<StepRow>& rows) {
  std::string html = "<table class=\"steps\">\n<thead><tr>";
  for (const std::string& name : kHeader) html += fmt::format("<th>{}</th>", name);
  html += "</tr></thead>\n";
  for (const StepRow& row : rows) {
    const std::int64_t step = row.step.step;
    html += row.is_shown ? fmt::format("<tr><td><a href=\"#step-{0}\">{0}</a></td>", step)
                         : fmt::format("<tr><td>{}</td>", step);
    const std::vector<std::string> line = cells(row);
    html += fmt::format("<td><span class=\"alarm\">{}</span></td>", line.front());
    for (std::size_t i = 1; i < line.size(); ++i)
      html += fmt::format("<td>{}</td>", markup_escaped(line[i]));
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace vllama::train
