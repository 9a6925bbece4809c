#include "language/rope_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "weights/values/readable.h"

namespace vllama::language {
namespace {

using Kind = nn::RotaryScaling::Kind;

// What one of the maps says; a base is only in `rope_parameters`.
struct Section {
  std::string name;
  std::optional<double> base;
  nn::RotaryScaling scaling;
};

struct RopeType {
  std::string name;
  std::vector<std::string> needs;
};

const std::vector<RopeType> kRopeTypes{
    {"default", {}},
    {"linear", {"factor"}},
    {"dynamic", {"factor"}},
    {"llama3",
     {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}}};

// Keys that any type may have. The last says nothing to `default` and `linear`.
const std::set<std::string> kCommonKeys{"type", "rope_type", "rope_theta", "partial_rotary_factor",
                                        "original_max_position_embeddings"};

std::string type_of(const weights::ConfigJson& config, const std::string& name,
                    const weights::ConfigJson& section) {
  const std::string type = section.text("rope_type", section.text("type", "default"));
  if (section.text("type", type) != type)
    config.fail(name,
                fmt::format("has the type '{}' and the rope_type '{}'; remove one of them",
                            weights::readable(section.text("type", "")), weights::readable(type)));
  return type;
}

void check_keys(const weights::ConfigJson& section, const RopeType& type) {
  for (const std::string& key : type.needs)
    if (!section.has(key))
      section.fail(key, fmt::format("is missing, which '{}' needs", type.name));
  for (const auto& [key, value] : section.object().items()) {
    if (value.is_object())
      section.fail(key,
                   "is a map: positions that count differently in different layers are not "
                   "computed here");
    const bool is_known =
        kCommonKeys.contains(key) || std::ranges::find(type.needs, key) != type.needs.end();
    // Written for every type by some programs; without a meaning where nothing is scaled.
    const bool is_idle = type.name == "default" && key == "factor";
    if (!value.is_null() && !is_known && !is_idle)
      section.fail(key, fmt::format("is {}: this key is not known for the type '{}', and would "
                                    "change how positions turn queries and keys",
                                    weights::shown(value), type.name));
  }
  if (section.number("partial_rotary_factor", 1) != 1)
    section.fail("partial_rotary_factor",
                 fmt::format("is {}: only a part of each head would be turned; here all of it is",
                             section.number("partial_rotary_factor", 1)));
}

// Longer sequences than those of pre-training are where `dynamic` begins to differ from `default`.
void check_dynamic(const weights::ConfigJson& section, std::int64_t max_positions) {
  const std::int64_t original = section.positive("original_max_position_embeddings", max_positions);
  if (original < max_positions)
    section.fail("original_max_position_embeddings",
                 fmt::format("is {}: positions of the type 'dynamic' are computed here up to this "
                             "many; lower max_position_embeddings to it",
                             original));
}

Section read_section(const weights::ConfigJson& config, const std::string& name,
                     std::int64_t max_positions) {
  const weights::ConfigJson section = config.section(name);
  // Before the type, which such a map lacks.
  for (const auto& [key, value] : section.object().items())
    if (value.is_object()) check_keys(section, kRopeTypes.front());
  const std::string type_name = type_of(config, name, section);
  const auto type = std::ranges::find(kRopeTypes, type_name, &RopeType::name);
  if (type == kRopeTypes.end())
    config.fail(name, fmt::format("has the type '{}'; supported: default, linear, dynamic, llama3",
                                  weights::readable(type_name)));
  check_keys(section, *type);
  Section result{name, {}, {}};
  if (section.has("rope_theta")) result.base = section.number("rope_theta");
  nn::RotaryScaling& scaling = result.scaling;
  if (type->name == "linear") {
    scaling.kind = Kind::linear;
    scaling.factor = section.number("factor");
  } else if (type->name == "dynamic") {
    check_dynamic(section, max_positions);
  } else if (type->name == "llama3") {
    scaling.kind = Kind::llama3;
    scaling.factor = section.number("factor");
    scaling.low_frequency_factor = section.number("low_freq_factor");
    scaling.high_frequency_factor = section.number("high_freq_factor");
    scaling.original_positions = section.positive("original_max_position_embeddings");
    if (!(scaling.high_frequency_factor > scaling.low_frequency_factor))
      section.fail("high_freq_factor", "must be larger than low_freq_factor");
  }
  return result;
}

double agreed_base(const weights::ConfigJson& config, const std::vector<Section>& sections) {
  std::optional<double> base;
  std::string where = "rope_theta";
  if (config.has("rope_theta")) base = config.number("rope_theta");
  for (const Section& section : sections) {
    if (!section.base) continue;
    const std::string here = section.name + ".rope_theta";
    if (base && *base != *section.base)
      config.fail(here, fmt::format("is {}, but {} is {}; remove the one that is wrong",
                                    *section.base, where, *base));
    base = section.base;
    where = here;
  }
  return base.value_or(RopeSettings{}.base);
}

}  // namespace

RopeSettings read_rope_settings(const weights::ConfigJson& config, std::int64_t max_positions) {
  std::vector<Section> sections;
  for (const char* name : {"rope_scaling", "rope_parameters"})
    if (config.has(name)) sections.push_back(read_section(config, name, max_positions));
  if (sections.size() == 2 && sections[0].scaling != sections[1].scaling)
    config.fail("rope_parameters",
                "does not say what rope_scaling says; remove the one that is wrong");
  return {agreed_base(config, sections),
          sections.empty() ? nn::RotaryScaling{} : sections[0].scaling};
}

}  // namespace vllama::language
