// The zip container of torch.save: members, byte order and storages around the pickle.
#include "weights/pth/pth_reader.h"

#include <fmt/format.h>

#include <map>

#include "core/error.h"
#include "weights/pth/file_format.h"
#include "weights/pth/legacy_reader.h"
#include "weights/pth/pickle_machine.h"
#include "weights/pth/zip_reader.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

class ZipContainer {
 public:
  explicit ZipContainer(const std::shared_ptr<const MappedFile>& file)
      : file_(file), name_(file->path().string()) {
    for (ZipMember& member : read_zip_directory(file->bytes(), name_)) {
      std::string name = member.name;
      members_.emplace(std::move(name), std::move(member));
    }
    find_folder();
    const ZipMember* byte_order = find("byteorder");
    if (byte_order != nullptr && text(*byte_order) != "little")
      fail(fmt::format("its byte order is '{}'; only 'little' is read",
                       readable(text(*byte_order))));
  }

  Value read() const {
    const ZipMember& pickle = *find("data.pkl");
    const PickleGraph graph = read_pickle(content(pickle), 0, name_);
    return to_value(
        graph, [this](const Storage& storage) { return storage_content(storage); },
        max_tensor_bytes(file_->bytes().size()), name_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(fmt::format("{}: not a readable PyTorch file: {}", name_, what));
  }

  // The folder inside the container is named after the file that was saved, so it can be anything.
  void find_folder() {
    static constexpr std::string_view kPickle = "/data.pkl";
    bool found = false;
    for (const auto& [name, member] : members_) {
      if (!name.ends_with(kPickle)) continue;
      if (found) fail("it holds more than one data.pkl");
      found = true;
      folder_ = name.substr(0, name.size() - kPickle.size() + 1);
    }
    if (!found) fail("it holds no data.pkl");
  }

  const ZipMember* find(const std::string& name) const {
    const auto found = members_.find(folder_ + name);
    return found == members_.end() ? nullptr : &found->second;
  }

  std::span<const std::byte> content(const ZipMember& member) const {
    return file_->bytes().subspan(member.offset, member.num_bytes);
  }

  std::string_view text(const ZipMember& member) const {
    return file_->text().substr(member.offset, member.num_bytes);
  }

  StorageContent storage_content(const Storage& storage) const {
    const ZipMember* member = find("data/" + storage.key);
    if (member == nullptr) fail(fmt::format("storage '{}' is missing", readable(storage.key)));
    if (member->num_bytes != static_cast<std::uint64_t>(storage.num_bytes()))
      fail(fmt::format("storage '{}' has {} bytes, its pickle says {}", readable(storage.key),
                       member->num_bytes, storage.num_bytes()));
    return {content(*member), file_};
  }

  std::shared_ptr<const MappedFile> file_;
  std::string name_;
  std::map<std::string, ZipMember> members_;
  std::string folder_;
};

}  // namespace

Value read_pth(const std::filesystem::path& path) {
  return read_pth(MappedFile::open(path));
}

Value read_pth(const std::shared_ptr<const MappedFile>& file) {
  switch (const FileFormat format = file_format(file->bytes())) {
    case FileFormat::pytorch_zip:
      return ZipContainer(file).read();
    case FileFormat::pytorch_legacy:
      return read_legacy_container(file);
    default:
      throw UserError(
          fmt::format("{}: not a PyTorch file; {}", file->path().string(), description_of(format)));
  }
}

}  // namespace vllama::weights
