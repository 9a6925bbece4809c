// Reads the five pickles and the storages behind them.
#include "weights/pth/legacy_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/error.h"
#include "weights/pth/file_format.h"
#include "weights/pth/pickle_machine.h"
#include "weights/values/byte_order.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

// A whole pickle of the integer 0x1950a86a20f9469cfc6c, which does not fit into 64 bits.
constexpr std::string_view kMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
constexpr std::int64_t kProtocolVersion = 1001;

class StreamContainer {
 public:
  explicit StreamContainer(const std::shared_ptr<const MappedFile>& file)
      : file_(file), name_(file->path().string()), at_(kMagic.size()) {}

  Value read() {
    const Value protocol = next_plain_value();
    const std::int64_t* version = protocol.get_if<std::int64_t>();
    if (version == nullptr || *version != kProtocolVersion)
      fail(fmt::format("its protocol version is not {}", kProtocolVersion));
    const Value system = next_plain_value();
    const Value* little_endian = system.find("little_endian");
    if (little_endian == nullptr || little_endian->get_if<bool>() == nullptr ||
        !*little_endian->get_if<bool>())
      fail("it was not written on a little-endian machine");
    const PickleGraph graph = next_pickle();
    read_storages(graph, next_plain_value());
    return to_value(
        graph, [this](const Storage& storage) { return storage_content(storage); },
        max_tensor_bytes(file_->bytes().size()), name_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(fmt::format("{}: not a readable PyTorch file: {}", name_, what));
  }

  PickleGraph next_pickle() {
    PickleGraph graph = read_pickle(file_->bytes(), at_, name_);
    at_ += graph.num_pickle_bytes;
    return graph;
  }

  Value next_plain_value() {
    return to_value(
        next_pickle(),
        [this](const Storage&) -> StorageContent { fail("a tensor stands in its header"); },
        max_tensor_bytes(file_->bytes().size()), name_);
  }

  // For each key in order: the number of elements, then the elements.
  void read_storages(const PickleGraph& graph, const Value& keys) {
    std::map<std::string_view, const Storage*> declared;
    for (const Storage& storage : graph.storages) declared.emplace(storage.key, &storage);
    const List* list = keys.get_if<List>();
    if (list == nullptr) fail("the list of its storages is damaged");
    const std::span<const std::byte> bytes = file_->bytes();
    for (const Value& item : *list) {
      const std::string* key = item.get_if<std::string>();
      const auto storage = key == nullptr ? declared.end() : declared.find(*key);
      if (storage == declared.end()) fail("the list of its storages names an unknown one");
      if (bytes.size() - at_ < sizeof(std::int64_t)) fail("it is cut off in front of a storage");
      const auto num_elements = read_number<std::int64_t>(bytes, at_);
      at_ += sizeof(std::int64_t);
      if (num_elements != storage->second->num_elements)
        fail(fmt::format("storage '{}' has {} elements, its pickle says {}", readable(*key),
                         num_elements, storage->second->num_elements));
      const auto num_bytes = static_cast<std::uint64_t>(storage->second->num_bytes());
      if (num_bytes > bytes.size() - at_)
        fail(fmt::format("it is cut off inside storage '{}'", readable(*key)));
      if (!contents_.emplace(*key, bytes.subspan(at_, num_bytes)).second)
        fail(fmt::format("storage '{}' is listed twice", readable(*key)));
      at_ += num_bytes;
    }
  }

  StorageContent storage_content(const Storage& storage) const {
    const auto found = contents_.find(storage.key);
    if (found == contents_.end())
      fail(fmt::format("storage '{}' is missing", readable(storage.key)));
    return {found->second, file_};
  }

  std::shared_ptr<const MappedFile> file_;
  std::string name_;
  std::size_t at_;
  std::map<std::string, std::span<const std::byte>> contents_;
};

}  // namespace

bool is_legacy_container(std::span<const std::byte> bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(kMagic);
}

Value read_legacy_container(const std::shared_ptr<const MappedFile>& file) {
  return StreamContainer(file).read();
}

}  // namespace vllama::weights
