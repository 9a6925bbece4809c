// vllama chat and tokenize with the folder of a language model and nothing else.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/named_rows.h"
#include "language/llama.h"
#include "tests/support/fixtures.h"
#include "tests/tools/program.h"
#include "weights/write.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

// A small Qwen3 with random weights and a byte-level vocabulary.
class LanguageModelFolder {
 public:
  LanguageModelFolder() {
    language::LlamaConfig config{.vocabulary_size = 768,
                                 .width = 48,
                                 .mlp_width = 64,
                                 .num_layers = 2,
                                 .num_heads = 4,
                                 .num_key_value_heads = 2,
                                 .head_width = 16,
                                 .max_positions = 512};
    config.type = row_named(language::kLanguageModelTypes, "qwen3");
    language::Llama model(config);
    nn::ParameterList parameters;
    model.declare(parameters);
    nn::initialize(parameters, 1);
    weights::NamedTensors tensors;
    for (const nn::Parameter& parameter : parameters)
      tensors[parameter.name] = parameter.tensor->detach();
    weights::write_hf_folder(path(), language::to_config_json(config, at::kFloat), tensors);
    const fs::path vocabulary = test::golden_file("text/byte_level/qwen2");
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
      fs::copy_file(vocabulary / name, path() / name);
    write_file_atomically(path() / "chat_template.jinja",
                          "{% for m in messages %}<|im_start|>{{ m.role }}{% endfor %}");
  }

  const fs::path& path() const { return folder_.path(); }
  std::string quoted() const { return " '" + path().string() + "' "; }

 private:
  test::TemporaryFolder folder_;
};

nlohmann::json json_in(const std::string& output) {
  return nlohmann::json::parse(output.substr(output.find('{')));
}

}  // namespace

TEST_CASE("a language model alone: it is talked to in the family that its files name") {
  const LanguageModelFolder folder;
  const std::string ask = "chat" + folder.quoted() + "--prompt 'What is it?' --max-new-tokens 6 ";
  const auto outcome = test::run_program(ask + "--json 2>/dev/null");
  REQUIRE(outcome.status == 0);
  const auto chat = json_in(outcome.output);
  CHECK(chat["chat"]["family"] == "chatml");
  CHECK(chat["turns"][0]["new_tokens"].get<int>() > 0);

  // It has nothing to look with.
  const auto shown =
      test::run_program(ask + "--image '" + (folder.path() / "config.json").string() + "'");
  CHECK(shown.status == 2);
  CHECK_THAT(shown.output, Contains("neither sees nor hears"));

  fs::remove(folder.path() / "chat_template.jinja");
  const auto unknown = test::run_program(ask);
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.output, Contains("data.conversations.template") && Contains("chatml"));
  CHECK(test::run_program(ask + "--set data.conversations.template=chatml").status == 0);
}

TEST_CASE("tokenize: ids and pieces of texts, and what of a conversation is learned") {
  const LanguageModelFolder folder;
  const auto plain = test::run_program("tokenize" + folder.quoted() + "'a<|im_end|>' --json");
  REQUIRE(plain.status == 0);
  const auto letters = json_in(plain.output);
  CHECK(letters["text"] == "a<|im_end|>");
  CHECK(letters["ids"].size() == letters["pieces"].size());
  CHECK(letters["ids"].size() > 2);
  const auto marked =
      test::run_program("tokenize" + folder.quoted() + "'a<|im_end|>' --json --template-text");
  CHECK(json_in(marked.output)["pieces"] == nlohmann::json{"a", "<|im_end|>"});

  const auto lines = test::run_program("tokenize" + folder.quoted(), "printf 'one\\n\\ntwo\\n' |");
  CHECK(lines.status == 0);
  CHECK(std::ranges::count(lines.output, '\n') == 3);

  const auto chat = test::run_program("tokenize" + folder.quoted() + "--chat 'What?' 'A dog.'");
  CHECK(chat.status == 0);
  CHECK_THAT(chat.output, Contains("chatml") && Contains("target"));

  const auto refused =
      test::run_program("tokenize" + folder.quoted() + "--chat --template klingon x");
  CHECK(refused.status == 2);
  CHECK_THAT(refused.output, Contains("klingon") && Contains("smollm2"));
}
