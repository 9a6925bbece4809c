#include "datasets/index/index.h"

#include <charconv>

namespace vllama::datasets {
namespace {

constexpr const char* kTallies = "tallies";

void add_tally(const tables::EntryTally& tally, IndexTexts& texts) {
  texts.add(std::to_string(tally.count_of_reason().size()));
  for (const auto& [reason, count] : tally.count_of_reason()) {
    texts.add(reason);
    texts.add(std::to_string(count));
  }
  texts.add(std::to_string(tally.listed().size()));
  for (const auto& entry : tally.listed())
    for (const std::string* part : {&entry.reason, &entry.place, &entry.detail}) texts.add(*part);
}

// Reads the texts that add_tally() wrote, in their order.
class TallyReader {
 public:
  explicit TallyReader(TextArray texts) : texts_(texts) {}

  tables::EntryTally read() {
    std::map<std::string, std::int64_t> counts;
    for (std::int64_t left = number(); left > 0; --left) {
      std::string reason = text();
      counts[std::move(reason)] = number();
    }
    std::vector<tables::EntryTally::Entry> listed;
    for (std::int64_t left = number(); left > 0; --left) {
      auto& entry = listed.emplace_back();
      for (std::string* part : {&entry.reason, &entry.place, &entry.detail}) *part = text();
    }
    return {std::move(counts), std::move(listed)};
  }

 private:
  std::string text() { return std::string(texts_[next_++]); }
  std::int64_t number() {
    const std::string digits = text();
    std::int64_t value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    VLLAMA_ASSERT(result.ec == std::errc(), "tallies of an index begin with their number");
    return value;
  }

  TextArray texts_;
  std::size_t next_ = 0;
};

}  // namespace

void IndexTexts::add(std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  ends.push_back(bytes.size());
}

std::string_view TextArray::operator[](std::size_t number) const {
  VLLAMA_ASSERT(number < ends_.size(), "a text's number");
  const std::uint64_t begin = number == 0 ? 0 : ends_[number - 1], end = ends_[number];
  VLLAMA_ASSERT(begin <= end && end <= bytes_.size(), "texts of an index lie in their array");
  return {bytes_.data() + begin, static_cast<std::size_t>(end - begin)};
}

void IndexContent::add(const std::string& name, IndexTexts texts) {
  add(name + ".ends", std::move(texts.ends));
  add(name + ".text", std::move(texts.bytes));
}

void IndexContent::add(const tables::EntryTallies& tallies) {
  IndexTexts texts;
  add_tally(tallies.invalid, texts);
  add_tally(tallies.doubtful, texts);
  add(kTallies, std::move(texts));
}

std::span<const std::byte> Index::find(std::string_view name, std::size_t entry_bytes) const {
  for (const Array& array : arrays_) {
    if (array.name != name) continue;
    VLLAMA_ASSERT(array.entry_bytes == entry_bytes, "entries of an index have one size");
    return array.bytes;
  }
  VLLAMA_ASSERT(false, "no array '" + std::string(name) + "' in an index");
}

TextArray Index::texts(const std::string& name) const {
  return {array<std::uint64_t>(name + ".ends"), array<char>(name + ".text")};
}

tables::EntryTallies Index::tallies() const {
  TallyReader reader(texts(kTallies));
  tables::EntryTallies tallies;
  tallies.invalid = reader.read();
  tallies.doubtful = reader.read();
  return tallies;
}

}  // namespace vllama::datasets
