// Runs the opcodes of a pickle; what REDUCE and BINPERSID mean is in pickle_objects.cpp.
#include "weights/pth/pickle_machine.h"

#include <fmt/format.h>

#include <bit>
#include <map>

#include "core/error.h"
#include "weights/pth/pickle_objects.h"
#include "weights/pth/pickle_opcodes.h"
#include "weights/values/byte_order.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

// Far above any weight file; they bound the memory that a hostile one can take to about 400 MB.
constexpr std::size_t kMaxNodes = 4'000'000;
constexpr std::size_t kMaxItems = 16'000'000;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::size_t begin, const std::string& file_name)
      : bytes_(bytes), at_(begin), begin_(begin), file_name_(file_name) {
    add({NodeKind::none, 0, 0, {}, {}});
    add({NodeKind::boolean, 0, 0, {}, {}});
    add({NodeKind::boolean, 1, 0, {}, {}});
    add({NodeKind::tuple, 0, 0, {}, {}});
  }

  PickleGraph run() {
    while (true) {
      opcode_at_ = at_;
      const auto opcode = static_cast<Opcode>(take<std::uint8_t>());
      if (opcode == Opcode::stop) break;
      if (!(scalar(opcode) || container(opcode) || memo(opcode) || object(opcode)))
        fail("this opcode does not occur in weight files and is not accepted");
    }
    graph_.root = pop();
    if (!stack_.empty() || !marks_.empty()) fail("objects are left on the stack");
    graph_.num_pickle_bytes = at_ - begin_;
    return std::move(graph_);
  }

 private:
  // Nodes that have no identity of their own and are made once.
  enum Shared : NodeIndex { kNone = 0, kFalse = 1, kTrue = 2, kEmptyTuple = 3 };

  [[noreturn]] void fail(const std::string& what) const {
    const std::string opcode = opcode_at_ < bytes_.size()
                                   ? opcode_text(std::to_integer<std::uint8_t>(bytes_[opcode_at_]))
                                   : "end of data";
    throw UserError(fmt::format("{}: cannot read the pickle: {} at offset {}: {}", file_name_,
                                opcode, opcode_at_, what));
  }

  void require(std::uint64_t num_bytes) const {
    if (num_bytes > bytes_.size() - at_)
      fail(fmt::format("needs {} more bytes, {} are left", num_bytes, bytes_.size() - at_));
  }

  template <class T>
  T take() {
    require(sizeof(T));
    const T value = read_number<T>(bytes_, at_);
    at_ += sizeof(T);
    return value;
  }

  std::string_view take_text(std::uint64_t num_bytes) {
    require(num_bytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_, num_bytes);
    if (!is_utf8(text)) fail("its text is not UTF-8");
    at_ += num_bytes;
    return text;
  }

  std::string_view take_line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_,
                                bytes_.size() - at_);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) fail("its name has no end");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  std::int64_t take_long(std::int64_t num_bytes) {
    // Sizes and strides fit 64 bits; a longer integer could only be meant for another reader.
    if (num_bytes < 0 || num_bytes > 8) fail("an integer of more than 64 bits");
    require(static_cast<std::uint64_t>(num_bytes));
    std::uint64_t value = 0;
    for (std::int64_t i = 0; i < num_bytes; ++i)
      value |= std::uint64_t{take<std::uint8_t>()} << (8 * i);
    const bool negative = num_bytes > 0 && (value >> (8 * num_bytes - 1) & 1) != 0;
    if (negative && num_bytes < 8) value |= ~std::uint64_t{0} << (8 * num_bytes);
    return static_cast<std::int64_t>(value);
  }

  void push(NodeIndex node) { stack_.push_back(node); }

  NodeIndex add(Node node) {
    if (graph_.nodes.size() >= kMaxNodes) fail(fmt::format("more than {} objects", kMaxNodes));
    num_items_ += node.items.size();
    // Six bytes are enough to make another tensor of 64 extents and strides.
    if (node.kind == NodeKind::tensor) num_items_ += 2 * graph_.tensors.back().shape.size();
    // A memo lets a few bytes name an object again and again: without a bound a small file would
    // fill the memory.
    if (num_items_ > kMaxItems)
      fail(fmt::format("more than {} items in containers and extents of tensors", kMaxItems));
    graph_.nodes.push_back(std::move(node));
    return static_cast<NodeIndex>(graph_.nodes.size() - 1);
  }

  // What lies below the latest mark belongs to a container under construction: no opcode may take
  // it, or two of them would hold the same objects.
  std::size_t num_above_mark() const {
    return stack_.size() - (marks_.empty() ? 0 : marks_.back());
  }

  NodeIndex pop() {
    if (num_above_mark() == 0) fail("takes an object from an empty stack");
    const NodeIndex node = stack_.back();
    stack_.pop_back();
    return node;
  }

  Node& top(NodeKind kind, const char* what) {
    if (num_above_mark() == 0) fail(fmt::format("there is no {} on the stack", what));
    Node& node = graph_.nodes[stack_.back()];
    if (node.kind != kind) fail(fmt::format("the object on the stack is not a {}", what));
    return node;
  }

  std::vector<NodeIndex> pop_last(std::size_t count) {
    if (num_above_mark() < count) fail("takes more objects than the stack holds");
    const std::vector<NodeIndex> items(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                       stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  std::vector<NodeIndex> pop_to_mark() {
    if (marks_.empty()) fail("there is no mark on the stack");
    std::vector<NodeIndex> items = pop_last(num_above_mark());
    marks_.pop_back();
    return items;
  }

  bool push_integer(std::int64_t value) {
    push(add({NodeKind::integer, value, 0, {}, {}}));
    return true;
  }

  bool push_text(std::string_view text) {
    push(add({NodeKind::text, 0, 0, text, {}}));
    return true;
  }

  bool push_shared(Shared node) {
    push(node);
    return true;
  }

  bool push_items(NodeKind kind, std::vector<NodeIndex> items) {
    push(kind == NodeKind::tuple && items.empty() ? NodeIndex{kEmptyTuple}
                                                  : add({kind, 0, 0, {}, std::move(items)}));
    return true;
  }

  bool scalar(Opcode opcode) {
    switch (opcode) {
      case Opcode::none:
        return push_shared(kNone);
      case Opcode::newtrue:
        return push_shared(kTrue);
      case Opcode::newfalse:
        return push_shared(kFalse);
      case Opcode::binint:
        return push_integer(take<std::int32_t>());
      case Opcode::binint1:
        return push_integer(take<std::uint8_t>());
      case Opcode::binint2:
        return push_integer(take<std::uint16_t>());
      case Opcode::long1:
        return push_integer(take_long(take<std::uint8_t>()));
      case Opcode::long4:
        return push_integer(take_long(take<std::int32_t>()));
      case Opcode::binfloat:
        push(add({NodeKind::real,
                  0,
                  std::bit_cast<double>(__builtin_bswap64(take<std::uint64_t>())),
                  {},
                  {}}));
        return true;
      case Opcode::binunicode:
        return push_text(take_text(take<std::uint32_t>()));
      case Opcode::short_binstring:
        return push_text(take_text(take<std::uint8_t>()));
      case Opcode::binstring: {
        const auto num_bytes = take<std::int32_t>();
        if (num_bytes < 0) fail("a text of negative length");
        return push_text(take_text(static_cast<std::uint64_t>(num_bytes)));
      }
      default:
        return false;
    }
  }

  bool container(Opcode opcode) {
    switch (opcode) {
      case Opcode::mark:
        marks_.push_back(stack_.size());
        return true;
      case Opcode::empty_dict:
        return push_items(NodeKind::map, {});
      case Opcode::empty_list:
        return push_items(NodeKind::list, {});
      case Opcode::empty_tuple:
        return push_items(NodeKind::tuple, {});
      case Opcode::tuple:
        return push_items(NodeKind::tuple, pop_to_mark());
      case Opcode::tuple1:
        return push_items(NodeKind::tuple, pop_last(1));
      case Opcode::tuple2:
        return push_items(NodeKind::tuple, pop_last(2));
      case Opcode::tuple3:
        return push_items(NodeKind::tuple, pop_last(3));
      case Opcode::setitem:
        return extend(NodeKind::map, "dictionary", pop_last(2));
      case Opcode::setitems:
        return extend(NodeKind::map, "dictionary", pop_to_mark());
      case Opcode::append:
        return extend(NodeKind::list, "list", pop_last(1));
      case Opcode::appends:
        return extend(NodeKind::list, "list", pop_to_mark());
      default:
        return false;
    }
  }

  bool extend(NodeKind kind, const char* what, const std::vector<NodeIndex>& items) {
    Node& target = top(kind, what);
    if (kind == NodeKind::map && items.size() % 2 != 0) fail("a key has no value");
    target.items.insert(target.items.end(), items.begin(), items.end());
    return true;
  }

  bool memo(Opcode opcode) {
    switch (opcode) {
      case Opcode::binput:
        return remember(take<std::uint8_t>());
      case Opcode::long_binput:
        return remember(take<std::uint32_t>());
      case Opcode::binget:
        return recall(take<std::uint8_t>());
      case Opcode::long_binget:
        return recall(take<std::uint32_t>());
      default:
        return false;
    }
  }

  bool remember(std::uint32_t place) {
    // Places come from the file and may be anything: a map, not an array of so many.
    if (num_above_mark() == 0) fail("there is nothing to remember");
    memo_[place] = stack_.back();
    return true;
  }

  bool recall(std::uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) fail(fmt::format("memo {} was never set", place));
    push(found->second);
    return true;
  }

  bool object(Opcode opcode) {
    switch (opcode) {
      case Opcode::proto:
        if (const auto protocol = take<std::uint8_t>(); protocol != 2)
          fail(fmt::format(
              "pickle protocol {}; only protocol 2, the default of torch.save, is read", protocol));
        return true;
      case Opcode::global:
        return global();
      case Opcode::reduce:
      case Opcode::newobj: {
        const NodeIndex arguments = pop(), callee = pop();
        push(build_object(callee, arguments));
        return true;
      }
      case Opcode::build:
        pop();  // the state of an ordered dictionary is its `_metadata`, which weights do not need
        top(NodeKind::map, "dictionary, the only object that may have a state");
        return true;
      case Opcode::binpersid:
        push(build_storage(pop()));
        return true;
      default:
        return false;
    }
  }

  bool global() {
    const std::string_view module = take_line(), name = take_line();
    const std::optional<Global> meaning = allowed_global(module, name);
    if (!meaning)
      fail(
          fmt::format("the file refers to '{} {}', which weight files have no need for; it is not "
                      "loaded, because a foreign name could run code",
                      readable(module), readable(name)));
    graph_.globals.push_back(*meaning);
    push(add({NodeKind::global, std::int64_t(graph_.globals.size()) - 1, 0, name, {}}));
    return true;
  }

  NodeIndex build_object(NodeIndex callee, NodeIndex arguments) {
    ObjectResult result = make_object(graph_, callee, arguments);
    if (!result.error.empty()) fail(result.error);
    return result.existing ? *result.existing : add(std::move(result.node));
  }

  NodeIndex build_storage(NodeIndex identifier) {
    ObjectResult result = make_storage(graph_, storage_places_, identifier);
    if (!result.error.empty()) fail(result.error);
    return add(std::move(result.node));
  }

  std::span<const std::byte> bytes_;
  std::size_t at_, begin_, opcode_at_ = 0;
  const std::string& file_name_;
  PickleGraph graph_;
  std::size_t num_items_ = 0;
  std::vector<NodeIndex> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint32_t, NodeIndex> memo_;
  std::map<std::string, std::size_t> storage_places_;
};

}  // namespace

PickleGraph read_pickle(std::span<const std::byte> bytes, std::size_t begin,
                        const std::string& file_name) {
  return Machine(bytes, begin, file_name).run();
}

}  // namespace vllama::weights
