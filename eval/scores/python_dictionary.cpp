#include "eval/scores/python_dictionary.h"

#include <fmt/format.h>

#include <string_view>

#include "core/error.h"

namespace vllama::eval {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  nlohmann::json dictionary() {
    nlohmann::json object = nlohmann::json::object();
    expect('{');
    while (!next_is('}')) {
      const std::string key = quoted();
      expect(':');
      object[key] = value();
      if (!next_is('}')) expect(',');
    }
    expect('}');
    skip_space();
    if (!rest_.empty()) fail();
    return object;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r')))
      rest_.remove_prefix(1);
  }

  bool next_is(char character) {
    skip_space();
    return rest_.starts_with(character);
  }

  void expect(char character) {
    if (!next_is(character)) fail();
    rest_.remove_prefix(1);
  }

  char take() {
    if (rest_.empty()) fail();
    const char character = rest_[0];
    rest_.remove_prefix(1);
    return character;
  }

  std::string quoted() {
    const char quote = next_is('"') ? '"' : '\'';
    expect(quote);
    std::string result;
    for (char character = take(); character != quote; character = take()) {
      if (character == '\\') {
        character = take();
        if (character == 'n') character = '\n';
      }
      result += character;
    }
    return result;
  }

  nlohmann::json value() {
    if (next_is('"') || next_is('\'')) return quoted();
    const std::string_view number = rest_.substr(0, rest_.find_first_of(",} \n\r\t"));
    nlohmann::json parsed = nlohmann::json::parse(number, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_number()) fail();
    rest_.remove_prefix(number.size());
    return parsed;
  }

  [[noreturn]] void fail() const {
    throw UserError(
        fmt::format("{}: the reply must be a dictionary such as {{'pred': 'yes', "
                    "'score': 4}}",
                    where_));
  }

  std::string_view rest_;
  const std::string& where_;
};

}  // namespace

nlohmann::json parse_python_dictionary(const std::string& text, const std::string& where) {
  return Reader(text, where).dictionary();
}

}  // namespace vllama::eval
