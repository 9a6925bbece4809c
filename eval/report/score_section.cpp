#include "eval/report/score_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report/markup.h"

namespace vllama::eval {
namespace {

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : "\xE2\x80\x93";
}

// Of a Score or a Comparison.
template <class Result>
std::string interval_of(const Result& result) {
  return fmt::format("{} \xE2\x80\x93 {}{}", number(result.low), number(result.high),
                     result.is_wilson ? "<div class=note>all alike: Wilson</div>" : "");
}

// The end of a scale from 0 on which the score and its parts fit: 1, or the next whole number.
double scale_of(const Score& score) {
  double most = std::isfinite(score.high) ? score.high : 1;
  if (std::isfinite(score.value)) most = std::max(most, score.value);
  for (const Score& part : score.parts) most = std::max(most, scale_of(part));
  return std::max(1.0, std::ceil(most));
}

double percent(double value, double scale) {
  return std::isfinite(value) ? std::clamp(100 * value / scale, 0.0, 100.0) : 0;
}

std::string bar(const Score& score, double scale) {
  const double low = percent(score.low, scale), high = percent(score.high, scale);
  return fmt::format(
      "<div class=bar><div class=fill style=\"width:{:.2f}%\"></div>"
      "<div class=whisker style=\"left:{:.2f}%;width:{:.2f}%\"></div></div>",
      percent(score.value, scale), low, high - low);
}

bool has_baselines(const Score& score) {
  return score.chance || score.majority;
}

std::string baseline_cells(const Score& score) {
  if (!has_baselines(score)) return "";
  const auto cell = [](const std::optional<double>& value) {
    return fmt::format("<td class=value>{}</td>", value ? number(*value) : "");
  };
  return cell(score.chance) + cell(score.majority);
}

std::string counts(const Score& score) {
  const auto also = [](std::int64_t count, const char* what) {
    return count > 0 ? fmt::format(" <span class=note>({} {})</span>", count, what) : "";
  };
  return fmt::format("{}{}{}", score.num_scored + score.num_missing,
                     also(score.num_missing, "missing"),
                     also(score.num_left_out, "broken and left out"));
}

std::string facts(const Score& score) {
  std::string result;
  for (const auto& [name, value] : score.facts)
    result += fmt::format("<div class=note>{}: {}</div>", isolated(name), isolated(value));
  return result;
}

std::string notes(const ReportData& data) {
  std::string result;
  for (const std::string& note : data.notes)
    result += fmt::format("<p class=note>{}</p>", isolated(note));
  return result;
}

std::string rows(const std::map<std::string, std::string>& entries) {
  std::string result;
  for (const auto& [name, value] : entries)
    result += fmt::format("<tr><th scope=row>{}</th><td class=mono>{}</td></tr>", isolated(name),
                          isolated(value));
  return result;
}

}  // namespace

std::string score_table(const ReportData& data) {
  std::string body;
  for (const Score& score : data.scores) {
    const double scale = scale_of(score);
    body += fmt::format(
        "<tr><th scope=row>{}{}</th><td class=value>{}</td><td class=interval>{}</td>"
        "<td class=wide>{}<span class=note>0 \xE2\x80\x93 {:g}</span></td><td>{}</td></tr>",
        isolated(score.name), facts(score), number(score.value), interval_of(score),
        bar(score, scale), scale, counts(score));
  }
  return fmt::format(
      "<section><h2>Scores</h2><div class=scroll><table id=scores><thead><tr><th>Metric</th>"
      "<th>Value</th><th>95 % interval</th><th></th><th>Questions</th></tr></thead>"
      "<tbody>{}</tbody></table></div>{}</section>",
      body, notes(data));
}

std::string part_bars(const ReportData& data) {
  std::string charts;
  for (const Score& score : data.scores) {
    if (score.parts.empty()) continue;
    const double scale = scale_of(score);
    std::string body;
    for (const Score& part : score.parts)
      body += fmt::format(
          "<tr><th scope=row>{}</th><td class=wide>{}</td><td class=value>{}</td>"
          "<td class=interval>{}</td>{}<td>{}</td></tr>",
          isolated(part.name.empty() ? "(none)" : part.name), bar(part, scale), number(part.value),
          interval_of(part), baseline_cells(part), counts(part));
    charts += fmt::format(
        "<details{}><summary>{}</summary><div class=scroll><table class=parts><thead><tr>"
        "<th>Type</th><th></th><th>Value</th><th>95 % "
        "interval</th>{}<th>Questions</th></tr></thead>"
        "<tbody>{}</tbody></table></div></details>",
        charts.empty() ? " open" : "", isolated(score.name),
        has_baselines(score) ? "<th>Chance</th><th>Majority</th>" : "", body);
  }
  return charts.empty() ? "" : "<section><h2>By type</h2>" + charts + "</section>";
}

std::string comparison_table(const ReportData& data) {
  if (data.comparisons.empty()) return "";
  std::string body;
  for (const Comparison& comparison : data.comparisons) {
    const bool is_certain = comparison.low > 0 || comparison.high < 0;
    body += fmt::format(
        "<tr{}><th scope=row>{}</th><td class=value>{}</td><td class=value>{}</td>"
        "<td class=value>{}{}</td><td class=interval>{}</td><td class=value>{:.3f}</td></tr>",
        is_certain ? " class=certain" : "", isolated(comparison.name), number(comparison.first),
        number(comparison.second), comparison.difference > 0 ? "+" : "",
        number(comparison.difference), interval_of(comparison), comparison.p_value);
  }
  return fmt::format(
      "<section><h2>Comparison</h2><div class=scroll><table id=comparison><thead><tr>"
      "<th>Metric</th><th>{}</th><th>{}</th><th>Difference</th><th>95 % "
      "interval</th><th>p</th></tr>"
      "</thead><tbody>{}</tbody></table></div><p class=note>Paired bootstrap over questions. Bold: "
      "the interval of the difference does not hold zero.</p></section>",
      isolated(data.first_run), isolated(data.second_run), body);
}

std::string origin_section(const ReportData& data) {
  return fmt::format(
      "<section><h2>Origin</h2><div class=scroll><table class=origin><tbody>{}{}</tbody></table>"
      "</div><details><summary>Configuration</summary><pre id=config>{}</pre></details></section>",
      rows(data.versions), rows(data.hashes), markup_escaped(data.config_text));
}

}  // namespace vllama::eval
