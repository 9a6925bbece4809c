// Folders of language models as people bring them: what is read, what is left out with a warning,
// and what is refused as what it is.
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

#include <catch2/catch.hpp>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "models/load_language_model.h"
#include "tests/language/language_folder.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/logged_text.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Catch::Contains;
using test::LanguageFolder;
using weights::NamedTensors;
using weights::ShardFormat;
namespace fs = std::filesystem;

namespace {

constexpr const char* kTable = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";
constexpr std::int64_t kSmallShard = 20'000;

struct Form {
  ShardFormat format;
  std::int64_t max_shard_bytes;
};

Form any_form() {
  const std::int64_t whole = std::int64_t{1} << 40;
  return GENERATE_COPY(
      Form{ShardFormat::safetensors, whole}, Form{ShardFormat::safetensors, kSmallShard},
      Form{ShardFormat::pytorch_bin, whole}, Form{ShardFormat::pytorch_bin, kSmallShard});
}

// Of the first of these folders that is read.
at::Tensor plain_logits() {
  const test::TemporaryFolder folder;
  LanguageFolder().write(folder.path());
  return test::logits_of(folder.path());
}

NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) result[prefix + name] = tensor;
  return result;
}

void refused(const fs::path& folder, const std::string& words) {
  CHECK_THROWS_AS(test::logits_of(folder), UserError);
  CHECK_THROWS_WITH(test::logits_of(folder), Contains(words));
}

void touch(const fs::path& file, const std::string& content = "x") {
  fs::create_directories(file.parent_path());
  write_file_atomically(file, content);
}

}  // namespace

TEST_CASE("language model: every base of positions computes what it says, however it is written") {
  const Form form = any_form();
  LanguageFolder top, nested;
  top.config["rope_theta"] = 5e5;
  nested.config.erase("rope_theta");
  nested.config["rope_parameters"] = {{"rope_theta", 5e5}, {"rope_type", "default"}};
  const test::TemporaryFolder folder;
  top.write(folder.path() / "top");
  nested.write(folder.path() / "nested", form.format, form.max_shard_bytes);
  const at::Tensor expected = test::logits_of(folder.path() / "top");
  CHECK(at::equal(test::logits_of(folder.path() / "nested"), expected));
  CHECK(test::relative_difference(plain_logits(), expected) > 1e-3);
}

TEST_CASE("language model: a stored output matrix is left out where the embeddings are tied") {
  const Form form = any_form();
  const test::TemporaryFolder folder;
  LanguageFolder tied;
  tied.config["tie_word_embeddings"] = true;
  LanguageFolder without = tied, copied = tied, head_alone = tied;
  without.tensors.erase(kHead);
  copied.tensors[kHead] = copied.tensors[kTable].clone();
  head_alone.tensors[kHead] = head_alone.tensors[kTable];
  head_alone.tensors.erase(kTable);
  without.write(folder.path() / "without");
  const at::Tensor expected = test::logits_of(folder.path() / "without");

  copied.write(folder.path() / "copied", form.format, form.max_shard_bytes);
  const test::LoggedText silent;
  CHECK(at::equal(test::logits_of(folder.path() / "copied"), expected));
  CHECK_THAT(silent.text(), !Contains("another matrix"));

  tied.write(folder.path() / "other", form.format, form.max_shard_bytes);
  const test::LoggedText log;
  CHECK(at::equal(test::logits_of(folder.path() / "other"), expected));
  CHECK_THAT(log.text(), Contains("lm_head.weight is another matrix"));

  head_alone.write(folder.path() / "head_alone", form.format, form.max_shard_bytes);
  CHECK(at::equal(test::logits_of(folder.path() / "head_alone"), expected));
}

TEST_CASE("language model: a single file comes before an index of shards, with a warning") {
  const auto format = GENERATE(ShardFormat::safetensors, ShardFormat::pytorch_bin);
  const bool is_bin = format == ShardFormat::pytorch_bin;
  const std::string single = is_bin ? "pytorch_model.bin" : "model.safetensors";
  const test::TemporaryFolder folder;
  LanguageFolder stale;
  for (auto& [name, tensor] : stale.tensors) tensor = at::zeros_like(tensor);
  stale.write(folder.path() / "a", format, kSmallShard);
  LanguageFolder().write(folder.path() / "b", format);
  fs::copy(folder.path() / "b" / single, folder.path() / "a" / single);
  const test::LoggedText log;
  CHECK(at::equal(test::logits_of(folder.path() / "a"), plain_logits()));
  CHECK_THAT(log.text(), Contains(single) && Contains("index"));
  // Both families may be there: repositories hold them side by side.
  if (is_bin) return;
  LanguageFolder().write(folder.path() / "c", ShardFormat::safetensors);
  weights::write_pth(folder.path() / "c/pytorch_model.bin", weights::to_map(stale.tensors));
  const test::LoggedText quiet;
  CHECK(at::equal(test::logits_of(folder.path() / "c"), plain_logits()));
  CHECK_THAT(quiet.text(), !Contains("warning"));
}

