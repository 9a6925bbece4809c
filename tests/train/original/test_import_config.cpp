// The Python original's configurations as ours: its recorded runs, the layout it was published in,
// and files that must be changed first.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "config/fields.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/original/import_config.h"
#include "train/run/run_config.h"

using namespace vllama;
using Catch::Contains;

namespace {

// A complete configuration of the vision branch; {0} stands in model, {1} in datasets, {2} in run.
constexpr const char* kVision = R"(model:
  arch: video_llama
  model_type: pretrain_vicuna
  llama_model: ckpt/llama
  frozen_llama_proj: False
  frozen_video_Qformer: False
{0}datasets:
  webvid:
    build_info: {{anno_dir: csv, videos_dir: videos}}
    text_processor: {{train: {{name: blip_caption}}}}
{1}run:
  lr_sched: linear_warmup_cosine_lr
  init_lr: 1e-4
  min_lr: 8e-5
  weight_decay: 0.05
  max_epoch: 5
  iters_per_epoch: 10
  batch_size_train: 2
  seed: 42
  output_dir: output
{2})";

struct Imported {
  train::RunConfig run;
  std::vector<std::string> notes;

  bool names(const std::string& key, const std::string& reason) const {
    return std::ranges::any_of(notes, [&](const std::string& note) {
      return note.find(": " + key + ": ") != note.npos && note.find(reason) != note.npos;
    });
  }
};

Imported import_text(const std::string& text) {
  const auto imported = train::import_config(text, "ref.yaml");
  // As the program does: through the file.
  const auto tree = config::load_text(config::to_yaml(imported.run), "ours.yaml");
  return {config::read<train::RunConfig>(tree), imported.notes};
}

Imported import_vision(const std::string& model = "", const std::string& datasets = "",
                       const std::string& run = "") {
  return import_text(fmt::format(kVision, model, datasets, run));
}

std::string problems_of(const std::string& text) {
  try {
    import_text(text);
  } catch (const UserError& error) {
    return error.what();
  }
  FAIL("no problem was found");
  return {};
}

std::string problems(const std::string& model, const std::string& datasets = "",
                     const std::string& run = "") {
  return problems_of(fmt::format(kVision, model, datasets, run));
}

// The value at "a.b.c" of the original's file as a T, or `fallback`.
template <class T>
T original(const config::Tree& root, const std::string& key, T fallback) {
  const config::Tree* tree = &root;
  for (std::size_t start = 0; tree != nullptr && start <= key.size();) {
    const std::size_t end = std::min(key.find('.', start), key.size());
    tree = tree->find(key.substr(start, end - start));
    start = end + 1;
  }
  if (tree != nullptr) config::parse(*tree, key, fallback);
  return fallback;
}

void check_training(const train::RunConfig& run, const config::Tree& from) {
  CHECK(run.seed == original(from, "run.seed", std::uint64_t{0}));
  CHECK(run.device == distributed::DeviceChoice::cpu);
  CHECK(run.output_dir == "output/tiny");
  CHECK(run.schedule.kind == optim::ScheduleKind::cosine);
  CHECK(run.schedule.peak_learning_rate == original(from, "run.init_lr", 0.0));
  CHECK(run.schedule.min_learning_rate == original(from, "run.min_lr", 0.0));
  CHECK(run.schedule.warmup_learning_rate == original(from, "run.warmup_lr", 0.0));
  CHECK(run.schedule.warmup_steps == original(from, "run.warmup_steps", std::int64_t{0}));
  CHECK(run.training.num_epochs == original(from, "run.max_epoch", std::int64_t{0}));
  CHECK(run.training.steps_per_epoch == original(from, "run.iters_per_epoch", std::int64_t{0}));
  const auto at_once = original(from, "run.batch_size_train", std::int64_t{0});
  CHECK(run.training.micro_batch_size == at_once);
  CHECK(run.training.batch_size ==
        at_once * original(from, "run.accum_grad_iters", std::int64_t{1}));
  CHECK(run.optimizer.weight_decay == original(from, "run.weight_decay", 0.0));
  CHECK(run.data.loader.num_workers == 0);
}

