// Builds ordered dictionaries, tensors and storages from the arguments found in a pickle.
#include "weights/pth/pickle_objects.h"

#include <fmt/format.h>

#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

ObjectResult failure(std::string why) {
  return {{}, std::nullopt, std::move(why)};
}

ObjectResult existing(NodeIndex node) {
  return {{}, node, {}};
}

// The arguments of a call, by position and kind.
class Arguments {
 public:
  Arguments(const PickleGraph& graph, const std::vector<NodeIndex>& items)
      : graph_(graph), items_(items) {}

  std::size_t size() const { return items_.size(); }
  NodeIndex index(std::size_t place) const { return items_[place]; }
  const Node& node(std::size_t place) const { return graph_.nodes[items_[place]]; }
  bool is(std::size_t place, NodeKind kind) const {
    return place < items_.size() && node(place).kind == kind;
  }
  // The integers of a tuple, or nothing when it holds anything else.
  std::optional<std::vector<std::int64_t>> integers(std::size_t place) const {
    if (!is(place, NodeKind::tuple) || node(place).items.size() > kMaxDimensions)
      return std::nullopt;
    std::vector<std::int64_t> numbers;
    for (const NodeIndex item : node(place).items) {
      if (graph_.nodes[item].kind != NodeKind::integer) return std::nullopt;
      numbers.push_back(graph_.nodes[item].integer);
    }
    return numbers;
  }

 private:
  const PickleGraph& graph_;
  const std::vector<NodeIndex>& items_;
};

ObjectResult ordered_map(const PickleGraph& graph, const Arguments& arguments) {
  Node map{NodeKind::map, 0, 0, {}, {}};
  if (arguments.size() == 0) return {std::move(map), std::nullopt, {}};
  if (arguments.size() != 1 || !arguments.is(0, NodeKind::list))
    return failure("OrderedDict takes nothing or one list of pairs");
  for (const NodeIndex item : arguments.node(0).items) {
    const Node& pair = graph.nodes[item];
    const bool is_pair = (pair.kind == NodeKind::tuple || pair.kind == NodeKind::list);
    if (!is_pair || pair.items.size() != 2)
      return failure("OrderedDict takes a list of pairs of a key and a value");
    map.items.insert(map.items.end(), pair.items.begin(), pair.items.end());
  }
  return {std::move(map), std::nullopt, {}};
}

// Why a view is not inside its window, or nothing.
std::optional<std::string> geometry_error(const StorageWindow& window, std::int64_t offset,
                                          const std::vector<std::int64_t>& shape,
                                          const std::vector<std::int64_t>& strides) {
  if (shape.size() != strides.size() || shape.size() > kMaxDimensions)
    return fmt::format("a tensor has {} extents and {} strides", shape.size(), strides.size());
  const std::optional<std::int64_t> num_elements = checked_num_elements(shape);
  if (!num_elements || offset < 0) return "a tensor has a negative or too large extent or offset";
  std::int64_t last = offset;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] < 0) return "a tensor has a negative stride";
    std::int64_t step = 0;
    if (*num_elements > 0 && (__builtin_mul_overflow(shape[i] - 1, strides[i], &step) ||
                              __builtin_add_overflow(last, step, &last)))
      return "the extents and strides of a tensor overflow";
  }
  if (*num_elements > 0 && last >= window.num_elements)
    return fmt::format("a tensor of shape {} reaches element {} of a storage of {} elements",
                       shape_text(shape), last, window.num_elements);
  return std::nullopt;
}

ObjectResult tensor(PickleGraph& graph, const Arguments& arguments, std::size_t min_arguments,
                    std::size_t max_arguments) {
  const auto shape = arguments.integers(2), strides = arguments.integers(3);
  if (arguments.size() < min_arguments || arguments.size() > max_arguments ||
      !arguments.is(0, NodeKind::storage) || !arguments.is(1, NodeKind::integer) || !shape ||
      !strides)
    return failure("a tensor needs a storage, an offset, a size and strides");
  const StorageWindow& window = graph.windows[static_cast<std::size_t>(arguments.node(0).integer)];
  const std::int64_t offset = arguments.node(1).integer;
  if (const auto error = geometry_error(window, offset, *shape, *strides)) return failure(*error);
  // An empty tensor has no first element; its offset is never used.
  const bool is_empty = *checked_num_elements(*shape) == 0;
  graph.tensors.push_back(
      {window.storage, is_empty ? 0 : window.first_element + offset, *shape, *strides});
  return {{NodeKind::tensor, std::int64_t(graph.tensors.size()) - 1, 0, {}, {}}, std::nullopt, {}};
}

