// The objects that a pickle describes, before their tensors are bound to storages.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/pth/pickle_globals.h"
#include "weights/values/value.h"

namespace vllama::weights {

// A sequence of elements that tensors view; its content lies outside the pickle.
struct Storage {
  std::string key;
  ElementType type;
  std::int64_t num_elements;
  std::int64_t num_bytes() const { return num_elements * facts_of(type).num_bytes; }
};

// The content of a storage, and what keeps it in memory.
struct StorageContent {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Nodes refer to each other by index, so that shared and cyclic objects need no recursion to build
// or to free.
using NodeIndex = std::uint32_t;

enum class NodeKind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  text,
  list,
  tuple,
  map,
  global,
  storage,
  tensor,
  opaque,
};

struct Node {
  NodeKind kind = NodeKind::none;
  std::int64_t integer = 0;  // boolean, integer; else the index into the graph's table of its kind
  double real = 0;
  std::string_view text;         // text, opaque, global (its name); lies in the pickle or is static
  std::vector<NodeIndex> items;  // list, tuple; map: keys and values in turn
};

// A window of a storage, as a persistent id names it.
struct StorageWindow {
  std::size_t storage;  // index into PickleGraph::storages
  std::int64_t first_element, num_elements;
};

struct TensorNode {
  std::size_t storage;
  std::int64_t first_element;
  std::vector<std::int64_t> shape, strides;
};

struct PickleGraph {
  std::vector<Node> nodes;
  std::vector<Global> globals;
  std::vector<Storage> storages;
  std::vector<StorageWindow> windows;
  std::vector<TensorNode> tensors;
  NodeIndex root = 0;
  std::size_t num_pickle_bytes = 0;  // up to and including STOP
};

// Turns the graph into a tree and binds its tensors. `content_of` is called once per storage that a
// tensor uses and returns exactly its bytes. `max_tensor_bytes` limits the sum over all tensors.
// Throws UserError naming `file_name` when the tree is nested more than 64 deep, refers to itself,
// or grows out of proportion by sharing.
Value to_value(const PickleGraph& graph,
               const std::function<StorageContent(const Storage&)>& content_of,
               std::uint64_t max_tensor_bytes, const std::string& file_name);

}  // namespace vllama::weights
