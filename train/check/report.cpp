#include "train/check/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ranges>

#include "core/terminal_text.h"
#include "output/number_text.h"
#include "output/table.h"
#include "train/check/token_counts.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t sum(const std::map<std::string, RecordList>& lists) {
  std::int64_t total = 0;
  for (const auto& [reason, list] : lists) total += list.count;
  return total;
}

std::string of_all(std::int64_t count, std::int64_t total) {
  return count == 0 ? "0"
                    : fmt::format("{} ({:.1f}%)", output::grouped_digits(count),
                                  100 * static_cast<double>(count) / static_cast<double>(total));
}

// The count, and where to look first.
std::string with_first(const RecordList& list, std::int64_t total) {
  if (list.count == 0) return "0";
  return fmt::format("{}, the first is record {} ({})", of_all(list.count, total),
                     list.first.front().index, list.first.front().id);
}

std::string reasons(const std::map<std::string, RecordList>& lists, std::int64_t total) {
  std::string text = of_all(sum(lists), total);
  for (const auto& [reason, list] : lists)
    text += fmt::format(", {} {}", output::grouped_digits(list.count), reason);
  return text;
}

// A few captions before and after the clean-up; nothing where it takes no more than spaces.
std::string cleaned_text(const RecordList& cleaned, bool has_unicode) {
  constexpr std::size_t kMaxShown = 3;
  if (cleaned.count == 0) return {};
  std::string text = "  captions, and what clean_captions makes of them:\n";
  for (const RecordPlace& place : cleaned.first | std::views::take(kMaxShown))
    text += fmt::format("    record {} ({}): {}\n", place.index, visible(place.id, has_unicode),
                        visible(place.detail, has_unicode));
  return text;
}

std::string numbered(const std::string& what, const std::vector<std::string>& list) {
  if (list.empty()) return {};
  std::string text = fmt::format("{} {}{}:\n", list.size(), what, list.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < list.size(); ++i) text += fmt::format("{}. {}\n", i + 1, list[i]);
  return text;
}

std::string first_sample_text(const DatasetFindings& found) {
  if (found.first_sample.empty()) return {};
  return "\nIts first sample, as the model reads it\n" + found.first_sample;
}

std::string dataset_text(const DatasetFindings& found, bool has_unicode) {
  if (found.num_records == 0) return {};  // it could not be opened
  output::Table table{.title = "Data set " + found.name};
  const auto add = [&table](const char* name, std::string value) {
    table.rows.push_back({name, std::move(value)});
  };
  add("records", output::grouped_digits(found.num_records));
  add("invalid entries", found.invalid.total() == 0 ? "0" : found.invalid.summary());
  add("repeated ids", with_first(found.duplicates, found.num_records));
  add("media tags in texts", with_first(found.media_tags, found.num_records));
  add("captions changed by the clean-up", of_all(found.cleaned.count, found.num_records));
  if (found.num_looked_for > 0)
    add("files absent or empty",
        fmt::format("{}, of {} records", output::grouped_digits(found.missing.count),
                    output::grouped_digits(found.num_looked_for)));
  if (found.num_samples > 0) {
    add("samples built", output::grouped_digits(found.num_samples));
    add("dropped for media", reasons(found.bad_media, found.num_samples));
    add("dropped for text", reasons(found.bad_text, found.num_samples));
    add("text shortened", of_all(found.num_shortened, found.num_samples));
    add("clips with repeated frames", with_first(found.short_clips, found.num_samples));
    add("without the sound asked for", with_first(found.silent, found.num_samples));
    add("concealed frames", output::grouped_digits(found.num_concealed_frames));
  }
  const TokenCounts tokens = count_up(found.tokens_per_sample);
  if (!tokens.bins.empty())
    add("tokens per sample",
        fmt::format("from {} to {}, median {}", tokens.min, tokens.max, tokens.median));
  return output::format_table(table) + histogram_text(tokens, has_unicode) +
         cleaned_text(found.cleaned, has_unicode) + first_sample_text(found) + "\n";
}

