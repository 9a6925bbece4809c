// Named tensors of a weight file or folder, read one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "weights/values/tensors.h"

namespace vllama::weights {

struct TensorFacts {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
  std::string file;
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;

  // In the order of their names.
  virtual const std::vector<TensorFacts>& tensors() const = 0;
  // The tensor on the CPU, in the file's type, contiguous. It views the read-only mapping of the
  // file where the layout allows (see to_tensor): do not write to it. Throws UserError if there is
  // no such tensor.
  virtual at::Tensor read(const std::string& name) const = 0;
  // Copies the tensor into `destination` (same shape; any type and device), piece by piece, and
  // releases the file's memory behind each piece. Returns how many of the file's numbers are not
  // finite.
  virtual std::int64_t copy_to(const std::string& name, at::Tensor& destination) const = 0;
  // How many of the file's numbers are not finite, releasing its memory behind each piece.
  virtual std::int64_t count_not_finite(const std::string& name) const = 0;
  // The file's pages under this tensor may leave memory; reading it again is correct.
  virtual void release(const std::string& name) const = 0;
};

// Opens a .pth or .bin file (zip or stream container), a .safetensors file, or a Hugging Face
// folder, told apart by content. Of a .pth whose top level holds a dictionary "model", the tensors
// of that dictionary are taken. Throws UserError naming the file.
std::unique_ptr<TensorSource> open_weights(const std::filesystem::path& path);

}  // namespace vllama::weights
