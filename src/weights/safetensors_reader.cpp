// Parses the JSON header of a safetensors file and checks that its tensors tile the data exactly.
#include "weights/safetensors_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "weights/values/byte_order.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

struct HeaderEntry {
  std::string name;
  std::optional<std::string> type;
  std::optional<std::vector<std::int64_t>> shape, offsets;
};

// Receives the header piece by piece, so that nothing deep or duplicated is ever built.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;
  std::string error;

  // A header is an object of objects and no deeper, so that no input can exhaust the stack.
  bool start_object(std::size_t) override {
    if (list_ != nullptr || depth_ == 2 || (depth_ == 1 && !key_)) return fail("nested objects");
    if (depth_ == 1) {
      in_metadata_ = *key_ == "__metadata__";
      if (!in_metadata_) entries.push_back({*key_, {}, {}, {}});
    }
    ++depth_;
    key_.reset();
    return true;
  }

  bool key(string_t& text) override {
    key_ = text;
    if (depth_ == 1 && !names_.emplace(text, true).second)
      return fail(fmt::format("the name '{}' occurs twice", readable(text)));
    return true;
  }

  bool end_object() override {
    --depth_;
    in_metadata_ = false;
    key_.reset();
    return true;
  }

  // A key that came twice would leave open which of its values counts.
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || list_ != nullptr || !key_) return fail("an unexpected list");
    HeaderEntry& entry = entries.back();
    std::optional<std::vector<std::int64_t>>* target = *key_ == "shape"          ? &entry.shape
                                                       : *key_ == "data_offsets" ? &entry.offsets
                                                                                 : nullptr;
    if (target == nullptr || *target) return fail(unexpected_key());
    list_ = &target->emplace();
    return true;
  }

  bool end_array() override {
    list_ = nullptr;
    key_.reset();
    return true;
  }

  bool string(string_t& text) override {
    if (depth_ != 2 || list_ != nullptr || !key_) return fail("an unexpected text");
    if (in_metadata_) {
      metadata[*key_] = text;
    } else {
      if (*key_ != "dtype" || entries.back().type) return fail(unexpected_key());
      entries.back().type = text;
    }
    key_.reset();
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (list_ == nullptr) return fail("an unexpected number");
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return fail("a number is too large");
    list_->push_back(static_cast<std::int64_t>(value));
    return true;
  }

  bool number_integer(number_integer_t) override { return fail("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return fail("a fraction"); }
  bool null() override { return fail("an unexpected null"); }
  bool boolean(bool) override { return fail("an unexpected true or false"); }
  bool binary(binary_t&) override { return fail("unexpected binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return fail(fmt::format("it is not JSON at byte {}", position));
  }

 private:
  bool fail(std::string what) {
    error = std::move(what);
    return false;
  }
  std::string unexpected_key() const {
    return fmt::format("tensor '{}' has an unexpected or repeated key '{}'",
                       readable(entries.back().name), readable(*key_));
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  std::optional<std::string> key_;
  std::vector<std::int64_t>* list_ = nullptr;
  std::map<std::string, bool> names_;
};

class Reader {
 public:
  explicit Reader(const std::shared_ptr<const MappedFile>& file) : file_(file) {}

  SafetensorsFile read() {
    const std::span<const std::byte> bytes = file_->bytes();
    if (bytes.size() < kLengthBytes) fail("the file is too short");
    const auto header_bytes = read_number<std::uint64_t>(bytes, 0);
    if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - kLengthBytes)
      fail(fmt::format("its header would have {} bytes; the file is probably cut off",
                       header_bytes));
    const std::string_view header = file_->text().substr(kLengthBytes, header_bytes);
    HeaderHandler handler;
    if (!nlohmann::json::sax_parse(header.begin(), header.end(), &handler))
      fail("its header is damaged: " + handler.error);
    data_ = bytes.subspan(kLengthBytes + header_bytes);
    SafetensorsFile result;
    for (const HeaderEntry& entry : handler.entries)
      result.tensors.emplace(entry.name, view_of(entry));
    check_tiling();
    result.metadata = std::move(handler.metadata);
    return result;
  }

 private:
  struct Range {
    std::int64_t begin, end;
    std::string name;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(
        fmt::format("{}: not a readable safetensors file: {}", file_->path().string(), what));
  }

  TensorView view_of(const HeaderEntry& entry) {
    const std::string name = readable(entry.name);
    if (!entry.type || !entry.shape || !entry.offsets || entry.offsets->size() != 2)
      fail(fmt::format("tensor '{}' lacks its dtype, shape or data_offsets", name));
    const auto types = element_types();
    const auto type = std::find_if(types.begin(), types.end(), [&](const ElementTypeFacts& facts) {
      return facts.safetensors_name == *entry.type;
    });
    if (type == types.end())
      fail(fmt::format("tensor '{}' has the unsupported dtype '{}'", name, readable(*entry.type)));
    const std::int64_t begin = (*entry.offsets)[0], end = (*entry.offsets)[1];
    // Before anything is computed from them: all three numbers are the file's word.
    if (begin > end || static_cast<std::uint64_t>(end) > data_.size())
      fail(fmt::format("tensor '{}' lies at bytes {} to {} of {}", name, begin, end, data_.size()));
    if (entry.shape->size() > kMaxDimensions)
      fail(fmt::format("tensor '{}' has {} dimensions", name, entry.shape->size()));
    const auto num_elements = checked_num_elements(*entry.shape);
    std::int64_t num_bytes = 0;
    if (!num_elements || __builtin_mul_overflow(*num_elements, type->num_bytes, &num_bytes) ||
        num_bytes != end - begin)
      fail(fmt::format("tensor '{}' of shape {} and dtype {} has {} bytes", name,
                       shape_text(*entry.shape), *entry.type, end - begin));
    ranges_.push_back({begin, end, entry.name});
    return {type->type, *entry.shape, contiguous_strides(*entry.shape),
            data_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(num_bytes)),
            file_};
  }

  // The format asks for it: bytes that no tensor owns could hide anything, and tensors that share
  // bytes would change together.
  void check_tiling() {
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& left, const Range& right) {
      return std::tie(left.begin, left.end) < std::tie(right.begin, right.end);
    });
    std::int64_t at = 0;
    for (const Range& range : ranges_) {
      if (range.begin != at)
        fail(fmt::format("there is {} in front of tensor '{}'",
                         range.begin > at ? "a hole" : "an overlap", readable(range.name)));
      at = range.end;
    }
    if (static_cast<std::uint64_t>(at) != data_.size())
      fail(fmt::format("its tensors end at byte {} of {}", at, data_.size()));
  }

  std::shared_ptr<const MappedFile> file_;
  std::span<const std::byte> data_;
  std::vector<Range> ranges_;
};

}  // namespace

SafetensorsFile read_safetensors(const std::shared_ptr<const MappedFile>& file) {
  return Reader(file).read();
}

}  // namespace vllama::weights
