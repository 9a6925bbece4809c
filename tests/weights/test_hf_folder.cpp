// Hugging Face folders: every form is written and read; what is missing or leads elsewhere is
// named.
#include <ATen/ops/arange.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/tensor_source.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

NamedTensors five_tensors() {
  NamedTensors tensors;
  for (int i = 0; i < 5; ++i)
    tensors.emplace("layer." + std::to_string(i) + ".weight",
                    at::arange(i, i + 10, at::kFloat).to(at::kHalf));
  return tensors;
}

void check_same(const fs::path& folder, const NamedTensors& tensors) {
  const auto source = open_weights(folder);
  REQUIRE(source->tensors().size() == tensors.size());
  for (const auto& [name, tensor] : tensors) CHECK(source->read(name).equal(tensor));
}

}  // namespace

TEST_CASE("every form of a folder is written and read back") {
  for (const ShardFormat format : {ShardFormat::pytorch_bin, ShardFormat::safetensors}) {
    for (const std::int64_t shard_bytes : {std::int64_t{1}, std::int64_t{45}, std::int64_t{1000}}) {
      const TemporaryFolder folder;
      write_hf_folder(folder.path() / "a", "{}", five_tensors(), {format, shard_bytes});
      check_same(folder.path() / "a", five_tensors());
      CHECK(read_file(folder.path() / "a" / "config.json") == "{}");
      CHECK_THROWS_WITH(write_hf_folder(folder.path() / "a", "{}", five_tensors()),
                        Contains("already holds weights"));
    }
  }
}

TEST_CASE("shards carry the published names") {
  const TemporaryFolder folder;
  write_hf_folder(folder.path(), "{}", five_tensors(), {ShardFormat::pytorch_bin, 45});
  for (const char* name : {"pytorch_model-00001-of-00003.bin", "pytorch_model-00003-of-00003.bin",
                           "pytorch_model.bin.index.json"})
    CHECK(fs::exists(folder.path() / name));
}

TEST_CASE("safetensors are preferred when both are there") {
  const TemporaryFolder folder;
  write_pth(folder.path() / "pytorch_model.bin", to_map({{"old", at::arange(3)}}));
  write_safetensors(folder.path() / "model.safetensors", {{"new", at::arange(3)}});
  CHECK(open_weights(folder.path())->tensors()[0].name == "new");
}

TEST_CASE("a folder that does not hold what it says is refused by name") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(open_weights(folder.path()), Contains("no weights"));
  write_hf_folder(folder.path(), "{}", five_tensors(), {ShardFormat::safetensors, 45});
  const fs::path index = folder.path() / "model.safetensors.index.json";
  const std::string good = read_file(index);
  const auto with = [&](const std::string& text) {
    write_file_atomically(index, text);
    return folder.path();
  };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK_THROWS_WITH(open_weights(with(replaced("layer.0.weight", "layer.9.weight"))),
                    Contains("'layer.9.weight'") && Contains("model-00001-of-00003.safetensors"));
  const std::string shard = "\"model-00001-of-00003.safetensors\"";
  for (const char* name : {"../x", "/etc/passwd", "a\\\\b", "", ".", "..", "a\\u0000b"})
    CHECK_THROWS_WITH(open_weights(with(replaced(shard, '"' + std::string(name) + '"'))),
                      Contains("not the name of a file in the same folder"));
  CHECK_THROWS_WITH(open_weights(with(replaced(shard, "7"))), Contains("not text"));
  CHECK_THROWS_WITH(open_weights(with("{}")), Contains("weight_map"));
  CHECK_THROWS_WITH(open_weights(with("{\"weight_map\": {}}")), Contains("weight_map"));
  CHECK_THROWS_WITH(open_weights(with("nonsense")), Contains("JSON"));
  with(good);
  fs::remove(folder.path() / "model-00002-of-00003.safetensors");
  CHECK_THROWS_WITH(open_weights(folder.path()),
                    Contains("model-00002-of-00003.safetensors: the shard is missing"));
}
