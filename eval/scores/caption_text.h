// Captions as words. Values of caption metrics can be compared only between equal tokenizers, so
// the tokenizer's name goes with the words.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/scores/prediction.h"

namespace vllama::eval {

using Words = std::vector<std::string>;

struct CaptionWords {
  Words hypothesis;               // empty without an answer
  std::vector<Words> references;  // at least one
};

struct TokenizedCaptions {
  std::string tokenizer;               // "simple" or "ptb"
  std::vector<CaptionWords> captions;  // one per prediction
};

// Lower-case ASCII; every character but a-z, 0-9 and the space is deleted, bytes of others too;
// split at spaces. Throws UserError naming a prediction without references.
TokenizedCaptions simple_tokens(const std::vector<Prediction>& predictions);

// The other tokenizer is the Stanford PTBTokenizer, outside of this program: this writes one
// caption per line, for each prediction first its answer, then its references, runs of white space
// as one space. An empty caption is written as a full stop, which tokenizing removes. Run
//   java -cp stanford-corenlp-3.4.1.jar edu.stanford.nlp.process.PTBTokenizer
//        -preserveLines -lowerCase FILE > FILE.ptb
void write_captions_for_ptb(const std::filesystem::path& path,
                            const std::vector<Prediction>& predictions);

// The lines that came back, without punctuation ('' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - --
// ... ;). Brackets are compared as the official script does: as written, so that lower-cased ones
// stay. Throws UserError unless there are as many lines as were written.
TokenizedCaptions read_ptb_tokens(const std::filesystem::path& path,
                                  const std::vector<Prediction>& predictions);

}  // namespace vllama::eval