void check_model(const train::RunConfig& run, const config::Tree& from, bool is_audio) {
  const auto text = [&](const std::string& key) {
    return original(from, "model." + key, std::string());
  };
  CHECK(run.model.branches == (is_audio ? models::BranchSet::audio : models::BranchSet::vision));
  CHECK(run.model.precision == models::Precision::fp32);
  CHECK(run.model.weights.language_model == "ckpt/llama");
  if (is_audio) {
    CHECK(run.model.audio.q_former.num_queries == 3);
    CHECK(run.model.audio.embedding_scale == encoders::EmbeddingScale::published);
    CHECK(run.model.weights.image_bind == "ckpt/imagebind/imagebind_huge.pth");
    CHECK(run.model.weights.audio_checkpoint == "ckpt/init_al.pth");
    CHECK(run.model.weights.vision_checkpoint.empty());
    return;
  }
  CHECK(run.model.vision.encoder.as<encoders::EvaVitConfig>().image_size == 224);
  CHECK(run.model.vision.resampler.num_queries == 6);
  CHECK(run.model.vision.q_former.num_queries == 5);
  CHECK(run.model.vision.max_positions == 11);
  CHECK(run.model.weights.q_former == text("q_former_model"));
  CHECK(run.model.weights.projection == text("llama_proj_model"));
  CHECK(run.model.weights.vision_checkpoint == text("ckpt"));
}

void check_texts(const train::RunConfig& run, const config::Tree& from) {
  const auto& captions = run.data.captions;
  CHECK(captions.max_tokens == original(from, "model.max_txt_len", std::int64_t{32}));
  CHECK(captions.end_sign == original(from, "model.end_sym", std::string("\n")));
  CHECK(captions.prompt_file == original(from, "model.prompt_path", std::string()));
  CHECK(captions.prompt_template == original(from, "model.prompt_template", std::string("{}")));
}

void check_set(const datasets::DatasetConfig& set, const train::RunConfig& run,
               const config::Tree& from) {
  const auto text = [&](const std::string& key) { return original(from, key, std::string()); };
  CHECK(set.weight == original(from, "sample_ratio", 1.0));
  CHECK(set.transform == samples::Transform::eval);
  CHECK(set.sampling == samples::Sampling::uniform);
  if (set.name == "cc_sbu_align") {
    CHECK(set.annotations == text("build_info.storage") + "/filter_cap.json");
    CHECK(set.media_root == text("build_info.storage") + "/image");
  } else {
    CHECK(set.annotations == text("build_info.anno_dir"));
    CHECK(set.media_root == text("build_info.videos_dir"));
  }
  CHECK(set.clean_captions == (set.name != "cc_sbu_align"));
  if (const std::string form = text("model_type"); !form.empty()) {
    CHECK(run.data.conversations.family == form);
    CHECK(run.data.conversations.max_tokens == 512);
  }
}

}  // namespace

TEST_CASE("import: every recorded run, with its numbers") {
  VLLAMA_SHARED_FILE(runs, "goldens/runs");
  const std::map<std::string, std::string> formats{{"webvid", "webvid"},
                                                   {"cc_sbu_align", "cc_sbu_align"},
                                                   {"llava_instruct", "llava_instruct"},
                                                   {"webvid_instruct", "videochat_instruct"}};
  int num_runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(runs)) {
    const auto file = entry.path() / "config.yaml";
    INFO(file);
    const auto from = config::load_file(file);
    const auto imported = import_text(read_file(file));
    check_training(imported.run, from);
    check_model(imported.run, from, entry.path().filename().string().starts_with("al_"));
    check_texts(imported.run, from);
    const auto& sets = imported.run.data.sets;
    const auto& original_sets = from.find("datasets")->entries;
    REQUIRE(sets.size() == original_sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      CHECK(sets[i].name == original_sets[i].first);
      CHECK(sets[i].format == formats.at(sets[i].name));
      check_set(sets[i], imported.run, original_sets[i].second);
    }
    CHECK(imported.names("model.freeze_vit", "must be true, as it is"));
    CHECK(imported.names("model.fusion_head_layers", "no effect in the original"));
    for (const std::string& note : imported.notes) CHECK_THAT(note, !Contains("no such key"));
    ++num_runs;
  }
  CHECK(num_runs == 8);
}

TEST_CASE("import: what the original takes where its file says nothing") {
  const auto [run, notes] = import_vision();
  CHECK(run.schedule.warmup_learning_rate < 0);
  CHECK(run.schedule.warmup_steps == 0);
  CHECK(run.data.captions.max_tokens == 32);
  CHECK(run.data.captions.end_sign == "\n");
  CHECK(run.model.vision.q_former.num_queries == 32);
  CHECK(run.model.precision == models::Precision::bf16);
  CHECK(run.data.sets.at(0).num_frames == 8);
  CHECK(run.data.sets[0].sampling == samples::Sampling::headtail);
  CHECK(run.data.sets[0].transform == samples::Transform::train);
  CHECK(run.data.sets[0].weight == 1);
}

