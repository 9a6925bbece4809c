#include "text/tokenizers/train_tokenizer.h"

#include <fmt/format.h>
#include <sentencepiece_trainer.h>

#include "core/error.h"
#include "core/files.h"

namespace vllama::text {
namespace {

class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(std::span<const std::string> texts) : texts_(texts) {}
  bool done() const override { return next_ == texts_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return texts_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::span<const std::string> texts_;
  std::size_t next_ = 0;
};

}  // namespace

void train_tokenizer(std::span<const std::string> texts, std::int64_t max_pieces,
                     const std::filesystem::path& model_file) {
  Sentences sentences(texts);
  std::string model;
  const auto status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                  {"vocab_size", std::to_string(max_pieces)},
                                                  {"hard_vocab_limit", "false"},
                                                  {"normalization_rule_name", "identity"},
                                                  {"remove_extra_whitespaces", "false"},
                                                  {"split_digits", "true"},
                                                  {"byte_fallback", "true"},
                                                  {"character_coverage", "1.0"},
                                                  {"num_threads", "1"},
                                                  {"minloglevel", "1"}},
                                                 &sentences, &model);
  if (!status.ok())
    throw UserError(fmt::format("SentencePiece cannot learn a tokenizer: {}", status.ToString()));
  write_file_atomically(model_file, model);
}

}  // namespace vllama::text