ObjectResult first_tensor(const Arguments& arguments) {
  if (!arguments.is(0, NodeKind::tensor)) return failure("a parameter needs a tensor");
  return existing(arguments.index(0));
}

// What a persistent id says, without the optional view.
struct StorageClaim {
  const Global* type;
  std::string_view key;
  std::int64_t num_elements;
};

std::optional<StorageClaim> storage_claim(const PickleGraph& graph, const Arguments& items) {
  if (items.size() < 5 || items.size() > 6 || !items.is(0, NodeKind::text) ||
      items.node(0).text != "storage" || !items.is(1, NodeKind::global) ||
      !items.is(2, NodeKind::text) || !items.is(3, NodeKind::text) ||
      !items.is(4, NodeKind::integer))
    return std::nullopt;
  const Global& type = graph.globals[static_cast<std::size_t>(items.node(1).integer)];
  if (type.kind != GlobalKind::storage) return std::nullopt;
  return StorageClaim{&type, items.node(2).text, items.node(4).integer};
}

}  // namespace

ObjectResult make_object(PickleGraph& graph, NodeIndex callee, NodeIndex arguments_node) {
  if (graph.nodes[callee].kind != NodeKind::global)
    return failure("something that is not a known name is called");
  if (graph.nodes[arguments_node].kind != NodeKind::tuple)
    return failure("the arguments of a call are not a tuple");
  const Arguments arguments(graph, graph.nodes[arguments_node].items);
  switch (graph.globals[static_cast<std::size_t>(graph.nodes[callee].integer)].kind) {
    case GlobalKind::ordered_dict:
      return ordered_map(graph, arguments);
    case GlobalKind::rebuild_tensor:
      return tensor(graph, arguments, 4, 4);
    case GlobalKind::rebuild_tensor_v2:
      return tensor(graph, arguments, 6, 7);
    case GlobalKind::rebuild_parameter:
    case GlobalKind::parameter:
      return first_tensor(arguments);
    case GlobalKind::size:
      if (arguments.size() != 1 || !arguments.is(0, NodeKind::tuple))
        return failure("torch.Size needs a tuple");
      return existing(arguments.index(0));
    case GlobalKind::device:
      if (!arguments.is(0, NodeKind::text)) return failure("torch.device needs a name");
      return {{NodeKind::opaque, 0, 0, arguments.node(0).text, {}}, std::nullopt, {}};
    case GlobalKind::storage:
    case GlobalKind::data_type:
      break;
  }
  return failure(fmt::format("'{}' is called", readable(graph.nodes[callee].text)));
}

ObjectResult make_storage(PickleGraph& graph, std::map<std::string, std::size_t>& places,
                          NodeIndex identifier) {
  if (graph.nodes[identifier].kind != NodeKind::tuple)
    return failure("a persistent id is not a tuple");
  const Arguments items(graph, graph.nodes[identifier].items);
  const auto claim = storage_claim(graph, items);
  if (!claim) return failure("a persistent id does not name a storage of a known type");
  const ElementType type = claim->type->element_type;
  std::int64_t num_bytes = 0;
  if (claim->num_elements < 0 ||
      __builtin_mul_overflow(claim->num_elements, facts_of(type).num_bytes, &num_bytes))
    return failure(
        fmt::format("storage '{}' has {} elements", readable(claim->key), claim->num_elements));
  const auto [place, is_new] = places.try_emplace(std::string(claim->key), graph.storages.size());
  if (is_new) graph.storages.push_back({place->first, type, claim->num_elements});
  const Storage& storage = graph.storages[place->second];
  if (storage.type != type || storage.num_elements != claim->num_elements)
    return failure(fmt::format("storage '{}' is declared twice with different types or sizes",
                               readable(claim->key)));
  StorageWindow window{place->second, 0, storage.num_elements};
  if (items.size() == 6 && !items.is(5, NodeKind::none)) {
    if (!items.is(5, NodeKind::tuple)) return failure("the view of a storage is not a tuple");
    const Arguments view(graph, items.node(5).items);
    if (view.size() != 3 || !view.is(1, NodeKind::integer) || !view.is(2, NodeKind::integer))
      return failure("the view of a storage needs a key, an offset and a size");
    window.first_element = view.node(1).integer;
    window.num_elements = view.node(2).integer;
    if (window.first_element < 0 || window.num_elements < 0 ||
        window.first_element > storage.num_elements ||
        window.num_elements > storage.num_elements - window.first_element)
      return failure(fmt::format("a view reaches outside of storage '{}'", readable(claim->key)));
  }
  graph.windows.push_back(window);
  return {{NodeKind::storage, std::int64_t(graph.windows.size()) - 1, 0, {}, {}}, std::nullopt, {}};
}

}  // namespace vllama::weights
