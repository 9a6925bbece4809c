// Slurm's lists of nodes and of counts per node.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vllama::distributed {

// The first host of a compressed list: "gpu[03-07,12]-ib,login1" -> "gpu03-ib". Throws UserError if
// the text is no such list.
std::string first_node(std::string_view node_list);

// Entry `index` of a list of counts: tasks_of_node("4(x2),3", 2) -> 3. Throws UserError.
std::int64_t tasks_of_node(std::string_view counts, std::int64_t index);

}  // namespace vllama::distributed