TEST_CASE("import: keys that are not carried are named with line and reason") {
  const auto imported = import_vision(
      "  low_resource: false\n  q_former_model: https://host/q.pth\n  colour: red\n  "
      "vit_precision: "
      "fp16\n",
      "", "  amp: True\n  accum_grad_iters: 2\n  world_size: 1\n  resume_ckpt_path: a.pth\n");
  CHECK(imported.names("model.low_resource", "must be false, as it is"));
  CHECK(imported.names("model.q_former_model", "ckpt/blip2_pretrained_flant5xxl.pth"));
  CHECK(imported.names("model.colour", "no such key"));
  CHECK(imported.names("model.vit_precision", "bf16"));
  CHECK(imported.names("run.amp", "not supported"));
  CHECK(imported.names("run.accum_grad_iters", "micro-batches"));
  CHECK(imported.names("run.batch_size_train", "per GPU"));
  CHECK(imported.names("run.world_size", "launcher"));
  CHECK(imported.names("run.resume_ckpt_path", "--resume"));
  CHECK(std::ranges::count_if(imported.notes, [](const std::string& note) {
          return note.starts_with("ref.yaml:9: model.colour");
        }) == 1);
}

TEST_CASE("import: keys that are empty or end with a dot are named like any other") {
  const auto imported = import_vision("  a.: 1\n", "", "  ? \"\"\n  : 2\n");
  CHECK(imported.names("model.a.", "no such key"));
  CHECK(imported.names("run.", "no such key"));
}

TEST_CASE("import: numbers whose product is too large are refused") {
  CHECK_THROWS_WITH(import_vision("", "", "  accum_grad_iters: 9000000000000000000\n"),
                    Contains("training.batch_size"));
}

TEST_CASE("import: a LLaMA-2 template in single quotes keeps its meaning") {
  const auto run = import_vision(
                       "  prompt_path: p.txt\n  end_sym: '</s>'\n  prompt_template: "
                       "'[INST] <<SYS>>\\n \\n<</SYS>>\\n\\n{} [/INST] '\n")
                       .run;
  CHECK(run.data.captions.prompt_template == "[INST] <<SYS>>\\n \\n<</SYS>>\\n\\n{} [/INST] ");
  CHECK(run.data.captions.end_sign == "</s>");
  CHECK(import_vision("  prompt_template: '{} x'\n")
            .names("model.prompt_template", "without prompt_path"));
}

TEST_CASE("import: the branch that trains must be one") {
  CHECK_THAT(problems("  frozen_audio_Qformer: false\n"), Contains("are both false"));
  std::string text = fmt::format(kVision, "", "", "");
  text.replace(text.find("frozen_video_Qformer: False"), 27, "frozen_video_Qformer: True ");
  CHECK_THAT(problems_of(text), Contains("are both true") && Contains("ref.yaml:6"));
}

TEST_CASE("import: paths that the published files leave open are named") {
  const auto imported = import_vision("  ckpt: 'path/pretrained_ckpt'\n");
  CHECK(imported.names("model.ckpt", "fill it in"));
  CHECK(imported.run.model.weights.vision_checkpoint == "path/pretrained_ckpt");
}

TEST_CASE("import: both checkpoints of the audio branch's second stage") {
  const std::string text =
      fmt::format(kVision,
                  "  frozen_audio_Qformer: false\n  ckpt: vl.pth\n  ckpt_2: al.pth\n"
                  "  imagebind_ckpt_path: ckpt/imagebind_path/\n",
                  "", "");
  std::string audio = text;
  audio.replace(audio.find("frozen_video_Qformer: False"), 27, "frozen_video_Qformer: True ");
  const auto imported = import_text(audio);
  CHECK(imported.run.model.weights.audio_checkpoint == "al.pth");
  CHECK(imported.run.model.weights.image_bind == "ckpt/imagebind_path/imagebind_huge.pth");
  CHECK(imported.names("model.ckpt", "ckpt_2 has the audio branch"));
  CHECK(imported.names("model.frozen_llama_proj", "not built"));
}

