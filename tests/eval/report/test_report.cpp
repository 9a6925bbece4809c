// The report's two files: what they hold, and that no text of the data breaks out of its place.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "eval/report/data_uri.h"
#include "eval/report/loss_curve.h"
#include "eval/report/markup.h"
#include "eval/report/report.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;
using nlohmann::json;

namespace {

const std::string kPng = std::string("\x89PNG\r\n\x1A\n", 8) + "rest";

Prediction answered(const std::string& id, const std::string& answer) {
  Prediction prediction{.id = id, .video = "clip", .question = "q", .references = {"yes"}};
  prediction.prediction = answer;
  return prediction;
}

ReportData small_report() {
  ReportData data{.title = "Title", .scores = {}, .predictions = {}};
  data.predictions = {answered("a", "yes"), answered("b", "no"), answered("c", "")};
  data.predictions[2].status = "missing media";
  data.values = {1, 0.5, 0};
  data.value_name = "exact_match";
  Score part{.name = "3", .value = 0.5, .low = 0.25, .high = 0.75, .num_scored = 2};
  Score whole{.name = "exact_match", .value = 0.5, .low = 0.25, .high = 0.75, .num_scored = 2};
  whole.num_missing = 1;
  whole.parts = {part};
  whole.facts = {{"tokenizer", "simple"}};
  data.scores = {whole};
  data.comparisons = {{"exact_match", 0.5, 0.25, -0.25, -0.5, -0.125, 0.03}};
  data.first_run = "old";
  data.second_run = "new";
  data.config_text = "seed: 1\n";
  data.hashes = {{"predictions", "0123"}};
  data.versions = {{"vllama", "0.1.0"}};
  data.thumbnails = {{"clip", {kPng}}};
  return data;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The gallery's data, as a browser would read it.
json gallery_of(const std::string& page) {
  const std::string opening = "<script id=data type=\"application/json\">";
  const std::size_t begin = page.find(opening) + opening.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

}  // namespace

TEST_CASE("report.json holds scores, what is missing, comparison and origin") {
  const test::TemporaryFolder folder;
  write_report(folder.path() / "new" / "report", small_report());
  const json object = json::parse(read_file(folder.path() / "new" / "report" / "report.json"));
  CHECK(object["num_questions"] == 3);
  CHECK(object["num_left_out"] == 0);
  CHECK_FALSE(object["scores"][0].contains("num_left_out"));
  CHECK(object["scores"][0]["name"] == "exact_match");
  CHECK(object["scores"][0]["parts"][0]["value"] == 0.5);
  CHECK(object["scores"][0]["facts"]["tokenizer"] == "simple");
  CHECK(object["missing"] == json::parse(R"([{"id":"c","status":"missing media"}])"));
  CHECK(object["comparison"]["second"] == "new");
  CHECK(object["comparison"]["scores"][0]["p_value"] == 0.03);
  CHECK(object["hashes"]["predictions"] == "0123");
  CHECK(object["versions"]["vllama"] == "0.1.0");
  CHECK(object["config"] == "seed: 1\n");
}

TEST_CASE("report.html is a pure function, and asks for nothing") {
  const ReportData data = small_report();
  const std::string page = report_html(data);
  CHECK(page == report_html(data));
  CHECK_FALSE(holds(page, "http:"));
  CHECK_FALSE(holds(page, "https:"));
  CHECK_FALSE(holds(page, "src=\""));
  CHECK(holds(page, "default-src 'none'"));
  CHECK(holds(page, "0.2500 \xE2\x80\x93 0.7500"));
  CHECK(holds(page, "(1 missing)"));
  CHECK(holds(page, "class=certain"));
}

TEST_CASE(
    "notes, Wilson's intervals and words beside a choice are shown, and absent without them") {
  ReportData data = small_report();
  CHECK_FALSE(holds(report_html(data), "Wilson"));
  CHECK_FALSE(report_json(data).contains("notes"));
  CHECK_FALSE(report_json(data)["scores"][0].contains("interval_method"));
  data.notes = {"choice: the two <differ>."};
  data.scores[0].parts[0].is_wilson = true;
  data.comparisons[0].is_wilson = true;
  data.predictions[0].in_words = "It is red.";
  const std::string page = report_html(data);
  CHECK(holds(page, "choice: the two &lt;differ&gt;."));
  CHECK(holds(page, "all alike: Wilson"));
  CHECK(gallery_of(page)["rows"][0]["inWords"] == "It is red.");
  const auto object = report_json(data);
  CHECK(object["notes"][0] == "choice: the two <differ>.");
  CHECK(object["scores"][0]["parts"][0]["interval_method"] == "Wilson");
  CHECK(object["comparison"]["scores"][0]["interval_method"] == "Wilson");
}

TEST_CASE("rows that were left out stand beside the number of questions") {
  ReportData data = small_report();
  CHECK_FALSE(holds(report_html(data), "left out"));
  data.num_left_out = data.scores[0].num_left_out = 2;
  CHECK(
      holds(report_html(data),
            "<td>3 <span class=note>(1 missing)</span> <span class=note>(2 broken and left out)"));
  CHECK(report_json(data)["num_left_out"] == 2);
  CHECK(report_json(data)["scores"][0]["num_left_out"] == 2);
}

TEST_CASE("the gallery has each question with its verdict, and each picture once") {
  const json gallery = gallery_of(report_html(small_report()));
  REQUIRE(gallery["rows"].size() == 3);
  CHECK(gallery["rows"][0]["verdict"] == "right");
  CHECK(gallery["rows"][1]["verdict"] == "partly");
  CHECK(gallery["rows"][2]["verdict"] == "missing");
  CHECK(gallery["rows"][1]["value"] == 0.5);
  CHECK(gallery["images"]["clip"].size() == 1);
  ReportData open = small_report();
  open.values.clear();
  CHECK(gallery_of(report_html(open))["rows"][0]["verdict"] == "open");
  open.values = {NAN, 0, 0};
  CHECK(gallery_of(report_html(open))["rows"][0]["verdict"] == "open");
  CHECK(gallery_of(report_html(open))["rows"][1]["verdict"] == "wrong");
}

TEST_CASE("no text of the data becomes markup or script") {
  for (const std::string attack :
       {"</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><b>", "'><b>",
        "<!--<script>", "]]>", "&lt;", "\xE2\x80\xAE rtl", "\xFF\xFE not utf-8",
        "a\\u003c/script"}) {
    INFO(attack);
    ReportData data = small_report();
    data.title = data.first_run = data.config_text = data.value_name = attack;
    data.scores[0].name = data.scores[0].parts[0].name = data.comparisons[0].name = attack;
    data.scores[0].facts = data.hashes = data.versions = {{attack, attack}};
    Prediction& prediction = data.predictions[0];
    prediction.id = prediction.question = prediction.type = prediction.prediction = attack;
    prediction.references = prediction.options = {attack};
    const std::string page = report_html(data), plain = report_html(small_report());
    const auto count = [](const std::string& text, const std::string& part) {
      std::size_t found = 0;
      for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
      return found;
    };
    for (const std::string part : {"<script", "</script", "<img", "<b>", "<!--"})
      CHECK(count(page, part) == count(plain, part));
    if (attack.find('\xFF') == std::string::npos)
      CHECK(gallery_of(page)["rows"][0]["prediction"] == attack);
  }
}

TEST_CASE("markup is escaped, and what is not UTF-8 replaced") {
  CHECK(markup_escaped("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(markup_escaped("x\xFFy") == "x\xEF\xBF\xBDy");
  CHECK(isolated("x") == "<bdi>x</bdi>");
}

TEST_CASE("numbers that are not finite are shown as none") {
  ReportData data = small_report();
  data.scores[0].parts[0].value = std::numeric_limits<double>::quiet_NaN();
  data.scores[0].low = -std::numeric_limits<double>::infinity();
  const std::string page = report_html(data);
  CHECK_FALSE(holds(page, "nan"));
  CHECK_FALSE(holds(page, "inf%"));
  CHECK(report_json(data)["scores"][0]["parts"][0].dump().find("null") != std::string::npos);
}

TEST_CASE("pictures are PNG or JPEG") {
  CHECK(image_data_uri(kPng, "p") == "data:image/png;base64,iVBORw0KGgpyZXN0");
  CHECK(image_data_uri("\xFF\xD8\xFFx", "p") == "data:image/jpeg;base64,/9j/eA==");
  CHECK(image_data_uri("\xFF\xD8\xFFxy", "p") == "data:image/jpeg;base64,/9j/eHk=");
  ReportData data = small_report();
  data.thumbnails["clip"].push_back("<svg onload=alert(1)>");
  CHECK_THROWS_WITH(report_html(data), Catch::Contains("'clip'") && Catch::Contains("PNG"));
}

TEST_CASE("a report without questions, scores or a run is a page, too") {
  const ReportData data{.title = "", .scores = {}, .predictions = {}};
  const std::string page = report_html(data);
  CHECK(gallery_of(page)["rows"].empty());
  CHECK_FALSE(holds(page, "Loss of the run"));
  CHECK_FALSE(holds(page, "<h2>Comparison"));
}

TEST_CASE("the loss curve leaves out what is not finite, and stays small") {
  CHECK(loss_curve_svg({}).empty());
  CHECK(loss_curve_svg({{1, 2}, {2, NAN}}).empty());
  CHECK_FALSE(loss_curve_svg({{1, 2}, {2, 2}}).empty());
  std::vector<LossPoint> points;
  for (int i = 0; i < 100000; ++i) points.push_back({double(i), std::sin(i)});
  const std::string svg = loss_curve_svg(points);
  CHECK(svg.size() < 40000);
  CHECK_FALSE(holds(svg, "nan"));
}
