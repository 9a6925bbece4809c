// A temporary annotation file for a reader, and what the reader made of it.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "datasets/formats/open_dataset.h"
#include "tests/support/fixtures.h"

namespace vllama::datasets {

class AnnotationFile {
 public:
  explicit AnnotationFile(const std::string& content, const std::string& name = "rows.json")
      : path_(folder_.path() / name) {
    std::ofstream(path_, std::ios::binary) << content;
  }

  const std::filesystem::path& path() const { return path_; }
  std::unique_ptr<Dataset> open(const std::string& format,
                                const std::filesystem::path& media_root = "M",
                                const std::string& image_prefix = "") const {
    DatasetConfig config;
    config.name = format;
    config.format = format;
    config.annotations = path_;
    config.media_root = media_root;
    config.image_prefix = image_prefix;
    return open_dataset(config);
  }

 private:
  test::TemporaryFolder folder_;
  std::filesystem::path path_;
};

using Counts = std::map<std::string, std::int64_t>;

}  // namespace vllama::datasets
