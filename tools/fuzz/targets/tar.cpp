// Tar archives: their headers, as shards of media, and as samples.
#include "datasets/shards/tar.h"

#include <cstring>

#include "datasets/shards/shards.h"
#include "tools/fuzz/records.h"

using namespace vllama;
using namespace vllama::fuzz;

namespace {

// Gives every block that says it is a header its right checksum, which a change of a byte would
// rarely hit.
std::string with_checksums(std::string archive) {
  constexpr std::size_t kBlock = datasets::kTarBlockBytes;
  for (std::size_t at = 0; at + kBlock <= archive.size(); at += kBlock) {
    datasets::TarHeader header;
    std::memcpy(&header, archive.data() + at, kBlock);
    if (std::memcmp(header.magic.data(), "ustar", 5) != 0) continue;
    header.checksum.fill(' ');
    std::memcpy(archive.data() + at, &header, kBlock);
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(archive[at + i]);
    std::snprintf(header.checksum.data(), header.checksum.size(), "%06o", sum);
    std::memcpy(archive.data() + at, &header, kBlock);
  }
  return archive;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "shard.tar");
  const auto& path = file.write(with_checksums(std::string(Input(data, size).rest())));
  const auto num_bytes = static_cast<std::int64_t>(size);
  answers([&] {
    datasets::TarReader reader(path);
    while (const auto member = reader.next())
      require(member->offset_bytes >= 0 && member->num_bytes >= 0 &&
                  member->offset_bytes + member->num_bytes <= num_bytes,
              "a member lies inside its archive");
  });
  answers([&] {
    const datasets::Shards shards(path.string(), {});
    for (std::int64_t i = 0; i < shards.num_members(); ++i)
      require(shards.find(shards.name(i)).has_value(), "a member is found by its name");
  });
  datasets::DatasetConfig config;
  config.name = "set";
  config.format = "webdataset";
  config.annotations = path.string();
  answers([&] { read_records(config); });
  return 0;
}
