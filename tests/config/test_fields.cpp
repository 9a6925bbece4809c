#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "config/fields.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using Catch::Contains;

namespace {

struct InnerConfig {
  double rate = 0.1;
  std::string mode = "fast";
  template <class Visitor>
  void visit(Visitor&& field) {
    field("rate", rate, "a rate", config::Range{0.0, 1.0});
    field("mode", mode, "a mode", config::OneOf{{"fast", "slow"}});
  }
};

enum class Pace { quick, calm };
constexpr auto names_of(Pace) {
  return config::EnumNames<Pace, 2>{{{Pace::quick, "fast"}, {Pace::calm, "slow"}}};
}

struct PacedConfig {
  Pace pace = Pace::calm;
  template <class Visitor>
  void visit(Visitor&& field) {
    field("pace", pace, "a pace");
  }
};

struct OuterConfig {
  std::int64_t steps = 3;
  bool flag = false;
  std::optional<std::string> note;
  std::vector<double> numbers{1, 2.5};
  std::vector<std::string> modes{"slow"};
  std::vector<InnerConfig> parts;
  InnerConfig inner;
  template <class Visitor>
  void visit(Visitor&& field) {
    field("steps", steps, "how many", config::AtLeast<std::int64_t>{1});
    field("flag", flag, "a switch");
    field("note", note, "a remark");
    field("numbers", numbers, "some numbers");
    field("modes", modes, "some modes", config::OneOf{{"fast", "slow"}});
    field("parts", parts, "parts");
    field("inner", inner, "a section");
  }
};

OuterConfig parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  auto tree = config::load_text(text, "run.yaml");
  for (const auto& assignment : overrides) config::apply_override(tree, assignment);
  return config::read<OuterConfig>(tree);
}

}  // namespace

TEST_CASE("an enum is read and written by the names of its values, and takes no other") {
  const auto read = [](const std::string& text) {
    return config::read<PacedConfig>(config::load_text(text, "run.yaml"));
  };
  CHECK(read("{}").pace == Pace::calm);
  CHECK(read("pace: fast").pace == Pace::quick);
  CHECK(config::dump(PacedConfig{.pace = Pace::quick}) == "pace: fast\n");
  CHECK_THROWS_WITH(read("pace: quick"), Contains("run.yaml:1") && Contains("'pace'") &&
                                             Contains("must be one of fast, slow, not 'quick'"));
  CHECK_THROWS_WITH(read("pace: [fast]"), Contains("must be text"));
  CHECK_THAT(config::help<PacedConfig>(), Contains("pace: slow"));
}

TEST_CASE("values are read, defaults kept, overrides win") {
  const auto read =
      parse("steps: 7\nflag: yes\ninner:\n  rate: 1e-4\nparts:\n- rate: 0.5\n- mode: slow\n",
            {"inner.mode=slow", "parts.1.rate=0.25"});
  CHECK(read.steps == 7);
  CHECK(read.flag);
  CHECK(read.inner.rate == 1e-4);
  CHECK(read.inner.mode == "slow");
  REQUIRE(read.parts.size() == 2);
  CHECK(read.parts[1].rate == 0.25);
  CHECK(read.numbers == std::vector<double>{1, 2.5});
  CHECK(parse("modes: [fast, slow]").modes == std::vector<std::string>{"fast", "slow"});
}

TEST_CASE("what is dumped reads back to the same") {
  auto first = parse("note: \"a: b\"\nnumbers: [0.1, 3e-5]\nparts: [{rate: 0.3}]\n");
  const std::string text = config::dump(first);
  CHECK(config::dump(parse(text)) == text);
  CHECK(parse(text).note == "a: b");
}

