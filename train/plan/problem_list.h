// What is wrong with a run: each thing once, in the order in which it was found.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace vllama::train {

class ProblemList {
 public:
  void add(std::string problem);
  // Each of them with `where` before it.
  void add(const std::vector<std::string>& problems, const std::string& where = "");

  // Calls `action`; what the user can fix becomes a problem.
  template <class Action>
  void attempt(Action&& action, const std::string& where = "") {
    try {
      action();
    } catch (const UserError& error) {
      add(where + error.what());
    }
  }

  bool empty() const { return problems_.empty(); }
  std::vector<std::string> take() && { return std::move(problems_); }

 private:
  std::vector<std::string> problems_;
};

}  // namespace vllama::train
