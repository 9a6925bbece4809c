// Captions of videos and sounds, several references for each.
#include <fmt/format.h>

#include <map>
#include <sstream>

#include "core/error.h"
#include "core/text_encoding.h"
#include "datasets/formats/open_dataset.h"
#include "datasets/shards/media_root.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::eval {
namespace {

namespace fs = std::filesystem;
using tables::required_words;

// Media in the order in which they occur first, with all their captions.
class CaptionedMedia {
 public:
  void add(const std::string& name, const std::string& caption) {
    const auto [place, is_new] = places_.try_emplace(name, captioned_.size());
    if (is_new) captioned_.push_back({name, {}});
    captioned_[place->second].captions.push_back(caption);
  }

  // `find` gives the medium of a name.
  std::vector<Question> questions(
      const std::function<std::optional<samples::MediaFile>(const std::string&)>& find) const {
    std::vector<Question> questions;
    for (const auto& [name, captions] : captioned_) {
      Question question;
      question.expected.id = question.expected.video = name;
      question.expected.references = captions;
      question.medium = find(name);
      questions.push_back(std::move(question));
    }
    return questions;
  }

 private:
  struct Captioned {
    std::string name;
    std::vector<std::string> captions;
  };
  std::vector<Captioned> captioned_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace

std::vector<Question> read_msrvtt_captions(const TaskConfig& task, MediaFinder& media,
                                           AnnotationRows& rows) {
  std::set<std::string> wanted;
  const auto note_video = [&](const Row& row, std::size_t) {
    if (task.split.empty() || required_words(row, "split") == task.split)
      wanted.insert(required_words(row, "video_id"));
  };
  for_each_row(task.annotations, rows, note_video, "videos");
  if (wanted.empty())
    throw UserError(
        fmt::format("'{}' has no video of the split '{}'", task.annotations, task.split));
  CaptionedMedia captioned;
  const auto add_caption = [&](const Row& row, std::size_t) {
    const std::string video = required_words(row, "video_id");
    if (wanted.contains(video)) captioned.add(video, required_words(row, "caption"));
  };
  for_each_row(task.annotations, rows, add_caption, "sentences");
  return captioned.questions([&media](const std::string& name) { return media.find(name); });
}

std::vector<Question> read_msvd_captions(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows) {
  CaptionedMedia captioned;
  RowCheck check(task.annotations, rows);
  std::istringstream lines(read_text_file(task.annotations));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    check.row(fmt::format("line {}", number), [&] {
      const std::size_t space = line.find(' ');
      if (space == 0 || space == std::string::npos)
        throw tables::EntryError("missing_caption", "expected '<video>_<start>_<end> <caption>'");
      captioned.add(line.substr(0, space), line.substr(space + 1));
    });
  }
  check.finish();
  return captioned.questions([&media](const std::string& name) { return media.find(name); });
}

std::vector<Question> read_captions(const TaskConfig& task, AnnotationRows& rows) {
  if (task.caption_format.empty()) throw UserError("caption_format is missing");
  datasets::DatasetConfig config;
  config.name = task.name;
  config.format = task.caption_format;
  config.annotations = task.annotations;
  config.media_root = task.media_root;
  const auto dataset = datasets::open_dataset(config, datasets::IndexFolder::open(""));
  rows.num_rows += dataset->size() + dataset->invalid().total();
  rows.left_out.add(dataset->invalid());
  CaptionedMedia captioned;
  std::map<std::string, samples::MediaFile> media;
  for (std::int64_t i = 0; i < dataset->size(); ++i) {
    const datasets::Record record = dataset->record(i);
    if (!record.conversation.is_caption())
      throw UserError(
          fmt::format("'{}': '{}' is a conversation, not a caption", task.annotations, record.id));
    const samples::MediaFile& medium = record.media.front();
    const std::string name = fs::path(medium.source.file_name()).filename().string();
    captioned.add(name, record.conversation.turns.front().answer);
    media.emplace(name, medium);
  }
  return captioned.questions(
      [&media](const std::string& name) -> std::optional<samples::MediaFile> {
        const samples::MediaFile& medium = media.at(name);
        return datasets::is_there(medium.source) ? std::optional(medium) : std::nullopt;
      });
}

}  // namespace vllama::eval
