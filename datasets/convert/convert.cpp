#include "datasets/convert/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/files.h"
#include "datasets/readers/vllama_line.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

namespace {

void count_missing(const Record& record, std::int64_t number, tables::EntryTally& missing) {
  const auto absent = std::ranges::find_if(
      record.media, [](const samples::MediaFile& medium) { return !is_there(medium.source); });
  if (absent == record.media.end()) return;
  const std::string& tried = absent->tried;
  missing.add("not_found", fmt::format("record {} ({})", number, record.id),
              fmt::format("'{}' is not there{}{}", absent->source.name(),
                          tried.empty() ? "" : "; the names that were tried: ", tried));
}

}  // namespace

std::int64_t convert(const Dataset& dataset, const std::filesystem::path& media_root,
                     const std::filesystem::path& output, tables::EntryTally* missing) {
  constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
  AtomicFile file(output);
  std::string buffer;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const Record record = dataset.record(i);
    buffer += line_from_record(record, media_root) + "\n";
    if (missing != nullptr) count_missing(record, i, *missing);
    if (buffer.size() < kBufferBytes) continue;
    file.append(buffer);
    buffer.clear();
  }
  file.append(buffer);
  file.commit();
  return dataset.size();
}

}  // namespace vllama::datasets
