// What the allowed calls and persistent ids of a pickle stand for.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "weights/pth/pickle_graph.h"

namespace vllama::weights {

// A new node, an existing one, or (when `error` is not empty) the reason why there is none.
struct ObjectResult {
  Node node;
  std::optional<NodeIndex> existing;
  std::string error;
};

// The object that `callee(*arguments)` stands for.
ObjectResult make_object(PickleGraph& graph, NodeIndex callee, NodeIndex arguments);

// The storage named by a persistent id. `places` maps the keys met so far to their storages.
ObjectResult make_storage(PickleGraph& graph, std::map<std::string, std::size_t>& places,
                          NodeIndex identifier);

}  // namespace vllama::weights
