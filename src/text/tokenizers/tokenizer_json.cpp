#include "text/tokenizers/tokenizer_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json_depth.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

// Builds the value that is read, but takes the pieces and the merges of the model out of it.
class Handler : public nlohmann::json_sax<Json> {
 public:
  explicit Handler(TokenizerJson& result) : result_(result) {}

  Json root;
  std::string error;

  bool start_object(std::size_t) override {
    if (table_ == Table::merges) return refuse("a merge is two pieces, not an object");
    if (table_ == Table::pieces) return refuse("a piece has a number for an id");
    if (open_.size() == 1 && key_ == "model") is_model_ = true;
    if (is_model_ && open_.size() == 2 && key_ == "vocab") {
      table_ = Table::pieces;
      return true;
    }
    return open(Json::object());
  }
  bool end_object() override {
    if (table_ == Table::pieces) return close_table();
    return close();
  }
  bool start_array(std::size_t) override {
    if (table_ == Table::pieces) return refuse("a piece has a number for an id");
    if (table_ == Table::merges) {
      if (in_pair_) return refuse("a merge is two pieces");
      in_pair_ = true;
      pair_.clear();
      return true;
    }
    if (is_model_ && open_.size() == 2 && key_ == "merges") {
      table_ = Table::merges;
      return true;
    }
    return open(Json::array());
  }
  bool end_array() override {
    if (table_ != Table::merges) return close();
    if (!in_pair_) return close_table();
    in_pair_ = false;
    if (pair_.size() != 2) return refuse("a merge is two pieces");
    result_.merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
    return true;
  }
  bool key(string_t& text) override {
    key_ = text;
    return true;
  }
  bool string(string_t& text) override {
    if (table_ == Table::pieces) return refuse("a piece has a number for an id");
    if (table_ != Table::merges) return add(text);
    if (in_pair_) {
      pair_.push_back(text);
      return true;
    }
    // The older spelling. A space within a piece is written as another character.
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
      return refuse(fmt::format("a merge is two pieces with a space between them, not '{}'", text));
    result_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    return true;
  }
  bool number_integer(number_integer_t number) override { return add_number(number); }
  bool number_unsigned(number_unsigned_t number) override {
    return add_number(static_cast<std::int64_t>(number));
  }
  bool number_float(number_float_t number, const string_t&) override { return add_plain(number); }
  bool boolean(bool value) override { return add_plain(value); }
  bool null() override { return add_plain(nullptr); }
  bool binary(binary_t&) override { return refuse("is not JSON"); }
  bool parse_error(std::size_t place, const std::string&, const Json::exception&) override {
    return refuse(fmt::format("is not JSON from byte {} on", place));
  }

 private:
  enum class Table { none, pieces, merges };

  bool refuse(const std::string& problem) {
    error = problem;
    return false;
  }
  bool add_number(std::int64_t number) {
    if (table_ == Table::merges) return refuse("a merge is two pieces");
    if (table_ == Table::none) return add(number);
    result_.pieces.emplace_back(key_, number);
    return true;
  }
  template <class Value>
  bool add_plain(const Value& value) {
    if (table_ == Table::merges) return refuse("a merge is two pieces");
    return table_ == Table::none ? add(value) : refuse("a piece has a number for an id");
  }
  template <class Value>
  bool add(const Value& value) {
    place() = value;
    return true;
  }
  // Where the next value goes.
  Json& place() {
    if (open_.empty()) return root;
    Json& parent = *open_.back();
    if (parent.is_object()) return parent[key_];
    parent.push_back(nullptr);
    return parent.back();
  }
  bool open(Json value) {
    Json& here = place();
    here = std::move(value);
    open_.push_back(&here);
    return true;
  }
  bool close() {
    open_.pop_back();
    if (open_.size() == 1) is_model_ = false;
    return true;
  }
  bool close_table() {
    table_ = Table::none;
    return true;
  }

  TokenizerJson& result_;
  std::vector<Json*> open_;  // objects and arrays around what is read
  std::string key_;
  bool is_model_ = false;
  Table table_ = Table::none;
  bool in_pair_ = false;
  std::vector<std::string> pair_;
};

}  // namespace

void TokenizerJson::fail(const std::string& problem) const {
  throw UserError(fmt::format("'{}': {}", file, problem));
}

TokenizerJson read_tokenizer_json(const std::filesystem::path& file) {
  TokenizerJson result{.file = file.string(), .pieces = {}, .merges = {}, .rest = {}, .hash = {}};
  const auto mapped = MappedFile::open(file);
  const std::string_view text = mapped->text();
  if (is_nested_too_deep(text)) result.fail("is nested too deep");
  Handler handler(result);
  if (!Json::sax_parse(text, &handler)) result.fail(handler.error);
  if (!handler.root.is_object()) result.fail("is not a JSON object");
  result.rest = std::make_shared<const Json>(std::move(handler.root));
  result.hash = fmt::format("{:016x}", fnv1a(text));
  return result;
}

}  // namespace vllama::text
