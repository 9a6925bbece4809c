// What vllama check finds: every kind of problem by file and record, all of them in one report.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/files.h"
#include "distributed/device.h"
#include "models/model_input.h"
#include "tests/support/model_input.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/check/check.h"
#include "train/check/count_bar.h"
#include "train/check/report.h"
#include "train/check/token_counts.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

class World : public test::TinyWorld {
 public:
  World() : config(run("run")) {}

  CheckReport check(MediaCheck media = MediaCheck::sampled) const {
    return train::check(config, {.media = media, .num_samples = 200});
  }
  // The one problem, which must name all these.
  void finds(const std::vector<std::string>& named) const {
    const CheckReport report = check();
    CAPTURE(report.problems);
    REQUIRE(report.problems.size() == 1);
    for (const std::string& text : named) CHECK_THAT(report.problems[0], Contains(text));
  }
  void write_captions(const std::vector<std::string>& rows) const {
    std::string table = "videoid,page_dir,name\n";
    for (const std::string& row : rows) table += row + "\n";
    write_file_atomically(path("annotations/clips.csv"), table);
  }
  void replace_in_model_sizes(const std::string& key, std::int64_t value) const {
    const auto file = path("weights/llama/config.json");
    auto json = nlohmann::json::parse(read_file(file));
    json[key] = value;
    write_file_atomically(file, json.dump());
  }

  RunConfig config;
};

}  // namespace

TEST_CASE("check: a run without faults") {
  const World world;
  const CheckReport report = world.check();
  CAPTURE(report.problems);
  CHECK(report.problems.empty());
  REQUIRE(report.datasets.size() == 1);
  const DatasetFindings& found = report.datasets[0];
  CHECK(found.num_records == 5);
  CHECK(found.num_looked_for == 5);
  CHECK(found.num_samples == 5);
  CHECK(found.tokens_per_sample.size() == 5);
  CHECK(found.num_shortened == 0);
  CHECK(found.short_clips.count == 0);
  CHECK(found.duplicates.count == 0);
  REQUIRE(report.plan);
  CHECK(report.plan->num_steps == 6);
  CHECK(report.plan->samples_per_step == 4);
  REQUIRE(report.plan->sets.size() == 1);
  CHECK(report.plan->sets[0].num_samples == 24);
  CHECK(report.plan->sets[0].num_passes == Approx(24.0 / 5));
  CHECK_THAT(report_text(report, false),
             Contains("No problems found") && Contains("Memory, estimated") &&
                 Contains("tokens per sample") && Contains("passes") && Contains("===="));
  CHECK_FALSE(fs::exists(world.path("run")));
}

TEST_CASE("check: absent and empty media, by record") {
  const World world;
  fs::remove(world.path("videos/page/clip2.mp4"));
  fs::resize_file(world.path("videos/page/clip4.mp4"), 0);
  world.finds({"data set clips", "2 of 5 records", "record 2 (clip2)", "clip2.mp4' does not exist",
               "record 4 (clip4)", "clip4.mp4' is empty", "media_root"});
  CHECK(world.check(MediaCheck::all).datasets[0].missing.count == 2);
  const CheckReport none = world.check(MediaCheck::none);
  CHECK(none.problems.empty());
  CHECK(none.datasets[0].num_looked_for == 0);
  CHECK(none.datasets[0].num_samples == 0);
}

TEST_CASE("check: media that do not decode") {
  const World world;
  write_file_atomically(world.path("videos/page/clip1.mp4"), "<html>not found</html>");
  world.finds({"1 of 5 samples", "not_media", "record 1 (clip1)", "clip1.mp4"});
}

TEST_CASE("check: broken rows, by file and line") {
  const World world;
  world.write_captions({"clip0,page,good", "clip1,page,", "clip2,page,nan", ",page,lost"});
  world.finds({"3 invalid entries", "clips.csv:3: missing_caption", "clips.csv:4: missing_caption",
               "clips.csv:5: missing_id"});
}

TEST_CASE("check: repeated ids are counted and are no problem") {
  const World world;
  world.write_captions({"clip0,page,a", "clip1,page,b", "clip0,page,c", "clip0,page,d"});
  const CheckReport report = world.check();
  CHECK(report.problems.empty());
  const RecordList& repeated = report.datasets[0].duplicates;
  CHECK(repeated.count == 2);
  REQUIRE(repeated.first.size() == 2);
  CHECK(repeated.first[0].index == 2);
  CHECK(repeated.first[0].id == "clip0");
  CHECK(repeated.first[0].detail == "record 0 has this id, too");
  CHECK_THAT(report_text(report, false), Contains("2 (50.0%), the first is record 2 (clip0)"));
}

