// Expands a pickle's object graph into a Value, within limits.
#include "weights/pth/pickle_graph.h"

#include <fmt/format.h>

#include <optional>

#include "core/error.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

constexpr int kMaxDepth = 64;
// A file may mention one object many times; each mention becomes a copy in the tree. An extent of
// a tensor counts as a value, too.
constexpr std::uint64_t kMaxValues = 4'000'000;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{256} << 20;

class Expansion {
 public:
  Expansion(const PickleGraph& graph,
            const std::function<StorageContent(const Storage&)>& content_of,
            std::uint64_t max_tensor_bytes, const std::string& file_name)
      : graph_(graph),
        content_of_(content_of),
        max_tensor_bytes_(max_tensor_bytes),
        file_name_(file_name),
        contents_(graph.storages.size()) {}

  Value expand(NodeIndex index, int depth) {
    if (depth > kMaxDepth)
      fail(fmt::format("objects are nested more than {} deep or contain themselves", kMaxDepth));
    if (++num_values_ > kMaxValues) fail(fmt::format("more than {} values", kMaxValues));
    const Node& node = graph_.nodes[index];
    switch (node.kind) {
      case NodeKind::none:
        return {};
      case NodeKind::boolean:
        return node.integer != 0;
      case NodeKind::integer:
        return node.integer;
      case NodeKind::real:
        return node.real;
      case NodeKind::text:
        return copied(node.text);
      case NodeKind::opaque:
        return Opaque{copied(node.text)};
      case NodeKind::list:
        return items(node, depth);
      case NodeKind::tuple:
        return Tuple{items(node, depth)};
      case NodeKind::map:
        return map(node, depth);
      case NodeKind::tensor:
        return tensor(graph_.tensors[static_cast<std::size_t>(node.integer)]);
      case NodeKind::storage:
        fail("a storage is used as a value; only tensors can be read");
      case NodeKind::global:
        return global(node);
    }
    fail("an object of unknown kind");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(fmt::format("{}: cannot use the pickled objects: {}", file_name_, what));
  }

  std::string copied(std::string_view text) {
    num_text_bytes_ += text.size();
    if (num_text_bytes_ > kMaxTextBytes) fail("too much text");
    return std::string(text);
  }

  List items(const Node& node, int depth) {
    List list;
    list.reserve(node.items.size());
    for (const NodeIndex item : node.items) list.push_back(expand(item, depth + 1));
    return list;
  }

  Map map(const Node& node, int depth) {
    Map result;
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const Node& key = graph_.nodes[node.items[i]];
      Value value = expand(node.items[i + 1], depth + 1);
      if (key.kind == NodeKind::text) {
        result.set(copied(key.text), std::move(value));
      } else if (key.kind == NodeKind::integer) {
        result.set(key.integer, std::move(value));
      } else {
        fail("a dictionary has a key that is neither text nor an integer");
      }
    }
    return result;
  }

  Value global(const Node& node) const {
    if (graph_.globals[static_cast<std::size_t>(node.integer)].kind != GlobalKind::data_type)
      fail(fmt::format("'{}' is used as a value", readable(node.text)));
    return Opaque{"torch." + std::string(node.text)};
  }

  const StorageContent& content(std::size_t storage) {
    if (!contents_[storage]) contents_[storage] = content_of_(graph_.storages[storage]);
    return *contents_[storage];
  }

  TensorView tensor(const TensorNode& node) {
    const Storage& storage = graph_.storages[node.storage];
    const std::int64_t element_bytes = facts_of(storage.type).num_bytes;
    num_values_ += node.shape.size();
    TensorView view{storage.type, node.shape, node.strides, {}, nullptr};
    const auto num_elements = static_cast<std::uint64_t>(view.num_elements());
    if (num_elements > (max_tensor_bytes_ - num_tensor_bytes_) / element_bytes)
      fail(fmt::format("its tensors claim more than {} bytes, far more than the file holds",
                       max_tensor_bytes_));
    num_tensor_bytes_ += num_elements * element_bytes;
    const StorageContent& bytes = content(node.storage);
    VLLAMA_ASSERT(bytes.bytes.size() == static_cast<std::size_t>(storage.num_bytes()),
                  "a storage has the size that its pickle declares");
    view.owner = bytes.owner;
    if (num_elements == 0) return view;
    std::int64_t last = 0;
    for (std::size_t i = 0; i < view.shape.size(); ++i)
      last += (view.shape[i] - 1) * view.strides[i];
    view.bytes = bytes.bytes.subspan(static_cast<std::size_t>(node.first_element * element_bytes),
                                     static_cast<std::size_t>((last + 1) * element_bytes));
    return view;
  }

  const PickleGraph& graph_;
  const std::function<StorageContent(const Storage&)>& content_of_;
  std::uint64_t max_tensor_bytes_;
  const std::string& file_name_;
  std::vector<std::optional<StorageContent>> contents_;
  std::uint64_t num_values_ = 0, num_text_bytes_ = 0, num_tensor_bytes_ = 0;
};

}  // namespace

Value to_value(const PickleGraph& graph,
               const std::function<StorageContent(const Storage&)>& content_of,
               std::uint64_t max_tensor_bytes, const std::string& file_name) {
  return Expansion(graph, content_of, max_tensor_bytes, file_name).expand(graph.root, 0);
}

}  // namespace vllama::weights
