// Compares names, shapes and types first, then loads tensor by tensor.
#include "weights/load.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <map>
#include <ranges>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "weights/values/readable.h"

namespace vllama::weights {
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
  constexpr std::size_t kMaxShown = 40;
  message += fmt::format("\n  {} ({}):", title, lines.size());
  for (const std::string& line : lines | std::views::take(kMaxShown)) message += "\n    " + line;
  if (lines.size() > kMaxShown)
    message += fmt::format("\n    ... and {} more", lines.size() - kMaxShown);
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

// Returns how many of the file's numbers are not finite.
std::int64_t load_one(const TensorSource& source, const ParameterSlot& slot, bool may_view,
                      const LoadRules& rules) {
  if (may_view) {
    *slot.tensor = source.read(slot.name);
    return source.count_not_finite(slot.name);
  }
  *slot.tensor = at::empty(slot.shape, at::TensorOptions().dtype(rules.dtype).device(rules.device));
  return source.copy_to(slot.name, *slot.tensor);
}

// Tensors with numbers that are not finite, as they are found.
class NotFinite {
 public:
  explicit NotFinite(const LoadRules& rules) : rules_(rules) {}

  void add(const TensorFacts& facts, std::int64_t count) {
    if (count == 0) return;
    const bool is_warning = rules_.is_partly_used && rules_.is_partly_used(facts.name);
    (is_warning ? warned_ : refused_)
        .push_back(fmt::format("{}: {} of {}", facts.name, count,
                               checked_num_elements(facts.shape).value_or(0)));
  }

  // Warns, and throws.
  void report(const TensorSource& source) const {
    std::string list;
    append_list(list, "not finite", warned_);
    if (!warned_.empty())
      log::warn(
          "{}: holds infinities or NaNs in rows that the model may never use; a sample that "
          "uses one has no loss{}",
          file_text(source), list);
    list.clear();
    append_list(list, "not finite", refused_);
    if (!refused_.empty())
      throw UserError(fmt::format(
          "{}: holds infinities or NaNs, of which every loss becomes NaN; the file is damaged, was "
          "saved by a run that diverged, or was converted to a type that is too small: use another "
          "copy{}",
          file_text(source), list));
  }

 private:
  const LoadRules& rules_;
  std::vector<std::string> warned_, refused_;
};

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
  std::map<std::string_view, const TensorFacts*> facts_of_name;
  for (const TensorFacts& facts : source.tensors()) facts_of_name.emplace(facts.name, &facts);
  LoadSummary summary;
  summary.num_ignored = found.num_ignored;
  NotFinite not_finite(rules);
  for (const ParameterSlot& slot : slots) {
    const TensorFacts& facts = *facts_of_name.at(slot.name);
    const bool may_view = !rules.writable && rules.device.is_cpu() && facts.dtype == rules.dtype;
    not_finite.add(facts, load_one(source, slot, may_view, rules));
    ++summary.num_loaded;
    summary.num_bytes += static_cast<std::int64_t>(slot.tensor->nbytes());
    if (rules.after_each) rules.after_each(slot);
    if (!slot.tensor->defined()) source.release(slot.name);
  }
  not_finite.report(source);
  return summary;
}

}  // namespace vllama::weights
