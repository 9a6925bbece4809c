// vllama tokenize: texts as a model reads them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/terminal_text.h"
#include "text/folder_template.h"
#include "text/prompt.h"
#include "text/tokenizers/open_tokenizer.h"
#include "tools/commands/commands.h"
#include "train/saved/saved_checkpoint.h"
#include "train/show/token_view.h"

namespace vllama::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct TokenizeArguments {
  std::string model, family;
  std::vector<std::string> texts;
  bool as_conversation = false, as_template = false, json = false;
};

// The language model's folder: the path itself, or the one that a run names.
fs::path tokenizer_folder(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::is_regular_file(path, error) ? path.parent_path() : path;
  if (fs::exists(text::tokenizer_file(folder), error)) return folder;
  return train::find_checkpoint(path).config.model.weights.language_model;
}

std::vector<std::string> lines_of(std::istream& input) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

Json ids_and_pieces(const std::string& text, std::span<const text::Token> tokens) {
  Json ids = Json::array(), pieces = Json::array();
  for (const text::Token& token : tokens) {
    ids.push_back(token.id);
    pieces.push_back(text.substr(token.begin, token.end - token.begin));
  }
  return {{"text", text}, {"ids", ids}, {"pieces", pieces}};
}

void print(const Json& value) {
  // Pieces need not be whole characters.
  std::cout << value.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void print_tokens(const std::string& text, std::span<const text::Token> tokens) {
  std::vector<std::string> shown;
  for (const text::Token& token : tokens)
    shown.push_back(fmt::format(
        "{} {}", token.id,
        visible(fmt::format("|{}|", text.substr(token.begin, token.end - token.begin)))));
  std::cout << fmt::format("{} tokens: {}\n", tokens.size(), fmt::join(shown, "  "));
}

void tokenize_texts(const TokenizeArguments& arguments, const text::Tokenizer& tokenizer,
                    std::span<const std::string> texts) {
  const auto author = arguments.as_template ? text::Author::prompt_template : text::Author::user;
  for (const std::string& text : texts) {
    text::PromptText marked;
    marked.add(text, author);
    const auto tokens = tokenizer.encode_with_spans(marked);
    if (arguments.json)
      print(ids_and_pieces(text, tokens));
    else
      print_tokens(text, tokens);
  }
}

std::string family_of(const TokenizeArguments& arguments, const fs::path& folder) {
  if (!arguments.family.empty()) return arguments.family;
  if (const auto family = text::family_of_folder(folder)) return std::string(*family);
  throw UserError(
      fmt::format("'{}' does not say which prompts the model was trained with: name a family with "
                  "--template",
                  folder.string()));
}

// Questions and answers by turns, as they are trained on.
void lay_out(const TokenizeArguments& arguments, const text::Tokenizer& tokenizer,
             const fs::path& folder, std::span<const std::string> texts) {
  const std::string family = family_of(arguments, folder);
  text::Conversation conversation;
  for (std::size_t i = 0; i < texts.size(); i += 2)
    conversation.turns.push_back({texts[i], i + 1 < texts.size() ? texts[i + 1] : ""});
  constexpr std::int64_t kNoLimit = 1'000'000;
  const auto sequence = text::build_conversation(
      tokenizer, conversation, {},
      {.layout = &text::prompt_template(family).training, .limit = {.max_tokens = kNoLimit}});
  if (arguments.json)
    return print({{"template", family},
                  {"ids", sequence.ids},
                  {"labels", sequence.labels},
                  {"text", tokenizer.decode(sequence.ids)}});
  std::cout << fmt::format("{}, {} tokens\n", family, sequence.ids.size())
            << train::token_text(
                   train::token_stretches(tokenizer, sequence.ids, sequence.labels, {}), {});
}

void tokenize(const TokenizeArguments& arguments) {
  const fs::path folder = tokenizer_folder(arguments.model);
  const auto tokenizer = text::open_tokenizer(folder);
  const std::vector<std::string> texts =
      arguments.texts.empty() ? lines_of(std::cin) : arguments.texts;
  if (arguments.as_conversation)
    lay_out(arguments, *tokenizer, folder, texts);
  else
    tokenize_texts(arguments, *tokenizer, texts);
}

}  // namespace

void add_tokenize(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "tokenize", "Texts as a model reads them: ids, pieces, and how its prompts lay them out.");
  command->footer(
      "Examples:\n"
      "  vllama tokenize models/smollm2-135m-instruct \"What happens in the video?\"\n"
      "  vllama tokenize models/smollm2-135m-instruct --chat \"What is this?\" \"A dog.\"\n"
      "  vllama tokenize runs/mine --json < captions.txt\n\n"
      "Special tokens that a text spells out are letters, as in what users say, but with\n"
      "--template-text.");
  const auto arguments = std::make_shared<TokenizeArguments>();
  command
      ->add_option(
          "model", arguments->model,
          "folder of a language model, or a run, a saved step or a RUN.yaml that names one")
      ->required();
  command->add_option("text", arguments->texts, "default: each line of standard input");
  command->add_flag("--chat", arguments->as_conversation,
                    "lay the texts out as a conversation, a question and an answer by turns");
  command->add_option("--template", arguments->family,
                      "family of prompts; default: what the folder says");
  command->add_flag("--template-text", arguments->as_template,
                    "special tokens count, as in the texts of templates");
  command->add_flag("--json", arguments->json, "one JSON object for each text");
  command->callback([arguments] { tokenize(*arguments); });
}

}  // namespace vllama::tools
