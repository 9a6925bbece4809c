// Writes the opcodes for scalars, containers and tensors.
#include "weights/pth/pickle_writer.h"

#include <fmt/format.h>

#include <bit>
#include <limits>

#include "core/error.h"
#include "weights/pth/pickle_opcodes.h"
#include "weights/values/byte_order.h"

namespace vllama::weights {
namespace {

constexpr int kMaxWrittenDepth = 64;

class Writer {
 public:
  PickledValue write(const Value& value) {
    put(Opcode::proto);
    result_.pickle += '\x02';
    put_value(value, 0);
    put(Opcode::stop);
    return std::move(result_);
  }

 private:
  void put(Opcode opcode) { result_.pickle += static_cast<char>(opcode); }

  void put_value(const Value& value, int depth) {
    if (depth > kMaxWrittenDepth)
      throw UserError(fmt::format("a checkpoint may be nested {} deep at most", kMaxWrittenDepth));
    std::visit([&](const auto& content) { put_content(content, depth); }, value.data());
  }

  void put_content(std::monostate, int) { put(Opcode::none); }
  void put_content(bool flag, int) { put(flag ? Opcode::newtrue : Opcode::newfalse); }

  void put_content(std::int64_t number, int) {
    if (number >= std::numeric_limits<std::int32_t>::min() &&
        number <= std::numeric_limits<std::int32_t>::max()) {
      put(Opcode::binint);
      append_number(result_.pickle, static_cast<std::int32_t>(number));
    } else {
      put(Opcode::long1);
      result_.pickle += static_cast<char>(sizeof number);
      append_number(result_.pickle, number);
    }
  }

  void put_content(double number, int) {
    put(Opcode::binfloat);
    append_number(result_.pickle, __builtin_bswap64(std::bit_cast<std::uint64_t>(number)));
  }

  void put_content(const std::string& text, int) {
    if (text.size() > std::numeric_limits<std::uint32_t>::max())
      throw UserError("a text of more than 4 GiB cannot be put into a checkpoint");
    put(Opcode::binunicode);
    append_number(result_.pickle, static_cast<std::uint32_t>(text.size()));
    result_.pickle += text;
  }

  void put_content(const List& list, int depth) {
    put(Opcode::empty_list);
    if (list.empty()) return;
    put(Opcode::mark);
    for (const Value& item : list) put_value(item, depth + 1);
    put(Opcode::appends);
  }

  void put_content(const Tuple& tuple, int depth) {
    put(Opcode::mark);
    for (const Value& item : tuple.items) put_value(item, depth + 1);
    put(Opcode::tuple);
  }

  void put_content(const Map& map, int depth) {
    put(Opcode::empty_dict);
    if (map.size() == 0) return;
    put(Opcode::mark);
    for (const auto& [key, value] : map.entries()) {
      std::visit([&](const auto& content) { put_content(content, depth); }, key);
      put_value(value, depth + 1);
    }
    put(Opcode::setitems);
  }

  void put_content(const TensorView& view, int) {
    put_global("torch._utils", "_rebuild_tensor_v2");
    put(Opcode::mark);
    put_storage(view);
    put_content(std::int64_t{0}, 0);
    put_integers(view.shape);
    put_integers(contiguous_strides(view.shape));
    put(Opcode::newfalse);  // requires_grad
    put_global("collections", "OrderedDict");
    put(Opcode::empty_tuple);
    put(Opcode::reduce);  // backward hooks: none
    put(Opcode::tuple);
    put(Opcode::reduce);
  }

  void put_content(const Opaque& opaque, int) {
    throw UserError(fmt::format("'{}' cannot be put into a checkpoint", opaque.text));
  }

  void put_storage(const TensorView& view) {
    put(Opcode::mark);
    put_content(std::string("storage"), 0);
    put_global("torch", facts_of(view.type).storage_class);
    put_content(std::to_string(result_.tensors.size()), 0);
    put_content(std::string("cpu"), 0);
    put_content(view.num_elements(), 0);
    put(Opcode::tuple);
    put(Opcode::binpersid);
    result_.tensors.push_back(&view);
  }

  void put_integers(const std::vector<std::int64_t>& numbers) {
    put(Opcode::mark);
    for (const std::int64_t number : numbers) put_content(number, 0);
    put(Opcode::tuple);
  }

  void put_global(std::string_view module, std::string_view name) {
    put(Opcode::global);
    result_.pickle += fmt::format("{}\n{}\n", module, name);
  }

  PickledValue result_;
};

}  // namespace

PickledValue write_pickle(const Value& value) {
  return Writer().write(value);
}

}  // namespace vllama::weights
