// What is kept of a data set once its files were read through: arrays with names, and tallies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "tables/entry_tally.h"

namespace vllama::datasets {

// Texts in one array.
struct IndexTexts {
  std::vector<std::uint64_t> ends;  // of each text, in `bytes`
  std::vector<char> bytes;

  void add(std::string_view text);
};

// An index while it is made: arrays, each with a name of up to 15 bytes.
class IndexContent {
 public:
  struct Array {
    std::string name;
    std::size_t entry_bytes;
    std::size_t num_bytes;
    std::span<const std::byte> padded;  // up to a multiple of 8 bytes
    std::shared_ptr<const void> owner;
  };

  // Entries are plain values: 1 byte, or a multiple of 8.
  template <class Entry>
  void add(std::string name, std::vector<Entry> entries) {
    static_assert(std::is_trivially_copyable_v<Entry>);
    static_assert(sizeof(Entry) == 1 || sizeof(Entry) % 8 == 0);
    const std::size_t num_bytes = entries.size() * sizeof(Entry);
    if (sizeof(Entry) == 1) entries.resize((num_bytes + 7) / 8 * 8);
    auto owner = std::make_shared<const std::vector<Entry>>(std::move(entries));
    arrays_.push_back(
        {std::move(name), sizeof(Entry), num_bytes, std::as_bytes(std::span(*owner)), owner});
  }
  // Two arrays, "<name>.ends" and "<name>.text".
  void add(const std::string& name, IndexTexts texts);
  void add(const tables::EntryTallies& tallies);

  const std::vector<Array>& arrays() const { return arrays_; }

 private:
  std::vector<Array> arrays_;
};

// The same in an index.
class TextArray {
 public:
  TextArray() = default;
  TextArray(std::span<const std::uint64_t> ends, std::span<const char> bytes)
      : ends_(ends), bytes_(bytes) {}

  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t number) const;

 private:
  std::span<const std::uint64_t> ends_;
  std::span<const char> bytes_;
};

// An index as it is used: views of a mapped file, or of this process's memory.
class Index {
 public:
  struct Array {
    std::string name;
    std::size_t entry_bytes;
    std::span<const std::byte> bytes;
  };
  Index() = default;
  // `owner` keeps the bytes of the arrays.
  Index(std::vector<Array> arrays, std::shared_ptr<const void> owner)
      : arrays_(std::move(arrays)), owner_(std::move(owner)) {}

  // Valid as long as the index, or a copy of it, lives.
  template <class Entry>
  std::span<const Entry> array(std::string_view name) const {
    const std::span<const std::byte> bytes = find(name, sizeof(Entry));
    return {reinterpret_cast<const Entry*>(bytes.data()), bytes.size() / sizeof(Entry)};
  }
  TextArray texts(const std::string& name) const;
  tables::EntryTallies tallies() const;

 private:
  std::span<const std::byte> find(std::string_view name, std::size_t entry_bytes) const;

  std::vector<Array> arrays_;
  std::shared_ptr<const void> owner_;
};

}  // namespace vllama::datasets