TEST_CASE("language model: what wrappers put in front of all names is left out") {
  const Form form = any_form();
  const std::string prefix =
      GENERATE("module.", "_orig_mod.", "base_model.model.", "module._orig_mod.",
               "_orig_mod.module.", "module.module.base_model.model._orig_mod.");
  const test::TemporaryFolder folder;
  LanguageFolder wrapped;
  wrapped.tensors = with_prefix(wrapped.tensors, prefix);
  wrapped.write(folder.path() / "a", form.format, form.max_shard_bytes);
  CHECK(at::equal(test::logits_of(folder.path() / "a"), plain_logits()));
  // Some names alone are a mistake.
  wrapped.tensors["stray"] = at::ones({1});
  wrapped.write(folder.path() / "b", form.format, form.max_shard_bytes);
  refused(folder.path() / "b", prefix + "model.norm.weight");
}

TEST_CASE("language model: a delta is told by its numbers") {
  const Form form = any_form();
  const test::TemporaryFolder folder;
  LanguageFolder delta;
  for (auto& [name, tensor] : delta.tensors)
    tensor = name == "model.norm.weight" ? at::ones({64}).mul(-0.004) : tensor.mul(0.01);
  delta.write(folder.path() / "a", form.format, form.max_shard_bytes);
  refused(folder.path() / "a", "a delta, not a model");
  refused(folder.path() / "a", "apply_delta");
}

TEST_CASE("language model: a config.json of another model is one line, not one for each tensor") {
  const test::TemporaryFolder folder;
  LanguageFolder other;
  other.config["num_hidden_layers"] = 32;
  other.config["hidden_size"] = 4096;
  other.config["num_attention_heads"] = 32;
  other.write(folder.path() / "a");
  try {
    test::logits_of(folder.path() / "a");
    FAIL("it was read");
  } catch (const UserError& error) {
    const std::string text = error.what();
    CHECK_THAT(text, Contains("config.json does not belong to these weights") &&
                         Contains("num_hidden_layers is 32, but the weights have 2") &&
                         Contains("hidden_size is 4096, but the weights have 64"));
    CHECK(std::ranges::count(text, '\n') < 8);
  }
}

TEST_CASE("language model: numbers that are not finite are named while they are read") {
  const Form form = any_form();
  const auto type = GENERATE(at::kFloat, at::kHalf, at::kBFloat16, at::kDouble);
  const double bad =
      GENERATE(std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
               std::numeric_limits<double>::quiet_NaN());
  const test::TemporaryFolder folder;
  LanguageFolder damaged;
  for (auto& [name, tensor] : damaged.tensors) tensor = tensor.to(type);
  const LanguageFolder sound = damaged;
  const std::string name = "model.layers.1.mlp.down_proj.weight";
  at::Tensor values = damaged.tensors[name].clone();
  values[3][5] = bad;
  values[63][171] = bad;
  damaged.tensors[name] = values;
  sound.write(folder.path() / "sound", form.format, form.max_shard_bytes);
  CHECK_NOTHROW(test::logits_of(folder.path() / "sound"));
  damaged.write(folder.path() / "a", form.format, form.max_shard_bytes);
  refused(folder.path() / "a", name + ": 2 of 11008");

  // A row of the embeddings spoils only the texts that use it.
  LanguageFolder row = sound;
  row.tensors[kTable] = row.tensors[kTable].clone();
  row.tensors[kTable][49][0] = bad;
  row.write(folder.path() / "row", form.format, form.max_shard_bytes);
  const test::LoggedText log;
  CHECK(
      at::equal(test::logits_of(folder.path() / "row"), test::logits_of(folder.path() / "sound")));
  CHECK_THAT(log.text(), Contains(std::string(kTable) + ": 1 of 3200"));
  row.config["tie_word_embeddings"] = true;
  row.tensors.erase(kHead);
  row.write(folder.path() / "tied", form.format, form.max_shard_bytes);
  refused(folder.path() / "tied", kTable);
}

