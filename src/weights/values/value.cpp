// Element types, tensor geometry and the dictionary of value.h.
#include "weights/values/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace vllama::weights {
namespace {

constexpr std::array<ElementTypeFacts, 10> kElementTypes = {{
    {ElementType::float64, 8, "float64", "F64", "DoubleStorage"},
    {ElementType::float32, 4, "float32", "F32", "FloatStorage"},
    {ElementType::float16, 2, "float16", "F16", "HalfStorage"},
    {ElementType::bfloat16, 2, "bfloat16", "BF16", "BFloat16Storage"},
    {ElementType::int64, 8, "int64", "I64", "LongStorage"},
    {ElementType::int32, 4, "int32", "I32", "IntStorage"},
    {ElementType::int16, 2, "int16", "I16", "ShortStorage"},
    {ElementType::int8, 1, "int8", "I8", "CharStorage"},
    {ElementType::uint8, 1, "uint8", "U8", "ByteStorage"},
    {ElementType::boolean, 1, "bool", "BOOL", "BoolStorage"},
}};

}  // namespace

const ElementTypeFacts& facts_of(ElementType type) {
  return kElementTypes[static_cast<std::size_t>(type)];
}

std::span<const ElementTypeFacts> element_types() {
  return kElementTypes;
}

std::optional<std::int64_t> checked_num_elements(std::span<const std::int64_t> shape) {
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, extent, &product)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : product;
}

std::int64_t TensorView::num_elements() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

bool TensorView::is_contiguous() const {
  if (num_elements() == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

std::vector<TensorView> contiguous_pieces(const TensorView& view, std::int64_t max_bytes) {
  VLLAMA_ASSERT(view.is_contiguous(), "only a contiguous view has contiguous pieces");
  const std::int64_t element_bytes = facts_of(view.type).num_bytes;
  const std::int64_t num_elements = view.num_elements();
  const std::int64_t piece_elements = std::max<std::int64_t>(max_bytes / element_bytes, 1);
  std::vector<TensorView> pieces;
  for (std::int64_t begin = 0; begin < num_elements; begin += piece_elements) {
    const std::int64_t count = std::min(piece_elements, num_elements - begin);
    pieces.push_back({view.type,
                      {count},
                      {1},
                      view.bytes.subspan(static_cast<std::size_t>(begin * element_bytes),
                                         static_cast<std::size_t>(count * element_bytes)),
                      view.owner});
  }
  return pieces;
}

std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string key_text(const Key& key) {
  if (const auto* number = std::get_if<std::int64_t>(&key)) return std::to_string(*number);
  return std::get<std::string>(key);
}

Map::Map() = default;
Map::~Map() = default;
Map::Map(const Map&) = default;
Map::Map(Map&&) noexcept = default;
Map& Map::operator=(const Map&) = default;
Map& Map::operator=(Map&&) noexcept = default;

std::size_t Map::size() const {
  return entries_.size();
}

void Map::set(Key key, Value value) {
  const auto [place, is_new] = places_.try_emplace(key, entries_.size());
  if (is_new) {
    entries_.emplace_back(std::move(key), std::move(value));
  } else {
    entries_[place->second].second = std::move(value);
  }
}

const Value* Map::find(const Key& key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &entries_[place->second].second;
}

const Value* Value::find(const Key& key) const {
  const Map* map = get_if<Map>();
  return map == nullptr ? nullptr : map->find(key);
}

std::string_view Value::type_name() const {
  static constexpr std::array<std::string_view, 10> kNames = {
      "None", "bool", "int", "float", "text", "list", "tuple", "dict", "tensor", "opaque"};
  static_assert(kNames.size() == std::variant_size_v<Data>);
  return kNames[data_.index()];
}

}  // namespace vllama::weights
