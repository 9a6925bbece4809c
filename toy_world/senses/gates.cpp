#include "toy_world/senses/gates.h"

#include <fmt/format.h>

#include <algorithm>

namespace vllama::toy {

std::string table(const std::vector<Gate>& gates) {
  std::string text = fmt::format("{:<24} {:>6} {:>9}  {}\n", "gate", "value", "at least", "passed");
  for (const Gate& gate : gates)
    text += fmt::format("{:<24} {:>6.3f} {:>9}  {}\n", gate.name, gate.value,
                        gate.threshold ? fmt::format("{:.2f}", *gate.threshold) : "",
                        !gate.threshold ? ""
                        : gate.passed() ? "yes"
                                        : "no");
  return text;
}

bool all_passed(const std::vector<Gate>& gates) {
  return std::ranges::all_of(gates, &Gate::passed);
}

}  // namespace vllama::toy