TEST_CASE("language model: folders of other kinds are named with what to do") {
  const test::TemporaryFolder folder;
  const fs::path place = folder.path() / "a";
  SECTION("an adapter") {
    touch(place / "adapter_config.json",
          R"({"peft_type": "LORA", "base_model_name_or_path": "lmsys/vicuna-7b-v1.5"})");
    const auto file = GENERATE("adapter_model.safetensors", "adapter_model.bin");
    touch(place / file);
    refused(place,
            "a PEFT adapter, not a model: merge it into its base model "
            "'lmsys/vicuna-7b-v1.5'");
  }
  SECTION("an adapter without its configuration") {
    touch(place / "adapter_model.bin");
    refused(place, "a PEFT adapter, not a model");
  }
  SECTION("Meta's layout") {
    touch(place / GENERATE("consolidated.00.pth", "consolidated.safetensors"));
    touch(place / "params.json", R"({"dim": 4096})");
    refused(place, "convert_llama_weights_to_hf");
  }
  SECTION("files for other programs") {
    const auto [file, words] = GENERATE(table<std::string, std::string>(
        {{"vicuna-7b.Q4_K_M.gguf", "llama.cpp"},
         {"llama-7b.ggmlv3.q4_0.bin", "llama.cpp"},
         {"tf_model.h5", "another program ('tf_model.h5')"},
         {"flax_model.msgpack", "another program"},
         {"model.onnx", "another program"},
         {"zero_to_fp32.py", "parts of several ranks"},
         {"__0_0.distcp", "parts of several ranks"},
         {"model-00001-of-00002.safetensors", "model.safetensors.index.json"},
         {"pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"}}));
    touch(place / file);
    LanguageFolder model;
    touch(place / "config.json", model.config.dump());
    refused(place, words);
  }
  SECTION("fewer bits, said by config.json") {
    const std::string method = GENERATE("gptq", "awq", "bitsandbytes", "fp8", "compressed-tensors");
    LanguageFolder model;
    model.config["quantization_config"] = {{"quant_method", method}, {"bits", 4}};
    model.write(place);
    refused(place, "stored in fewer bits (" + method + ")");
  }
  SECTION("fewer bits, said by the file of an older program") {
    const auto file = GENERATE("quantize_config.json", "quant_config.json");
    LanguageFolder().write(place);
    touch(place / file, R"({"bits": 4, "group_size": 128})");
    refused(place, "stored in fewer bits");
  }
  SECTION("fewer bits, said by names alone") {
    const std::string ending = GENERATE(".qweight", ".qzeros", ".weight.absmax", ".SCB",
                                        ".weight_scale_inv", ".weight_packed");
    LanguageFolder model;
    model.tensors["model.layers.0.mlp.up_proj" + ending] = at::ones({4});
    model.write(place);
    refused(place, "stored in fewer bits");
  }
  SECTION("an adapter's names in a model's file") {
    LanguageFolder model;
    model.tensors = {
        {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", at::ones({4, 64})}};
    model.write(place);
    refused(place, "a PEFT adapter, not a model");
  }
  SECTION("pointers of Git LFS") {
    const std::string pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9976576152\n";
    LanguageFolder model;
    model.write(place);
    const auto file = GENERATE("model.safetensors", "config.json");
    touch(place / file, pointer);
    refused(place, "git lfs pull");
  }
  SECTION("an index without its shards") {
    LanguageFolder model;
    model.write(place, ShardFormat::pytorch_bin, kSmallShard);
    fs::remove(place / "pytorch_model-00001-of-00012.bin");
    for (const auto& entry : fs::directory_iterator(place))
      if (entry.path().extension() == ".bin") fs::remove(entry.path());
    refused(place, "the shard is missing");
  }
}

TEST_CASE("language model: an adapter beside a whole model is not read, with a warning") {
  const test::TemporaryFolder folder;
  LanguageFolder().write(folder.path() / "a");
  touch(folder.path() / "a/adapter_config.json", R"({"peft_type": "LORA"})");
  const test::LoggedText log;
  CHECK(at::equal(test::logits_of(folder.path() / "a"), plain_logits()));
  CHECK_THAT(log.text(), Contains("adapter is not read"));
}
