// What a run was trained on, as provenance.json of a saved step holds it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vllama::train {

inline constexpr const char* kProvenanceFile = "provenance.json";

// How much of a file its hash covers.
enum class HashCover {
  all,     // plain SHA-256
  pieces,  // SHA-256 of its size and of pieces spread over it
  none,    // no hash: the file is one of very many
};

// A file as it was.
struct InputFile {
  std::string what;            // "model.weights.q_former", "data set 'clips'"
  std::filesystem::path path;  // absolute
  std::uint64_t num_bytes = 0;
  HashCover cover = HashCover::all;
  std::string hash = {};
  std::int64_t modified_seconds = 0;  // since 1970
};

struct InputData {
  std::string name, format;
  std::int64_t num_entries = 0, num_invalid = 0;
  std::vector<InputFile> files;  // its annotations
  std::vector<InputFile> media;  // of a few entries spread over all
};

struct Provenance {
  std::string program;
  std::string run_folder;          // absolute
  std::vector<InputFile> weights;  // with the tokenizer, and the starting points
  std::vector<InputFile> texts;    // that prompts are taken from
  std::vector<InputData> data;
  std::set<std::string> saved_step_modules;  // that model.weights.saved_step gave
};

// As provenance.json holds it.
std::string provenance_text(const Provenance& provenance);
// Throws UserError if the text is not what provenance_text() makes.
Provenance read_provenance(const std::string& text);

// What a step has recorded; nothing if it was saved before steps did, or is damaged.
std::optional<Provenance> provenance_of_step(const std::filesystem::path& step);

// run_folder of a provenance.json; empty if the text is none.
std::string recorded_folder(const std::string& text);

}  // namespace vllama::train