TEST_CASE("check: texts that are shortened, dropped, or too long for the model") {
  World world;
  SECTION("shortened") {
    world.config.data.captions.max_tokens = 3;
    const CheckReport report = world.check();
    CHECK(report.problems.empty());
    CHECK(report.datasets[0].num_shortened == 5);
    CHECK_THAT(report_text(report, false), Contains("5 (100.0%)"));
  }
  SECTION("dropped") {
    world.config.data.sets[0].clean_captions = false;
    world.write_captions({"clip0,page,good", "clip1,page,an <ImageHere> inside"});
    world.finds({"1 of 2 samples", "reserved_token", "record 1 (clip1)", "annotations"});
  }
  SECTION("too long") {
    world.replace_in_model_sizes("max_position_embeddings", 12);
    const CheckReport report = world.check();
    CAPTURE(report.problems);
    REQUIRE(report.problems.size() == 2);
    CHECK_THAT(report.problems[0], Contains("37 tokens") && Contains("12 positions"));
    CHECK_THAT(report.problems[1], Contains("5 of 5 samples") && Contains("record 0 (clip0)"));
  }
  SECTION("no room for a caption") {
    world.config.data.captions.max_tokens = 1;
    const CheckReport report = world.check();
    CHECK(report.problems.size() == 1);
    CHECK(report.datasets[0].num_samples == 0);
  }
}

TEST_CASE("check: clips with too few frames, and without the sound asked for") {
  World world;
  world.config.data.sets[0].num_frames = 30;  // of 20
  world.config.data.sets[0].inputs = samples::Inputs::frames_and_sound;
  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  samples::ModelInput input = models::model_input(world.config.model);
  test::add_audio(input, {});
  const DatasetFindings found = check_dataset(world.config, 0, {input, 64}, &tokenizer, {});
  CHECK(found.errors.empty());
  CHECK(found.num_samples == 5);
  CHECK(found.short_clips.count == 5);
  CHECK(found.silent.count == 5);
}

TEST_CASE("check: weight files that do not fit, all of them") {
  World world;
  fs::remove(world.path("weights/eva_vit_g.pth"));
  world.config.model.vision.resampler.num_layers = 3;
  world.replace_in_model_sizes("num_hidden_layers", 3);
  world.config.model.weights.projection = "/nowhere/projection.pth";
  const CheckReport report = world.check();
  CAPTURE(report.problems);
  REQUIRE(report.problems.size() == 4);
  const std::string text = fmt::format("{}", fmt::join(report.problems, "\n"));
  CHECK_THAT(text, Contains("eva_vit_g.pth") && Contains("blip2_qformer.pth") &&
                       Contains("Qformer.bert.encoder.layer.2.") &&
                       Contains("model.layers.2.mlp.gate_proj.weight") &&
                       Contains("/nowhere/projection.pth"));
}

TEST_CASE("check: the words about weights are those of training") {
  World world;
  world.config.model.vision.encoder.as<encoders::EvaVitConfig>().num_blocks = 3;
  const auto config = test::write_config(world.config, world.path("run.yaml"));
  const CheckReport report = world.check();
  REQUIRE(report.problems.size() == 1);
  const auto training = test::run_program("train '" + config.string() + "'");
  CHECK_THAT(training.output, Contains(report.problems[0]));
}

TEST_CASE("check: a size that is not that of its file is told once") {
  World world;
  SECTION("that makes no model") {
    world.config.model.vision.encoder.as<encoders::EvaVitConfig>().width = 15;
  }
  SECTION("that makes one") {
    world.config.model.vision.encoder.as<encoders::EvaVitConfig>().width = 32;
  }
  world.finds({"eva_vit_g.pth", "model.vision.encoder.width is ", "but the file has 16"});
}

TEST_CASE("check: a device that this machine lacks is warned of, as the run may be for another") {
  World world;
  world.config.device = distributed::DeviceChoice::cuda;
  const CheckReport report = world.check(MediaCheck::none);
  CHECK(report.problems.empty());
  const std::string problem = distributed::device_problem(distributed::DeviceChoice::cuda);
  CHECK(report.warnings ==
        (problem.empty() ? std::vector<std::string>{} : std::vector<std::string>{problem}));
}

