// The report's page in a real browser: what it shows, filters and searches, and that texts stay
// texts.
#include <catch2/catch.hpp>
#include <string>

#include "eval/report/report.h"
#include "tests/eval/report/browser.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;

namespace {

const std::string kAttack =
    "</script><script>document.title='taken'</script><img src=x "
    "onerror=\"document.title='taken'\">";

// Question i is right, wrong or missing by i % 3, its type is i % 2.
ReportData many_questions(std::size_t count) {
  ReportData data{.title = "A report " + kAttack, .scores = {}, .predictions = {}};
  for (std::size_t i = 0; i < count; ++i) {
    Prediction prediction{.id = "id" + std::to_string(i)};
    prediction.video = i == 3 ? "__proto__" : i == 4 ? "constructor" : "v";
    prediction.question = i == 7 ? kAttack : "question " + std::to_string(i);
    prediction.type = i % 2 == 0 ? "even" : "odd";
    prediction.references = {"yes"};
    prediction.prediction = i == 10 ? "needle " + kAttack : "no";
    if (i % 3 == 2) prediction.status = "undecodable";
    data.predictions.push_back(prediction);
    data.values.push_back(i % 3 == 0);
  }
  data.thumbnails = {{"__proto__", {"\xFF\xD8\xFFx"}}};
  return data;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

std::string page_at(const std::string& fragment, std::size_t count) {
  const auto browser = test::chromium();
  if (!browser) return "";
  const test::TemporaryFolder folder;
  write_report(folder.path(), many_questions(count));
  std::string page = test::rendered(*browser, folder.path() / "report.html", fragment);
  REQUIRE(page.find("<article") != std::string::npos);
  // The data and the script are in the page, too.
  return page.erase(page.find("<script id"));
}

}  // namespace

TEST_CASE("a browser shows one page of many questions, and runs no text") {
  const std::string page = page_at("", 5000);
  if (page.empty()) return;
  CHECK(count_of(page, "<article") == 24);
  CHECK(page.find("5000 of 5000 questions") != std::string::npos);
  CHECK(page.find("Page 1 of 209") != std::string::npos);
  CHECK(page.find("Right (1667)") != std::string::npos);
  CHECK(page.find("Missing: undecodable") != std::string::npos);
  CHECK(page.find("<title>A report &lt;/script&gt;") != std::string::npos);
  CHECK(count_of(page, "<img") == 1);
  CHECK(page.find("src=\"data:image/jpeg;base64,/9j/eA==\"") != std::string::npos);
  CHECK(count_of(page, "<script") == 0);
}

TEST_CASE("a browser filters by verdict and type, and turns pages") {
  const std::string page = page_at("show=wrong&type=even&page=2", 300);
  if (page.empty()) return;
  CHECK(page.find("50 of 300 questions") != std::string::npos);
  CHECK(page.find("Page 2 of 3") != std::string::npos);
  CHECK(count_of(page, "<article") == 24);
  CHECK(count_of(page, "<article class=\"card wrong\"") == 24);
}

TEST_CASE("a browser searches all texts") {
  const std::string page = page_at("search=NEEDLE", 300);
  if (page.empty()) return;
  CHECK(page.find("1 of 300 questions") != std::string::npos);
  CHECK(page.find("needle &lt;/script&gt;") != std::string::npos);
}