TEST_CASE("every mistake names file, line and key") {
  CHECK_THROWS_WITH(parse("\nstepz: 3"), Contains("run.yaml:2") && Contains("'stepz'") &&
                                             Contains("did you mean 'steps'"));
  CHECK_THROWS_WITH(parse("inner: {rates: 3}"), Contains("'inner.rates'"));
  CHECK_THROWS_WITH(parse("steps: many"),
                    Contains("run.yaml:1") && Contains("'steps' must be a whole number"));
  CHECK_THROWS_WITH(parse("steps: 0"), Contains("at least 1"));
  CHECK_THROWS_WITH(parse("inner:\n  rate: 2"), Contains("run.yaml:2") && Contains("from 0 to 1"));
  CHECK_THROWS_WITH(parse("inner: {rate: nan}"), Contains("finite"));
  CHECK_THROWS_WITH(parse("inner: {mode: quick}"), Contains("one of fast, slow"));
  CHECK_THROWS_WITH(parse("modes: [fast, quick]"),
                    Contains("modes.1") && Contains("one of fast, slow"));
  CHECK_THROWS_WITH(parse("parts: [{rate: 2}]"), Contains("'parts.0.rate'"));
  CHECK_THROWS_WITH(parse("parts: [{}, {mode: quick}]"), Contains("'parts.1.mode'"));
  CHECK_THROWS_WITH(parse("", {"parts=[{}, {rate: 2}]"}), Contains("'parts.1.rate'"));
  CHECK_THROWS_WITH(parse("inner: 3"), Contains("must be a map"));
  CHECK_THROWS_WITH(parse("flag: maybe"), Contains("true or false"));
  CHECK_THROWS_WITH(parse("inner: {mode: }"), Contains("must be text; write"));
  CHECK_THROWS_WITH(parse("parts: 3"), Contains("must be a list"));
  CHECK_THROWS_WITH(parse("steps: 1\nsteps: 2"), Contains("run.yaml:2") && Contains("twice"));
  CHECK_THROWS_WITH(parse("a: b: c"), Contains("not valid YAML"));
  CHECK_THROWS_WITH(parse("", {"inner.rate=9"}), Contains("--set inner.rate"));
  CHECK_THROWS_WITH(parse("", {"=9"}), Contains("key=value"));
  CHECK_THROWS_AS(parse("steps: 99999999999999999999"), UserError);
}

TEST_CASE("an include supplies defaults, and its lines are named as its own") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "base.yaml", "rate: 0.5\nmode: slow\n");
  write_file_atomically(folder.path() / "run.yaml",
                        "steps: 2\ninner:\n  include: base.yaml\n  rate: 0.75\n");
  const auto read = config::read<OuterConfig>(config::load_file(folder.path() / "run.yaml"));
  CHECK(read.inner.rate == 0.75);
  CHECK(read.inner.mode == "slow");
  write_file_atomically(folder.path() / "base.yaml", "rate: 0.5\nmood: slow\n");
  CHECK_THROWS_WITH(config::read<OuterConfig>(config::load_file(folder.path() / "run.yaml")),
                    Contains("base.yaml:2"));
  write_file_atomically(folder.path() / "run.yaml", "include: run.yaml\n");
  CHECK_THROWS_WITH(config::load_file(folder.path() / "run.yaml"), Contains("includes itself"));
}

TEST_CASE("help lists every key with its default") {
  const std::string help = config::help<OuterConfig>();
  CHECK_THAT(help, Contains("inner.rate") && Contains("0.1") && Contains("parts.N.mode"));
}

TEST_CASE("a key given twice with an equal value can be allowed") {
  std::vector<std::string> repeats;
  const std::string text = "a: {b: [1, 2]}\nc: 3\na: {b: [1, 2]}\n";
  CHECK(config::load_text(text, "x.yaml", &repeats).entries.size() == 2);
  CHECK(repeats == std::vector<std::string>{"x.yaml:3: the key 'a' is given twice"});
  CHECK_THROWS_WITH(config::load_text(text, "x.yaml"), Contains("x.yaml:3"));
  CHECK_THROWS_WITH(config::load_text("a: 1\na: 2\n", "x.yaml", &repeats), Contains("x.yaml:2"));
}

TEST_CASE("aliases that multiply or contain themselves are refused") {
  CHECK_THROWS_WITH(config::load_text("a: &x [*x]\n", "x.yaml"), Contains("alias"));
  std::string text = "a0: &a0 [1]\n";
  for (int i = 1; i < 10; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1}", i, i - 1);
    for (int k = 1; k < 10; ++k) text += fmt::format(", *a{}", i - 1);
    text += "]\n";
  }
  CHECK_THROWS_WITH(config::load_text(text, "x.yaml"), Contains("100000 values"));
}
