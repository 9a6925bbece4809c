// Recorded tensors: a golden safetensors file, the state it holds, and the gradients it expects.
#pragma once

#include <memory>
#include <string>

#include "nn/parameter.h"
#include "weights/tensor_source.h"

namespace vllama::test {

class GoldenTensors {
 public:
  explicit GoldenTensors(const std::filesystem::path& path);

  bool has(const std::string& name) const;
  at::Tensor operator[](const std::string& name) const;  // a copy

  // Fills every parameter from "<prefix><name>", as fp32 leaves that train.
  void fill(const nn::ParameterList& parameters, const std::string& prefix) const;

  // CHECKs every parameter's gradient against "<prefix><name>". Biases of keys have a true gradient
  // of zero (softmax ignores them): they need only be small. Parameters without a recorded gradient
  // are passed over; returns how many were compared.
  int check_gradients(const nn::ParameterList& parameters, const std::string& prefix) const;

 private:
  double largest_gradient(const nn::ParameterList& parameters, const std::string& prefix) const;

  std::unique_ptr<weights::TensorSource> source_;
};

}  // namespace vllama::test
