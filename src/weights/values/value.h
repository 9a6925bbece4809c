// What a checkpoint file holds, free of libtorch: scalars, text, containers and strided tensor
// views over the mapped file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vllama::weights {

enum class ElementType {
  float64,
  float32,
  float16,
  bfloat16,
  int64,
  int32,
  int16,
  int8,
  uint8,
  boolean
};

struct ElementTypeFacts {
  ElementType type;
  std::int64_t num_bytes;
  std::string_view name;              // "float32"
  std::string_view safetensors_name;  // "F32"
  std::string_view storage_class;     // "FloatStorage"
};

const ElementTypeFacts& facts_of(ElementType type);
// Every supported element type, in the order of the enumeration.
std::span<const ElementTypeFacts> element_types();

// A tensor in memory that `owner` keeps alive (a file mapping, or a tensor of libtorch). Readers
// guarantee that every element lies inside `bytes`.
struct TensorView {
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements, none negative
  std::span<const std::byte> bytes;   // from the first element to the end of the last one
  std::shared_ptr<const void> owner;

  std::int64_t num_elements() const;
  // Size of the values themselves, without gaps between them.
  std::int64_t num_bytes() const { return num_elements() * facts_of(type).num_bytes; }
  bool is_contiguous() const;  // row-major without gaps
};

// A contiguous view cut into one-dimensional pieces of at most `max_bytes`, in order.
std::vector<TensorView> contiguous_pieces(const TensorView& view, std::int64_t max_bytes);

// Row-major strides of a shape, in elements.
std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape);
// More than any tensor has.
inline constexpr std::size_t kMaxDimensions = 64;

// Elements of a shape, or nothing when an extent is negative or the product exceeds an int64.
std::optional<std::int64_t> checked_num_elements(std::span<const std::int64_t> shape);
// "[2, 3]"
std::string shape_text(std::span<const std::int64_t> shape);

class Value;

using List = std::vector<Value>;

struct Tuple {
  std::vector<Value> items;
};

// A Python value that is named but not interpreted, such as "torch.float32".
struct Opaque {
  std::string text;
};

// A key of a Python dictionary.
using Key = std::variant<std::int64_t, std::string>;
std::string key_text(const Key& key);

// A dictionary in insertion order, as Python keeps it.
class Map {
 public:
  using Entry = std::pair<Key, Value>;

  // Out of line, because an entry can be completed only behind the values that it holds: clang
  // insists on that.
  Map();
  ~Map();
  Map(const Map&);
  Map(Map&&) noexcept;
  Map& operator=(const Map&);
  Map& operator=(Map&&) noexcept;

  // Adds an entry; an entry with the same key keeps its place and takes the new value.
  void set(Key key, Value value);
  // Null when the key is absent.
  const Value* find(const Key& key) const;
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const;

 private:
  std::vector<Entry> entries_;
  std::map<Key, std::size_t> places_;
};

class Value {
 public:
  using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Tuple,
                            Map, TensorView, Opaque>;

  Value() = default;  // None
  Value(bool value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(List value) : data_(std::move(value)) {}
  Value(Tuple value) : data_(std::move(value)) {}
  Value(Map value) : data_(std::move(value)) {}
  Value(TensorView value) : data_(std::move(value)) {}
  Value(Opaque value) : data_(std::move(value)) {}

  const Data& data() const { return data_; }
  bool is_none() const { return std::holds_alternative<std::monostate>(data_); }

  // The value as a T, or null when it is something else. No conversions.
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&data_);
  }
  // The entry of a map, or null when this is no map or has no such key.
  const Value* find(const Key& key) const;
  // "None", "bool", "int", "float", "text", "list", "tuple", "dict", "tensor", or "opaque".
  std::string_view type_name() const;

 private:
  Data data_;
};

}  // namespace vllama::weights