TEST_CASE("check: files of the language model that are missing") {
  World world;
  fs::remove(world.path("weights/llama/config.json"));
  fs::remove(world.path("weights/llama/tokenizer.model"));
  fs::remove(world.path("weights/llama/model.safetensors"));
  fs::remove(world.path("weights/blip2_qformer.pth"));
  const CheckReport report = world.check();
  CAPTURE(report.problems);
  CHECK(report.problems.size() == 4);
  CHECK(report.datasets[0].num_looked_for == 5);
  CHECK(report.datasets[0].num_samples == 0);
}

TEST_CASE("check: the plan of a run whose weights are still to be fetched") {
  World world;
  const CheckReport whole = world.check();
  fs::remove_all(world.path("weights"));
  const CheckReport report = world.check(MediaCheck::none);
  CHECK_FALSE(report.problems.empty());
  REQUIRE(report.plan);
  CHECK_THAT(report.plan->assumed, Contains("LLaMA 7B") && Contains("weights/llama/config.json"));
  CHECK(report.plan->memory.total_bytes() > whole.plan->memory.total_bytes());
  CHECK(whole.plan->assumed.empty());
  CHECK_THAT(report_text(report, false),
             Contains("Memory, estimated") && Contains(report.plan->assumed));
  world.config.model.weights.language_model = world.path("ckpt/vicuna-13b");
  const CheckReport larger = world.check(MediaCheck::none);
  CHECK_THAT(larger.plan->assumed, Contains("LLaMA 13B"));
  CHECK(larger.plan->memory.total_bytes() > report.plan->memory.total_bytes());
}

TEST_CASE("check: a media folder that is not there is named once") {
  World world;
  world.config.data.sets[0].media_root = world.path("nowhere");
  world.finds({"data set 'clips': media_root '", "nowhere' does not exist", "annotations"});
  CHECK(world.check(MediaCheck::all).datasets[0].num_looked_for == 0);
}

TEST_CASE("check: tags of media that stand as text, by record") {
  World world;
  world.write_captions({"clip0,page,a dog", "clip1,page,<video> a cat", "clip2,page,<image>"});
  const CheckReport report = world.check();
  CHECK(report.problems.empty());  // perhaps they mean it
  REQUIRE(report.warnings.size() == 1);
  CHECK_THAT(report.warnings[0], Contains("data set clips: 2 of 3 records") &&
                                     Contains("record 1 (clip1): <video>") &&
                                     Contains("record 2 (clip2): <image>"));
  CHECK_THAT(report_text(report, false), Contains("1 warning:\n1. data set clips"));
  CHECK(nlohmann::json::parse(report_json(report))["warnings"].size() == 1);
}

TEST_CASE("check: what the clean-up takes from captions is shown before and after") {
  World world;
  world.write_captions({"clip0,page,a dog", "clip1,page,Who is it?  Bob!", "clip2,page,a  cat"});
  const CheckReport report = world.check();
  CHECK(report.problems.empty());
  CHECK(report.warnings.empty());
  CHECK(report.datasets[0].cleaned.count == 1);
  CHECK_THAT(report_text(report, false),
             Contains("record 1 (clip1): \"Who is it?  Bob!\" -> \"who is it? bob\""));
  world.config.data.sets[0].clean_captions = false;
  CHECK(world.check().datasets[0].cleaned.count == 0);
}

TEST_CASE("check: the first sample of each data set, and prompts of another family") {
  const World world;
  const CheckReport report = world.check();
  REQUIRE(report.datasets.size() == 1);
  CHECK_THAT(report.datasets[0].first_sample,
             Contains("ca|ption") && Contains("[4 x frames]") && Contains("target"));
  CHECK_THAT(report_text(report, false), Contains("Its first sample, as the model reads it"));
  CHECK_THAT(report_json(report), Contains("first_sample"));

  write_file_atomically(world.path("weights/llama/chat_template.jinja"),
                        "{{'<|im_start|>' + message.role}}");
  write_file_atomically(
      world.path("talk.jsonl"),
      R"({"id": 1, "messages": [{"role": "user", "content": [{"video": "page/clip0.mp4"},
         {"text": "What?"}]}, {"role": "assistant", "content": "It."}]})");
  std::string line = read_file(world.path("talk.jsonl"));
  std::erase(line, '\n');
  write_file_atomically(world.path("talk.jsonl"), line + "\n");
  RunConfig config = world.config;
  config.data.sets[0].format = "vllama";
  config.data.sets[0].annotations = world.path("talk.jsonl");
  config.data.conversations.max_tokens = 60;
  const auto warnings = train::check(config, {.num_samples = 1}).warnings;
  CHECK(std::ranges::any_of(warnings, [](const std::string& warning) {
    return warning.find("prompts of chatml") != std::string::npos;
  }));
}

