// Whether all ranks of a run are about to do the same.
#pragma once

#include <map>
#include <string>

#include "distributed/communicator.h"

namespace vllama::distributed {

// Together: compares what the ranks say under each name with what rank 0 says. Throws UserError on
// all ranks if they differ, naming the ranks and both values.
void require_agreement(Communicator& ranks, const std::map<std::string, std::string>& facts);

// The same comparison of what was gathered, rank by rank; empty if all agree.
std::string disagreement(const std::vector<std::map<std::string, std::string>>& facts_of_rank);

}  // namespace vllama::distributed
