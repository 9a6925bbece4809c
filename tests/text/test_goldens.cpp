// Training sequences against those that the original program recorded.
#include <catch2/catch.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_file.h"
#include "tests/text/golden_text.h"
#include "text/error.h"
#include "text/prompt.h"
#include "text/time_message.h"

using namespace vllama;
using namespace vllama::text;
using nlohmann::json;
using test::Ids;
using test::llama_tokenizer;

namespace {

constexpr LengthLimit kPublished{512, Truncation::cut};
constexpr LengthLimit kOurs{512, Truncation::keep_stop};

TokenSequence build(const json& entry, const std::string& form, const LengthLimit& limit) {
  const test::MediaLayout layout{.layout = &prompt_template(form).training,
                                 .num_media_tokens = entry["num_query_token"],
                                 .limit = limit,
                                 .reads_special_tokens = true};
  if (entry["kind"] == "video")
    return test::video_conversation(llama_tokenizer(), test::conversation_from_qa(entry["qa"]),
                                    entry["msg"].get<std::string>(), layout);
  return test::image_conversation(llama_tokenizer(),
                                  test::conversation_from_llava(entry["conversations"]), layout);
}

// The cases in which the original is wrong or takes what we refuse; each has its own test.
bool is_special(const json& entry) {
  const std::string name = entry["name"];
  return name == "separators_inside" || name == "gpt_first" || name == "no_tag" ||
         name == "unknown_role";
}

json golden_case(const json& cases, const std::string& name) {
  for (const json& entry : cases)
    if (entry["name"] == name) return entry;
  FAIL("no case " << name);
  return {};
}

Ids endings(const std::string& form) {
  return form == "vicuna" ? Ids{13, 2277, 29937} : Ids{29871, 2};
}

}  // namespace

TEST_CASE("recorded conversations come out, ids and labels") {
  VLLAMA_SHARED_FILE(path, "goldens/text/conversations.json");
  int num_compared = 0;
  for (const json& entry : test::read_json(path)) {
    if (is_special(entry)) continue;
    for (const std::string form : {"vicuna", "llama_v2"}) {
      INFO(entry["name"] << " " << entry["kind"] << " " << form);
      const Ids ids = entry[form]["input_ids"], labels = entry[form]["labels"];
      const auto published = build(entry, form, kPublished);
      CHECK(published.ids == ids);
      CHECK(published.labels == labels);
      const auto ours = build(entry, form, kOurs);
      CHECK(ours.shortened == published.shortened);
      if (!ours.shortened) CHECK((ours.ids == ids && ours.labels == labels));
      ++num_compared;
    }
  }
  CHECK(num_compared == 22);
}

TEST_CASE("where the original cuts off the stop sign, ours keeps it") {
  VLLAMA_SHARED_FILE(path, "goldens/text/conversations.json");
  const json cases = test::read_json(path);
  for (const char* name : {"long_truncated", "long_three"})
    for (const std::string form : {"vicuna", "llama_v2"}) {
      const json entry = golden_case(cases, name);
      const Ids ids = entry[form]["input_ids"];
      const auto ours = build(entry, form, kOurs);
      const Ids ending = endings(form);
      const auto num_kept = static_cast<std::ptrdiff_t>(512 - ending.size());
      CHECK(ours.shortened);
      REQUIRE(ours.ids.size() == 512);
      CHECK(std::equal(ours.ids.begin(), ours.ids.begin() + num_kept, ids.begin()));
      CHECK(Ids(ours.labels.begin() + num_kept, ours.labels.end()) == ending);
      CHECK_FALSE(std::equal(ending.begin(), ending.end(), ids.begin() + num_kept));
    }
}

TEST_CASE("separators inside a text: same ids, and labels where the original loses them") {
  VLLAMA_SHARED_FILE(path, "goldens/text/conversations.json");
  const json entry = golden_case(test::read_json(path), "separators_inside");
  const auto vicuna = build(entry, "vicuna", kOurs);
  CHECK(vicuna.ids == entry["vicuna"]["input_ids"].get<Ids>());
  // <unk> shifts the original's mask by one: the newline of the second question became a target.
  const Ids golden_labels = entry["vicuna"]["labels"];
  std::vector<std::size_t> different;
  for (std::size_t i = 0; i < golden_labels.size(); ++i)
    if (golden_labels[i] != vicuna.labels[i]) different.push_back(i);
  REQUIRE(different.size() == 1);
  CHECK(golden_labels[different[0]] == 13);
  CHECK(vicuna.labels[different[0]] == kIgnoredLabel);
  CHECK(vicuna.labels[different[0] + 1] == 2277);
  // An answer with "[/INST] " left the original without any target.
  const auto llama = build(entry, "llama_v2", kOurs);
  CHECK(llama.ids == entry["llama_v2"]["input_ids"].get<Ids>());
  Ids targets;
  for (const std::int64_t label : llama.labels)
    if (label != kIgnoredLabel) targets.push_back(label);
  CHECK(targets == llama_tokenizer().encode("It is [/INST] a mark </s> indeed </s>fine </s>"));
}

