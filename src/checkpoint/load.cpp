// Compares names, shapes and types first, then loads tensor by tensor.
#include "checkpoint/load.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <map>
#include <set>

#include "checkpoint/readable.h"
#include "core/error.h"

namespace vllama::checkpoint {
namespace {

// The lines of the one error message, by kind.
struct Mismatches {
  std::vector<std::string> missing, unexpected, misshapen, mistyped;
  std::int64_t num_ignored = 0;
};

bool agrees(at::ScalarType file_type, at::ScalarType wanted) {
  return at::isFloatingType(file_type) == at::isFloatingType(wanted);
}

Mismatches compare(const TensorSource& source, std::span<const ParameterSlot> slots,
                   const LoadRules& rules) {
  std::map<std::string_view, const TensorFacts*> facts_of_name;
  for (const TensorFacts& facts : source.tensors()) facts_of_name.emplace(facts.name, &facts);
  Mismatches result;
  std::set<std::string_view> wanted;
  for (const ParameterSlot& slot : slots) {
    wanted.insert(slot.name);
    const auto found = facts_of_name.find(slot.name);
    if (found == facts_of_name.end()) {
      result.missing.push_back(fmt::format("{} {}", slot.name, shape_text(slot.shape)));
      continue;
    }
    const TensorFacts& facts = *found->second;
    if (facts.shape != slot.shape)
      result.misshapen.push_back(fmt::format("{}: expected {}, the file has {}", slot.name,
                                             shape_text(slot.shape), shape_text(facts.shape)));
    if (!agrees(facts.dtype, rules.dtype))
      result.mistyped.push_back(fmt::format("{}: expected {}, the file has {}", slot.name,
                                            c10::toString(rules.dtype),
                                            c10::toString(facts.dtype)));
  }
  for (const TensorFacts& facts : source.tensors()) {
    if (wanted.contains(facts.name)) continue;
    if (rules.is_ignorable && rules.is_ignorable(facts.name)) {
      ++result.num_ignored;
    } else {
      result.unexpected.push_back(
          fmt::format("{} {}", readable(facts.name), shape_text(facts.shape)));
    }
  }
  return result;
}

std::string file_text(const TensorSource& source) {
  std::set<std::string> files;
  for (const TensorFacts& facts : source.tensors()) files.insert(facts.file);
  return fmt::format("{}", fmt::join(files, ", "));
}

void append_list(std::string& message, const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  message += fmt::format("\n  {} ({}):", title, lines.size());
  for (const std::string& line : lines) message += "\n    " + line;
}

// Empty if there are none.
std::string message_of(const Mismatches& mismatches, const TensorSource& source) {
  std::string lists;
  append_list(lists, "missing", mismatches.missing);
  append_list(lists, "unexpected", mismatches.unexpected);
  append_list(lists, "of another shape", mismatches.misshapen);
  append_list(lists, "of another type", mismatches.mistyped);
  if (lists.empty()) return {};
  return fmt::format(
      "{}: the weights do not fit the model; check that the file and the "
      "configured sizes belong together{}",
      file_text(source), lists);
}

at::Tensor load_one(const TensorSource& source, const std::string& name, bool may_view,
                    const LoadRules& rules, at::IntArrayRef shape) {
  if (may_view) return source.read(name);
  at::Tensor copy = at::empty(shape, at::TensorOptions().dtype(rules.dtype).device(rules.device));
  source.copy_to(name, copy);
  return copy;
}

}  // namespace

std::string mismatches(const TensorSource& source, std::span<const ParameterSlot> slots,
                       const LoadRules& rules) {
  return message_of(compare(source, slots, rules), source);
}

LoadSummary load_parameters(const TensorSource& source, std::span<const ParameterSlot> slots,
                            const LoadRules& rules) {
  const Mismatches found = compare(source, slots, rules);
  if (const std::string message = message_of(found, source); !message.empty())
    throw UserError(message);
  std::map<std::string_view, at::ScalarType> type_of_name;
  for (const TensorFacts& facts : source.tensors()) type_of_name.emplace(facts.name, facts.dtype);
  LoadSummary summary;
  summary.num_ignored = found.num_ignored;
  for (const ParameterSlot& slot : slots) {
    const bool may_view =
        !rules.writable && rules.device.is_cpu() && type_of_name.at(slot.name) == rules.dtype;
    *slot.tensor = load_one(source, slot.name, may_view, rules, slot.shape);
    ++summary.num_loaded;
    summary.num_bytes += static_cast<std::int64_t>(slot.tensor->nbytes());
    if (rules.after_each) rules.after_each(slot);
    if (!slot.tensor->defined()) source.release(slot.name);
  }
  return summary;
}

}  // namespace vllama::checkpoint
