#include "nn/recompute.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace vllama::nn {
namespace {

using Layer = std::function<at::Tensor(const at::Tensor&)>;

// Lets a function travel from the forward to the backward pass.
struct HeldLayer : torch::CustomClassHolder {
  explicit HeldLayer(Layer layer) : function(std::move(layer)) {}
  Layer function;
};

struct Recompute : torch::autograd::Function<Recompute> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const Layer& layer) {
    context->save_for_backward({input});
    context->saved_data["layer"] = c10::IValue::make_capsule(c10::make_intrusive<HeldLayer>(layer));
    return layer(input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::AutoGradMode with_graph(true);
    const auto held = context->saved_data["layer"].toCapsule();
    const at::Tensor input = context->get_saved_variables()[0].detach().requires_grad_(true);
    const at::Tensor output = static_cast<HeldLayer&>(*held).function(input);
    torch::autograd::backward({output}, {gradients[0]});
    return {input.grad(), at::Tensor()};
  }
};

}  // namespace

at::Tensor recompute_in_backward(const Layer& function, const at::Tensor& input) {
  return Recompute::apply(input, function);
}

}  // namespace vllama::nn
