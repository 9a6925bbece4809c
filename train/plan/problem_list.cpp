#include "train/plan/problem_list.h"

#include <algorithm>

namespace vllama::train {

void ProblemList::add(std::string problem) {
  if (std::ranges::find(problems_, problem) == problems_.end())
    problems_.push_back(std::move(problem));
}

void ProblemList::add(const std::vector<std::string>& problems, const std::string& where) {
  for (const std::string& problem : problems) add(where + problem);
}

}  // namespace vllama::train
