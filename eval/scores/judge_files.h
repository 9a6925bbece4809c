// Files for the judging programs of Video-ChatGPT, and what their judges replied. Judging itself is
// done outside of this program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/scores/measurement.h"

namespace vllama::eval {

// All write a JSON list with one object per prediction, in the order given, which must be that of
// the annotation: the judging program numbers repeated video names. A question without an answer
// has the prediction "". The first reference is the answer. Throw UserError naming a prediction
// without references, RunFailure if the file cannot be written.

// {"video_name", "Q", "A", "pred"}: the evaluators of zero-shot QA and of benchmarks 1 to 4.
void write_judge_file(const std::filesystem::path& path,
                      const std::vector<Prediction>& predictions);
// {"id", "question", "answer", "pred"}: what the inference script of that project writes.
void write_judge_file_with_ids(const std::filesystem::path& path,
                               const std::vector<Prediction>& predictions);
// {"video_name", "Q1", "Q2", "A", "pred1", "pred2"}: benchmark 5, consistency. Row i holds the i-th
// of both lists. Throws UserError unless these are of the same videos.
void write_judge_consistency_file(const std::filesystem::path& path,
                                  const std::vector<Prediction>& first,
                                  const std::vector<Prediction>& second);

// Without these a judge's score says nothing.
struct JudgeFacts {
  std::string name;         // gpt-3.5-turbo, ...
  std::string version;      // as its provider dates or numbers it
  std::string prompt_hash;  // of the text that asked the judge
  std::string date;         // of judging, YYYY-MM-DD
};

struct JudgeReply {
  bool is_there = false;
  std::string verdict;     // lower-case; empty where the judge gives only a score
  std::int64_t score = 0;  // 0 to 5, without its fraction
};

// The keys under which the judging program stores replies: the video name and how often it occurred
// before, joined by "_".
std::vector<std::string> judge_keys(const std::vector<Prediction>& predictions);

// One reply: {"pred": "yes", "score": 4} as JSON, or as the text of a Python dictionary with quoted
// keys and plain values. Throws UserError beginning with `where`.
JudgeReply parse_judge_reply(const std::string& text, const std::string& where);

struct JudgeReplies {
  std::vector<JudgeReply> of_predictions;  // one per prediction, in their order
  std::vector<std::string> unreadable;     // what is wrong with each, with file and key
};

// The judging program's joined file: {key: [reply, question]}, or {key: reply}; a reply is an
// object or text. One that is not JSON, cannot be read, or has a score outside of 0 to 5 is as if
// it were not there, as in the judging program. Throws UserError for keys that belong to no
// prediction, a file that is no such object or has no replies, and if no reply can be read.
JudgeReplies read_judge_replies(const std::filesystem::path& path,
                                const std::vector<Prediction>& predictions);

// "judge_accuracy" = yes / (yes + no), "yes" being looked for first (left out when no reply has a
// verdict), and "judge_score" = mean of the scores without their fractions. Predictions without a
// reply count as missing and are in neither quotient, as in the judging program. The facts are
// stored with both. Throws UserError for empty facts, a date of another form, and if no prediction
// has a reply.
std::vector<Measurement> judge_measurements(const std::vector<Prediction>& predictions,
                                            const std::vector<JudgeReply>& replies,
                                            const JudgeFacts& facts);

}  // namespace vllama::eval
