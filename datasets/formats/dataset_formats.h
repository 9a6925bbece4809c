// The formats of data sets: their readers, and what the program must know of them besides. A new
// format is a reader, and a row of the table.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::datasets {

class Dataset;
class IndexFolder;
class MediaRoot;
struct DatasetConfig;

// What a reader is given.
struct DatasetSource {
  const DatasetConfig& config;
  const MediaRoot& media;
  const IndexFolder& indexes;
  bool as_reference;  // data.compat: reference
};

struct DatasetFormat {
  std::string_view name;
  // Throws UserError where the annotations cannot be read.
  std::unique_ptr<Dataset> (*open)(const DatasetSource& source);
  // Records may be conversations; of the others all are captions.
  bool has_conversations = false;
  // A format of docs/data_format.md, whose texts are meant as they are written.
  bool is_own = false;
  // The annotations are shards that hold the media, too: there is no media_root.
  bool holds_media = false;
  bool takes_image_prefix = false;
};

// Null for an unknown name.
const DatasetFormat* find_dataset_format(const std::string& name);
// Throws UserError with no_such_format().
const DatasetFormat& dataset_format(const std::string& name);
// That there is no reader for the format, and which there are.
std::string no_such_format(const std::string& name);

std::vector<std::string> dataset_format_names();

}  // namespace vllama::datasets
