// Where fuzzing starts: small sound inputs of every target, and some that are wrong in a way that a
// reader knows.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace vllama::fuzz {

// Writes files into the folder of each target below a root.
class Seeds {
 public:
  explicit Seeds(std::filesystem::path root) : root_(std::move(root)) {}

  // The file of the next number in the target's folder.
  void add(const std::string& target, std::string_view bytes);
  // The same with a first byte that makes a choice, as Input::choice() reads it.
  void add(const std::string& target, std::size_t choice, std::string_view bytes);

 private:
  std::filesystem::path root_;
  std::size_t num_seeds_ = 0;
};

// Texts with zero bytes in between, as Input::part() takes them apart.
template <class... Texts>
std::string joined(const std::string& first, const Texts&... others) {
  return (first + ... + (std::string(1, '\0') + others));
}

// pth, pickle, safetensors, hf_folder, tokenizer, step_folder, manifest; `scratch` is a folder for
// files on the way.
void add_weight_seeds(Seeds& seeds, const std::filesystem::path& scratch);
// csv, json_array, json_lines, tar, texts
void add_annotation_seeds(Seeds& seeds);
// settings, predictions, judge, questions
void add_result_seeds(Seeds& seeds);

}  // namespace vllama::fuzz