TEST_CASE("check: very many passes are warned of") {
  World world;
  world.config.training.steps_per_epoch = 300;
  const CheckReport report = world.check(MediaCheck::none);
  CHECK(report.problems.empty());
  REQUIRE(report.warnings.size() == 1);
  CHECK_THAT(report.warnings[0], Contains("480 times through its 5 records"));
}

TEST_CASE("check: data sets that cannot be opened, or not together") {
  World world;
  world.config.data.sets.push_back(world.config.data.sets[0]);
  world.config.data.sets[1].annotations = "/nowhere/annotations";
  for (auto& set : world.config.data.sets) set.weight = 0;
  const CheckReport report = world.check();
  CAPTURE(report.problems);
  REQUIRE(report.problems.size() == 3);
  CHECK_THAT(report.problems[0], Contains("two data sets are called 'clips'"));
  CHECK_THAT(report.problems[1], Contains("weight above 0"));
  CHECK_THAT(report.problems[2], Contains("data set clips") && Contains("/nowhere/annotations"));
}

TEST_CASE("check: an output folder that cannot be") {
  World world;
  write_file_atomically(world.path("file"), "");
  world.config.output_dir = world.path("file/run");
  world.finds({"output_dir", "in the way"});
}

TEST_CASE("check: the program's status, and JSON") {
  const World world;
  const auto config = test::write_config(world.config, world.path("run.yaml"));
  const std::string command = "check '" + config.string() + "' ";
  CHECK(test::run_program(command + "--media all --samples 2").status == 0);
  CHECK(test::run_program(command + "--media some").status == 2);
  CHECK(test::run_program(command + "--samples 0").status == 2);
  fs::remove(world.path("videos/page/clip3.mp4"));
  const auto text = test::run_program(command);
  CHECK(text.status == 2);
  CHECK_THAT(text.output, Contains("1 problem:") && Contains("record 3 (clip3)"));
  const auto outcome = test::run_program(command + "--json");
  CHECK(outcome.status == 2);
  const auto json = nlohmann::json::parse(outcome.output.substr(outcome.output.find("{\n")));
  CHECK(json["problems"].size() == 1);
  CHECK(json["data_sets"][0]["missing"]["count"] == 1);
  CHECK(json["data_sets"][0]["missing"]["first"][0]["record"] == 3);
  CHECK(json["data_sets"][0]["tokens"]["max"] > 0);
  CHECK(json["plan"]["memory_bytes_per_gpu"]["total"] > 0);
  CHECK(json["plan"]["steps"] == 6);
}

TEST_CASE("token counts: median, and bins without gaps") {
  CHECK(count_up({}).bins.empty());
  const TokenCounts one = count_up({7});
  CHECK(one.median == 7);
  CHECK(one.bins == std::vector<TokenBin>{{7, 7, 1}});
  const TokenCounts counts = count_up({99, 12, 40, 41, 300, 45});
  CHECK(counts.min == 12);
  CHECK(counts.median == 45);
  CHECK(counts.max == 300);
  REQUIRE(counts.bins.size() == 7);
  CHECK(counts.bins.front() == TokenBin{0, 49, 4});
  CHECK(counts.bins[1] == TokenBin{50, 99, 1});
  CHECK(counts.bins.back() == TokenBin{300, 349, 1});
  const std::string text = histogram_text(counts, false);
  CHECK_THAT(text, Contains("     0-49  ========================================  4\n") &&
                       Contains("  100-149  0\n") && Contains("    50-99  ==========  1\n"));
}

TEST_CASE("count bar: a line on a terminal, erased at the end; nothing elsewhere") {
  std::ostringstream stream;
  double now = 0;
  ProgressOutput output{&stream, true, false, [] { return 80; }, [&now] { return now; }};
  {
    CountBar bar("clips: files", 4, output);
    bar.advance();
    CHECK(stream.str().empty());  // nothing worth showing yet
    now = 1;
    bar.advance();
    CHECK_THAT(stream.str(), Catch::EndsWith("clips: files  "
                                             "===============...............  2/4  left 0:01"));
  }
  CHECK_THAT(stream.str(), Catch::EndsWith(kToStartOfLine));
  stream.str("");
  output.is_terminal = false;
  {
    CountBar bar("clips", 1, output);
    now = 2;
    bar.advance();
  }
  CHECK(stream.str().empty());
}