Json json_of(const RecordList& list) {
  Json first = Json::array();
  for (const RecordPlace& place : list.first)
    first.push_back({{"record", place.index}, {"id", place.id}, {"detail", place.detail}});
  return {{"count", list.count}, {"first", first}};
}

Json json_of(const std::map<std::string, RecordList>& lists) {
  Json object = Json::object();
  for (const auto& [reason, list] : lists) object[reason] = json_of(list);
  return object;
}

Json json_of(const tables::InvalidEntries& invalid) {
  Json first = Json::array();
  for (const auto& entry : invalid.listed())
    first.push_back({{"place", entry.place}, {"reason", entry.reason}});
  return {{"count", invalid.total()}, {"by_reason", invalid.count_of_reason()}, {"first", first}};
}

Json json_of(const DatasetFindings& found) {
  const TokenCounts tokens = count_up(found.tokens_per_sample);
  Json bins = Json::array();
  for (const TokenBin& bin : tokens.bins)
    bins.push_back({{"first", bin.first}, {"last", bin.last}, {"count", bin.count}});
  return {{"name", found.name},
          {"annotations", found.annotations},
          {"records", found.num_records},
          {"invalid", json_of(found.invalid)},
          {"repeated_ids", json_of(found.duplicates)},
          {"media_tags", json_of(found.media_tags)},
          {"cleaned_captions", json_of(found.cleaned)},
          {"looked_for", found.num_looked_for},
          {"missing", json_of(found.missing)},
          {"samples", found.num_samples},
          {"dropped_for_media", json_of(found.bad_media)},
          {"dropped_for_text", json_of(found.bad_text)},
          {"shortened", found.num_shortened},
          {"longer_than_model", json_of(found.too_long)},
          {"repeated_frames", json_of(found.short_clips)},
          {"without_sound", json_of(found.silent)},
          {"concealed_frames", found.num_concealed_frames},
          {"first_sample", found.first_sample},
          {"tokens",
           {{"min", tokens.min}, {"median", tokens.median}, {"max", tokens.max}, {"bins", bins}}}};
}

Json json_of(const RunPlan& plan) {
  Json sets = Json::array(), modules = Json::array();
  for (const DatasetPlan& set : plan.sets)
    sets.push_back({{"name", set.name},
                    {"samples", set.num_samples},
                    {"samples_per_epoch", set.num_samples_per_epoch},
                    {"passes", set.num_passes}});
  for (const ModulePlan& module : plan.modules)
    modules.push_back({{"name", module.name},
                       {"parameters", module.num_parameters},
                       {"trained", module.is_trained}});
  const MemoryEstimate& memory = plan.memory;
  return {{"assumed", plan.assumed},
          {"epochs", plan.num_epochs},
          {"steps", plan.num_steps},
          {"samples_per_step", plan.samples_per_step},
          {"data_sets", sets},
          {"modules", modules},
          {"memory_bytes_per_gpu",
           {{"frozen_weights", memory.frozen_weights_bytes},
            {"gathered_layers", memory.gathered_layers_bytes},
            {"trained_state", memory.trained_state_bytes},
            {"activations", memory.activations_bytes},
            {"encoder", memory.encoder_bytes},
            {"logits", memory.logits_bytes},
            {"remembered", memory.remembered_bytes},
            {"total", memory.total_bytes()}}}};
}

}  // namespace

std::string report_text(const CheckReport& report, bool has_unicode) {
  std::string text;
  for (const DatasetFindings& found : report.datasets) text += dataset_text(found, has_unicode);
  if (report.plan) {
    text += report.plan->tables + "\n";
    if (!report.plan->assumed.empty()) text += report.plan->assumed + "\n\n";
  }
  text += numbered("warning", report.warnings);
  return text +
         (report.problems.empty() ? "No problems found.\n" : numbered("problem", report.problems));
}

std::string report_json(const CheckReport& report) {
  Json sets = Json::array();
  for (const DatasetFindings& found : report.datasets) sets.push_back(json_of(found));
  const Json object{{"problems", report.problems},
                    {"warnings", report.warnings},
                    {"data_sets", sets},
                    {"plan", report.plan ? json_of(*report.plan) : Json()}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vllama::train