TEST_CASE("an answer in front of the first question is left out, in both forms") {
  VLLAMA_SHARED_FILE(path, "goldens/text/conversations.json");
  const json entry = golden_case(test::read_json(path), "gpt_first");
  const auto llama = build(entry, "llama_v2", kOurs);
  CHECK(llama.ids == entry["llama_v2"]["input_ids"].get<Ids>());
  CHECK(llama.labels == entry["llama_v2"]["labels"].get<Ids>());
  const auto vicuna = build(entry, "vicuna", kOurs);
  for (const auto& [key, ours] : {std::pair{"input_ids", vicuna.ids}, {"labels", vicuna.labels}}) {
    Ids golden = entry["vicuna"][key];
    golden.erase(golden.begin() + 4, golden.begin() + 12);  // "###Assistant: Hello.\n"
    CHECK(ours == golden);
  }
}

TEST_CASE("what the original trains on without its image or with a wrong role is refused") {
  VLLAMA_SHARED_FILE(path, "goldens/text/conversations.json");
  const json cases = test::read_json(path);
  for (const std::string form : {"vicuna", "llama_v2"}) {
    for (const auto& [name, reason] : {std::pair{"no_tag", TextFailure::no_media_place},
                                       {"unknown_role", TextFailure::unknown_role}}) {
      try {
        build(golden_case(cases, name), form, kOurs);
        FAIL(name);
      } catch (const TextError& error) {
        CHECK(error.reason == reason);
      }
    }
  }
}

TEST_CASE("a padded batch equals the collated one") {
  VLLAMA_SHARED_FILE(cases_path, "goldens/text/conversations.json");
  VLLAMA_SHARED_FILE(collated_path, "goldens/text/collated.json");
  const json cases = test::read_json(cases_path), collated = test::read_json(collated_path);
  std::vector<TokenSequence> batch;
  for (std::size_t i = 0; i < 4; ++i) batch.push_back(build(cases[i], "vicuna", kPublished));
  const auto flat = [](const json& rows) {
    Ids values;
    for (const Ids row : rows) values.insert(values.end(), row.begin(), row.end());
    return values;
  };
  CHECK(test::padded_ids(batch) == flat(collated["input_ids"]));
  CHECK(test::padded_labels(batch) == flat(collated["labels"]));
}

TEST_CASE("the texts of the whole-model recordings") {
  VLLAMA_SHARED_FILE(texts_path, "goldens/components/whole_texts.json");
  const json texts = test::read_json(texts_path);
  const auto labels_of = [&](const std::string& name) {
    return test::SafetensorsFile("../shared/goldens/components/" + name + ".safetensors");
  };
  const auto captions = [&](std::size_t count, const CaptionLayout& layout,
                            const CaptionPrompt& prompt) {
    std::vector<TokenSequence> batch;
    for (std::size_t i = 0; i < count; ++i)
      batch.push_back(build_caption(llama_tokenizer(), texts["captions"][i].get<std::string>(),
                                    layout, prompt));
    return test::padded_labels(batch);
  };
  const CaptionLayout video{.num_media_tokens = 5}, sound{.num_media_tokens = 3};
  CHECK(captions(2, video, {}) == labels_of("whole_vl_caption").values<std::int64_t>("labels"));
  CHECK(captions(3, video, {}) ==
        labels_of("whole_vl_caption_image").values<std::int64_t>("labels"));
  CHECK(captions(2, sound, {}) == labels_of("whole_al_caption").values<std::int64_t>("labels"));

  VLLAMA_SHARED_FILE(prompts_path, "goldens/data/prompts/one.txt");
  const auto prompts =
      read_caption_prompts(prompts_path, texts["prompt_template"].get<std::string>());
  REQUIRE(prompts.size() == 1);
  CaptionLayout prompted{.num_media_tokens = 5};
  prompted.end_sign = texts["end_sym"];
  prompted.limit.max_tokens = texts["max_txt_len"];
  CHECK(captions(3, prompted, prompts[0]) ==
        labels_of("whole_vl_caption_prompt").values<std::int64_t>("labels"));

  for (const auto& [name, form, num_media] : {std::tuple{"whole_vl_multi_vicuna", "vicuna", 5},
                                              {"whole_vl_multi_llama_v2", "llama_v2", 5},
                                              {"whole_al_multi_vicuna", "vicuna", 3}}) {
    INFO(name);
    std::vector<TokenSequence> batch;
    for (const json& item : texts["qa"])
      batch.push_back(test::video_conversation(
          llama_tokenizer(), test::conversation_from_qa(item[0]), item[1].get<std::string>(),
          {&prompt_template(form).training, num_media, kOurs}));
    CHECK(test::padded_ids(batch) == labels_of(name).values<std::int64_t>("input_ids"));
    CHECK(test::padded_labels(batch) == labels_of(name).values<std::int64_t>("labels"));
  }
}

