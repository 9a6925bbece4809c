#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "eval/report/data_uri.h"
#include "eval/report/loss_curve.h"
#include "eval/report/markup.h"
#include "eval/report/page_script.h"
#include "eval/report/page_style.h"
#include "eval/report/report.h"
#include "eval/report/score_section.h"

namespace vllama::eval {
namespace {

using nlohmann::json;

const char* verdict_of(const Prediction& prediction, double value) {
  if (prediction.is_missing()) return "missing";
  if (std::isnan(value)) return "open";
  if (value >= 1) return "right";
  return value <= 0 ? "wrong" : "partly";
}

json row_of(const Prediction& prediction, double value) {
  json row = {{"id", prediction.id},
              {"video", prediction.video},
              {"question", prediction.question},
              {"type", prediction.type},
              {"references", prediction.references},
              {"prediction", prediction.prediction},
              {"options", prediction.options},
              {"scores", prediction.option_scores},
              {"inWords", prediction.in_words.value_or("")},
              {"status", prediction.status},
              {"verdict", verdict_of(prediction, value)}};
  row["value"] = std::isfinite(value) ? json(value) : json(nullptr);
  return row;
}

// JSON that may stand in a script element: without "<" nothing in it can end the element or begin a
// comment.
std::string gallery_data(const ReportData& data) {
  json gallery = {
      {"valueName", data.value_name}, {"rows", json::array()}, {"images", json::object()}};
  for (std::size_t i = 0; i < data.predictions.size(); ++i)
    gallery["rows"].push_back(
        row_of(data.predictions[i], data.values.empty() ? NAN : data.values[i]));
  for (const auto& [video, files] : data.thumbnails)
    for (const std::string& file : files)
      gallery["images"][video].push_back(
          image_data_uri(file, fmt::format("a thumbnail of '{}'", video)));
  std::string result;
  for (const char character : gallery.dump(-1, ' ', false, json::error_handler_t::replace)) {
    if (character == '<')
      result += "\\u003c";
    else
      result += character;
  }
  return result;
}

std::string loss_section(const ReportData& data) {
  const std::string svg = loss_curve_svg(data.loss);
  return svg.empty() ? "" : "<section><h2>Loss of the run</h2>" + svg + "</section>";
}

constexpr const char* kGallery = R"html(<section><h2>Questions</h2>
<noscript><p>The gallery needs JavaScript; the scores do not.</p></noscript>
<div class=controls><span id=verdicts class=controls style="margin:0"></span>
<select id=type aria-label="Type"><option value="">All types</option></select>
<select id=order aria-label="Order"><option value=annotation>Order of the annotation</option>
<option value=lowest>Lowest value first</option></select>
<input id=search type=search placeholder="Search questions and answers" aria-label="Search">
<span id=count class=note aria-live=polite></span></div>
<div id=cards></div>
<div class="controls pages"><button id=previous type=button>Previous</button>
<span id=page class=note></span><button id=next type=button>Next</button></div></section>
)html";

}  // namespace

std::string report_html(const ReportData& data) {
  VLLAMA_ASSERT(data.values.empty() || data.values.size() == data.predictions.size(),
                "one value per prediction, or none");
  const std::string title = markup_escaped(data.title);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style></head>\n<body><main><h1>{}</h1>\n",
      title, kPageStyle, isolated(data.title));
  page += score_table(data) + "\n" + part_bars(data) + "\n" + comparison_table(data) + "\n" +
          loss_section(data) + "\n";
  page += kGallery;
  page += origin_section(data) + "\n</main>\n";
  page += "<script id=data type=\"application/json\">" + gallery_data(data) + "</script>\n";
  page += fmt::format("<script>{}</script>\n</body></html>\n", kPageScript);
  return page;
}

}  // namespace vllama::eval
