// A task of an evaluation as its annotations have it: questions about media, and what is right.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/entries/record.h"
#include "eval/scores/prediction.h"
#include "tables/entry_tally.h"

namespace vllama::eval {

struct Question {
  // What the annotation says: id, video, question, type, references, options; and what is shown in
  // place of its medium. The rest is empty.
  Prediction expected;
  std::optional<samples::MediaFile> medium;  // none: no such file, or none is shown
  std::string prompt;                        // what the model is asked
};

enum class AnswerKind {
  written,  // the model writes; where there are options, the one it names first counts
  chosen,   // the model says how likely each option is
};

// Rows of a task's files that are, or were to be, questions.
struct AnnotationRows {
  std::int64_t num_rows = 0;         // those left out included
  tables::EntryTally left_out = {};  // because they are broken, by reason and with their places
};

struct Task {
  std::string name = {};
  std::string format = {};
  AnswerKind kind = AnswerKind::written;
  std::vector<Question> questions = {};  // in the order of the annotation, ids differ
  AnnotationRows rows = {};
  std::string annotation_hash = {};   // of the bytes of all its files
  std::int64_t num_unused_media = 0;  // files of the media folder that no question is about
};

}  // namespace vllama::eval
