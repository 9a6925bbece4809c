// Our own annotation format: captions and conversations about any media, one JSON object a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "datasets/entries/entry_check.h"
#include "datasets/entries/record.h"
#include "datasets/index/index_file.h"
#include "datasets/shards/media_root.h"
#include "tables/annotation_text.h"

namespace vllama::datasets {

// The format is described in docs/data_format.md. Empty lines are passed over; a line that is not
// JSON is invalid for not_json, others for the reasons of record_from_line(). The index holds the
// places of the valid lines, 8 bytes each.
class VllamaDataset : public Dataset {
 public:
  // Reads every line once, for the index. Throws UserError as AnnotationText does, if the file is a
  // JSON array, or if not one line is valid.
  VllamaDataset(const std::filesystem::path& annotations, MediaRoot media_root,
                const IndexFolder& indexes = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(line_begins_.size()); }
  Record record(std::int64_t index) const override;
  const tables::InvalidEntries& invalid() const override { return entries_.invalid; }
  const tables::DoubtfulEntries& doubtful() const override { return entries_.doubtful; }

 private:
  IndexContent make_index() const;
  std::string_view line_at(std::size_t begin) const;
  bool is_record(std::string_view line, const std::string& place, EntryCheck& check) const;

  tables::AnnotationText text_;
  MediaRoot media_root_;
  Index index_;
  std::span<const std::uint64_t> line_begins_;  // byte offsets of the valid lines
  tables::EntryTallies entries_;
};

}  // namespace vllama::datasets
