// The sizes that the tensors of a file show, beside what the configuration says of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/size.h"
#include "weights/tensor_shapes.h"

namespace vllama::weights {

class FileSizes {
 public:
  // `path` is the file or folder that they are of, for what stands beside the weights.
  explicit FileSizes(const TensorShapes& shapes, std::filesystem::path path = {})
      : shapes_(shapes), path_(std::move(path)) {}

  const TensorShapes& shapes() const { return shapes_; }
  const std::filesystem::path& path() const { return path_; }

  // Takes what was found, whether the size was given or not; a difference to what was given is
  // kept. `key` is the size's place in the configuration; `evidence` a tensor that shows it.
  void take(const std::string& key, config::Size& size, std::optional<std::int64_t> found,
            const std::string& evidence);
  void take(const std::string& key, config::Size& size, const std::string& tensor,
            std::size_t dimension);

  // Layers "<prefix>0.", "<prefix>1.", ...; each has the tensor "<prefix>N.<part>".
  void take_count(const std::string& key, config::Size& size, const std::string& prefix,
                  const std::string& part);

  // No shape tells the number of heads: at another width than the published one it is a guess.
  void check_heads(const std::string& section, const config::Size& num_heads,
                   const config::Size& width, std::int64_t published_width);

  const std::vector<std::string>& differences() const { return differences_; }
  const std::vector<std::string>& guesses() const { return guesses_; }

 private:
  const TensorShapes& shapes_;
  std::filesystem::path path_;
  std::vector<std::string> differences_, guesses_;
};

}  // namespace vllama::weights