namespace {

struct Run {
  const char* name;
  std::int64_t num_media;
  const char* end_sign;  // captions
  std::int64_t max_caption_tokens;
  bool has_prompt;
  const char* form;  // conversations
};

std::vector<TokenSequence> batch_of(const Run& run, const json& step) {
  std::vector<TokenSequence> batch;
  if (!step["text_input"].is_null()) {
    CaptionPrompt prompt;
    if (run.has_prompt)
      prompt = read_caption_prompts("../shared/goldens/data/prompts/one.txt",
                                    "###Human: {} ###Assistant: ")[0];
    for (const std::string caption : step["text_input"])
      batch.push_back(build_caption(
          llama_tokenizer(), caption,
          {run.num_media, run.end_sign, {run.max_caption_tokens, Truncation::cut}}, prompt));
    return batch;
  }
  const bool is_video = step["dataset"] == "webvid_instruct";
  const json data = test::read_json(is_video ? "../shared/goldens/data/videochat_instruct.json"
                                             : "../shared/goldens/data/llava_instruct.json");
  const json clips = test::read_json("../shared/goldens/media/frame_indices.json")["clips"];
  const test::MediaLayout layout{&prompt_template(run.form).training, run.num_media, kPublished};
  for (const std::size_t index : step["indices"]) {
    if (!is_video) {
      batch.push_back(test::image_conversation(
          llama_tokenizer(), test::conversation_from_llava(data[index]["conversations"]), layout));
      continue;
    }
    const std::string clip =
        std::filesystem::path(data[index]["video"].get<std::string>()).filename();
    batch.push_back(test::video_conversation(
        llama_tokenizer(), test::conversation_from_qa(data[index]["QA"]),
        time_message(clips[clip]["indices"].get<Ids>(), clips[clip]["avg_fps"]), layout));
  }
  return batch;
}

}  // namespace

TEST_CASE("the sequences of every step of the recorded training runs") {
  VLLAMA_SHARED_FILE(runs, "goldens/runs");
  for (const Run& run : {Run{"vl_stage1_webvid", 5, "\n", 32, false, ""},
                         Run{"vl_stage1_accum2", 5, "\n", 32, false, ""},
                         Run{"vl_stage1_mixed", 5, "\n", 32, false, ""},
                         Run{"al_stage1_webvid", 3, "\n", 32, false, ""},
                         Run{"vl_stage2_align_prompt", 5, "###", 160, true, ""},
                         Run{"vl_stage2_videochat", 5, "", 0, false, "vicuna"},
                         Run{"al_stage2_videochat", 3, "", 0, false, "vicuna"},
                         Run{"vl_stage2_llava", 5, "", 0, false, "llama_v2"}}) {
    const test::SafetensorsFile tensors(runs / run.name / "tensors.safetensors");
    const json trajectory = test::read_json(runs / run.name / "trajectory.json");
    for (const json& step : trajectory["micro_steps"]) {
      INFO(run.name << " step " << step["step"]);
      const auto batch = batch_of(run, step);
      const Ids ids = test::padded_ids(batch), labels = test::padded_labels(batch);
      CHECK(ids.size() == batch.size() * step["seq_len"].get<std::size_t>());
      const auto num_ignored = std::count(labels.begin(), labels.end(), kIgnoredLabel);
      CHECK(static_cast<std::ptrdiff_t>(labels.size()) - num_ignored == step["num_targets"]);
      if (step["step"] != 1) continue;
      CHECK(labels == tensors.values<std::int64_t>("step1.labels"));
      if (tensors.entries().contains("step1.input_ids"))
        CHECK(ids == tensors.values<std::int64_t>("step1.input_ids"));
    }
  }
}