TEST_CASE("import: all problems are told together, with their lines") {
  const std::string told = problems("  freeze_vit: False\n  drop_path_rate: 0.1\n",
                                    "  laion:\n    sample_ratio: 2\n", "  evaluate: True\n");
  CHECK_THAT(told, Contains("ref.yaml:7: model.freeze_vit: must be true") &&
                       Contains("ref.yaml:8: model.drop_path_rate") &&
                       Contains("datasets.laion: not supported") &&
                       Contains("datasets.webvid.sample_ratio: is missing") &&
                       Contains("run.evaluate: must be false"));
  CHECK_THAT(problems_of("model: 3\n"), Contains("run.init_lr: is missing"));
  CHECK_THAT(problems_of("- 1\n"), Contains("datasets: is missing"));
  CHECK_THAT(problems_of(""), Contains("datasets: is missing"));
  CHECK_THAT(problems("", "", "  warmup_steps: many\n"),
             Contains("ref.yaml:21") && Contains("whole number"));
  CHECK_THAT(problems("  frozen_llama_proj: True\n"), Contains("given twice"));
}

TEST_CASE("import: instruction data must fit each other and the model") {
  const auto set = [](const std::string& name, const std::string& more) {
    return fmt::format(
        "  {}:\n    build_info: {{anno_dir: a.json, videos_dir: v}}\n    model_type: vicuna\n{}",
        name, more);
  };
  const auto run = import_vision("", set("llava_instruct", "") +
                                         set("webvid_instruct_zh", "    data_type: video_cn\n"))
                       .run;
  CHECK(run.data.sets.at(1).image_prefix == "COCO_train2014_");
  CHECK_FALSE(run.data.sets.at(2).time_message);
  CHECK(run.data.sets[2].sampling == samples::Sampling::uniform);
  CHECK_THAT(problems("", set("llava_instruct", "    num_video_query_token: 8\n")),
             Contains("num_video_query_token: must be '32', not '8'"));
  CHECK_THAT(problems("", set("llava_instruct", "    tokenizer_name: other\n")),
             Contains("must be the language model's folder 'ckpt/llama', not 'other'"));
  std::string other = set("webvid_instruct", "");
  other.replace(other.find("vicuna"), 6, "llama_v2");
  CHECK_THAT(problems("", set("llava_instruct", "") + other),
             Contains("must be 'vicuna' as for the other data sets"));
}

TEST_CASE("import: keys given twice") {
  const std::string path = "  imagebind_ckpt_path: \"a/\"\n";
  const auto imported = import_vision(path + path);
  CHECK_THAT(imported.notes.at(0),
             Contains("ref.yaml:8: the key 'imagebind_ckpt_path' is given twice") &&
                 Contains("equal values"));
  CHECK_THAT(problems(path + "  imagebind_ckpt_path: b\n"),
             Contains("ref.yaml:8: the key 'imagebind_ckpt_path' is given twice"));
}

TEST_CASE("import: values to be chosen and blocks indented too far, as published") {
  const std::string text = R"(model:
  model_type: pretrain_vicuna or pretrain_llama_v2
  # comments may say "a" or "b"
  llama_model: "ckpt/vicuna-13b/" or "ckpt/vicuna-7b/"  or "ckpt/llama-2-7b-chat-hf"  # choose
  llama_proj_model: 'ckpt/a.pth' or  '/mnt/b.pth'
  prompt: "either this or that"
datasets:
  cc_sbu_align:
    data_type: images
      build_info:
        storage: path/cc_sbu_align/
  llava_instruct:
    data_type: images
)";
  const std::string told = problems_of(text);
  CHECK_THAT(told, Contains("ref.yaml:2: 'model_type': choose one of the values 'pretrain_vicuna', "
                            "'pretrain_llama_v2'"));
  CHECK_THAT(told, Contains("ref.yaml:4: 'llama_model': choose one of the values "
                            "'ckpt/vicuna-13b/', 'ckpt/vicuna-7b/', 'ckpt/llama-2-7b-chat-hf'"));
  CHECK_THAT(told, Contains("ref.yaml:5: 'llama_proj_model'"));
  CHECK_THAT(told, Contains("ref.yaml:10:7: 'build_info' is indented below 'data_type'") &&
                       Contains("to column 5"));
  CHECK_THAT(told, !Contains("ref.yaml:3") && !Contains("ref.yaml:6") && !Contains("ref.yaml:12"));
  CHECK_THAT(problems_of("model: [\n"), Contains("not valid YAML"));
  CHECK_THAT(problems_of("a: [1}\n"), Contains("not valid YAML"));
}
