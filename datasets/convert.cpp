#include "datasets/convert.h"

#include "core/files.h"
#include "datasets/vllama_line.h"

namespace vllama::datasets {

std::int64_t convert(const Dataset& dataset, const std::filesystem::path& media_root,
                     const std::filesystem::path& output) {
  constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
  AtomicFile file(output);
  std::string buffer;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    buffer += line_from_record(dataset.record(i), media_root) + "\n";
    if (buffer.size() < kBufferBytes) continue;
    file.append(buffer);
    buffer.clear();
  }
  file.append(buffer);
  file.commit();
  return dataset.size();
}

}  // namespace vllama::datasets
