#include "datasets/index.h"

#include <charconv>

namespace vllama::datasets {
namespace {

constexpr const char* kTallies = "tallies";

void add_tally(const EntryTally& tally, IndexTexts& texts) {
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
  explicit TallyReader(const Index& index) : index_(index) {}

  EntryTally read() {
    std::map<std::string, std::int64_t> counts;
    for (std::int64_t left = number(); left > 0; --left) {
      std::string reason = text();
      counts[std::move(reason)] = number();
    }
    std::vector<EntryTally::Entry> listed;
    for (std::int64_t left = number(); left > 0; --left) {
      auto& entry = listed.emplace_back();
      for (std::string* part : {&entry.reason, &entry.place, &entry.detail}) *part = text();
    }
    return {std::move(counts), std::move(listed)};
  }

 private:
  std::string text() { return std::string(index_.text(kTallies, next_++)); }
  std::int64_t number() {
    const std::string digits = text();
    std::int64_t value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    VLLAMA_ASSERT(result.ec == std::errc(), "tallies of an index begin with their number");
    return value;
  }

  const Index& index_;
  std::size_t next_ = 0;
};

}  // namespace

void IndexTexts::add(std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  ends.push_back(bytes.size());
}

void IndexContent::add(const std::string& name, IndexTexts texts) {
  add(name + ".ends", std::move(texts.ends));
  add(name + ".text", std::move(texts.bytes));
}

void IndexContent::add(const EntryTallies& tallies) {
  IndexTexts texts;
  add_tally(tallies.invalid, texts);
  add_tally(tallies.odd, texts);
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

std::size_t Index::num_texts(const std::string& name) const {
  return array<std::uint64_t>(name + ".ends").size();
}

std::string_view Index::text(const std::string& name, std::size_t number) const {
  const auto ends = array<std::uint64_t>(name + ".ends");
  const auto bytes = array<char>(name + ".text");
  VLLAMA_ASSERT(number < ends.size(), "a text's number");
  const std::uint64_t begin = number == 0 ? 0 : ends[number - 1], end = ends[number];
  VLLAMA_ASSERT(begin <= end && end <= bytes.size(), "texts of an index lie in their array");
  return {bytes.data() + begin, static_cast<std::size_t>(end - begin)};
}

EntryTallies Index::tallies() const {
  TallyReader reader(*this);
  EntryTallies tallies;
  tallies.invalid = reader.read();
  tallies.odd = reader.read();
  return tallies;
}

}  // namespace vllama::datasets
